"""How fast and how far replicas may change: stabilisation windows, policies, minimum and maximum.

Models pkg/controller/podautoscaler/horizontal.go: stabilizeRecommendation, convertDesiredReplicasWithBehaviorRate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import NamedTuple

from kit.embedded.core.store import Obj

DOWN_WINDOW_MS = 300_000
KEPT_MS = 3_600_000  # the longest window and the longest period an object may have
TOO_FEW = ("TooFewReplicas", "the desired replica count is less than the minimum replica count")
TOO_MANY = ("TooManyReplicas", "the desired replica count is more than the maximum replica count")
TOO_FAST = ("ScaleUpLimit", "the desired replica count is increasing faster than the maximum scale rate")
TOO_SLOW = ("ScaleDownLimit", "the desired replica count is decreasing faster than the maximum scale rate")
WITHIN = ("DesiredWithinRange", "the desired count is within the acceptable range")
LOWERED = (
    "ScaleUpStabilized",
    "recent recommendations were lower than current one, applying the lowest recent recommendation",
)
RAISED = (
    "ScaleDownStabilized",
    "recent recommendations were higher than current one, applying the highest recent recommendation",
)
READY = ("ReadyForNewScale", "recommended size matches current size")
DEFAULT_UP = {"stabilizationWindowSeconds": 0, "selectPolicy": "Max", "policies": (
    {"type": "Pods", "value": 4, "periodSeconds": 15}, {"type": "Percent", "value": 100, "periodSeconds": 15},
)}  # fmt: skip
DEFAULT_DOWN = {"selectPolicy": "Max", "policies": ({"type": "Percent", "value": 100, "periodSeconds": 15},)}

Told = tuple[str, str]


class Change(NamedTuple):
    """By how many replicas something was scaled, and when."""

    at: int
    by: int


@dataclass
class Memory:
    """What is remembered of one autoscaler, as upstream for as long as the process runs."""

    recommended: list[tuple[int, int]] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)

    def forget(self, now: int) -> None:
        """Drop what no window reaches."""
        self.recommended = [one for one in self.recommended if now - one[0] <= KEPT_MS]
        self.changes = [one for one in self.changes if now - one.at <= KEPT_MS]

    def moved(self, seconds: int, now: int) -> int:
        """Return by how much the replicas have changed in the last seconds."""
        return sum(one.by for one in self.changes if one.at > now - seconds * 1000)


def stabilised(spec: Obj, memory: Memory, current: int, wanted: int, now: int) -> tuple[int, Told]:
    """Return what recent recommendations leave of one, and the words for it."""
    behaviour = spec.get("behavior") or {}
    up = _window(behaviour.get("scaleUp") or {}, 0)
    down = _window(behaviour.get("scaleDown") or {}, DOWN_WINDOW_MS)
    lowest = min([wanted, *(value for at, value in memory.recommended if at > now - up)])
    highest = max([wanted, *(value for at, value in memory.recommended if at > now - down)])
    memory.recommended.append((now, wanted))
    memory.forget(now)
    if not behaviour:  # nothing but the window down, whatever the replicas are now
        return highest, READY if highest == wanted else RAISED
    out = min(max(current, lowest), highest)
    return out, READY if out == wanted else LOWERED if wanted > out else RAISED


def _window(rules: Obj, default: int) -> int:
    seconds = rules.get("stabilizationWindowSeconds")
    return default if seconds is None else int(seconds) * 1000


def limited(spec: Obj, memory: Memory, current: int, wanted: int, now: int) -> tuple[int, Told]:
    """Return what the limits leave of a number, and the words for it."""
    low, high = int(spec.get("minReplicas") or 1), int(spec["maxReplicas"])
    if not spec.get("behavior"):
        return _plainly(current, wanted, low, high)
    if wanted > current:
        most = max(_up(_rules(spec, "scaleUp", DEFAULT_UP), memory, current, now), current)
        if wanted > min(most, high):
            return (high, TOO_MANY) if most >= high else (most, TOO_FAST)
    elif wanted < current:
        least = min(_down(_rules(spec, "scaleDown", DEFAULT_DOWN), memory, current, now), current)
        if wanted < max(least, low):
            return (low, TOO_FEW) if least <= low else (least, TOO_SLOW)
    return wanted, WITHIN


def _plainly(current: int, wanted: int, low: int, high: int) -> tuple[int, Told]:
    """Without behaviour: at most doubled, or up to 4."""
    most = max(2 * current, 4)
    if wanted < low:
        return low, TOO_FEW
    if wanted > min(most, high):
        return (high, TOO_MANY) if most >= high else (most, TOO_FAST)
    return wanted, WITHIN


def _rules(spec: Obj, name: str, default: Obj) -> Obj:
    return {**default, **{key: value for key, value in (spec["behavior"].get(name) or {}).items() if value is not None}}


def _up(rules: Obj, memory: Memory, current: int, now: int) -> int:
    if rules["selectPolicy"] == "Disabled":
        return current
    found = [_raised(one, current - memory.moved(one["periodSeconds"], now)) for one in rules["policies"]]
    return min(found) if rules["selectPolicy"] == "Min" else max(found)


def _down(rules: Obj, memory: Memory, current: int, now: int) -> int:
    if rules["selectPolicy"] == "Disabled":
        return current
    found = [_lowered(one, current - memory.moved(one["periodSeconds"], now)) for one in rules["policies"]]
    return max(found) if rules["selectPolicy"] == "Min" else min(found)


def _raised(policy: Obj, start: int) -> int:
    value = int(policy["value"])
    return start + value if policy["type"] == "Pods" else ceil(start * (100 + value) / 100)


def _lowered(policy: Obj, start: int) -> int:
    value = int(policy["value"])
    return start - value if policy["type"] == "Pods" else start * (100 - value) // 100


def conditions(have: Sequence[Obj], type: str, status: str, told: Told, now: str) -> Sequence[Obj]:
    """Return conditions with one of them set; its time stays while its status does."""
    reason, message = told
    before = next((one for one in have if one["type"] == type), None)
    since = before["lastTransitionTime"] if before and before["status"] == status else now
    made = {"type": type, "status": status, "lastTransitionTime": since, "reason": reason, "message": message}
    return [*have, made] if before is None else [made if one is before else one for one in have]
