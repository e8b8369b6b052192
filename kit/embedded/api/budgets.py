"""Disruption budgets: whether a Pod may be evicted now, and the note that it was.

Models pkg/registry/core/pod/storage/eviction.go (canIgnorePDB, checkAndDecrement).
"""

from __future__ import annotations

from typing import Any

from kit.embedded.api import writing
from kit.embedded.api.attributes import SERVER, Attributes
from kit.embedded.api.context import Context
from kit.embedded.core.store import Obj
from kit.errors import Status
from kit.kube import budgets, pods, status

BUDGETS = "poddisruptionbudgets.policy"
UNCONFIRMED_MAX = 2000
RETRY_SECONDS = 10
VIOLATED = "Cannot evict pod as it would violate the pod's disruption budget."
SEVERAL = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
FULL = "DisruptedPods map too big - too many evictions not confirmed by PDB controller"
MANAGER = "kube-apiserver"


def spend(context: Context, at: Attributes, pod: Obj, *, dry_run: bool) -> None:
    """Take one disruption off the budget that a Pod is under, or refuse its eviction."""
    if _free(pod):
        return
    found = [one for one in context.store.list(BUDGETS, at.namespace) if budgets.covers(one, pod)]
    if len(found) > 1:
        raise Status("", SEVERAL, code=500)
    if found and not _spared(found[0], pod):
        _check(found[0])
        if not dry_run:
            _note(context, found[0], pod)


def _free(pod: Obj) -> bool:
    """Say whether no budget counts a Pod: it runs not yet, no more, or is being deleted."""
    phase = (pod.get("status") or {}).get("phase") or "Pending"
    return phase in {"Pending", "Succeeded", "Failed"} or "deletionTimestamp" in pod["metadata"]


def _spared(budget: Obj, pod: Obj) -> bool:
    """Say whether a Pod that is not ready may go at no cost."""
    if pods.is_ready(pod):
        return False
    state = budget.get("status") or {}
    wanted = state.get("desiredHealthy", 0)
    if budget["spec"].get("unhealthyPodEvictionPolicy") == "AlwaysAllow":
        return True
    return bool(wanted > 0 and state.get("currentHealthy", 0) >= wanted)


def _check(budget: Obj) -> None:
    name, state = budget["metadata"]["name"], budget.get("status") or {}
    if state.get("observedGeneration", 0) < budget["metadata"].get("generation", 0):
        raise _refused(f"The disruption budget {name} is still being processed by the server.", RETRY_SECONDS)
    if len(state.get("disruptedPods") or ()) > UNCONFIRMED_MAX:
        raise status.forbidden(BUDGETS, name, FULL)
    if not state.get("disruptionsAllowed"):
        raise _refused(_why(name, budget, state))


def _why(name: str, budget: Obj, state: Obj) -> str:
    wanted, have = state.get("desiredHealthy", 0), state.get("currentHealthy", 0)
    condition = pods.condition(budget, budgets.ALLOWED) or {}
    none = f"The disruption budget {name} does not allow evicting pods currently"
    if condition.get("status") == "False" and condition.get("reason") == budgets.FAILED:
        return f"{none} because it failed sync: {condition['message']}"
    return (
        f"The disruption budget {name} needs {wanted} healthy pods and has {have} currently" if have <= wanted else none
    )


def _refused(why: str, retry_seconds: int = 0) -> Status:
    return status.too_many_requests(VIOLATED, retry_seconds, [{"reason": "DisruptionBudget", "message": why}])


def _note(context: Context, budget: Obj, pod: Obj) -> None:
    resource, meta = context.registry.by_kind(budget["apiVersion"], budget["kind"]), budget["metadata"]
    if resource is None:
        raise status.unknown_path()
    at = Attributes("update", resource, meta["namespace"], meta["name"], "status", SERVER, MANAGER)
    now = context.clock.text()

    def change(old: Obj) -> Obj:
        state: dict[str, Any] = dict(old["status"])
        state["disruptionsAllowed"] -= 1
        state["disruptedPods"] = {**(state.get("disruptedPods") or {}), pod["metadata"]["name"]: now}
        return {**old, "status": budgets.concluded(state, now)}

    writing.update(context, at, change)
