"""How a rollout's Pods move between ReplicaSets. Models pkg/controller/deployment: rolling.go and scale in sync.go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kit.embedded.controllers.deployment import revisions
from kit.embedded.controllers.deployment.limits import fenceposts, is_rolling, max_surge, max_unavailable, proportions
from kit.embedded.controllers.deployment.writing import scale
from kit.embedded.core.store import Obj

replicas = revisions.replicas


def was_scaled(deployment: Obj, sets: Sequence[Obj]) -> bool:
    """Say whether the Deployment's size changed since its active ReplicaSets were last scaled. Models isScalingEvent."""
    wanted = str(replicas(deployment))
    return any(replicas(rs) and revisions.notes(rs).get(revisions.DESIRED, wanted) != wanted for rs in sets)


def new_size(deployment: Obj, new: Obj, sets: Sequence[Obj]) -> int:
    """Return the size the new ReplicaSet may have now. Models NewRSNewReplicas."""
    wanted = replicas(deployment)
    room = wanted + fenceposts(deployment)[0] - sum(map(replicas, sets))
    if replicas(new) > wanted:
        return wanted
    return replicas(new) if room <= 0 else replicas(new) + min(room, wanted - replicas(new))


def first_size(deployment: Obj, sets: Sequence[Obj]) -> int:
    """Return the size a ReplicaSet that is yet to be made may begin with."""
    wanted = replicas(deployment)
    if not is_rolling(deployment):
        return wanted
    return min(wanted, max(0, wanted + max_surge(deployment) - sum(map(replicas, sets))))


def shrink(deployment: Obj, new: Obj, old: Sequence[Obj]) -> Any:
    """Scale old ReplicaSets down as far as availability allows: unhealthy Pods first. Return (old, whether any changed)."""
    total = sum(map(replicas, [*old, new]))
    least = replicas(deployment) - max_unavailable(deployment)
    room = total - least - (replicas(new) - revisions.available(new))
    if sum(map(replicas, old)) == 0 or room <= 0:
        return old, False
    shrunk: dict[str, Obj] = {}
    for rs in revisions.by_age(old):  # those that are not available cost nothing to take away
        cut = min(room, replicas(rs) - revisions.available(rs))
        if replicas(rs) and cut > 0:
            shrunk[rs["metadata"]["name"]] = yield from scale(deployment, rs, replicas(rs) - cut)
            room -= cut
    old = [shrunk.get(rs["metadata"]["name"], rs) for rs in old]
    spare = sum(revisions.available(rs) for rs in [*old, new]) - least
    for rs in revisions.by_age(old):
        cut = min(spare, replicas(rs))
        if replicas(rs) and cut > 0:
            shrunk[rs["metadata"]["name"]] = yield from scale(deployment, rs, replicas(rs) - cut)
            spare -= cut
    return [shrunk.get(rs["metadata"]["name"], rs) for rs in old], bool(shrunk)


def spread(deployment: Obj, new: Obj | None, sets: Sequence[Obj]) -> Any:
    """Bring the ReplicaSets to the Deployment's size: the only active one, or all in proportion."""
    active = [rs for rs in sets if replicas(rs)]
    if len(active) <= 1:
        target = active[0] if active else new or (revisions.by_age(sets)[-1] if sets else None)
        if target is None:
            return sets
        scaled = yield from scale(deployment, target, replicas(deployment))
        return [scaled if rs is target else rs for rs in sets]
    if new is not None and revisions.available(new) == replicas(deployment) == replicas(new):
        shrunk = [new]
        for rs in others(sets, new):
            shrunk.append((yield from scale(deployment, rs, 0)))  # noqa: PERF401 - a generator may not yield in a list
        return shrunk
    if not is_rolling(deployment):
        return sets
    return (yield from _in_proportion(deployment, active, sets))


def _in_proportion(deployment: Obj, active: Sequence[Obj], sets: Sequence[Obj]) -> Any:
    total = sum(map(replicas, active))
    allowed = replicas(deployment) + max_surge(deployment) if replicas(deployment) else 0
    change = allowed - total
    order = revisions.by_age(active)
    if change > 0:
        order.reverse()
    order.sort(key=replicas, reverse=True)
    before = int(revisions.notes(order[0]).get(revisions.MAXIMUM, total) or total)
    shares = proportions([replicas(rs) for rs in order], change, allowed, before)
    sizes = [replicas(rs) + share for rs, share in zip(order, shares, strict=True)]
    sizes[0] = max(0, sizes[0] + change - sum(shares))
    scaled = {}
    for rs, size in zip(order, sizes, strict=True):
        scaled[rs["metadata"]["name"]] = yield from scale(deployment, rs, size)
    return [scaled.get(rs["metadata"]["name"], rs) for rs in sets]


def others(sets: Sequence[Obj], new: Obj | None) -> list[Obj]:
    """Return the ReplicaSets but the new one."""
    return [rs for rs in sets if new is None or rs["metadata"]["uid"] != new["metadata"]["uid"]]
