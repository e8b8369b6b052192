"""Which nodes a DaemonSet runs on, and the Pod that it makes for one. Models pkg/controller/daemon/util/daemonset_util.go."""

from __future__ import annotations

from typing import NamedTuple

from kit.embedded.core.store import Obj
from kit.embedded.parts import podcontrol
from kit.embedded.parts.history import HASH
from kit.kube import copies, nodeaffinity, tolerations

GENERATION = "pod-template-generation"
TEMPLATE_GENERATION = "deprecated.daemonset.template.generation"
_TOLERATED = (
    ("not-ready", "NoExecute"),
    ("unreachable", "NoExecute"),
    ("disk-pressure", "NoSchedule"),
    ("memory-pressure", "NoSchedule"),
    ("pid-pressure", "NoSchedule"),
    ("unschedulable", "NoSchedule"),
)
_HOST_NETWORK = (*_TOLERATED, ("network-unavailable", "NoSchedule"))
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


class Verdict(NamedTuple):
    """Whether a Pod should be on a node, and whether one that is there may stay."""

    run: bool
    stay: bool


def verdict(spec: Obj, node: Obj) -> Verdict:
    """Say it for a Pod of this spec. Models NodeShouldRunDaemonPod."""
    name = spec.get("nodeName")
    if (name and name != node["metadata"]["name"]) or not nodeaffinity.matches(spec, node):
        return Verdict(False, False)
    run = tolerations.bears(spec, node, ("NoSchedule", "NoExecute"))
    return Verdict(run, run or tolerations.bears(spec, node, ("NoExecute",)))


def tolerant(spec: Obj) -> Obj:
    """Return a Pod's spec with the tolerations that every daemon has."""
    had = list(spec.get("tolerations") or ())
    for word, effect in _HOST_NETWORK if spec.get("hostNetwork") else _TOLERATED:
        one = {"key": f"node.kubernetes.io/{word}", "operator": "Exists", "effect": effect}
        had += [] if one in had else [one]
    return {**spec, "tolerations": had}


def pod_for(daemonset: Obj, node: str, digest: str) -> Obj:
    """Return the Pod of the present template for a node; the scheduler binds it."""
    pod = podcontrol.pod_of(daemonset, daemonset["spec"]["template"])
    generation = template_generation(daemonset)
    labels = {**(pod["metadata"].get("labels") or {}), HASH: digest}
    pod["metadata"]["labels"] = {**labels, **({GENERATION: generation} if generation else {})}
    spec = pod["spec"] = tolerant(pod["spec"])
    term = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]}
    affinity = spec["affinity"] = copies.deep(spec.get("affinity") or {})
    affinity.setdefault("nodeAffinity", {})[_REQUIRED] = {"nodeSelectorTerms": [term]}
    return pod


def node_of(pod: Obj) -> str:
    """Return the node that a daemon is on or is meant for, "" when that can't be told. Models GetTargetNodeName."""
    if pod["spec"].get("nodeName"):
        return str(pod["spec"]["nodeName"])
    affinity = (pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}
    for term in (affinity.get(_REQUIRED) or {}).get("nodeSelectorTerms") or ():
        for field in term.get("matchFields") or ():
            if field["key"] == "metadata.name" and field["operator"] == "In":
                return str(field["values"][0])
    return ""


def template_generation(daemonset: Obj) -> str | None:
    """Return the template's number, as the API server counts it."""
    found = (daemonset["metadata"].get("annotations") or {}).get(TEMPLATE_GENERATION)
    return str(found) if found is not None else None


def is_updated(pod: Obj, daemonset: Obj, digest: str) -> bool:
    """Say whether a daemon is of the present template."""
    labels = pod["metadata"].get("labels") or {}
    generation = template_generation(daemonset)
    return labels.get(HASH) == digest or (generation is not None and labels.get(GENERATION) == generation)
