"""Quality of service: which of the three classes a Pod is in. Models pkg/apis/core/v1/helper/qos/qos.go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from kit.kube.quantities import Quantity

GUARANTEED: Final = "Guaranteed"
BURSTABLE: Final = "Burstable"
BEST_EFFORT: Final = "BestEffort"

_RESOURCES: Final = ("cpu", "memory")


def qos_class(pod: Mapping[str, Any]) -> str:
    """Return Guaranteed, Burstable or BestEffort."""
    spec = pod.get("spec") or {}
    if spec.get("resources"):
        claims = [spec["resources"]]
    else:
        containers = [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]
        claims = [container.get("resources") or {} for container in containers]
    requests = _sum(claims, "requests")
    limits = _sum(claims, "limits")
    if not requests and not limits:
        return BEST_EFFORT
    limited = all(_amounts(claim, "limits").keys() >= set(_RESOURCES) for claim in claims)
    return GUARANTEED if limited and requests == limits else BURSTABLE


def _sum(claims: list[Mapping[str, Any]], what: str) -> dict[str, Quantity]:
    out: dict[str, Quantity] = {}
    for claim in claims:
        for name, amount in _amounts(claim, what).items():
            out[name] = out[name] + amount if name in out else amount
    return out


def _amounts(claim: Mapping[str, Any], what: str) -> dict[str, Quantity]:
    given = claim.get(what) or {}
    found = {name: Quantity.parse(given[name]) for name in _RESOURCES if name in given}
    return {name: amount for name, amount in found.items() if amount.nano > 0}
