"""Which nodes a Pod may go to, and in upstream's words why not to the others; and which of them is best.

Each filter is a function of (pod, node, world) that answers with reasons, empty when the node passes; the first that refuses is heard.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from kit.embedded.controllers.scheduler import nodefit, storage, topology
from kit.embedded.controllers.scheduler.nodefit import Reasons
from kit.embedded.controllers.scheduler.occupancy import World, amount, parent_of, weight
from kit.embedded.core.store import Obj

# What no preemption could help (UnschedulableAndUnresolvable).
UNRESOLVABLE = frozenset(
    (
        nodefit.NOT_NAMED, nodefit.AFFINITY, nodefit.UNSCHEDULABLE, nodefit.TAINTED, nodefit.NODE_NAME, topology.POD_AFFINITY,
        topology.SPREAD_LABEL, storage.AFFINITY, storage.NOTHING, storage.GONE,
    )
)  # fmt: skip
FILTERS: Sequence[Callable[[Obj, Obj, World], Reasons]] = (
    nodefit.named, nodefit.unschedulable, nodefit.node_name, nodefit.taints, nodefit.node_affinity, nodefit.ports, nodefit.resources,
    nodefit.claims, topology.spread, topology.pod_affinity,
)  # fmt: skip


def reasons(pod: Obj, node: Obj, world: World) -> Reasons:
    """Return why a node does not take the Pod: the first filter's reasons, empty when it does."""
    for check in FILTERS:
        found = check(pod, node, world)
        if found:
            return found
    return ()


def usage(pod: Obj, node: Obj, world: World) -> Any:
    """Score a node for a Pod, lower is better: siblings there, then CPU and memory used. Models LeastAllocated and spreading."""
    load, parent, asked = world.load(node), parent_of(pod), world.requests(pod)
    room = node["status"].get("allocatable") or {}
    cpu, memory = (load.weights[resource] + weight(asked, resource) for resource in ("cpu", "memory"))
    cpus, memories = (max(amount(room.get(resource, "1")), 1) for resource in ("cpu", "memory"))
    return (load.parents[parent] if parent else 0), Fraction(cpu * memories + memory * cpus, cpus * memories)
