"""Binds Pods that have no node. Models pkg/scheduler/schedule_one.go; preemption is told about, not done: nothing is evicted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kit.embedded.controllers.scheduler import filters
from kit.embedded.core.clock import Clock
from kit.embedded.core.controller import Effects, Mapper, View
from kit.embedded.core.effects import Call, Emit, Patch
from kit.embedded.core.ids import Ids
from kit.embedded.core.store import Event, Key, Obj
from kit.errors import Status
from kit.kube import pods

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
        self.watches: dict[str, Mapper] = {"pods": _waiting, "nodes": _all_waiting}

    def reconcile(self, key: Key, view: View, now: int) -> Effects:
        """Find one Pod a node, or say why there is none."""
        pod = view.at(key)
        if pod is None or not _unbound(pod):
            return
        world = _world(view)
        refused = {node["metadata"]["name"]: filters.reasons(pod, node, world) for node in world.nodes}
        fitting = [node for node in world.nodes if not refused[node["metadata"]["name"]]]
        if fitting:
            yield from self._bind(key, pod, self._best(pod, fitting, world))
        else:
            yield from self._fail(key, pod, _why(pod, world, refused))

    def _best(self, pod: Obj, fitting: Sequence[Obj], world: filters.World) -> str:
        scores = [(filters.usage(pod, node, world), node["metadata"]["name"]) for node in fitting]
        least = min(score for score, _ in scores)
        names = [name for score, name in scores if score == least]
        return names[self._ids.below(len(names))] if len(names) > 1 else names[0]

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

    def _fail(self, key: Key, pod: Obj, message: str) -> Any:
        before = pods.condition(pod, "PodScheduled")
        if before and before.get("message") == message:
            return
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
        yield Patch(key, {"status": {"conditions": [found]}}, "strategic", "status")


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


def _all_waiting(event: Event, view: View) -> Iterable[Key]:
    if event.key.resource == "nodes" and event.old is not None and _placement(event.old.obj) == _placement(event.obj):
        return
    for pod in view.on_node(""):
        if _unbound(pod):
            yield Key("pods", pod["metadata"]["namespace"], pod["metadata"]["name"])


def _placement(node: Obj) -> Any:
    return node["spec"], node["metadata"].get("labels"), (node.get("status") or {}).get("allocatable")


def _world(view: View) -> filters.World:
    nodes = view.list("nodes")
    names = [node["metadata"]["name"] for node in nodes]
    bound = {name: [pod for pod in view.on_node(name) if not pods.is_terminal(pod)] for name in names}
    spaces = {space["metadata"]["name"]: space["metadata"].get("labels") or {} for space in view.list("namespaces")}
    return filters.World(nodes, bound, spaces)


def _why(pod: Obj, world: filters.World, refused: Mapping[str, filters.Reasons]) -> str:
    """Build the message: reasons counted and sorted, then what preemption would give."""
    total = len(world.nodes)
    if not total:
        return "no nodes available to schedule pods"
    counts = Counter(reason for found in refused.values() for reason in found)
    parts = sorted(f"{count} {reason}" for reason, count in counts.items())
    verdicts = Counter(_verdict(pod, node, refused[node["metadata"]["name"]]) for node in world.nodes)
    preemption = ", ".join(sorted(f"{count} {verdict}" for verdict, count in verdicts.items()))
    return (
        f"0/{total} nodes are available: {', '.join(parts)}. preemption: 0/{total} nodes are available: {preemption}."
    )


def _verdict(pod: Obj, node: Obj, reasons: filters.Reasons) -> str:
    hopeless = any(reason in filters.UNRESOLVABLE or filters.beyond_capacity(pod, node, reason) for reason in reasons)
    return NOT_HELPFUL if hopeless else NO_VICTIMS
