"""Removes Pods that no kubelet will: of nodes that are gone or out of service, deleted before they had a node, too many that ended.

Models pkg/controller/podgc/gc_controller.go: a pass every 20 s; a node that is missing is given 40 s to come back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kit.embedded.core.clock import Clock
from kit.embedded.core.controller import Effects, Mapper, View, pod_key
from kit.embedded.core.effects import After, Delete, Patch
from kit.embedded.core.store import Event, Key, Obj
from kit.errors import Status
from kit.kube import pods

PERIOD_MS = 20_000
QUARANTINE_MS = 40_000
ENDED_MAX = 12_500  # --terminated-pod-gc-threshold
OUT_OF_SERVICE = "node.kubernetes.io/out-of-service"
ORPHANED = {
    "type": "DisruptionTarget",
    "status": "True",
    "reason": "DeletionByPodGC",
    "message": "PodGC: node no longer exists",
}

# Its keys are no objects but what a pass looks for: Pods to be removed, and the number of those that have ended.
REMOVABLE, ENDED = Key("pods", "", "removable"), Key("pods", "", "ended")


class PodCollector:
    """The pod garbage collector."""

    name = "pod-garbage-collector-controller"
    user = "system:serviceaccount:kube-system:pod-garbage-collector"
    manager = "kube-controller-manager"
    component = "pod-garbage-collector-controller"

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._missing: dict[str, int] = {}
        self.watches: dict[str, Mapper] = {"pods": _concerned, "nodes": _left_behind}

    def reconcile(self, key: Key, view: View, now: int) -> Effects:
        """Make one pass, when it is time for one."""
        if now % PERIOD_MS:
            yield After(PERIOD_MS - now % PERIOD_MS, housekeeping=key == ENDED)
        elif key == ENDED:
            yield from self._ended(view)
        else:
            yield from self._removable(view, now)

    def _removable(self, view: View, now: int) -> Any:
        missing = {pod["spec"]["nodeName"] for pod in view.list("pods") if _orphaned(pod, view)}
        self._missing = {name: self._missing.get(name, now) for name in missing}
        for pod in view.list("pods"):
            since = self._missing.get(pod["spec"].get("nodeName") or "", now)
            if now - since >= QUARANTINE_MS:
                yield from self._remove(pod, ORPHANED)
            elif _stranded(pod, view) or _unplaced(pod):
                yield from self._remove(pod)
        if any(now - since < QUARANTINE_MS for since in self._missing.values()):
            yield After(PERIOD_MS)

    def _ended(self, view: View) -> Any:
        ended = [pod for pod in view.list("pods") if pods.is_terminal(pod)]
        if len(ended) <= ENDED_MAX:
            return
        ended.sort(key=lambda pod: (not _evicted(pod), pod["metadata"]["creationTimestamp"], pod["metadata"]["name"]))
        for pod in ended[: len(ended) - ENDED_MAX]:
            yield from self._remove(pod)

    def _remove(self, pod: Obj, condition: Mapping[str, str] | None = None) -> Any:
        """Let a Pod have failed, since no kubelet will say how it ended, and delete it at once (markFailedAndDeletePodWithCondition)."""
        metadata = pod["metadata"]
        key = pod_key(pod)
        if not pods.is_terminal(pod):
            status: Obj = {"phase": "Failed", "observedGeneration": metadata.get("generation", 0)}
            if condition is not None:
                about = {"observedGeneration": status["observedGeneration"], "lastProbeTime": None}
                status["conditions"] = [{**condition, **about, "lastTransitionTime": self._clock.text()}]
            answer = yield Patch(key, {"status": status}, "strategic", "status")
            if isinstance(answer, Status) and answer.reason != "NotFound":
                raise answer
        if metadata.get("deletionGracePeriodSeconds") != 0:
            answer = yield Delete(key, {"gracePeriodSeconds": 0})
            if isinstance(answer, Status) and answer.reason != "NotFound":
                raise answer


def _concerned(event: Event, view: View) -> Iterable[Key]:
    if event.type == "DELETED":
        return
    if pods.is_terminal(event.obj):
        yield ENDED
    if _orphaned(event.obj, view) or _unplaced(event.obj) or _stranded(event.obj, view):
        yield REMOVABLE


def _left_behind(event: Event, view: View) -> Iterable[Key]:
    if event.type == "DELETED" or _out_of_service(event.obj):
        yield REMOVABLE


def _orphaned(pod: Obj, view: View) -> bool:
    """Say whether a Pod's node is not there."""
    node = pod["spec"].get("nodeName")
    return bool(node) and view.get("nodes", "", node) is None


def _unplaced(pod: Obj) -> bool:
    """Say whether a Pod is being deleted that never had a node."""
    return "deletionTimestamp" in pod["metadata"] and not pod["spec"].get("nodeName")


def _stranded(pod: Obj, view: View) -> bool:
    """Say whether a Pod is being deleted on a node that somebody has said to be out of service."""
    if "deletionTimestamp" not in pod["metadata"]:
        return False
    node = view.get("nodes", "", pod["spec"].get("nodeName") or "-")
    return node is not None and _out_of_service(node)


def _out_of_service(node: Obj) -> bool:
    ready = (pods.condition(node, "Ready") or {}).get("status") == "True"
    return not ready and any(taint["key"] == OUT_OF_SERVICE for taint in node["spec"].get("taints") or ())


def _evicted(pod: Obj) -> bool:
    return bool((pod.get("status") or {}).get("reason") == "Evicted")
