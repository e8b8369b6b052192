"""Validation of what containers and Pods request and are limited to.

Models pkg/apis/core/validation/validation.go (ValidateContainerResourceRequirements, validatePodResources).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from kit.kube import status
from kit.kube.quantities import Quantity
from kit.kube.validation import resource_names
from kit.kube.validation.checks import Causes, Obj
from kit.kube.validation.resource_names import parsed

NO_OVERCOMMIT: Final = "Limit must be set for non overcommitable resources"


def container(resources: Obj, at: str, out: Causes) -> None:
    """Check the resources of one container."""
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    for name, value in limits.items():
        resource_names.of_container(name, f"{at}.limits[{name}]", out)
        resource_names.amount(name, value, f"{at}.limits[{name}]", out)
    for name, value in requests.items():
        resource_names.of_container(name, f"{at}.requests[{name}]", out)
        resource_names.amount(name, value, f"{at}.requests[{name}]", out)
        _compare(name, value, limits, at, out)
    asked = {*limits, *requests}
    if any(map(resource_names.huge, asked)) and not asked & {"cpu", "memory"}:
        out.append(status.forbidden_value(at, "HugePages require cpu or memory"))


def _compare(name: str, value: Any, limits: Mapping[str, Any], at: str, out: Causes) -> None:
    exact = not resource_names.overcommitted(name)
    if name not in limits:
        if exact:
            out.append(status.required(f"{at}.limits", NO_OVERCOMMIT))
        return
    wanted, limit = parsed(value), parsed(limits[name])
    if exact and wanted != limit:
        why = f"must be equal to {name} limit of {limit}"
    elif wanted > limit:
        why = f"must be less than or equal to {name} limit of {limit}"
    else:
        return
    out.append(status.invalid_value(f"{at}.requests", str(wanted), why))


def pod_level(spec: Obj, at: str, out: Causes) -> None:
    """Check the resources of a Pod as a whole against those of its containers."""
    where, resources = f"{at}.resources", spec["resources"]
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    total = _requested(spec)
    for kind, given in (("limits", limits), ("requests", requests)):
        for name, value in given.items():
            if name not in ("cpu", "memory") and not resource_names.huge(name):
                allowed = ("cpu", "hugepages-", "memory")
                out.append(status.not_supported(f"{where}.{kind}[{name}]", name, allowed))
            resource_names.amount(name, value, f"{where}.{kind}[{name}]", out)
    for name, value in requests.items():
        _compare(name, value, limits, where, out)
    for name, wanted in total.items():
        if name in requests and wanted > parsed(requests[name]):
            why = f"must be greater than or equal to aggregate container requests of {wanted}"
            out.append(status.invalid_value(f"{where}.requests[{name}]", str(parsed(requests[name])), why))
    for index, one in enumerate(spec.get("containers") or ()):
        for name, value in ((one.get("resources") or {}).get("limits") or {}).items():
            if name in limits and parsed(value) > parsed(limits[name]):
                why = f"must be less than or equal to pod limits of {parsed(limits[name])}"
                field = f"{where}.containers[{index}][{name}].limits"
                out.append(status.invalid_value(field, str(parsed(value)), why))


def _requested(spec: Obj) -> dict[str, Quantity]:
    total: dict[str, Quantity] = {}
    for one in spec.get("containers") or ():
        for name, value in ((one.get("resources") or {}).get("requests") or {}).items():
            total[name] = total.get(name, Quantity()) + parsed(value)
    return total
