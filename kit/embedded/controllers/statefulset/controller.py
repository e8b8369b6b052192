"""Keeps the numbered Pods of a StatefulSet. Models pkg/controller/statefulset/stateful_set.go and stateful_set_control.go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kit.embedded.controllers.statefulset import identity, states, steps
from kit.embedded.core.clock import Clock
from kit.embedded.core.controller import Effects, Mapper, View, itself, owner
from kit.embedded.core.effects import After
from kit.embedded.core.store import Key, Obj
from kit.embedded.parts import claiming, hashes, history, writing
from kit.errors import Status
from kit.kube import pods

STATEFULSETS = "statefulsets.apps"
NAMES = ("currentRevision", "updateRevision")
KEEPER = history.Keeper(
    "controller.kubernetes.io/hash", lambda _, data, collisions: hashes.of_data(data, collisions or 0)
)


class StatefulSet:
    """The statefulset controller."""

    name = "statefulset-controller"
    user = "system:serviceaccount:kube-system:statefulset-controller"
    manager = "kube-controller-manager"
    component = "statefulset-controller"

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.watches: dict[str, Mapper] = {
            STATEFULSETS: itself,
            "pods": claiming.members("StatefulSet", STATEFULSETS),
            history.REVISIONS: owner("StatefulSet", STATEFULSETS),
        }

    def reconcile(self, key: Key, view: View, now: int) -> Effects:
        """Take one StatefulSet a step further, then write its status, whether or not all went well."""
        parent = view.at(key)
        if parent is None:
            return
        owned = yield from claiming.claimed(parent, "pods", view, fits=lambda pod: identity.is_member(pod, parent))
        if "deletionTimestamp" in parent["metadata"]:
            yield from self._report(parent, owned, [(parent.get("status") or {}).get(name, "") for name in NAMES])
            return
        update, revisions = yield from history.recorded(parent, KEEPER, view)
        named = (parent.get("status") or {}).get("currentRevision")
        current = next((one for one in revisions if one["metadata"]["name"] == named), update)
        one = steps.begun(parent, (current, update), owned, view, self._clock.wall())
        refusal = yield from _attempted(one)
        names = [revision["metadata"]["name"] for revision in (current, update)]
        yield from self._report(parent, owned, names, one.deleted_current)
        live = {identity.revision_of(pod) for pod in owned} | set(names)
        yield from history.thinned(parent, revisions, live)
        if refusal is not None:
            raise refusal

    def _report(self, parent: Obj, owned: Sequence[Obj], names: Sequence[str], deleted: int = 0) -> Any:
        """Write the status, and look again when a Pod will have become available; `names` are the revisions', current and update."""
        (current, update), wall = names, self._clock.wall()
        found = states.counts(owned, parent, current, update, wall)
        found["currentReplicas"] -= deleted
        wanted, strategy = parent["spec"].get("replicas", 1), (parent["spec"].get("updateStrategy") or {}).get("type")
        done = all(found[name] == wanted for name in ("updatedReplicas", "readyReplicas", "replicas"))
        if strategy == "RollingUpdate" and done:
            current, found["currentReplicas"] = update, found["updatedReplicas"]
        always = ("replicas", "availableReplicas")
        before = parent.get("status") or {}
        status: Obj = {name: count for name, count in found.items() if count or name in always}
        status |= {
            "observedGeneration": parent["metadata"].get("generation", 0),
            "currentRevision": current,
            "updateRevision": update,
            "collisionCount": before.get("collisionCount", 0),
        }
        status |= {"conditions": before["conditions"]} if "conditions" in before else {}
        yield from writing.status(parent, status)
        minimum = parent["spec"].get("minReadySeconds", 0)
        waits = [pods.available_in(pod, minimum, wall) for pod in owned] if minimum else []
        if any(waits):
            yield After(min(wait for wait in waits if wait))


def _attempted(one: steps.Round) -> Any:
    """Take the round; return what was refused, so that the status is written all the same."""
    try:
        yield from steps.taken(one)
    except Status as refusal:
        return refusal
    return None
