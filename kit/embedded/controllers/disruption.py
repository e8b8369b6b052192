"""Writes how many Pods under a PodDisruptionBudget may be disrupted now; the eviction API takes them off one by one.

Models pkg/controller/disruption/disruption.go. Not modelled: the event that a Pod is under several budgets.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from kit.embedded.core.clock import Clock
from kit.embedded.core.controller import Effects, Mapper, View, itself
from kit.embedded.core.effects import After, Emit, Patch, Update
from kit.embedded.core.store import Event, Key, Obj
from kit.errors import Status
from kit.kube import budgets, owners, pods, selectors, shares, times
from kit.kube.kinds import Registry

BUDGETS = "poddisruptionbudgets.policy"
UNCONFIRMED_MS = STALE_MS = 2 * 60 * 1000
UNMANAGED = (
    "Pods selected by this PodDisruptionBudget (selector: {}) were found to be unmanaged. As a result, the status of the PDB cannot "
    'be calculated correctly, which may result in undefined behavior. To account for these pods please set ".spec.minAvailable" '
    "field of the PDB to an integer value."
)
UNCOUNTED = "Failed to calculate the number of expected pods: {}"
# Kinds that own Pods and say how many they want.
SCALED = {
    ("ReplicationController", "v1"): "replicationcontrollers",
    ("ReplicaSet", "apps/v1"): "replicasets.apps",
    ("StatefulSet", "apps/v1"): "statefulsets.apps",
    ("Deployment", "apps/v1"): "deployments.apps",
}


class UncountableError(Exception):
    """How many Pods are expected can't be said."""


class Disruption:
    """The disruption controller."""

    name = "disruption-controller"
    user = "system:serviceaccount:kube-system:disruption-controller"
    manager = "kube-controller-manager"
    component = "controllermanager"

    def __init__(self, clock: Clock, registry: Registry) -> None:
        self._clock = clock
        self._registry = registry
        self.watches: dict[str, Mapper] = {BUDGETS: itself, "pods": _concerned}

    def reconcile(self, key: Key, view: View, now: int) -> Effects:
        """Count the Pods of one budget; or take back what was said of a Pod that nobody disrupted after all."""
        if key.resource == "pods":
            yield from self._stale(key, view)
            return
        budget = view.at(key)
        if budget is None:
            return
        covered = [pod for pod in view.list("pods", key.namespace) if budgets.covers(budget, pod)]
        if not covered:
            yield Emit(budget, "Normal", "NoPods", "No matching pods found")
        try:
            expected, desired, unmanaged = self._wanted(budget, covered, view)
        except UncountableError as error:
            yield from self._failed(budget, str(error))
            return
        if unmanaged:
            yield Emit(
                budget, "Warning", "UnmanagedPods", UNMANAGED.format(selectors.struct(budget["spec"]["selector"]))
            )
        yield from self._report(budget, covered, expected, desired)

    def _report(self, budget: Obj, covered: Sequence[Obj], expected: int, desired: int) -> Any:
        unconfirmed, late, again = self._unconfirmed(budget, covered)
        for pod in late:
            name = f"{budget['metadata']['namespace']}/{budget['metadata']['name']}"
            yield Emit(pod, "Warning", "NotDeleted", f"Pod was expected by PDB {name} to be deleted but it wasn't")
        healthy = sum(
            pods.is_ready(pod)
            and "deletionTimestamp" not in pod["metadata"]
            and pod["metadata"]["name"] not in unconfirmed
            for pod in covered
        )
        state: Obj = {
            "observedGeneration": budget["metadata"].get("generation", 0),
            "disruptionsAllowed": max(0, healthy - desired) if expected > 0 else 0,
            "currentHealthy": healthy,
            "desiredHealthy": desired,
            "expectedPods": expected,
            "conditions": (budget.get("status") or {}).get("conditions") or [],
            **({"disruptedPods": unconfirmed} if unconfirmed else {}),
        }
        yield from self._write(budget, budgets.concluded(state, self._clock.text()))
        if again is not None:
            yield After(again)

    def _write(self, budget: Obj, state: Obj) -> Any:
        if state == budget.get("status"):
            return
        answer = yield Update({**budget, "status": state}, "status")
        if isinstance(answer, Status) and answer.reason != "NotFound":
            raise answer

    def _failed(self, budget: Obj, why: str) -> Any:
        yield Emit(budget, "Warning", "CalculateExpectedPodCountFailed", UNCOUNTED.format(why))
        state = {**(budget.get("status") or {}), "disruptionsAllowed": 0}
        for field in ("currentHealthy", "desiredHealthy", "expectedPods"):
            state.setdefault(field, 0)
        text = self._clock.text()
        yield from self._write(budget, budgets.with_condition(state, False, budgets.FAILED, why, text))

    def _wanted(self, budget: Obj, covered: Sequence[Obj], view: View) -> tuple[int, int, bool]:
        """Return how many Pods there should be, how many of them healthy, and whether some are nobody's."""
        spec = budget["spec"]
        least, most = spec.get("minAvailable"), spec.get("maxUnavailable")
        if most is None and isinstance(least, int):
            return len(covered), least, False
        if most is None and least is None:
            return 0, 0, False
        expected, unmanaged = self._scale(covered, view)
        if most is None:
            return expected, shares.of(least, expected, up=True), unmanaged
        return expected, max(0, expected - shares.of(most, expected, up=True)), unmanaged

    def _scale(self, covered: Sequence[Obj], view: View) -> tuple[int, bool]:
        """Return how many Pods the owners of these want altogether."""
        wanted: dict[str, int] = {}
        parents = [owners.controller_of(pod) for pod in covered]
        for pod, parent in zip(covered, parents, strict=True):
            if parent is not None and parent["uid"] not in wanted:
                uid, replicas = self._owner(pod, parent, view)
                wanted[uid] = wanted[parent["uid"]] = replicas
                if uid != parent["uid"]:
                    wanted[parent["uid"]] = 0
        return sum(wanted.values()), None in parents

    def _owner(self, pod: Obj, parent: Obj, view: View) -> tuple[str, int]:
        """Return the uid and the replicas of who decides on the number of a Pod and its like: of a ReplicaSet, its Deployment."""
        resource = SCALED.get((parent["kind"], parent["apiVersion"]))
        if resource is None:
            known = self._registry.by_kind(parent["apiVersion"], parent["kind"])
            if known is not None:
                raise UncountableError(f"{known.group_resource} does not implement the scale subresource")
        found = view.get(resource, pod["metadata"]["namespace"], parent["name"]) if resource else None
        if found is None or found["metadata"]["uid"] != parent["uid"]:
            raise UncountableError(f'found no controllers for pod "{pod["metadata"]["name"]}"')
        above = owners.controller_of(found)
        if above is not None and above["kind"] == "Deployment":
            return self._owner(pod, above, view)
        return str(parent["uid"]), int(found["spec"].get("replicas", 1))

    def _unconfirmed(self, budget: Obj, covered: Sequence[Obj]) -> tuple[dict[str, str], list[Obj], int | None]:
        """Return which evicted Pods are not being deleted yet, those that should be by now, and in how many ms the next should."""
        said = (budget.get("status") or {}).get("disruptedPods") or {}
        waiting: dict[str, str] = {}
        late: list[Obj] = []
        ends: list[int] = []
        for pod in covered:
            since = said.get(pod["metadata"]["name"])
            if since is None or "deletionTimestamp" in pod["metadata"]:
                continue
            left = times.parse(since) + UNCONFIRMED_MS - self._clock.wall()
            if left <= 0:
                late.append(pod)
            else:
                waiting[pod["metadata"]["name"]] = since
                ends.append(left)
        return waiting, late, min(ends, default=None)

    def _stale(self, key: Key, view: View) -> Any:
        pod = view.at(key)
        condition = _target(pod) if pod is not None else None
        if condition is None:
            return
        left = times.parse(condition["lastTransitionTime"]) + STALE_MS - self._clock.wall()
        if left > 0:
            yield After(left, housekeeping=True)
            return
        told = {"type": "DisruptionTarget", "status": "False", "reason": None, "message": None}
        changed = {"status": {"conditions": [{**told, "lastTransitionTime": self._clock.text()}]}}
        answer = yield Patch(key, changed, "strategic", "status")
        if isinstance(answer, Status) and answer.reason != "NotFound":
            raise answer


def _concerned(event: Event, view: View) -> Iterable[Key]:
    """Map a Pod to the budgets it is or was under, and to itself when it was said to be disrupted."""
    for budget in view.list(BUDGETS, event.key.namespace):
        if budgets.covers(budget, event.obj) or (event.old is not None and budgets.covers(budget, event.old.obj)):
            yield Key(BUDGETS, event.key.namespace, budget["metadata"]["name"])
    if event.type != "DELETED" and _target(event.obj) is not None:
        yield event.key


def _target(pod: Obj) -> Obj | None:
    """Return the condition of a living Pod that says it is about to be disrupted."""
    if pods.is_terminal(pod) or "deletionTimestamp" in pod["metadata"]:
        return None
    condition = pods.condition(pod, "DisruptionTarget")
    return condition if condition is not None and condition["status"] == "True" else None
