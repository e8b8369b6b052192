"""Which daemons are missing and which are too many, and in which order a rolling update replaces them.

Models podsShouldBeOnNode of pkg/controller/daemon/daemon_controller.go and rollingUpdate of update.go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kit.embedded.controllers.daemonset import placing
from kit.embedded.core.store import Obj
from kit.embedded.parts.history import HASH
from kit.kube import pods, shares

Daemons = Mapping[str, Sequence[Obj]]  # by node, the first one first


@dataclass(frozen=True, slots=True)
class Moment:
    """One look at a DaemonSet: its Pods by node, what each node is to it, the hash of its template, and the time."""

    daemonset: Obj
    daemons: Daemons
    verdicts: Mapping[str, placing.Verdict]
    digest: str
    wall: int

    def available(self, pod: Obj) -> bool:
        """Say whether a daemon has been ready for minReadySeconds."""
        return pods.available_in(pod, self.daemonset["spec"].get("minReadySeconds", 0), self.wall) == 0

    def wanted(self) -> list[str]:
        """Return the nodes that should have a daemon."""
        return [node for node, found in self.verdicts.items() if found.run]


@dataclass(slots=True)
class Plan:
    """What to do: nodes that need a Pod, Pods to delete, and those of them that have ended by themselves."""

    missing: list[str] = field(default_factory=list)
    surplus: list[Obj] = field(default_factory=list)
    ended: list[tuple[str, Obj]] = field(default_factory=list)


def plan(moment: Moment) -> Plan:
    """Say what each node lacks or has too much of."""
    out = Plan()
    for node, found in moment.verdicts.items():
        there = moment.daemons.get(node, ())
        if found.run and not there:
            out.missing.append(node)
        elif found.stay:
            living = [pod for pod in there if "deletionTimestamp" not in pod["metadata"]]
            out.ended += [(node, pod) for pod in living if pods.is_terminal(pod)]
            out.surplus += _surplus(moment, [pod for pod in living if not pods.is_terminal(pod)])
        else:
            out.surplus += [pod for pod in there if "deletionTimestamp" not in pod["metadata"]]
    for node, there in moment.daemons.items():  # of nodes that are no more: what was never bound (the rest is podgc's)
        if node not in moment.verdicts:
            out.surplus += [pod for pod in there if not pod["spec"].get("nodeName")]
    return out


def _surplus(moment: Moment, running: Sequence[Obj]) -> Sequence[Obj]:
    """Return what is too much on a node: all but the oldest, or with a surge all but the oldest of each template."""
    if not _rolling(moment).get("maxSurge"):
        return running[1:]
    new = [pod for pod in running if (pod["metadata"].get("labels") or {}).get(HASH) == moment.digest]
    old = [pod for pod in running if pod not in new]
    over = [*new[1:], *old[1:]]
    if new and old and (not pods.is_ready(old[0]) or moment.available(new[0])):
        over.append(old[0])
    return over


def replaced(moment: Moment) -> Plan:
    """Say which old daemons go now, or with a surge which nodes get a new one beside the old."""
    total = len(moment.wanted())
    rolling = _rolling(moment)
    surge = shares.of(rolling.get("maxSurge", 0), total, up=True)
    unavailable = shares.of(rolling.get("maxUnavailable", 1), total, up=True)
    if surge:
        return _surging(moment, surge)
    return _draining(moment, max(unavailable, 1) if total else unavailable)


def _draining(moment: Moment, most: int) -> Plan:
    """Delete old daemons that don't work, and others as far as maxUnavailable goes."""
    missing = 0
    broken: list[Obj] = []
    candidates: list[Obj] = []
    for there in _nodes(moment).values():
        new, old, clear = _pair(moment, there)
        if not clear or new is old is None:
            missing += 1
        elif new is not None:
            missing += not moment.available(new)
        elif old is not None:
            (candidates if moment.available(old) else broken).append(old)
    return Plan(surplus=[*broken, *candidates[: max(0, most - missing)]])


def _surging(moment: Moment, most: int) -> Plan:
    """Put new daemons beside old ones, as many at a time as maxSurge says; an old one goes when its new one is available."""
    out, surged = Plan(), 0
    candidates: list[str] = []
    for node, there in _nodes(moment).items():
        new, old, clear = _pair(moment, there)
        if not clear:
            surged += 1
        elif old is not None and new is None:
            (candidates if moment.available(old) else out.missing).append(node)
        elif old is not None and new is not None:
            if moment.available(new):
                out.surplus.append(old)
            else:
                surged += 1
    out.missing += candidates[: max(0, most - surged)]
    return out


def _nodes(moment: Moment) -> dict[str, Sequence[Obj]]:
    """Return the daemons of every node that has or should have one, by name (upstream in an order of chance)."""
    return {node: moment.daemons.get(node, ()) for node in sorted({*moment.daemons, *moment.wanted()})}


def _pair(moment: Moment, there: Sequence[Obj]) -> tuple[Obj | None, Obj | None, bool]:
    """Return a node's new daemon, its old one, and whether there is at most one of each. Models findUpdatedPodsOnNode."""
    living = [pod for pod in there if "deletionTimestamp" not in pod["metadata"]]
    new = [pod for pod in living if placing.is_updated(pod, moment.daemonset, moment.digest)]
    old = [pod for pod in living if not placing.is_updated(pod, moment.daemonset, moment.digest)]
    if len(new) > 1 or len(old) > 1:
        return None, None, False
    return next(iter(new), None), next(iter(old), None), True


def _rolling(moment: Moment) -> Any:
    strategy = moment.daemonset["spec"].get("updateStrategy") or {}
    return (strategy.get("rollingUpdate") or {}) if strategy.get("type") == "RollingUpdate" else {}
