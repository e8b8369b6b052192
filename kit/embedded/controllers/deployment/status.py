"""A Deployment's status and conditions. Models pkg/controller/deployment/progress.go and calculateStatus in sync.go."""

from __future__ import annotations

from collections.abc import Sequence

from kit.embedded.controllers.deployment import revisions
from kit.embedded.controllers.deployment.limits import max_unavailable
from kit.embedded.core.clock import Clock
from kit.embedded.core.store import Obj
from kit.kube import pods, times

AVAILABLE = {
    True: ("True", "MinimumReplicasAvailable", "Deployment has minimum availability."),
    False: ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability."),
}


def compute(deployment: Obj, new: Obj | None, sets: Sequence[Obj], clock: Clock) -> Obj:
    """Return the status that the ReplicaSets add up to, with the Available condition; the others are kept."""
    total = _sum(sets, "replicas")
    ready = _sum(sets, "availableReplicas")
    counts = {
        "replicas": total,
        "updatedReplicas": _sum([new] if new else [], "replicas"),
        "readyReplicas": _sum(sets, "readyReplicas"),
        "availableReplicas": ready,
        "unavailableReplicas": max(0, sum(revisions.replicas(rs) for rs in sets) - ready),
    }
    status: Obj = {"observedGeneration": deployment["metadata"].get("generation", 0)}
    status |= {name: count for name, count in counts.items() if count}
    status["terminatingReplicas"] = _sum(sets, "terminatingReplicas")
    before = deployment.get("status") or {}
    if "collisionCount" in before:
        status["collisionCount"] = before["collisionCount"]
    conditions = list(before.get("conditions") or [])
    enough = ready >= revisions.replicas(deployment) - max_unavailable(deployment)
    put(conditions, "Available", *AVAILABLE[enough], clock)
    status["conditions"] = conditions
    return status


def progress(deployment: Obj, status: Obj, new: Obj | None, sets: Sequence[Obj], clock: Clock) -> int | None:
    """Set the Progressing and ReplicaFailure conditions; return in how many ms the progress deadline will have passed."""
    conditions = status["conditions"]
    current = find(conditions, "Progressing")
    limited = deployment["spec"].get("progressDeadlineSeconds") not in (None, 2**31 - 1)
    done = (
        status.get("replicas", 0) == status.get("updatedReplicas", 0)
        and (current or {}).get("reason") == "NewReplicaSetAvailable"
    )
    if limited and not done:
        _judge(deployment, status, new, conditions, current, clock)
    failure = next(
        (found for rs in [*([new] if new else []), *sets] if (found := pods.condition(rs, "ReplicaFailure"))), None
    )
    if failure is not None:
        put(conditions, "ReplicaFailure", failure["status"], failure["reason"], failure["message"], clock)
    else:
        conditions[:] = [c for c in conditions if c["type"] != "ReplicaFailure"]
    return _deadline(deployment, status, conditions, clock) if limited else None


def complete(deployment: Obj, status: Obj) -> bool:
    """Say whether the rollout is done: all replicas updated and available, none of the old left."""
    wanted = revisions.replicas(deployment)
    same = all(status.get(name, 0) == wanted for name in ("updatedReplicas", "replicas", "availableReplicas"))
    return same and status["observedGeneration"] >= deployment["metadata"].get("generation", 0)


def _judge(
    deployment: Obj, status: Obj, new: Obj | None, conditions: list[Obj], current: Obj | None, clock: Clock
) -> None:
    name = f'ReplicaSet "{new["metadata"]["name"]}"' if new else f'Deployment "{deployment["metadata"]["name"]}"'
    if complete(deployment, status):
        put(conditions, "Progressing", "True", "NewReplicaSetAvailable", f"{name} has successfully progressed.", clock)
    elif _moved(deployment.get("status") or {}, status):
        keep = current if current and current["status"] == "True" else None
        if current is not None and current["reason"] == "ReplicaSetUpdated" and keep is None:
            conditions.remove(current)
        put(conditions, "Progressing", "True", "ReplicaSetUpdated", f"{name} is progressing.", clock, always=True)
    elif _timed_out(deployment, status, conditions, clock):
        put(conditions, "Progressing", "False", "ProgressDeadlineExceeded", f"{name} has timed out progressing.", clock)


def _moved(before: Obj, now: Obj) -> bool:
    """Models DeploymentProgressing: more updated, more ready, more available, or fewer old ones."""

    def value(status: Obj, name: str) -> int:
        return int(status.get(name, 0))

    old_before = value(before, "replicas") - value(before, "updatedReplicas")
    old_now = value(now, "replicas") - value(now, "updatedReplicas")
    grown = any(
        value(now, name) > value(before, name) for name in ("updatedReplicas", "readyReplicas", "availableReplicas")
    )
    return grown or old_now < old_before


def _timed_out(deployment: Obj, status: Obj, conditions: list[Obj], clock: Clock) -> bool:
    left = _left(deployment, status, conditions, clock)
    return left is not None and left <= 0


def _left(deployment: Obj, status: Obj, conditions: list[Obj], clock: Clock) -> int | None:
    """Return the ms until the progress deadline, None when the rollout is not being timed."""
    current = find(conditions, "Progressing")
    if (
        current is None
        or current["reason"] in ("NewReplicaSetAvailable", "DeploymentPaused")
        or complete(deployment, status)
    ):
        return None
    if current["reason"] == "ProgressDeadlineExceeded":
        return 0
    return int(
        times.parse(current["lastUpdateTime"]) + deployment["spec"]["progressDeadlineSeconds"] * 1000 - clock.wall()
    )


def _deadline(deployment: Obj, status: Obj, conditions: list[Obj], clock: Clock) -> int | None:
    left = _left(deployment, status, conditions, clock)
    return None if left is None or left <= 0 else left + 1000


def find(conditions: list[Obj], type: str) -> Obj | None:
    """Return the condition of a type."""
    return next((c for c in conditions if c["type"] == type), None)


def put(
    conditions: list[Obj], type: str, status: str, reason: str, message: str, clock: Clock, *, always: bool = False
) -> None:
    """Set a condition; one with the same status and reason stays as it is, unless `always`."""
    current = find(conditions, type)
    if current is not None and (current["status"], current["reason"]) == (status, reason) and not always:
        return
    now = clock.text()
    since = current["lastTransitionTime"] if current is not None and current["status"] == status else now
    fresh = {
        "type": type,
        "status": status,
        "lastUpdateTime": now,
        "lastTransitionTime": since,
        "reason": reason,
        "message": message,
    }
    conditions[:] = [c for c in conditions if c["type"] != type] + [fresh]


def _sum(sets: Sequence[Obj], name: str) -> int:
    return sum((rs.get("status") or {}).get(name, 0) for rs in sets)
