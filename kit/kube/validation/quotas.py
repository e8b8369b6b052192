"""Validation of LimitRanges and ResourceQuotas. Models pkg/apis/core/validation/validation.go."""

from __future__ import annotations

from typing import Any, Final

from kit.kube import names, status
from kit.kube.quantities import Quantity
from kit.kube.validation import resource_names
from kit.kube.validation.checks import Causes, Obj

LIMIT_TYPES: Final = frozenset({"Container", "Pod", "PersistentVolumeClaim"})
SCOPES: Final = frozenset(
    {"Terminating", "NotTerminating", "BestEffort", "NotBestEffort", "PriorityClass", "CrossNamespacePodAffinity"}
)
OPPOSITES: Final = (("BestEffort", "NotBestEffort"), ("Terminating", "NotTerminating"))


def limit_range(obj: Obj, out: Causes) -> None:
    """Check a LimitRange."""
    seen: set[str] = set()
    for index, item in enumerate((obj.get("spec") or {}).get("limits") or ()):
        at, kind = f"spec.limits[{index}]", item.get("type") or ""
        complaints = names.qualified(kind)
        out.extend(status.invalid_value(f"{at}.type", kind, text) for text in complaints)
        if not complaints and "/" not in kind and kind not in LIMIT_TYPES:
            out.append(status.invalid_value(f"{at}.type", kind, "must be a standard limit type or fully qualified"))
        if kind in seen:
            out.append(status.duplicate(f"{at}.type", kind))
        seen.add(kind)
        _names(item, kind, at, out)
        _item(item, kind, at, out)


_GROUPS: Final = ("max", "min", "default", "defaultRequest", "maxLimitRequestRatio")
_NOT_FOR_PODS: Final = ("default", "defaultRequest")


def _names(item: Obj, kind: str, at: str, out: Causes) -> None:
    """Want resources that what is limited can have."""
    named = resource_names.of_container if kind in ("Pod", "Container") else resource_names.known
    for key in _GROUPS:
        if kind == "Pod" and key in _NOT_FOR_PODS:
            if item.get(key):
                out.append(status.forbidden_value(f"{at}.{key}", "may not be specified when `type` is 'Pod'"))
            continue
        stored = any("storage" in (item.get(end) or {}) for end in ("min", "max"))
        if key == "maxLimitRequestRatio" and kind == "PersistentVolumeClaim" and not stored:
            why = "either minimum or maximum storage value is required, but neither was provided"
            out.append(status.required(f"{at}.limits", why))
        for name in item.get(key) or {}:
            named(name, f"{at}.{key}[{name}]", out)


def _item(item: Obj, kind: str, at: str, out: Causes) -> None:
    """Want minimum <= default request <= default <= maximum."""
    groups = [key for key in _GROUPS if not (kind == "Pod" and key in _NOT_FOR_PODS)]
    for name in sorted({name for key in groups for name in item.get(key) or {}}):
        given = {key: Quantity.parse(item[key][name]) for key in groups if name in (item.get(key) or {})}
        for key, larger, field, shown, words in _ORDERED:
            if key in given and larger in given and given[key] > given[larger]:
                why = words.format(given[key], given[larger])
                out.append(status.invalid_value(f"{at}.{field}[{name}]", str(given[shown]), why))
        _ratio(given, f"{at}.maxLimitRequestRatio[{name}]", out)
        fixed = {given[key] for key in _NOT_FOR_PODS if key in given}
        if not resource_names.overcommitted(name) and len(fixed) > 1:
            wanted, asked = given["default"], given["defaultRequest"]
            why = f"default value {wanted} must equal to defaultRequest value {asked} in {name}"
            out.append(status.invalid_value(f"{at}.defaultRequest[{name}]", str(asked), why))


def _ratio(given: dict[str, Quantity], at: str, out: Causes) -> None:
    """Want a ratio that minimum and maximum leave room for."""
    ratio, least, most = (given.get(key) for key in ("maxLimitRequestRatio", "min", "max"))
    if ratio is None:
        return
    if ratio.nano < 10**9:
        out.append(status.invalid_value(at, str(ratio), f"ratio {ratio} is less than 1"))
    if least is not None and most is not None:
        room = most.nano / least.nano if least.nano else float("inf")
        if ratio.nano / 10**9 > room:
            out.append(status.invalid_value(at, str(ratio), f"ratio {ratio} is greater than max/min = {room:f}"))


# What may not be greater than what; the field and the value that are reported, and the words.
_ORDERED: Final = (
    ("min", "max", "min", "min", "min value {} is greater than max value {}"),
    ("min", "defaultRequest", "defaultRequest", "defaultRequest", "min value {} is greater than default request value {}"),
    ("defaultRequest", "max", "defaultRequest", "defaultRequest", "default request value {} is greater than max value {}"),
    ("defaultRequest", "default", "defaultRequest", "defaultRequest",
     "default request value {} is greater than default limit value {}"),
    ("min", "default", "default", "min", "min value {} is greater than default value {}"),
    ("default", "max", "default", "max", "default value {} is greater than max value {}"),
)  # fmt: skip


def resource_quota(obj: Obj, out: Causes) -> None:
    """Check a ResourceQuota."""
    spec = obj.get("spec") or {}
    for name, value in (spec.get("hard") or {}).items():
        at = f"spec.hard[{name}]"
        resource_names.of_quota(name, at, out)
        resource_names.amount(name, value, at, out)
    _scopes(spec, out)


def _scopes(spec: Obj, out: Causes) -> None:
    scopes, hard = spec.get("scopes") or [], spec.get("hard") or {}
    for scope in scopes:
        if scope not in SCOPES:
            out.append(status.invalid_value("spec.scopes", scopes, "unsupported scope"))
            continue
        for name in hard:
            if name in resource_names.COUNTED | resource_names.MEASURED and not _fits(scope, name):
                why = "unsupported scope applied to resource"
                out.append(status.invalid_value("spec.scopes", scopes, why))
    for pair in OPPOSITES:
        if set(pair) <= set(scopes):
            out.append(status.invalid_value("spec.scopes", scopes, "conflicting scopes"))


def _fits(scope: str, name: str) -> bool:
    if scope == "BestEffort":
        return name == "pods"
    return name == "pods" or name.partition(".")[2] in {"cpu", "memory"} or name in {"cpu", "memory"}


def keep_scopes(new: Obj, old: Obj, out: Causes) -> None:
    """Want a quota that goes on counting the same Pods."""
    wanted, before = _given(new), _given(old)
    if set(wanted) != set(before):
        out.append(status.immutable("spec.scopes", wanted))


def _given(obj: Obj) -> list[Any]:
    return (obj.get("spec") or {}).get("scopes") or []
