"""Filters about the node itself: cordons, taints, affinity to nodes, room and ports.

Models pkg/scheduler/framework/plugins: nodeunschedulable, nodename, tainttoleration, nodeaffinity, noderesources, nodeports.
"""

from __future__ import annotations

from collections.abc import Sequence

from kit.embedded.controllers.scheduler import storage
from kit.embedded.controllers.scheduler.occupancy import NANO, World, amount, host_ports, requests
from kit.embedded.core.store import Obj
from kit.kube import nodeaffinity, tolerations

Reasons = Sequence[str]
AFFINITY = "node(s) didn't match Pod's node affinity/selector"
UNSCHEDULABLE = "node(s) were unschedulable"
TAINTED = "node(s) had untolerated taint(s)"
PORTS = "node(s) didn't have free ports for the requested pod ports"
TOO_MANY = "Too many pods"
NOT_NAMED = "node(s) didn't satisfy plugin(s) [NodeAffinity]"
NODE_NAME = "node(s) didn't match the requested node name"


def named(pod: Obj, node: Obj, world: World) -> Reasons:
    """Refuse all but the nodes that the required node affinity names (PreFilter of nodeaffinity)."""
    names = nodeaffinity.named(pod["spec"])
    return (NOT_NAMED,) if names is not None and node["metadata"]["name"] not in names else ()


def unschedulable(pod: Obj, node: Obj, world: World) -> Reasons:
    """Refuse a cordoned node, unless that taint is tolerated."""
    taint = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
    return (UNSCHEDULABLE,) if node["spec"].get("unschedulable") and not tolerates(pod, taint) else ()


def node_name(pod: Obj, node: Obj, world: World) -> Reasons:
    """Refuse all but the node asked for by name."""
    wanted = pod["spec"].get("nodeName")
    return (NODE_NAME,) if wanted and wanted != node["metadata"]["name"] else ()


def taints(pod: Obj, node: Obj, world: World) -> Reasons:
    """Refuse a node with a NoSchedule or NoExecute taint that is not tolerated."""
    for taint in node["spec"].get("taints") or ():
        if taint["effect"] in ("NoSchedule", "NoExecute") and not tolerates(pod, taint):
            return (TAINTED,)
    return ()


def tolerates(pod: Obj, taint: Obj) -> bool:
    """Say whether any toleration of the Pod covers a taint."""
    return any(tolerations.covers(toleration, taint) for toleration in pod["spec"].get("tolerations") or ())


def node_affinity(pod: Obj, node: Obj, world: World) -> Reasons:
    """Refuse a node whose labels do not match nodeSelector and the required node affinity."""
    return () if nodeaffinity.matches(pod["spec"], node) else (AFFINITY,)


def resources(pod: Obj, node: Obj, world: World) -> Reasons:
    """Refuse a node that has not enough left of what the Pod requests."""
    room = node["status"].get("allocatable") or {}
    used = world.load(node).requested
    reasons = []
    if used.get("pods", 0) + 1 > amount(room.get("pods")) // NANO:
        reasons.append(TOO_MANY)
    for name, wants in world.requests(pod).items():
        if wants and wants > amount(room.get(name)) - used.get(name, 0):
            reasons.append(f"Insufficient {name}")
    return reasons


def beyond_capacity(pod: Obj, node: Obj, reason: str) -> bool:
    """Say whether a node could not give the resource even when empty: then preemption does not help."""
    name = reason.removeprefix("Insufficient ")
    room = (node["status"].get("allocatable") or {}).get(name)
    return reason != name and (room is None or requests(pod).get(name, 0) > amount(room))


def claims(pod: Obj, node: Obj, world: World) -> Reasons:
    """Refuse a node where the Pod's claims can't be had."""
    return world.storage.reasons(node) if world.storage is not storage.NONE else ()


def ports(pod: Obj, node: Obj, world: World) -> Reasons:
    """Refuse a node where a hostPort is taken."""
    taken = world.load(node).ports
    return (PORTS,) if any(taken[port] > 0 for port in host_ports(pod)) else ()
