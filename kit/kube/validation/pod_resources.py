"""Validation of what containers and Pods request and are limited to.

Models pkg/apis/core/validation/validation.go (ValidateContainerResourceRequirements, validatePodResources).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from kit.kube import names, status
from kit.kube.quantities import Quantity
from kit.kube.validation import checks
from kit.kube.validation.checks import Causes, Obj

STANDARD: Final = frozenset({"cpu", "memory", "ephemeral-storage"})
NO_OVERCOMMIT: Final = "Limit must be set for non overcommitable resources"


def container(resources: Obj, at: str, out: Causes) -> None:
    """Check the resources of one container."""
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    for name, value in limits.items():
        _one(name, value, f"{at}.limits[{name}]", out)
    for name, value in requests.items():
        _one(name, value, f"{at}.requests[{name}]", out)
        _compare(name, value, limits, at, out)


def _one(name: str, value: Any, at: str, out: Causes) -> None:
    if name not in STANDARD:
        _resource_name(name, at, out)
    amount(value, at, out)
    if name not in STANDARD and _parsed(value).nano % 10**9:
        out.append(status.invalid_value(at, str(_parsed(value)), "must be an integer"))


def _resource_name(name: str, at: str, out: Causes) -> None:
    complaints = checks.known_good(names.qualified, name)
    if complaints:
        out.extend(status.invalid_value(at, name, text) for text in complaints)
    elif "/" not in name and not name.startswith("hugepages-"):
        out.append(status.invalid_value(at, name, "must be a standard resource for containers"))


def amount(value: Any, at: str, out: Causes) -> None:
    """Want a quantity that is not negative."""
    quantity = _parsed(value)
    if quantity.nano < 0:
        out.append(status.invalid_value(at, str(quantity), checks.NOT_NEGATIVE))


def _compare(name: str, value: Any, limits: Mapping[str, Any], at: str, out: Causes) -> None:
    exact = "/" in name or name.startswith("hugepages-")
    if name not in limits:
        if exact:
            out.append(status.required(f"{at}.limits", NO_OVERCOMMIT))
        return
    wanted, limit = _parsed(value), _parsed(limits[name])
    if exact and wanted != limit:
        why = f"must be equal to {name} limit of {limit}"
    elif wanted > limit:
        why = f"must be less than or equal to {name} limit of {limit}"
    else:
        return
    out.append(status.invalid_value(f"{at}.requests", str(wanted), why))


@lru_cache(maxsize=2048)
def _parsed(value: Any) -> Quantity:
    return Quantity.parse(value)


def pod_level(spec: Obj, at: str, out: Causes) -> None:
    """Check the resources of a Pod as a whole against those of its containers."""
    where, resources = f"{at}.resources", spec["resources"]
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    total = _requested(spec)
    for kind, given in (("limits", limits), ("requests", requests)):
        for name, value in given.items():
            if name not in STANDARD - {"ephemeral-storage"} and not name.startswith("hugepages-"):
                allowed = ("cpu", "hugepages-", "memory")
                out.append(status.not_supported(f"{where}.{kind}[{name}]", name, allowed))
            amount(value, f"{where}.{kind}[{name}]", out)
    for name, value in requests.items():
        _compare(name, value, limits, where, out)
    for name, wanted in total.items():
        if name in requests and wanted > _parsed(requests[name]):
            why = f"must be greater than or equal to aggregate container requests of {wanted}"
            out.append(status.invalid_value(f"{where}.requests[{name}]", str(_parsed(requests[name])), why))
    for index, one in enumerate(spec.get("containers") or ()):
        for name, value in ((one.get("resources") or {}).get("limits") or {}).items():
            if name in limits and _parsed(value) > _parsed(limits[name]):
                why = f"must be less than or equal to pod limits of {_parsed(limits[name])}"
                field = f"{where}.containers[{index}][{name}].limits"
                out.append(status.invalid_value(field, str(_parsed(value)), why))


def _requested(spec: Obj) -> dict[str, Quantity]:
    total: dict[str, Quantity] = {}
    for one in spec.get("containers") or ():
        for name, value in ((one.get("resources") or {}).get("requests") or {}).items():
            total[name] = total.get(name, Quantity()) + _parsed(value)
    return total
