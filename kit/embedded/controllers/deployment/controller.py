"""The deployment controller: rolls a Deployment's ReplicaSets from the old template to the new one.

Models pkg/controller/deployment: deployment_controller.go, sync.go, rolling.go, recreate.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from kit.embedded.controllers.deployment import revisions, status
from kit.embedded.controllers.deployment.limits import is_rolling
from kit.embedded.controllers.deployment.newest import found_again, found_or_made
from kit.embedded.controllers.deployment.scaling import new_size, others, shrink, spread, was_scaled
from kit.embedded.controllers.deployment.writing import key_of, scale, write_status
from kit.embedded.core.clock import Clock
from kit.embedded.core.controller import Effects, Mapper, View, itself, owner
from kit.embedded.core.effects import After, Delete, Patch
from kit.embedded.core.store import Event, Key, Obj
from kit.errors import Status
from kit.kube import owners, pods, selectors

replicas = revisions.replicas


class Deployment:
    """The deployment controller."""

    name = "deployment-controller"
    user = "system:serviceaccount:kube-system:deployment-controller"
    manager = "kube-controller-manager"
    component = "deployment-controller"

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.watches: dict[str, Mapper] = {
            "deployments.apps": itself,
            "replicasets.apps": owner("Deployment", "deployments.apps"),
            "pods": _recreated,
        }

    def reconcile(self, key: Key, view: View, now: int) -> Effects:
        """Take one Deployment a step further."""
        deployment = view.at(key)
        if deployment is None:
            return
        sets = yield from self._claim(deployment, view)
        if "deletionTimestamp" in deployment["metadata"]:
            yield from self._report(deployment, None, sets, progressing=False)
            return
        deployment = yield from self._pause_condition(deployment)
        if deployment["spec"].get("paused") or was_scaled(deployment, sets):
            yield from self._resize(deployment, sets)
        elif is_rolling(deployment):
            yield from self._roll(deployment, sets)
        else:
            yield from self._recreate(deployment, sets, view)

    def _claim(self, deployment: Obj, view: View) -> Any:
        """Adopt ReplicaSets that match and nobody owns; return its own."""
        namespace = deployment["metadata"]["namespace"]
        selector = selectors.of_object(deployment["spec"]["selector"])
        mine = []
        for rs in view.list("replicasets.apps", namespace):
            if owners.is_controlled_by(rs, deployment):
                if selector.matches(rs["metadata"].get("labels")):
                    mine.append(rs)
                    continue
                uid = deployment["metadata"]["uid"]
                yield Patch(
                    key_of(rs),
                    {"metadata": {"uid": rs["metadata"]["uid"], "ownerReferences": [{"$patch": "delete", "uid": uid}]}},
                )
            elif (
                owners.controller_of(rs) is None
                and selector.matches(rs["metadata"].get("labels"))
                and _living(rs, deployment)
            ):
                reference = owners.owner_reference(deployment, controller=True)
                adopted = yield Patch(
                    key_of(rs), {"metadata": {"uid": rs["metadata"]["uid"], "ownerReferences": [reference]}}
                )
                if not isinstance(adopted, Status):
                    mine.append(adopted)
        return mine

    def _pause_condition(self, deployment: Obj) -> Any:
        """Note a pause or its end in the Progressing condition, so that the deadline does not run meanwhile."""
        if deployment["spec"].get("progressDeadlineSeconds") is None:
            return deployment
        conditions = list((deployment.get("status") or {}).get("conditions") or [])
        current = status.find(conditions, "Progressing")
        if current is not None and current["reason"] == "ProgressDeadlineExceeded":
            return deployment
        paused = bool(deployment["spec"].get("paused"))
        if paused == (current is not None and current["reason"] == "DeploymentPaused"):
            return deployment
        words = (
            ("DeploymentPaused", "Deployment is paused") if paused else ("DeploymentResumed", "Deployment is resumed")
        )
        status.put(conditions, "Progressing", "Unknown", *words, self._clock)
        return (yield from write_status(deployment, {**(deployment.get("status") or {}), "conditions": conditions}))

    # --- the three ways on ---

    def _resize(self, deployment: Obj, sets: Sequence[Obj]) -> Any:
        """Scale without rolling on: the Deployment is paused, or its size was changed."""
        new = revisions.find_new(deployment, sets)
        if new is not None:
            deployment, new = yield from found_again(deployment, new, sets, self._clock)
        sets = [*others(sets, new), *([new] if new else [])]
        sets = yield from spread(deployment, new, sets)
        yield from self._report(deployment, new, sets, progressing=False)

    def _roll(self, deployment: Obj, sets: Sequence[Obj]) -> Any:
        """Take one step of a rolling update: the new one up, else the old ones down."""
        deployment, new = yield from found_or_made(deployment, sets, self._clock)
        old = others(sets, new)
        up = new_size(deployment, new, [*old, new])
        if up != replicas(new):
            new = yield from scale(deployment, new, up)
            yield from self._report(deployment, new, [*old, new])
            return
        old, moved = yield from shrink(deployment, new, old)
        if not moved and status.complete(deployment, status.compute(deployment, new, [*old, new], self._clock)):
            yield from self._clean(deployment, old)
        yield from self._report(deployment, new, [*old, new])

    def _recreate(self, deployment: Obj, sets: Sequence[Obj], view: View) -> Any:
        """All old Pods first, then the new ReplicaSet."""
        found = revisions.find_new(deployment, sets)
        old = others(sets, found)
        active = [rs for rs in old if replicas(rs)]
        for rs in active:
            yield from scale(deployment, rs, 0)
        if active or any(not pods.is_terminal(pod) for rs in old for pod in view.owned("pods", rs["metadata"]["uid"])):
            yield from self._report(deployment, found, sets)
            return
        deployment, new = yield from found_or_made(deployment, sets, self._clock)
        if replicas(new) != replicas(deployment):
            new = yield from scale(deployment, new, replicas(deployment))
        if status.complete(deployment, status.compute(deployment, new, [*old, new], self._clock)):
            yield from self._clean(deployment, old)
        yield from self._report(deployment, new, [*old, new])

    # --- what is left behind, and the status ---

    def _clean(self, deployment: Obj, old: Sequence[Obj]) -> Any:
        """Delete old ReplicaSets beyond revisionHistoryLimit."""
        limit = deployment["spec"].get("revisionHistoryLimit", 10)
        living = [rs for rs in old if "deletionTimestamp" not in rs["metadata"]]
        for rs in sorted(living, key=revisions.revision)[: max(0, len(living) - limit)]:
            state = rs.get("status") or {}
            if (
                not replicas(rs)
                and not state.get("replicas")
                and rs["metadata"].get("generation", 0) <= state.get("observedGeneration", 0)
            ):
                yield Delete(key_of(rs))

    def _report(self, deployment: Obj, new: Obj | None, sets: Sequence[Obj], *, progressing: bool = True) -> Any:
        computed = status.compute(deployment, new, sets, self._clock)
        later = status.progress(deployment, computed, new, sets, self._clock) if progressing else None
        yield from write_status(deployment, computed)
        if later is not None:
            yield After(later)


def _recreated(event: Event, view: View) -> Iterable[Key]:
    """Map a Pod that has gone to the Deployment that waits for it to recreate."""
    if event.type != "DELETED":
        return
    for key in owner("ReplicaSet", "replicasets.apps")(event, view):
        rs = view.at(key)
        parent = owners.controller_of(rs) if rs else None
        if parent is not None and parent["kind"] == "Deployment":
            yield Key("deployments.apps", key.namespace, parent["name"])


def _living(rs: Obj, deployment: Obj) -> bool:
    return "deletionTimestamp" not in rs["metadata"] and "deletionTimestamp" not in deployment["metadata"]
