"""One round over a StatefulSet's Pods: in order of their numbers, or all at once with podManagementPolicy Parallel.

Models updateStatefulSet of pkg/controller/statefulset/stateful_set_control.go.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kit.embedded.controllers.statefulset import control, identity, states
from kit.embedded.core.controller import View
from kit.embedded.core.store import Obj
from kit.embedded.parts import history
from kit.kube import pods, shares


@dataclass(slots=True)
class Round:
    """The set, its revisions, its Pods by number (those that are not there as they would be made), and those beyond its size."""

    parent: Obj
    current: Obj
    update: Obj
    members: dict[int, Obj]
    condemned: list[Obj]
    view: View
    wall: int
    deleted_current: int = 0

    @property
    def ordered(self) -> bool:
        """Say whether one Pod waits for the other."""
        return bool(self.parent["spec"].get("podManagementPolicy") != "Parallel")

    def available(self, pod: Obj) -> bool:
        """Say whether a Pod has been ready long enough and stays."""
        return states.is_available(pod, self.parent, self.wall) and not states.is_terminating(pod)


def begun(parent: Obj, revisions: tuple[Obj, Obj], owned: list[Obj], view: View, wall: int) -> Round:
    """Sort the Pods: those wanted, those to go; `revisions` are the current one and the one updated to."""
    current, update = revisions
    wanted = identity.span(parent)
    there = {identity.ordinal(pod): pod for pod in owned}
    members = {number: there.get(number) or _meant(parent, current, update, number) for number in wanted}
    condemned = sorted((pod for number, pod in there.items() if number not in wanted), key=identity.ordinal)
    return Round(parent, current, update, members, condemned[::-1], view, wall)


def taken(one: Round) -> Any:
    """Take the round as far as it goes now."""
    for number in one.members:
        if (yield from _member(one, number)) and one.ordered:
            return
    for pod in one.condemned:
        yield from control.retain(one.parent, pod, one.view)
    unhealthy = next((pod for pod in (*one.members.values(), *one.condemned) if _unhealthy(pod)), None)
    for pod in one.condemned:
        if (yield from _dismissed(one, pod, unhealthy)) and one.ordered:
            return
    if (one.parent["spec"].get("updateStrategy") or {}).get("type") != "OnDelete":
        yield from _rolled(one)


def _member(one: Round, number: int) -> Any:
    """Make or mend one Pod; say whether the next ones have to wait for it. Models processReplica."""
    pod = one.members[number]
    if pods.is_terminal(pod):
        if not states.is_terminating(pod):
            yield from control.delete(one.parent, pod)
        return True
    if not states.is_there(pod):
        if control.is_stale(one.parent, pod, one.view):
            return True
        yield from control.create(one.parent, pod, one.view)
        return True
    if pod["status"]["phase"] == "Pending":
        yield from control.furnish(one.parent, pod, one.view)
    if one.ordered and not one.available(pod):
        return True
    if not states.is_terminating(pod):
        yield from control.mend(one.parent, pod, one.view)
    return False


def _dismissed(one: Round, pod: Obj, unhealthy: Obj | None) -> Any:
    """Delete a Pod beyond the size, unless one before it has to become healthy first. Models processCondemned."""
    if states.is_terminating(pod) or (one.ordered and not one.available(pod) and pod is not unhealthy):
        return True
    yield from control.delete(one.parent, pod)
    return True


def _rolled(one: Round) -> Any:
    """Replace Pods of older revisions from the highest number down: those that are unavailable anyway, and as many others as may be."""
    rolling = (one.parent["spec"].get("updateStrategy") or {}).get("rollingUpdate") or {}
    partition = rolling.get("partition", 0)
    most = max(1, shares.of(rolling.get("maxUnavailable", 1), one.parent["spec"].get("replicas", 1), up=True))
    left = most - sum(not one.available(pod) for pod in one.members.values())
    start = identity.span(one.parent).start
    for number, pod in sorted(one.members.items(), reverse=True):
        old = identity.revision_of(pod) != one.update["metadata"]["name"] and states.is_there(pod)
        if number - start < partition or not old or states.is_terminating(pod):
            continue
        if one.available(pod):
            if left <= 0:
                continue
            left -= 1
        yield from control.delete(one.parent, pod)
        one.deleted_current += identity.revision_of(pod) == one.current["metadata"]["name"]


def _unhealthy(pod: Obj) -> bool:
    return not states.is_ready(pod) or states.is_terminating(pod)


def _meant(parent: Obj, current: Obj, update: Obj, number: int) -> Obj:
    """Return the Pod to be made: of the current revision where a rolling update has not come yet. Models newVersionedStatefulSetPod."""
    strategy = parent["spec"].get("updateStrategy") or {}
    start, rolling = identity.span(parent).start, strategy.get("rollingUpdate")
    below = rolling.get("partition", 0) if rolling else (parent.get("status") or {}).get("currentReplicas", 0)
    before = strategy.get("type") == "RollingUpdate" and number < start + below
    revision = current if before else update
    return identity.pod_of(parent, history.template_of(revision), revision["metadata"]["name"], number)
