"""Why something is not as wanted: a walk along real references, from the object to the event that says it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from kit.checks.text import Text, same
from kit.client.objects import Object

_STEP = re.compile(r'\["([^"]+)"\]|\[(\d+)\]|([^.\[\]]+)')
_TELLING = {
    "FailedScheduling",
    "Failed",
    "BackOff",
    "Unhealthy",
    "FailedMount",
    "FailedCreatePodSandBox",
    "Evicted",
    "Preempted",
}


def value_at(found: Any, path: str) -> Any:
    """Return the value at a dotted path (`spec.containers[0].image`, `labels["a/b"]`), None when a step is missing."""
    for quoted, index, name in _STEP.findall(path):
        if index:
            found = found[int(index)] if isinstance(found, list) and int(index) < len(found) else None
        else:
            found = found.get(quoted or name) if isinstance(found, dict) else None
    return found


def node_of(pod: Object | None) -> str:
    """Return the node a Pod is bound to, empty when it has none."""
    return str(value_at(pod or {}, "spec.nodeName") or "")


def stuck(pod: Object, events: Sequence[Object]) -> tuple[Text, tuple[Text, ...]]:
    """Return in one word what a Pod that is not Ready does, and the steps that lead to the cause."""
    if pod["metadata"].get("deletionTimestamp"):
        return Text("it is being deleted", "它正在被删除"), ()
    steps = [_placed(pod), *_containers(pod), *_said(events)]
    return same(_word(pod)), tuple(steps)


def _word(pod: Object) -> str:
    for status in value_at(pod, "status.containerStatuses") or []:
        for state in ("waiting", "terminated"):
            if reason := value_at(status, f"state.{state}.reason"):
                return str(reason)
    phase = str(value_at(pod, "status.phase") or "Pending")
    return "Running, not Ready" if phase == "Running" else phase


def _placed(pod: Object) -> Text:
    name, node = pod["metadata"]["name"], node_of(pod)
    if node:
        return Text(f"Pod {name} → Node {node}", f"Pod {name} → 节点 {node}")
    return Text(f"Pod {name} → no node: the scheduler found no place", f"Pod {name} → 没有节点:调度器没有找到位置")


def _containers(pod: Object) -> list[Text]:
    found = []
    for status in value_at(pod, "status.containerStatuses") or []:
        reason = value_at(status, "state.waiting.reason") or value_at(status, "state.terminated.reason")
        if reason:
            name, image = status["name"], status.get("image", "")
            found.append(Text(f"container {name} ({image}): {reason}", f"容器 {name}({image}):{reason}"))
    return found


def _said(events: Sequence[Object]) -> list[Text]:
    """Return the last telling event; uids in its message are left out, so that the text is the same run after run."""
    for entry in reversed(events):
        if entry.get("reason") in _TELLING:
            message = re.sub(r"\(?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\)?", "", entry.get("message", ""))
            return [Text(f"event {entry['reason']}: {message}", f"事件 {entry['reason']}:{message}")]
    return []
