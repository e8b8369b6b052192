"""How far a rollout may go: surge and unavailability, and how a scale is shared. Models util/deployment_util.go."""

from __future__ import annotations

from collections.abc import Sequence

from kit.embedded.core.store import Obj
from kit.kube import shares


def fenceposts(deployment: Obj) -> tuple[int, int]:
    """Return (surge, unavailable) in Pods: surge rounds up, unavailable down, both 0 makes unavailable 1."""
    wanted = int(deployment["spec"].get("replicas", 1))
    rolling = (deployment["spec"].get("strategy") or {}).get("rollingUpdate") or {}
    surge = shares.of(rolling.get("maxSurge", 0), wanted, up=True)
    unavailable = shares.of(rolling.get("maxUnavailable", 0), wanted, up=False)
    return (0, 1) if surge == unavailable == 0 else (surge, unavailable)


def is_rolling(deployment: Obj) -> bool:
    """Say whether the strategy is RollingUpdate."""
    return bool((deployment["spec"].get("strategy") or {}).get("type") == "RollingUpdate")


def max_surge(deployment: Obj) -> int:
    """Return how many Pods more than wanted may be there."""
    return fenceposts(deployment)[0] if is_rolling(deployment) else 0


def max_unavailable(deployment: Obj) -> int:
    """Return how many of the wanted Pods may be missing."""
    if not is_rolling(deployment):
        return 0
    wanted = int(deployment["spec"].get("replicas", 1))
    return min(fenceposts(deployment)[1], wanted)


def proportions(sizes: Sequence[int], change: int, allowed: int, before: int) -> list[int]:
    """Share a change of size over ReplicaSets in proportion to `sizes`; the sum never passes `change`. Models GetReplicaSetProportion."""
    parts: list[int] = []
    given = 0
    for size in sizes:
        share = 0
        if size and change:
            fraction = round_half_away(size * allowed / before) - size if before else 0
            left = change - given
            share = min(fraction, left) if change > 0 else max(fraction, left)
        parts.append(share)
        given += share
    return parts


def round_half_away(value: float) -> int:
    """Round as Go's math.Round: halves go away from zero."""
    return int(value + 0.5) if value >= 0 else -int(-value + 0.5)
