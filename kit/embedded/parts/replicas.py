"""Keeps as many Pods as an object with replicas wants: creates, deletes, adopts, releases, and reports.

Models pkg/controller/replicaset/replica_set.go and controller_utils.go, which work for ReplicaSets and ReplicationControllers
alike: a `Flavour` says what differs. The view is never stale here, so there are no expectations.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from kit.embedded.core.clock import Clock
from kit.embedded.core.controller import Effects, Mapper, View, itself
from kit.embedded.core.effects import After
from kit.embedded.core.store import Key, Obj
from kit.embedded.parts import claiming, podcontrol, ranking, writing
from kit.errors import Status
from kit.kube import owners, pods
from kit.kube.selectors import Selector

BURST = 500
SLOW_START = 1


@dataclass(frozen=True, slots=True)
class Flavour:
    """Whose replicas: the kind, where it is kept, how its selector is read, and whether its status counts Pods that are ending."""

    kind: str
    resource: str
    selector: Callable[[Obj], Selector]
    counts_terminating: bool = True


class Reading(NamedTuple):
    """What counts of one Pod for one ReplicaSet."""

    pod: Obj
    controlled: bool
    matches: bool
    labelled: bool
    active: bool
    ready: bool
    terminating: bool


class Replicas:
    """What a controller of replicas is made of: it brings a name and a flavour."""

    def __init__(self, clock: Clock, flavour: Flavour) -> None:
        self._clock = clock
        self._flavour = flavour
        self._read: dict[Key, tuple[tuple[str, int], dict[str, Reading]]] = {}
        self.watches: dict[str, Mapper] = {
            flavour.resource: itself,
            "pods": claiming.members(flavour.kind, flavour.resource, flavour.selector),
        }

    def reconcile(self, key: Key, view: View, now: int) -> Effects:
        """Make one object's Pods as many as it wants, then write its status."""
        replicaset = view.at(key)
        if replicaset is None:
            self._read.pop(key, None)
            return
        mine = yield from self._claim(key, replicaset, view)
        active = [one.pod for one in mine if one.active]
        failure = None
        if "deletionTimestamp" not in replicaset["metadata"]:
            failure = yield from self._scale(replicaset, active, view)
        yield from self._report(replicaset, mine, failure)
        if failure is not None:
            raise failure

    def _claim(self, key: Key, replicaset: Obj, view: View) -> Any:
        """Adopt orphans that match, release what no longer does; return the Pods that are its own."""
        uid = replicaset["metadata"]["uid"]
        deleting = "deletionTimestamp" in replicaset["metadata"]
        mine = self._readings(key, replicaset, view.owned("pods", uid))
        for one in [one for one in mine if not one.matches and not deleting]:
            yield claiming.release("pods", one.pod, replicaset)
        mine = [one for one in mine if one.matches]
        if deleting:
            return mine
        selector = self._flavour.selector(replicaset)
        for pod in view.loose_pods(key.namespace):
            if selector.matches(pod["metadata"].get("labels")) and pods.is_active(pod):
                adopted = yield claiming.adopt("pods", pod, replicaset)
                if not isinstance(adopted, Status):
                    mine.append(_reading(replicaset, selector, adopted))
        return mine

    def _readings(self, key: Key, replicaset: Obj, owned: Sequence[Obj]) -> list[Reading]:
        """Read off each Pod what counts, anew only for those that have changed: a large set is looked at for every one of its Pods."""
        metadata, selector = replicaset["metadata"], self._flavour.selector(replicaset)
        version = (metadata["uid"], metadata.get("generation", 0))
        known, before = self._read.get(key, (version, {}))
        before = before if known == version else {}
        fresh = {}
        for pod in owned:
            uid = pod["metadata"]["uid"]
            one = before.get(uid)
            fresh[uid] = one if one is not None and one.pod is pod else _reading(replicaset, selector, pod)
        self._read[key] = (version, fresh)
        return [one for one in fresh.values() if one.controlled]

    def _scale(self, replicaset: Obj, active: Sequence[Obj], view: View) -> Any:
        missing = replicaset["spec"].get("replicas", 1) - len(active)
        if missing > 0:
            return (yield from self._create(replicaset, min(missing, BURST)))
        if missing < 0:
            yield from self._delete(replicaset, active, min(-missing, BURST), view)
        return None

    def _create(self, replicaset: Obj, count: int) -> Any:
        """Create Pods in batches of 1, 2, 4 …, so that a refusal costs one request and not five hundred."""
        template = replicaset["spec"]["template"]
        batch = SLOW_START
        while count > 0:
            for _ in range(min(batch, count)):
                made = yield from podcontrol.create(replicaset, podcontrol.pod_of(replicaset, template))
                if isinstance(made, Status):
                    return made
            count -= min(batch, count)
            batch *= 2
        return None

    def _delete(self, replicaset: Obj, active: Sequence[Obj], count: int, view: View) -> Any:
        crowd = _crowding(replicaset, active, view, self._flavour.resource)
        wall = self._clock.wall()
        for pod in sorted(active, key=lambda pod: ranking.for_deletion(pod, crowd, wall))[:count]:
            if (yield from podcontrol.delete(replicaset, pod)) is not None:
                return

    def _report(self, replicaset: Obj, mine: Sequence[Reading], failure: Status | None) -> Any:
        status, later = _status(replicaset, mine, failure, self._clock)
        if not self._flavour.counts_terminating:
            del status["terminatingReplicas"]
        yield from writing.status(replicaset, status)
        if later:
            yield After(later)


def _reading(replicaset: Obj, selector: Selector, pod: Obj) -> Reading:
    labels = pod["metadata"].get("labels") or {}
    wanted = (replicaset["spec"]["template"].get("metadata") or {}).get("labels") or {}
    return Reading(
        pod,
        controlled=owners.is_controlled_by(pod, replicaset),
        matches=selector.matches(labels),
        labelled=wanted.items() <= labels.items(),
        active=pods.is_active(pod),
        ready=pods.is_ready(pod),
        terminating="deletionTimestamp" in pod["metadata"] and not pods.is_terminal(pod),
    )


def _crowding(replicaset: Obj, active: Sequence[Obj], view: View, resource: str) -> dict[str, int]:
    """Count, per node, the Pods of this ReplicaSet and its siblings of one Deployment (getPodsRankedByRelatedPodsOnSameNode)."""
    parent = owners.controller_of(replicaset)
    related = list(active)
    if parent is not None:
        for sibling in view.owned(resource, parent["uid"]):
            if sibling["metadata"]["uid"] != replicaset["metadata"]["uid"]:
                related += [pod for pod in view.owned("pods", sibling["metadata"]["uid"]) if pods.is_active(pod)]
    crowd: dict[str, int] = {}
    for pod in related:
        node = pod["spec"].get("nodeName", "")
        crowd[node] = crowd.get(node, 0) + 1
    return crowd


def _status(replicaset: Obj, mine: Sequence[Reading], failure: Status | None, clock: Clock) -> tuple[Obj, int | None]:
    """Compute the status, and in how many ms it will change by itself (minReadySeconds). Models calculateStatus."""
    minimum, wall = replicaset["spec"].get("minReadySeconds", 0), clock.wall()
    active = [one for one in mine if one.active]
    ready = [one.pod for one in active if one.ready]
    waits = [pods.available_in(pod, minimum, wall) for pod in ready] if minimum else [0] * len(ready)
    counts = {
        "replicas": len(active),
        "fullyLabeledReplicas": sum(one.labelled for one in active),
        "readyReplicas": len(ready),
        "availableReplicas": waits.count(0),
    }
    status: Obj = {name: count for name, count in counts.items() if count or name == "replicas"}
    status["terminatingReplicas"] = sum(one.terminating for one in mine)
    status["observedGeneration"] = replicaset["metadata"].get("generation", 0)
    conditions = _conditions(replicaset, failure, clock)
    if conditions:
        status["conditions"] = conditions
    return status, min((wait for wait in waits if wait), default=None)


def _conditions(replicaset: Obj, failure: Status | None, clock: Clock) -> list[Obj]:
    kept = [c for c in (replicaset.get("status") or {}).get("conditions") or [] if c["type"] != "ReplicaFailure"]
    if failure is None:
        return kept
    before = pods.condition(replicaset, "ReplicaFailure")
    since = before["lastTransitionTime"] if before else clock.text()
    found = {
        "type": "ReplicaFailure",
        "status": "True",
        "lastTransitionTime": since,
        "reason": "FailedCreate",
        "message": failure.message,
    }
    return [*kept, before or found]
