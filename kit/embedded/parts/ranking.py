"""Which Pod of several goes first when there are too many. Models ActivePodsWithRanks of pkg/controller/controller_utils.go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kit.embedded.core.store import Obj
from kit.kube import pods, times

PHASES = {"Pending": 0, "Unknown": 1, "Running": 2}


def for_deletion(pod: Obj, crowd: Mapping[str, int], wall: int) -> tuple[Any, ...]:
    """Order Pods for deletion, the first to go first; `crowd` says how many related ones are on each node."""
    node = pod["spec"].get("nodeName", "")
    ready = pods.condition(pod, "Ready") or {}
    is_ready = ready.get("status") == "True"
    since = wall - times.parse(ready["lastTransitionTime"]) if is_ready and ready.get("lastTransitionTime") else 0
    restarts = max((s.get("restartCount", 0) for s in (pod["status"].get("containerStatuses") or ())), default=0)
    cost = (pod["metadata"].get("annotations") or {}).get("controller.kubernetes.io/pod-deletion-cost", "0")
    age = wall - times.parse(pod["metadata"]["creationTimestamp"])
    return (
        bool(node),
        PHASES.get(pod["status"].get("phase", "Pending"), 0),
        is_ready,
        int(cost) if cost.lstrip("+-").isdigit() else 0,
        -crowd.get(node, 0),
        (since // 1000).bit_length() if is_ready else 0,
        -restarts,
        (age // 1000).bit_length(),
        pod["metadata"]["uid"],
    )
