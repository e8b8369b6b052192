"""The deployment controller: rolls a Deployment's ReplicaSets from the old template to the new one.

Models pkg/controller/deployment: deployment_controller.go, sync.go, rolling.go, recreate.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from kit.embedded.controllers.deployment import revisions, status
from kit.embedded.controllers.deployment.limits import fenceposts, is_rolling, max_surge, max_unavailable, proportions
from kit.embedded.core.clock import Clock
from kit.embedded.core.controller import Effects, Mapper, View, itself, owner
from kit.embedded.core.effects import After, Create, Delete, Emit, Patch, Update
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
        if deployment["spec"].get("paused") or _was_scaled(deployment, sets):
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
                    _key(rs),
                    {"metadata": {"uid": rs["metadata"]["uid"], "ownerReferences": [{"$patch": "delete", "uid": uid}]}},
                )
            elif (
                owners.controller_of(rs) is None
                and selector.matches(rs["metadata"].get("labels"))
                and _living(rs, deployment)
            ):
                reference = owners.owner_reference(deployment, controller=True)
                adopted = yield Patch(
                    _key(rs), {"metadata": {"uid": rs["metadata"]["uid"], "ownerReferences": [reference]}}
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
        return (yield from _write_status(deployment, {**(deployment.get("status") or {}), "conditions": conditions}))

    # --- the three ways on ---

    def _resize(self, deployment: Obj, sets: Sequence[Obj]) -> Any:
        """Scale without rolling on: the Deployment is paused, or its size was changed."""
        new = revisions.find_new(deployment, sets)
        if new is not None:
            new = yield from self._renumber(deployment, new, _others(sets, new))
        sets = [*_others(sets, new), *([new] if new else [])]
        sets = yield from self._spread(deployment, new, sets)
        yield from self._report(deployment, new, sets, progressing=False)

    def _roll(self, deployment: Obj, sets: Sequence[Obj]) -> Any:
        """Take one step of a rolling update: the new one up, else the old ones down."""
        deployment, new = yield from self._new(deployment, sets)
        old = _others(sets, new)
        up = _new_size(deployment, new, [*old, new])
        if up != replicas(new):
            new = yield from self._scale(deployment, new, up)
            yield from self._report(deployment, new, [*old, new])
            return
        old, moved = yield from self._shrink(deployment, new, old)
        if not moved and status.complete(deployment, status.compute(deployment, new, [*old, new], self._clock)):
            yield from self._clean(deployment, old)
        yield from self._report(deployment, new, [*old, new])

    def _recreate(self, deployment: Obj, sets: Sequence[Obj], view: View) -> Any:
        """All old Pods first, then the new ReplicaSet."""
        found = revisions.find_new(deployment, sets)
        old = _others(sets, found)
        active = [rs for rs in old if replicas(rs)]
        for rs in active:
            yield from self._scale(deployment, rs, 0)
        if active or any(not pods.is_terminal(pod) for rs in old for pod in view.owned("pods", rs["metadata"]["uid"])):
            yield from self._report(deployment, found, sets)
            return
        deployment, new = yield from self._new(deployment, sets)
        if replicas(new) != replicas(deployment):
            new = yield from self._scale(deployment, new, replicas(deployment))
        if status.complete(deployment, status.compute(deployment, new, [*old, new], self._clock)):
            yield from self._clean(deployment, old)
        yield from self._report(deployment, new, [*old, new])

    # --- ReplicaSets ---

    def _new(self, deployment: Obj, sets: Sequence[Obj]) -> Any:
        """Return (deployment, the ReplicaSet of its present template), made or renumbered where needed."""
        found = revisions.find_new(deployment, sets)
        if found is not None:
            new = yield from self._renumber(deployment, found, _others(sets, found))
            conditions = (deployment.get("status") or {}).get("conditions") or []
            if status.find(conditions, "Progressing") is None:
                deployment = yield from self._note(
                    deployment, "FoundNewReplicaSet", f'Found new replica set "{new["metadata"]["name"]}"'
                )
            return deployment, new
        return (yield from self._make(deployment, sets))

    def _make(self, deployment: Obj, sets: Sequence[Obj]) -> Any:
        number = revisions.next_revision(sets)
        collisions = (deployment.get("status") or {}).get("collisionCount", 0)
        wanted = min(
            replicas(deployment), max(0, replicas(deployment) + max_surge(deployment) - sum(map(replicas, sets)))
        )
        wanted = wanted if is_rolling(deployment) else replicas(deployment)
        made = yield Create(revisions.make(deployment, wanted, number, collisions))
        if isinstance(made, Status):
            if made.reason == "AlreadyExists":  # another template has this hash: count it, and the next name differs
                before = deployment.get("status") or {}
                yield from _write_status(deployment, {**before, "collisionCount": collisions + 1})
            raise made
        if wanted:
            yield Emit(
                deployment,
                "Normal",
                "ScalingReplicaSet",
                f"Scaled up replica set {made['metadata']['name']} from 0 to {wanted}",
            )
        deployment = yield from self._own_revision(deployment, number)
        words = f'Created new replica set "{made["metadata"]["name"]}"'
        return (yield from self._note(deployment, "NewReplicaSetCreated", words)), made

    def _renumber(self, deployment: Obj, new: Obj, old: Sequence[Obj]) -> Any:
        number = max(revisions.next_revision(old), revisions.revision(new)) if old else max(1, revisions.revision(new))
        wanted = revisions.renumbered(deployment, new, number)
        patch: Obj = {}
        if any(revisions.notes(new).get(key) != value for key, value in wanted.items() if key not in _SIZES):
            patch["metadata"] = {"annotations": {key: value for key, value in wanted.items() if key not in _SIZES}}
        if new["spec"].get("minReadySeconds", 0) != deployment["spec"].get("minReadySeconds", 0):
            patch["spec"] = {"minReadySeconds": deployment["spec"].get("minReadySeconds", 0)}
        if patch:
            new = _checked((yield Patch(_key(new), patch, "merge")))
        yield from self._own_revision(deployment, revisions.revision(new))
        return new

    def _own_revision(self, deployment: Obj, number: int) -> Any:
        if revisions.revision(deployment) == number:
            return deployment
        patch = {"metadata": {"annotations": {revisions.REVISION: str(number)}}}
        return _checked(
            (
                yield Patch(
                    Key("deployments.apps", deployment["metadata"]["namespace"], deployment["metadata"]["name"]),
                    patch,
                    "merge",
                )
            )
        )

    def _note(self, deployment: Obj, reason: str, message: str) -> Any:
        if deployment["spec"].get("progressDeadlineSeconds") is None:
            return deployment
        conditions = list((deployment.get("status") or {}).get("conditions") or [])
        status.put(conditions, "Progressing", "True", reason, message, self._clock)
        return (yield from _write_status(deployment, {**(deployment.get("status") or {}), "conditions": conditions}))

    def _scale(self, deployment: Obj, rs: Obj, size: int, *, quietly: bool = False) -> Any:
        """Set a ReplicaSet's size and note the Deployment's in its annotations."""
        before = replicas(rs)
        sizes = revisions.sizes(deployment)
        if before == size and all(revisions.notes(rs).get(key) == value for key, value in sizes.items()):
            return rs
        rs = _checked(
            (yield Patch(_key(rs), {"metadata": {"annotations": sizes}, "spec": {"replicas": size}}, "merge"))
        )
        if before != size and not quietly:
            way = "up" if size > before else "down"
            words = f"Scaled {way} replica set {rs['metadata']['name']} from {before} to {size}"
            yield Emit(deployment, "Normal", "ScalingReplicaSet", words)
        return rs

    def _shrink(self, deployment: Obj, new: Obj, old: Sequence[Obj]) -> Any:
        """Scale old ReplicaSets down as far as availability allows: unhealthy Pods first. Return (old, whether any changed)."""
        total = sum(map(replicas, [*old, new]))
        least = replicas(deployment) - max_unavailable(deployment)
        missing = replicas(new) - revisions.available(new)
        room = total - least - missing
        if sum(map(replicas, old)) == 0 or room <= 0:
            return old, False
        shrunk = {}
        for rs in revisions.by_age(old):  # those that are not available cost nothing to take away
            cut = min(room, replicas(rs) - revisions.available(rs))
            if replicas(rs) and cut > 0:
                shrunk[rs["metadata"]["name"]] = yield from self._scale(deployment, rs, replicas(rs) - cut)
                room -= cut
        old = [shrunk.get(rs["metadata"]["name"], rs) for rs in old]
        spare = sum(revisions.available(rs) for rs in [*old, new]) - least
        for rs in revisions.by_age(old):
            cut = min(spare, replicas(rs))
            if replicas(rs) and cut > 0:
                shrunk[rs["metadata"]["name"]] = yield from self._scale(deployment, rs, replicas(rs) - cut)
                spare -= cut
        return [shrunk.get(rs["metadata"]["name"], rs) for rs in old], bool(shrunk)

    def _spread(self, deployment: Obj, new: Obj | None, sets: Sequence[Obj]) -> Any:
        """Bring the ReplicaSets to the Deployment's size: the only active one, or all in proportion. Models scale in sync.go."""
        active = [rs for rs in sets if replicas(rs)]
        if len(active) <= 1:
            target = active[0] if active else new or (revisions.by_age(sets)[-1] if sets else None)
            if target is None:
                return sets
            scaled = yield from self._scale(deployment, target, replicas(deployment))
            return [scaled if rs is target else rs for rs in sets]
        if new is not None and revisions.available(new) == replicas(deployment) == replicas(new):
            shrunk = [new]
            for rs in _others(sets, new):
                shrunk.append((yield from self._scale(deployment, rs, 0)))  # noqa: PERF401 - a generator may not yield in a list
            return shrunk
        if not is_rolling(deployment):
            return sets
        return (yield from self._in_proportion(deployment, active, sets))

    def _in_proportion(self, deployment: Obj, active: Sequence[Obj], sets: Sequence[Obj]) -> Any:
        total = sum(map(replicas, active))
        allowed = replicas(deployment) + max_surge(deployment) if replicas(deployment) else 0
        change = allowed - total
        order = revisions.by_age(active)
        if change > 0:
            order.reverse()
        order.sort(key=replicas, reverse=change > 0 or change < 0)
        before = int(revisions.notes(order[0]).get(revisions.MAXIMUM, total) or total)
        shares = proportions([replicas(rs) for rs in order], change, allowed, before)
        sizes = [replicas(rs) + share for rs, share in zip(order, shares, strict=True)]
        sizes[0] = max(0, sizes[0] + change - sum(shares))
        scaled = {}
        for rs, size in zip(order, sizes, strict=True):
            scaled[rs["metadata"]["name"]] = yield from self._scale(deployment, rs, size)
        return [scaled.get(rs["metadata"]["name"], rs) for rs in sets]

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
                yield Delete(_key(rs))

    # --- status ---

    def _report(self, deployment: Obj, new: Obj | None, sets: Sequence[Obj], *, progressing: bool = True) -> Any:
        computed = status.compute(deployment, new, sets, self._clock)
        later = status.progress(deployment, computed, new, sets, self._clock) if progressing else None
        yield from _write_status(deployment, computed)
        if later is not None:
            yield After(later)


_SIZES = (revisions.DESIRED, revisions.MAXIMUM)


def _recreated(event: Event, view: View) -> Iterable[Key]:
    """Map a Pod that has gone to the Deployment that waits for it to recreate."""
    if event.type != "DELETED":
        return
    for key in owner("ReplicaSet", "replicasets.apps")(event, view):
        rs = view.at(key)
        parent = owners.controller_of(rs) if rs else None
        if parent is not None and parent["kind"] == "Deployment":
            yield Key("deployments.apps", key.namespace, parent["name"])


def _key(rs: Obj) -> Key:
    return Key("replicasets.apps", rs["metadata"]["namespace"], rs["metadata"]["name"])


def _living(rs: Obj, deployment: Obj) -> bool:
    return "deletionTimestamp" not in rs["metadata"] and "deletionTimestamp" not in deployment["metadata"]


def _others(sets: Sequence[Obj], new: Obj | None) -> list[Obj]:
    return [rs for rs in sets if new is None or rs["metadata"]["uid"] != new["metadata"]["uid"]]


def _was_scaled(deployment: Obj, sets: Sequence[Obj]) -> bool:
    """Say whether the Deployment's size changed since its active ReplicaSets were last scaled. Models isScalingEvent."""
    wanted = str(replicas(deployment))
    return any(replicas(rs) and revisions.notes(rs).get(revisions.DESIRED, wanted) != wanted for rs in sets)


def _new_size(deployment: Obj, new: Obj, sets: Sequence[Obj]) -> int:
    """Return the size the new ReplicaSet may have now. Models NewRSNewReplicas."""
    wanted = replicas(deployment)
    room = wanted + fenceposts(deployment)[0] - sum(map(replicas, sets))
    if replicas(new) > wanted:
        return wanted
    return replicas(new) if room <= 0 else replicas(new) + min(room, wanted - replicas(new))


def _write_status(deployment: Obj, computed: Obj) -> Any:
    if computed == deployment.get("status"):
        return deployment
    metadata = {key: value for key, value in deployment["metadata"].items() if key != "resourceVersion"}
    return _checked((yield Update({**deployment, "metadata": metadata, "status": computed}, "status")))


def _checked(answer: Any) -> Any:
    if isinstance(answer, Status):
        raise answer
    return answer
