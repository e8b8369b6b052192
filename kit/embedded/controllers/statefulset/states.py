"""What state a Pod of a StatefulSet is in, and the counts of its status. Models stateful_set_utils.go and updateStatus."""

from __future__ import annotations

from collections.abc import Iterable

from kit.embedded.controllers.statefulset import identity
from kit.embedded.core.store import Obj
from kit.kube import pods


def is_there(pod: Obj) -> bool:
    """Say whether a Pod has been made, and is not only meant to be."""
    return bool((pod.get("status") or {}).get("phase"))


def is_terminating(pod: Obj) -> bool:
    """Say whether a Pod is being deleted."""
    return "deletionTimestamp" in pod["metadata"]


def is_ready(pod: Obj) -> bool:
    """Say whether a Pod runs and is ready."""
    return (pod.get("status") or {}).get("phase") == "Running" and pods.is_ready(pod)


def is_available(pod: Obj, parent: Obj, wall: int) -> bool:
    """Say whether a Pod has been ready for minReadySeconds."""
    return is_ready(pod) and pods.available_in(pod, parent["spec"].get("minReadySeconds", 0), wall) == 0


def counts(members: Iterable[Obj], parent: Obj, current: str, update: str, wall: int) -> Obj:
    """Return the numbers of the status."""
    there = [pod for pod in members if is_there(pod)]
    staying = [pod for pod in there if not is_terminating(pod)]
    return {
        "replicas": len(there),
        "readyReplicas": sum(map(is_ready, there)),
        "availableReplicas": sum(is_available(pod, parent, wall) for pod in there),
        "currentReplicas": sum(identity.revision_of(pod) == current for pod in staying),
        "updatedReplicas": sum(identity.revision_of(pod) == update for pod in staying),
    }
