"""Validation of LimitRanges and ResourceQuotas. Models pkg/apis/core/validation/validation.go."""

from __future__ import annotations

from typing import Any, Final

from kit.kube import names, status
from kit.kube.quantities import Quantity
from kit.kube.validation.checks import Causes, Obj
from kit.kube.validation.pod_resources import amount

LIMIT_TYPES: Final = frozenset({"Container", "Pod", "PersistentVolumeClaim"})
_COUNTED: Final = frozenset(
    {
        "pods", "services", "replicationcontrollers", "resourcequotas", "secrets", "configmaps", "persistentvolumeclaims",
        "services.nodeports", "services.loadbalancers",
    }
)  # fmt: skip
_MEASURED: Final = frozenset(
    {
        "cpu", "memory", "ephemeral-storage", "requests.cpu", "requests.memory", "requests.storage",
        "requests.ephemeral-storage", "limits.cpu", "limits.memory", "limits.ephemeral-storage",
    }
)  # fmt: skip
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
        if kind == "Pod":
            for key in ("default", "defaultRequest"):
                if item.get(key):
                    out.append(status.forbidden_value(f"{at}.{key}", "may not be specified when `type` is 'Pod'"))
        _item(item, at, out)


def _item(item: Obj, at: str, out: Causes) -> None:
    """Want minimum <= default request <= default <= maximum."""
    groups = ("max", "min", "default", "defaultRequest", "maxLimitRequestRatio")
    for name in sorted({name for key in groups for name in item.get(key) or {}}):
        given = {key: Quantity.parse(item[key][name]) for key in groups if name in (item.get(key) or {})}
        for key, larger, field in _ORDERED:
            if key in given and larger in given and given[key] > given[larger]:
                left, right = _WORDS[key], _WORDS[larger]
                why = f"{left} value {given[key]} is greater than {right} value {given[larger]}"
                out.append(status.invalid_value(f"{at}.{field}[{name}]", str(given[field]), why))


_WORDS: Final = {"min": "min", "max": "max", "default": "default limit", "defaultRequest": "default request"}
# What may not be greater than what, and under which field that is reported.
_ORDERED: Final = (
    ("min", "max", "min"),
    ("min", "defaultRequest", "defaultRequest"),
    ("defaultRequest", "max", "defaultRequest"),
    ("defaultRequest", "default", "defaultRequest"),
    ("min", "default", "default"),
    ("default", "max", "default"),
)


def resource_quota(obj: Obj, out: Causes) -> None:
    """Check a ResourceQuota."""
    spec = obj.get("spec") or {}
    for name, value in (spec.get("hard") or {}).items():
        at = f"spec.hard[{name}]"
        _resource(name, at, out)
        amount(value, at, out)
        quantity = Quantity.parse(value)
        if (name in _COUNTED or "/" in name) and quantity.nano % 10**9:
            out.append(status.invalid_value(at, str(quantity), "must be an integer"))
    _scopes(spec, out)


def _resource(name: str, at: str, out: Causes) -> None:
    complaints = names.qualified(name)
    out.extend(status.invalid_value(at, name, text) for text in complaints)
    known = name in _COUNTED or name in _MEASURED or name.startswith(("hugepages-", "requests.hugepages-"))
    if complaints or "/" in name or known:
        return
    out.append(status.invalid_value(at, name, "must be a standard resource type or fully qualified"))
    out.append(status.invalid_value(at, name, "must be a standard resource for quota"))


def _scopes(spec: Obj, out: Causes) -> None:
    scopes, hard = spec.get("scopes") or [], spec.get("hard") or {}
    for scope in scopes:
        if scope not in SCOPES:
            out.append(status.invalid_value("spec.scopes", scopes, "unsupported scope"))
            continue
        for name in hard:
            if name in _COUNTED | _MEASURED and not _fits(scope, name):
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
