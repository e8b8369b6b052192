"""What can be read off a Pod: is it ready, since when, does it count, is a template the same. True for any cluster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kit.kube import times

Obj = Mapping[str, Any]
MIRROR = "kubernetes.io/config.mirror"  # the annotation of a Pod that a kubelet made for one of its own


def condition(obj: Obj, type: str) -> dict[str, Any] | None:
    """Return the status condition of that type, or None."""
    for found in (obj.get("status") or {}).get("conditions") or ():
        if found["type"] == type:
            return dict(found)
    return None


def is_ready(pod: Obj) -> bool:
    """Say whether the Pod's Ready condition is true."""
    found = condition(pod, "Ready")
    return found is not None and found["status"] == "True"


def is_terminal(pod: Obj) -> bool:
    """Say whether the Pod has ended for good."""
    return (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")


def is_active(pod: Obj) -> bool:
    """Say whether a controller counts the Pod: neither ended nor being deleted."""
    return not is_terminal(pod) and "deletionTimestamp" not in pod["metadata"]


def available_in(pod: Obj, min_ready_seconds: int, wall_ms: int) -> int | None:
    """Return in how many ms a ready Pod becomes available (0: it is), None when it is not ready."""
    found = condition(pod, "Ready")
    if found is None or found["status"] != "True":
        return None
    if min_ready_seconds == 0 or not found.get("lastTransitionTime"):
        return 0
    return max(0, times.parse(found["lastTransitionTime"]) + min_ready_seconds * 1000 - wall_ms)


def same_template(one: Obj, other: Obj) -> bool:
    """Say whether two Pod templates are equal but for the hash label a Deployment adds."""
    return _unhashed(one) == _unhashed(other)


def _unhashed(template: Obj) -> dict[str, Any]:
    metadata = dict(template.get("metadata") or {})
    labels = {key: value for key, value in (metadata.pop("labels", None) or {}).items() if key != "pod-template-hash"}
    metadata.pop("creationTimestamp", None)
    return {**template, "metadata": {**metadata, **({"labels": labels} if labels else {})}}
