"""Filters about other Pods: affinity, anti-affinity and topology spread.

Models pkg/scheduler/framework/plugins/interpodaffinity and podtopologyspread.
"""

from __future__ import annotations

from collections.abc import Sequence

from kit.embedded.controllers.scheduler.nodefit import Reasons, node_affinity, taints
from kit.embedded.controllers.scheduler.occupancy import World
from kit.embedded.core.store import Obj
from kit.kube import selectors

ANTI = "node(s) didn't match pod anti-affinity rules"
ANTI_EXISTING = "node(s) didn't satisfy existing pods anti-affinity rules"
POD_AFFINITY = "node(s) didn't match pod affinity rules"
SPREAD = "node(s) didn't match pod topology spread constraints"
SPREAD_LABEL = f"{SPREAD} (missing required label)"


def pod_affinity(pod: Obj, node: Obj, world: World) -> Reasons:
    """Refuse a node against required (anti-)affinity to other Pods, the Pod's own and that of the Pods already there."""
    if any(not _near(term, pod, node, world) for term in _required(pod, "podAffinity")):
        return (POD_AFFINITY,)
    if any(_found(term, pod, node, world) for term in _required(pod, "podAntiAffinity")):
        return (ANTI,)
    for home, other in world.avoiding:
        for term in _required(other, "podAntiAffinity"):
            if _same_domain(term["topologyKey"], home, node) and _selects(term, other, pod, world):
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
        there = world.load(home).pods if _same_domain(term["topologyKey"], home, node) else ()
        if any(_selects(term, pod, other, world) for other in there):
            return True
    return False


def _near(term: Obj, pod: Obj, node: Obj, world: World) -> bool:
    """A first Pod may go anywhere when it matches its own rule: else no group could ever begin."""
    if _found(term, pod, node, world):
        return True
    nobody = not any(_selects(term, pod, other, world) for home in world.nodes for other in world.load(home).pods)
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
        there = world.load(node).pods
        same = [
            o
            for o in there
            if o["metadata"]["namespace"] == pod["metadata"]["namespace"] and "deletionTimestamp" not in o["metadata"]
        ]
        counts[domain] = counts.get(domain, 0) + sum(
            selector.matches(other["metadata"].get("labels")) for other in same
        )
    return counts
