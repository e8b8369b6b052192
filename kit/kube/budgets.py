"""What a PodDisruptionBudget says: which Pods it is about, and whether one of them may be disrupted. True for any cluster.

Models pkg/util/disruptionbudget (k8s.io/component-helpers/apps/poddisruptionbudget).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from kit.kube import selectors

Obj = Mapping[str, Any]

ALLOWED: Final = "DisruptionAllowed"
SUFFICIENT: Final = "SufficientPods"
INSUFFICIENT: Final = "InsufficientPods"
FAILED: Final = "SyncFailed"


def covers(budget: Obj, pod: Obj) -> bool:
    """Say whether a budget is about a Pod: an empty selector is about all, none about no Pod."""
    return selectors.of_object(budget["spec"].get("selector")).matches(pod["metadata"].get("labels"))


def concluded(state: Mapping[str, Any], now: str) -> dict[str, Any]:
    """Return a status whose condition follows from the disruptions it allows."""
    allowed = state.get("disruptionsAllowed", 0) > 0
    return with_condition(state, allowed, SUFFICIENT if allowed else INSUFFICIENT, "", now)


def with_condition(state: Mapping[str, Any], allowed: bool, reason: str, message: str, now: str) -> dict[str, Any]:
    """Return a status with this condition; its time stays while its answer does (meta.SetStatusCondition)."""
    told: dict[str, Any] = {"type": ALLOWED, "status": str(allowed)}
    if state.get("observedGeneration"):
        told["observedGeneration"] = state["observedGeneration"]
    others: list[Any] = []
    since = now
    for one in state.get("conditions") or ():
        if one["type"] != ALLOWED:
            others.append(one)
        elif one["status"] == told["status"]:
            since = one["lastTransitionTime"]
    told |= {"lastTransitionTime": since, "reason": reason, "message": message}
    return {**state, "conditions": [*others, told]}
