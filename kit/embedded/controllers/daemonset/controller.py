"""Keeps one Pod on every node that fits a DaemonSet, and replaces them when the template changes.

Models pkg/controller/daemon/daemon_controller.go. The view is never stale here, so there are no expectations.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from kit.embedded.controllers.daemonset import placing, tending
from kit.embedded.core.clock import Clock
from kit.embedded.core.controller import Effects, Mapper, View, itself, owner
from kit.embedded.core.effects import After, Emit
from kit.embedded.core.store import Event, Key, Obj
from kit.embedded.parts import claiming, hashes, history, podcontrol, writing
from kit.embedded.parts.waits import Waits
from kit.errors import Status
from kit.kube import pods

DAEMONSETS = "daemonsets.apps"
BURST = 250
KEEPER = history.Keeper(
    history.HASH, lambda daemonset, _, collisions: hashes.of_template(daemonset["spec"]["template"], collisions)
)
# phase of a Pod that ended -> type, reason and words of the event
ENDED = {
    "Failed": ("Warning", "FailedDaemonPod", "Found failed daemon pod {} on node {}, will try to kill it"),
    "Succeeded": ("Normal", "SucceededDaemonPod", "Found succeeded daemon pod {} on node {}, will try to delete it"),
}


class DaemonSet:
    """The daemonset controller."""

    name = "daemonset-controller"
    user = "system:serviceaccount:kube-system:daemon-set-controller"
    manager = "kube-controller-manager"
    component = "daemonset-controller"

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failed = Waits(1_000, 900_000)  # by DaemonSet and node
        self.watches: dict[str, Mapper] = {
            DAEMONSETS: itself,
            "pods": claiming.members("DaemonSet", DAEMONSETS),
            "nodes": _concerned,
            history.REVISIONS: owner("DaemonSet", DAEMONSETS),
        }

    def reconcile(self, key: Key, view: View, now: int) -> Effects:
        """Bring the daemons of one DaemonSet to what it wants, then write its status."""
        daemonset = view.at(key)
        if daemonset is None or "deletionTimestamp" in daemonset["metadata"]:
            return
        if claiming.by_selector(daemonset).empty:
            words = "This daemon set is selecting all pods. A non-empty selector is required."
            yield Emit(daemonset, "Warning", "SelectingAll", words)
            return
        current, revisions = yield from history.recorded(daemonset, KEEPER, view)
        digest = current["metadata"]["labels"][history.HASH]
        mine = yield from claiming.claimed(daemonset, "pods", view)
        moment = self._moment(daemonset, mine, view, digest)
        refusal = yield from self._tend(moment)
        names = {pod["metadata"].get("labels", {}).get(history.HASH) for pod in mine} | {digest}
        live = [one["metadata"]["name"] for one in revisions if one["metadata"]["labels"].get(history.HASH) in names]
        yield from history.thinned(daemonset, revisions, live)
        daemonset = view.at(key) or daemonset
        yield from self._report(self._moment(daemonset, view.owned("pods", daemonset["metadata"]["uid"]), view, digest))
        if refusal is not None:
            raise refusal

    def _moment(self, daemonset: Obj, mine: Sequence[Obj], view: View, digest: str) -> tending.Moment:
        by_node: dict[str, list[Obj]] = {}
        for pod in sorted(mine, key=_first):
            if not (pods.is_terminal(pod) and "deletionTimestamp" in pod["metadata"]):
                by_node.setdefault(placing.node_of(pod), []).append(pod)
        spec = placing.tolerant(daemonset["spec"]["template"]["spec"])
        verdicts = {node["metadata"]["name"]: placing.verdict(spec, node) for node in view.list("nodes")}
        return tending.Moment(daemonset, by_node, verdicts, digest, self._clock.wall())

    def _tend(self, moment: tending.Moment) -> Any:
        """Create and delete what is missing or too much; when nothing is, go on with a rolling update. Return a refusal."""
        plan = tending.plan(moment)
        yield from self._ended(moment.daemonset, plan)
        if not plan.missing and not plan.surplus:
            if (moment.daemonset["spec"].get("updateStrategy") or {}).get("type") != "RollingUpdate":
                return None
            plan = tending.replaced(moment)
        refusal = None
        for node in plan.missing[:BURST]:
            made = yield from podcontrol.create(
                moment.daemonset, placing.pod_for(moment.daemonset, node, moment.digest)
            )
            if isinstance(made, Status):
                refusal = None if podcontrol.of_ending_namespace(made) else made
                break
        for pod in plan.surplus[:BURST]:
            refusal = (yield from podcontrol.delete(moment.daemonset, pod)) or refusal
        return refusal

    def _ended(self, daemonset: Obj, plan: tending.Plan) -> Any:
        """Delete daemons that have ended; failed ones of a node at longer and longer intervals."""
        for node, pod in plan.ended:
            phase, name = pod["status"]["phase"], f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
            at = (daemonset["metadata"]["uid"], node)
            left = self._failed.left(at, self._clock.now) if phase == "Failed" else 0
            if left:
                yield After(left)
                continue
            if phase == "Failed":
                self._failed.next(at, self._clock.now)
            type, reason, words = ENDED[phase]
            yield Emit(daemonset, type, reason, words.format(name, node))
            plan.surplus.append(pod)

    def _report(self, moment: tending.Moment) -> Any:
        """Write the status, and look again when a daemon will have become available. Models updateDaemonSetStatus."""
        daemonset, wanted = moment.daemonset, moment.wanted()
        first = [moment.daemons[node][0] for node in wanted if moment.daemons.get(node)]
        ready = [pod for pod in first if pods.is_ready(pod)]
        available = sum(moment.available(pod) for pod in ready)
        before = daemonset.get("status") or {}
        status: Obj = {
            "currentNumberScheduled": len(first),
            "numberMisscheduled": sum(
                bool(moment.daemons.get(n)) for n, found in moment.verdicts.items() if not found.run
            ),
            "desiredNumberScheduled": len(wanted),
            "numberReady": len(ready),
        }
        optional = {
            "observedGeneration": daemonset["metadata"].get("generation", 0),
            "updatedNumberScheduled": sum(placing.is_updated(pod, daemonset, moment.digest) for pod in first),
            "numberAvailable": available,
            "numberUnavailable": len(wanted) - available,
        }
        status |= {name: count for name, count in optional.items() if count}
        status |= {name: before[name] for name in ("collisionCount", "conditions") if name in before}
        yield from writing.status(daemonset, status)
        if available != len(ready):
            yield After(daemonset["spec"]["minReadySeconds"] * 1000)


def _first(pod: Obj) -> tuple[Any, ...]:
    """Order the Pods of a node: bound ones first, then by age and name. Models podByCreationTimestampAndPhase."""
    return not pod["spec"].get("nodeName"), pod["metadata"]["creationTimestamp"], pod["metadata"]["name"]


def _concerned(event: Event, view: View) -> Iterable[Key]:
    """Map a node to the DaemonSets that lack a Pod there or may not keep theirs. Models updateNode."""
    if event.type == "DELETED" or (event.old and _placement(event.old.obj) == _placement(event.obj)):
        return
    for daemonset in view.list(DAEMONSETS):
        found = placing.verdict(placing.tolerant(daemonset["spec"]["template"]["spec"]), event.obj)
        mine = view.owned("pods", daemonset["metadata"]["uid"])
        there = any(placing.node_of(pod) == event.key.name for pod in mine)
        if (found.run and not there) or (there and not found.stay):
            yield Key(DAEMONSETS, daemonset["metadata"]["namespace"], daemonset["metadata"]["name"])


def _placement(node: Obj) -> Any:
    return node["spec"].get("taints"), node["metadata"].get("labels")
