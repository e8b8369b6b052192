"""Deletes Pods that a NoExecute taint drives away, at once or when their toleration has run out.

Models pkg/controller/tainteviction/taint_eviction.go.
"""

from __future__ import annotations

from collections.abc import Iterable

from kit.embedded.core.clock import Clock
from kit.embedded.core.controller import Effects, Mapper, View, itself, pod_key
from kit.embedded.core.effects import After, Delete, Emit, Patch
from kit.embedded.core.store import Event, Key, Obj
from kit.errors import Status
from kit.kube import times, tolerations


class TaintEviction:
    """The taint eviction controller; its keys are Pods."""

    name = "taint-eviction-controller"
    user = "system:serviceaccount:kube-system:node-controller"
    manager = "kube-controller-manager"
    component = "taint-eviction-controller"

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._since: dict[Key, int] = {}  # when a Pod was first seen to have its time run out
        self._waiting: set[Key] = set()  # Pods whose deletion is due later
        self.watches: dict[str, Mapper] = {"pods": itself, "nodes": _pods_of}

    def reconcile(self, key: Key, view: View, now: int) -> Effects:
        """Delete one Pod when its time on a tainted node is over, or look again when it will be."""
        pod = view.at(key)
        node = view.get("nodes", "", pod["spec"].get("nodeName") or "-") if pod else None
        if pod is None:
            yield from self._cancel(key)
        if pod is None or node is None or "deletionTimestamp" in pod["metadata"]:
            self._since.pop(key, None)
            return
        wall = self._clock.wall()
        left = _left(pod, node, wall, wall - now + self._since.setdefault(key, now))
        if left is None:
            del self._since[key]
            yield from self._cancel(key)
            return
        if left > 0:
            self._waiting.add(key)
            yield After(left)
            return
        self._waiting.discard(key)
        message = "Taint manager: deleting due to NoExecute taint"
        found = {"type": "DisruptionTarget", "status": "True", "reason": "DeletionByTaintManager", "message": message}
        yield Patch(
            key,
            {"status": {"conditions": [{**found, "lastTransitionTime": self._clock.text()}]}},
            "strategic",
            "status",
        )
        yield Emit(pod, "Normal", "TaintManagerEviction", f"Marking for deletion Pod {key.namespace}/{key.name}")
        answer = yield Delete(key)
        if isinstance(answer, Status) and answer.reason != "NotFound":
            raise answer

    def _cancel(self, key: Key) -> Effects:
        """Say that a Pod is not deleted after all: its taint went, or the Pod did. Models cancelWorkWithEvent."""
        if key in self._waiting:
            self._waiting.discard(key)
            metadata = {"name": key.name, "namespace": key.namespace}
            words = f"Cancelling deletion of Pod {key.namespace}/{key.name}"
            yield Emit(
                {"apiVersion": "v1", "kind": "Pod", "metadata": metadata}, "Normal", "TaintManagerEviction", words
            )


def _pods_of(event: Event, view: View) -> Iterable[Key]:
    if event.old is None or event.old.obj["spec"].get("taints") != event.obj["spec"].get("taints"):
        for pod in view.on_node(event.key.name):
            yield pod_key(pod)


def _left(pod: Obj, node: Obj, wall_ms: int, seen_ms: int) -> int | None:
    """Return the ms until the Pod must go, None when it may stay; a taint that does not say since when counts from `seen_ms`."""
    ends: list[int] = []
    for taint in node["spec"].get("taints") or []:
        if taint["effect"] != "NoExecute":
            continue
        bearing = [t for t in pod["spec"].get("tolerations") or [] if tolerations.covers(t, taint)]
        if not bearing:
            return 0
        limits = [t["tolerationSeconds"] for t in bearing if t.get("tolerationSeconds") is not None]
        if limits:
            since = times.parse(taint["timeAdded"]) if taint.get("timeAdded") else seen_ms
            ends.append(since + min(limits) * 1000 - wall_ms)
    return max(0, min(ends)) if ends else None
