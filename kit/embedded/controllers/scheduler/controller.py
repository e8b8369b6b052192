"""Binds Pods that have no node; for one that fits nowhere drives away Pods of lower priority. Models pkg/scheduler/schedule_one.go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kit.embedded.controllers.scheduler import filters, nodefit, preemption, storage
from kit.embedded.controllers.scheduler.nodefit import Reasons
from kit.embedded.controllers.scheduler.occupancy import Occupancy, World
from kit.embedded.core.clock import Clock
from kit.embedded.core.controller import Effects, Mapper, View, pod_key
from kit.embedded.core.effects import Call, Delete, Emit, Patch
from kit.embedded.core.ids import Ids
from kit.embedded.core.store import Event, Key, Obj
from kit.errors import Status
from kit.kube import pods, volumes

NOT_HELPFUL = "Preemption is not helpful for scheduling"
NO_VICTIMS = "No preemption victims found for incoming pod"


class Scheduler:
    """The default scheduler."""

    name = "default-scheduler"
    user = "system:kube-scheduler"
    manager = "kube-scheduler"
    component = "default-scheduler"

    def __init__(self, clock: Clock, ids: Ids) -> None:
        self._clock = clock
        self._ids = ids
        self._occupancy = Occupancy()
        self.watches: dict[str, Mapper] = {"pods": self._noted, "nodes": _all_waiting}
        self.watches |= dict.fromkeys((storage.CLAIMS, storage.VOLUMES, storage.CLASSES), _claiming)

    def _noted(self, event: Event, view: View) -> Iterable[Key]:
        """Count what bound Pods take as they come and go, then map as `_waiting` does."""
        self._occupancy.note(event)
        return _waiting(event, view)

    def reconcile(self, key: Key, view: View, now: int) -> Effects:
        """Find one Pod a node, or say why there is none."""
        pod = view.at(key)
        if pod is None or not _unbound(pod):
            return
        needs = storage.of(pod, view)
        if needs.pending:  # the claim comes again when it is bound
            return
        world = self._world(view, needs)
        if needs.refusal and world.nodes:
            message = f"0/{len(world.nodes)} nodes are available: {needs.refusal}. not found"
            yield from self._fail(key, pod, message, None)
            return
        refused = {node["metadata"]["name"]: filters.reasons(pod, node, world) for node in world.nodes}
        fitting = [node for node in world.nodes if not refused[node["metadata"]["name"]]]
        if fitting:
            yield from self._place(key, pod, self._best(pod, fitting, world), world)
        else:
            choice = preemption.choose(pod, world, refused) if preemption.may_preempt(pod, world) else None
            yield from self._fail(key, pod, _why(pod, world, refused, choice), choice)

    def _place(self, key: Key, pod: Obj, name: str, world: World) -> Any:
        """Bind a Pod to a node; when claims wait for that choice, tell them first and bind it when they have their volumes."""
        if world.storage.waiting:
            node = next(node for node in world.nodes if node["metadata"]["name"] == name)
            yield Patch(key, {"status": {"nominatedNodeName": name}}, "strategic", "status")
            yield from world.storage.reserve(node)
        else:
            yield from self._bind(key, pod, name)

    def _world(self, view: View, needs: storage.Storage) -> World:
        spaces = {space["metadata"]["name"]: space["metadata"].get("labels") or {} for space in view.list("namespaces")}
        return World(view.list("nodes"), self._occupancy.loads, spaces, needs)

    def _best(self, pod: Obj, fitting: Sequence[Obj], world: World) -> str:
        scores = [(filters.usage(pod, node, world), node["metadata"]["name"]) for node in fitting]
        least = min(score for score, _ in scores)
        names = [name for score, name in scores if score == least]
        return str(names[self._ids.below(len(names))] if len(names) > 1 else names[0])

    def _bind(self, key: Key, pod: Obj, node: str) -> Any:
        target = {"apiVersion": "v1", "kind": "Node", "name": node}
        metadata = {"name": key.name, "namespace": key.namespace, "uid": pod["metadata"]["uid"]}
        answer = yield Call(
            key, "binding", {"apiVersion": "v1", "kind": "Binding", "metadata": metadata, "target": target}
        )
        if isinstance(answer, Status):
            raise answer
        words = f"Successfully assigned {key.namespace}/{key.name} to {node}"
        yield Emit(pod, "Normal", "Scheduled", words)

    def _fail(self, key: Key, pod: Obj, message: str, choice: preemption.Choice | None) -> Any:
        before = pods.condition(pod, "PodScheduled")
        if before and before.get("message") == message and choice is None:
            return
        for victim in choice.victims if choice else ():
            yield from self._preempt(pod, victim, choice.node if choice else "")
        yield Emit(pod, "Warning", "FailedScheduling", message)
        since = before["lastTransitionTime"] if before and before["status"] == "False" else self._clock.text()
        found = {
            "type": "PodScheduled",
            "status": "False",
            "lastProbeTime": None,
            "lastTransitionTime": since,
            "reason": "Unschedulable",
            "message": message,
            "observedGeneration": pod["metadata"].get("generation", 0),
        }
        status: Obj = {"conditions": [found], **({"nominatedNodeName": choice.node} if choice else {})}
        yield Patch(key, {"status": status}, "strategic", "status")

    def _preempt(self, pod: Obj, victim: Obj, node: str) -> Any:
        """Delete one victim, after its condition says why. Models preemption.PreemptPod."""
        key = pod_key(victim)
        if "deletionTimestamp" in victim["metadata"]:
            return
        message = f"{self.name}: preempting to accommodate a higher priority pod"
        told = {"type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler", "message": message}
        told["lastTransitionTime"] = self._clock.text()
        yield Patch(key, {"status": {"conditions": [told]}}, "strategic", "status")
        gone = yield Delete(key)
        if isinstance(gone, Status) and gone.reason != "NotFound":
            raise gone
        yield Emit(victim, "Normal", "Preempted", f"Preempted by pod {pod['metadata']['uid']} on node {node}")


def _unbound(pod: Obj) -> bool:
    spec = pod["spec"]
    ours = spec.get("schedulerName", "default-scheduler") == "default-scheduler"
    return ours and not spec.get("nodeName") and not spec.get("schedulingGates") and pods.is_active(pod)


def _waiting(event: Event, view: View) -> Iterable[Key]:
    """Map a Pod to itself while it waits, and one that frees room to all that wait."""
    if event.type != "DELETED" and _unbound(event.obj):
        if event.old is None or event.old.obj["spec"] != event.obj["spec"]:
            yield event.key
    elif event.type == "DELETED" or pods.is_terminal(event.obj):
        yield from _all_waiting(event, view)


def _claiming(event: Event, view: View) -> Iterable[Key]:
    """Map a change of storage to the Pods that wait and have claims."""
    for pod in view.on_node(""):
        if pod["spec"].get("volumes") and _unbound(pod) and volumes.claims_of(pod):
            yield pod_key(pod)


def _all_waiting(event: Event, view: View) -> Iterable[Key]:
    if event.key.resource == "nodes" and event.old is not None and _placement(event.old.obj) == _placement(event.obj):
        return
    for pod in view.on_node(""):
        if _unbound(pod):
            yield pod_key(pod)


def _placement(node: Obj) -> Any:
    return node["spec"], node["metadata"].get("labels"), (node.get("status") or {}).get("allocatable")


def _why(pod: Obj, world: World, refused: Mapping[str, Reasons], choice: preemption.Choice | None) -> str:
    """Build the message: reasons counted and sorted, then what preemption would give."""
    total = len(world.nodes)
    if not total:
        return "no nodes available to schedule pods"
    counts = Counter(reason for found in refused.values() for reason in found)
    parts = sorted(f"{count} {reason}" for reason, count in counts.items())
    head = f"0/{total} nodes are available: {', '.join(parts)}. preemption: "
    if choice is not None:
        return (
            f"{head}found a potential placement for pod on node {choice.node}, preempting {len(choice.victims)} victims"
        )
    verdicts = Counter(_verdict(pod, node, refused[node["metadata"]["name"]]) for node in world.nodes)
    preempted = ", ".join(sorted(f"{count} {verdict}" for verdict, count in verdicts.items()))
    return f"{head}0/{total} nodes are available: {preempted}."


def _verdict(pod: Obj, node: Obj, reasons: Reasons) -> str:
    hopeless = any(reason in filters.UNRESOLVABLE or nodefit.beyond_capacity(pod, node, reason) for reason in reasons)
    return NOT_HELPFUL if hopeless else NO_VICTIMS
