"""Which nodes a Pod may go to, and in upstream's words why not to the others.

Models pkg/scheduler/framework/plugins: each filter is a function of (pod, node, world) that answers with reasons, empty when the node
passes. `UNRESOLVABLE` names those that no preemption could help.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

from kit.embedded.core.store import Obj
from kit.kube import quantities, selectors

NANO = quantities.NANO
Reasons = Sequence[str]
AFFINITY = "node(s) didn't match Pod's node affinity/selector"
UNSCHEDULABLE = "node(s) were unschedulable"
TAINTED = "node(s) had untolerated taint(s)"
PORTS = "node(s) didn't have free ports for the requested pod ports"
TOO_MANY = "Too many pods"
NODE_NAME = "node(s) didn't match the requested node name"
ANTI = "node(s) didn't match pod anti-affinity rules"
ANTI_EXISTING = "node(s) didn't satisfy existing pods anti-affinity rules"
POD_AFFINITY = "node(s) didn't match pod affinity rules"
SPREAD = "node(s) didn't match pod topology spread constraints"
SPREAD_LABEL = f"{SPREAD} (missing required label)"
UNRESOLVABLE = frozenset((AFFINITY, UNSCHEDULABLE, TAINTED, NODE_NAME, POD_AFFINITY, SPREAD_LABEL))


@dataclass(frozen=True)
class World:
    """What a decision sees: all nodes, and the Pods bound to each."""

    nodes: Sequence[Obj]
    bound: Mapping[str, Sequence[Obj]]
    namespaces: Mapping[str, Mapping[str, str]]  # name -> labels

    @cached_property
    def requested(self) -> dict[str, dict[str, int]]:
        """Sum of requests by node and resource; `pods` counts Pods."""
        return {name: _total(pods) for name, pods in self.bound.items()}


def amount(text: Any) -> int:
    """Return a quantity in nanos."""
    return quantities.Quantity.parse(text).nano


def requests(pod: Obj) -> dict[str, int]:
    """Return a Pod's requests: the larger of its containers' sum and any init container, sidecars added. Models PodRequests."""
    total: dict[str, int] = {}
    sidecars: dict[str, int] = {}
    peak: dict[str, int] = {}
    for container in pod["spec"].get("initContainers") or ():
        wants = _wants(container)
        if container.get("restartPolicy") == "Always":
            _add(sidecars, wants)
            _raise(peak, sidecars)
        else:
            _raise(
                peak,
                {name: wants.get(name, 0) + sidecars.get(name, 0) for name in {*wants, *sidecars}},
            )
    for container in pod["spec"]["containers"]:
        _add(total, _wants(container))
    _add(total, sidecars)
    _raise(total, peak)
    _add(total, {name: amount(value) for name, value in (pod["spec"].get("overhead") or {}).items()})
    return total


def _wants(container: Obj) -> dict[str, int]:
    found = (container.get("resources") or {}).get("requests") or {}
    return {name: amount(value) for name, value in found.items()}


def _add(total: dict[str, int], more: Mapping[str, int]) -> None:
    for name, value in more.items():
        total[name] = total.get(name, 0) + value


def _raise(total: dict[str, int], least: Mapping[str, int]) -> None:
    for name, value in least.items():
        total[name] = max(total.get(name, 0), value)


def _total(pods: Sequence[Obj]) -> dict[str, int]:
    total: dict[str, int] = {}
    for pod in pods:
        _add(total, requests(pod))
    total["pods"] = len(pods)
    return total


# --- the filters -------------------------------------------------------------------------------------------------------------


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
        cordon = taint["key"] == "node.kubernetes.io/unschedulable"
        if taint["effect"] in ("NoSchedule", "NoExecute") and not cordon and not tolerates(pod, taint):
            return (TAINTED,)
    return ()


def tolerates(pod: Obj, taint: Obj) -> bool:
    """Say whether any toleration of the Pod covers a taint."""
    return any(_covers(toleration, taint) for toleration in pod["spec"].get("tolerations") or ())


def _covers(toleration: Obj, taint: Obj) -> bool:
    if toleration.get("effect") and toleration["effect"] != taint["effect"]:
        return False
    if toleration.get("key") and toleration["key"] != taint["key"]:
        return False
    if toleration.get("operator", "Equal") == "Exists":
        return True
    return bool(toleration.get("key")) and toleration.get("value", "") == taint.get("value", "")


def node_affinity(pod: Obj, node: Obj, world: World) -> Reasons:
    """Refuse a node whose labels do not match nodeSelector and the required node affinity."""
    labels = node["metadata"].get("labels") or {}
    wanted = pod["spec"].get("nodeSelector") or {}
    if not wanted.items() <= labels.items():
        return (AFFINITY,)
    affinity = ((pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}).get(
        "requiredDuringSchedulingIgnoredDuringExecution"
    )
    if affinity and not any(_term(term, node) for term in affinity.get("nodeSelectorTerms") or ()):
        return (AFFINITY,)
    return ()


def _term(term: Obj, node: Obj) -> bool:
    expressions, fields = term.get("matchExpressions") or [], term.get("matchFields") or []
    if not expressions and not fields:
        return False
    name = {"metadata.name": node["metadata"]["name"]}
    by_label = selectors.of_expressions(expressions).matches(node["metadata"].get("labels") or {})
    return by_label and selectors.of_expressions(fields).matches(name)


def resources(pod: Obj, node: Obj, world: World) -> Reasons:
    """Refuse a node that has not enough left of what the Pod requests."""
    room = {name: amount(value) for name, value in (node["status"].get("allocatable") or {}).items()}
    used = world.requested.get(node["metadata"]["name"], {})
    reasons = []
    if used.get("pods", 0) + 1 > room.get("pods", 0) // NANO:
        reasons.append(TOO_MANY)
    for name, wants in requests(pod).items():
        if wants and wants > room.get(name, 0) - used.get(name, 0):
            reasons.append(f"Insufficient {name}")
    return reasons


def beyond_capacity(pod: Obj, node: Obj, reason: str) -> bool:
    """Say whether a node could not give the resource even when empty: then preemption does not help."""
    name = reason.removeprefix("Insufficient ")
    room = (node["status"].get("allocatable") or {}).get(name)
    return reason != name and (room is None or requests(pod).get(name, 0) > amount(room))


def ports(pod: Obj, node: Obj, world: World) -> Reasons:
    """Refuse a node where a hostPort is taken."""
    taken = {port for other in world.bound.get(node["metadata"]["name"], ()) for port in _host_ports(other)}
    return (PORTS,) if taken.intersection(_host_ports(pod)) else ()


def _host_ports(pod: Obj) -> set[tuple[str, int]]:
    listed = [port for container in pod["spec"]["containers"] for port in container.get("ports") or ()]
    return {(port.get("protocol", "TCP"), port["hostPort"]) for port in listed if port.get("hostPort")}


def pod_affinity(pod: Obj, node: Obj, world: World) -> Reasons:
    """Refuse a node against required (anti-)affinity to other Pods, the Pod's own and that of the Pods already there."""
    if any(not _near(term, pod, node, world) for term in _required(pod, "podAffinity")):
        return (POD_AFFINITY,)
    if any(_found(term, pod, node, world) for term in _required(pod, "podAntiAffinity")):
        return (ANTI,)
    for name, others in world.bound.items():
        home = next((n for n in world.nodes if n["metadata"]["name"] == name), None)
        for other in others:
            for term in _required(other, "podAntiAffinity"):
                if home and _same_domain(term["topologyKey"], home, node) and _selects(term, other, pod, world):
                    return (ANTI_EXISTING,)
    return ()


def _required(pod: Obj, kind: str) -> Sequence[Obj]:
    found = ((pod["spec"].get("affinity") or {}).get(kind) or {}).get("requiredDuringSchedulingIgnoredDuringExecution")
    return found or ()


def _same_domain(key: str, one: Obj, other: Obj) -> bool:
    value = (one["metadata"].get("labels") or {}).get(key)
    return value is not None and value == (other["metadata"].get("labels") or {}).get(key)


def _found(term: Obj, pod: Obj, node: Obj, world: World) -> bool:
    for home in world.nodes:
        there = world.bound.get(home["metadata"]["name"], ()) if _same_domain(term["topologyKey"], home, node) else ()
        if any(_selects(term, pod, other, world) for other in there):
            return True
    return False


def _near(term: Obj, pod: Obj, node: Obj, world: World) -> bool:
    """A first Pod may go anywhere when it matches its own rule: else no group could ever begin."""
    if _found(term, pod, node, world):
        return True
    nobody = not any(_selects(term, pod, other, world) for others in world.bound.values() for other in others)
    return nobody and _selects(term, pod, pod, world) and term["topologyKey"] in (node["metadata"].get("labels") or {})


def _selects(term: Obj, owner: Obj, pod: Obj, world: World) -> bool:
    namespace = pod["metadata"]["namespace"]
    named = term.get("namespaces") or []
    spaces = term.get("namespaceSelector")
    if spaces is not None and selectors.of_object(spaces).matches(world.namespaces.get(namespace) or {}):
        home = True
    else:
        home = namespace in named if named or spaces is not None else namespace == owner["metadata"]["namespace"]
    return home and selectors.of_object(term.get("labelSelector")).matches(pod["metadata"].get("labels"))


def spread(pod: Obj, node: Obj, world: World) -> Reasons:
    """Refuse a node that would break a DoNotSchedule topology spread constraint."""
    for rule in pod["spec"].get("topologySpreadConstraints") or ():
        if rule["whenUnsatisfiable"] != "DoNotSchedule":
            continue
        domain = (node["metadata"].get("labels") or {}).get(rule["topologyKey"])
        if domain is None:
            return (SPREAD_LABEL,)
        counts = _domains(rule, pod, world)
        mine = selectors.of_object(rule.get("labelSelector")).matches(pod["metadata"].get("labels"))
        if counts.get(domain, 0) + mine - min(counts.values(), default=0) > rule["maxSkew"]:
            return (SPREAD,)
    return ()


def _domains(rule: Obj, pod: Obj, world: World) -> dict[str, int]:
    """Count matching Pods by domain, over the nodes that the Pod's own node affinity allows."""
    selector = selectors.of_object(rule.get("labelSelector"))
    counts: dict[str, int] = {}
    for node in world.nodes:
        domain = (node["metadata"].get("labels") or {}).get(rule["topologyKey"])
        if (
            domain is None
            or node_affinity(pod, node, world)
            or (rule.get("nodeTaintsPolicy") == "Honor" and taints(pod, node, world))
        ):
            continue
        there = world.bound.get(node["metadata"]["name"], ())
        same = [
            o
            for o in there
            if o["metadata"]["namespace"] == pod["metadata"]["namespace"] and "deletionTimestamp" not in o["metadata"]
        ]
        counts[domain] = counts.get(domain, 0) + sum(
            selector.matches(other["metadata"].get("labels")) for other in same
        )
    return counts


FILTERS: Sequence[Callable[[Obj, Obj, World], Reasons]] = (
    unschedulable, node_name, taints, node_affinity, ports, resources, spread, pod_affinity,
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
    name = node["metadata"]["name"]
    there = world.bound.get(name, ())
    parent = _parent(pod)
    siblings = sum(parent is not None and _parent(other) == parent for other in there)
    room = node["status"].get("allocatable") or {}
    share = Fraction()
    for resource, least in (("cpu", NANO // 10), ("memory", 200 * 2**20 * NANO)):
        used = sum(max(requests(other).get(resource, 0), least) for other in (*there, pod))
        share += Fraction(used, max(amount(room.get(resource, "1")), 1))
    return siblings, share


def _parent(pod: Obj) -> str | None:
    return next(
        (reference["uid"] for reference in pod["metadata"].get("ownerReferences") or () if reference.get("controller")),
        None,
    )
