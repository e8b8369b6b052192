"""Notices nodes that fall silent, and taints nodes by their conditions.

Models pkg/controller/nodelifecycle/node_lifecycle_controller.go: a Lease not renewed for 50 s makes Ready Unknown; conditions become
NoSchedule taints, and not-ready or unreachable NoExecute ones too. Pods are evicted by `tainteviction`. Not modelled: zones and
their eviction rates.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kit.embedded.core.clock import Clock
from kit.embedded.core.controller import Effects, Mapper, View, itself, pod_key
from kit.embedded.core.effects import After, Emit, Patch
from kit.embedded.core.store import Event, Key, Obj
from kit.errors import Status
from kit.kube import pods, times

PERIOD_MS = 5_000
GRACE_MS = 50_000
LEASES = "leases.coordination.k8s.io"
SILENT = ("NodeStatusUnknown", "Kubelet stopped posting node status.")

# (condition, its status) -> key of the NoSchedule taint
TAINTS = {
    ("Ready", "False"): "node.kubernetes.io/not-ready",
    ("Ready", "Unknown"): "node.kubernetes.io/unreachable",
    ("MemoryPressure", "True"): "node.kubernetes.io/memory-pressure",
    ("DiskPressure", "True"): "node.kubernetes.io/disk-pressure",
    ("PIDPressure", "True"): "node.kubernetes.io/pid-pressure",
    ("NetworkUnavailable", "True"): "node.kubernetes.io/network-unavailable",
}
OLD_LABELS = {"beta.kubernetes.io/os": "kubernetes.io/os", "beta.kubernetes.io/arch": "kubernetes.io/arch"}
CORDON = "node.kubernetes.io/unschedulable"
OWN = frozenset((*TAINTS.values(), CORDON))


class NodeLifecycle:
    """The node lifecycle controller."""

    name = "node-lifecycle-controller"
    user = "system:serviceaccount:kube-system:node-controller"
    manager = "kube-controller-manager"
    component = "node-controller"

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: dict[str, Obj] = {}
        self.watches: dict[str, Mapper] = {"nodes": itself, LEASES: _node_of}

    def reconcile(self, key: Key, view: View, now: int) -> Effects:
        """Judge one node: has it been heard of, which taints follow from its conditions?"""
        node = view.at(key)
        yield from self._greet(key, node)
        if node is None:
            return
        if self._silent(node, view):
            node = yield from self._unknown(key, node, view)
        yield from _label(key, node)
        evict = None if now % PERIOD_MS else any(map(_is_ready, view.list("nodes")))
        wanted = _taints(node, self._clock.text(), evict=evict)
        if wanted != (node["spec"].get("taints") or []):
            answer = yield Patch(key, {"spec": {"taints": wanted or None}}, "merge")
            if isinstance(answer, Status):
                raise answer
        yield After(PERIOD_MS - now % PERIOD_MS, housekeeping=True)

    def _greet(self, key: Key, node: Obj | None) -> Any:
        """Say once that a node came, or that it went."""
        known = self._known.get(key.name)
        if known is not None and (node is None or node["metadata"]["uid"] != known["metadata"]["uid"]):
            yield Emit(
                known, "Normal", "RemovingNode", f"Node {key.name} event: Removing Node {key.name} from Controller"
            )
            del self._known[key.name]
        if node is not None and key.name not in self._known:
            yield Emit(
                node, "Normal", "RegisteredNode", f"Node {key.name} event: Registered Node {key.name} in Controller"
            )
            self._known[key.name] = node

    def _silent(self, node: Obj, view: View) -> bool:
        lease = view.get(LEASES, "kube-node-lease", node["metadata"]["name"])
        ready = pods.condition(node, "Ready")
        if lease is None or ready is None or ready["status"] == "Unknown":
            return False
        return self._clock.wall() - times.parse(lease["spec"]["renewTime"]) > GRACE_MS

    def _unknown(self, key: Key, node: Obj, view: View) -> Any:
        now = self._clock.text()
        found = [
            {**c, "status": "Unknown", "reason": SILENT[0], "message": SILENT[1], "lastTransitionTime": now}
            for c in node["status"].get("conditions") or []
        ]
        answer = yield Patch(key, {"status": {"conditions": found}}, "strategic", "status")
        if isinstance(answer, Status):
            raise answer
        yield Emit(node, "Normal", "NodeNotReady", f"Node {key.name} status is now: NodeNotReady")
        for pod in view.on_node(key.name):
            yield from self._not_ready(pod, now)
        return answer

    def _not_ready(self, pod: Obj, now: str) -> Any:
        """Mark a Pod of a silent node not ready, so that it gets no traffic. Models MarkPodsNotReady."""
        ready = pods.condition(pod, "Ready")
        if ready is not None and ready["status"] == "True":
            found = {"type": "Ready", "status": "False", "lastTransitionTime": now}
            yield Patch(pod_key(pod), {"status": {"conditions": [found]}}, "strategic", "status")
            yield Emit(pod, "Warning", "NodeNotReady", "Node is not ready")


def _node_of(event: Event, view: View) -> Iterable[Key]:
    if event.key.namespace == "kube-node-lease" and event.old is None:
        yield Key("nodes", "", event.key.name)


def _is_ready(node: Obj) -> bool:
    return (pods.condition(node, "Ready") or {}).get("status") == "True"


def _label(key: Key, node: Obj) -> Any:
    """Keep the older names of labels equal to the present ones. Models labelReconcileInfo."""
    labels = node["metadata"].get("labels") or {}
    late = {old: labels[new] for old, new in OLD_LABELS.items() if new in labels and labels.get(old) != labels[new]}
    if late:
        yield Patch(key, {"metadata": {"labels": late}}, "merge")


def _taints(node: Obj, now: str, *, evict: bool | None) -> list[Obj]:
    """Return the node's taints as its conditions want them; those of others stay, those that stay keep their time.

    `evict` False: no node at all is ready, so the fault is not the nodes' and no Pod is driven away (FullDisruption).
    None: NoExecute taints stay as they are until all nodes are looked at (monitorNodeHealth).
    """
    before = node["spec"].get("taints") or []
    wanted: list[tuple[str, str]] = []
    for condition in node["status"].get("conditions") or []:
        key = TAINTS.get((condition["type"], condition["status"]))
        if key is not None:
            wanted += [(key, "NoSchedule"), *([(key, "NoExecute")] if evict and condition["type"] == "Ready" else [])]
    if evict is None:
        wanted += [(one["key"], "NoExecute") for one in before if one["key"] in OWN and one["effect"] == "NoExecute"]
    if node["spec"].get("unschedulable"):
        wanted.append((CORDON, "NoSchedule"))
    kept = [taint for taint in before if taint["key"] not in OWN or (taint["key"], taint["effect"]) in wanted]
    there = {(taint["key"], taint["effect"]) for taint in kept}
    return kept + [
        {"key": key, "effect": effect, "timeAdded": now} for key, effect in wanted if (key, effect) not in there
    ]
