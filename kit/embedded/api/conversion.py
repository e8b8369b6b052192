"""One object in several versions: Events of two groups, and what other kinds serve in more than one version.

Stored are core/v1 Events and autoscaling/v2 HorizontalPodAutoscalers. Models pkg/apis/core/v1 and pkg/apis/events/v1
conversion (events), and pkg/apis/autoscaling/v1/conversion.go.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kit.embedded.core.store import Obj
from kit.kube import decoding, status
from kit.kube.kinds import Resource

# core/v1 field -> events.k8s.io/v1 field
_EVENT_FIELDS = {
    "involvedObject": "regarding",
    "message": "note",
    "source": "deprecatedSource",
    "firstTimestamp": "deprecatedFirstTimestamp",
    "lastTimestamp": "deprecatedLastTimestamp",
    "count": "deprecatedCount",
    "reportingComponent": "reportingController",
}
_EVENT_FIELDS_BACK = {new: old for old, new in _EVENT_FIELDS.items()}


def shown(resource: Resource, obj: Obj) -> Obj:
    """Return a stored object in the version of a resource."""
    if obj["apiVersion"] == resource.api_version:
        return obj
    _refuse_webhook(resource)
    if resource.custom and resource.node:  # defaults are those of the version it is stored in
        obj = decoding.prune(obj, resource.node)
    convert = _OUT.get((resource.api_version, resource.kind))
    return convert(obj) if convert else {**obj, "apiVersion": resource.api_version}


def stored(resource: Resource, obj: Obj) -> Obj:
    """Return an object of a resource's version as it is kept."""
    if resource.custom:
        if resource.version != resource.custom.storage:
            _refuse_webhook(resource)
        return {**obj, "apiVersion": f"{resource.group}/{resource.custom.storage}"}
    convert = _IN.get((resource.api_version, resource.kind))
    return convert(obj) if convert else obj


def _refuse_webhook(resource: Resource) -> None:
    if resource.custom and resource.custom.webhook:
        raise status.not_implemented(
            f"this embedded cluster does not call conversion webhooks: {resource.group_resource} can be read and written in "
            f"version {resource.custom.storage} only; a kind cluster does (--provider kind)"
        )


def _event_out(obj: Obj) -> Obj:
    return _renamed(obj, _EVENT_FIELDS, "events.k8s.io/v1")


def _event_in(obj: Obj) -> Obj:
    return _renamed(obj, _EVENT_FIELDS_BACK, "v1")


def _renamed(obj: Obj, fields: dict[str, str], version: str) -> Obj:
    return {"kind": obj["kind"], "apiVersion": version} | {
        fields.get(key, key): value for key, value in obj.items() if key not in {"kind", "apiVersion"}
    }


def _scaler_out(obj: Obj) -> Obj:
    """Return a v2 HorizontalPodAutoscaler as v1: its CPU target has a field, other metrics an annotation that is not kept here."""
    spec = {key: value for key, value in obj["spec"].items() if key not in {"metrics", "behavior"}}
    status = {
        key: value for key, value in (obj.get("status") or {}).items() if key not in {"currentMetrics", "conditions"}
    }
    target = _utilisation(obj["spec"].get("metrics"), "target")
    if target is not None:
        spec["targetCPUUtilizationPercentage"] = target
    current = _utilisation((obj.get("status") or {}).get("currentMetrics"), "current")
    if current is not None:
        status["currentCPUUtilizationPercentage"] = current
    status.setdefault("currentReplicas", 0)
    return {**obj, "apiVersion": "autoscaling/v1", "spec": spec, "status": status}


def _scaler_in(obj: Obj) -> Obj:
    spec = dict(obj.get("spec") or {})
    target = spec.pop("targetCPUUtilizationPercentage", None)
    if target is not None:
        metric = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": target}}
        spec["metrics"] = [{"type": "Resource", "resource": metric}]
    return {**obj, "apiVersion": "autoscaling/v2", "spec": spec}


def _utilisation(metrics: Any, part: str) -> int | None:
    for metric in metrics or ():
        resource = metric.get("resource") or {}
        if metric.get("type") == "Resource" and resource.get("name") == "cpu":
            found = (resource.get(part) or {}).get("averageUtilization")
            return None if found is None else int(found)
    return None


_SCALER = "HorizontalPodAutoscaler"
_OUT: dict[tuple[str, str], Callable[[Obj], Obj]] = {
    ("events.k8s.io/v1", "Event"): _event_out,
    ("autoscaling/v1", _SCALER): _scaler_out,
}
_IN: dict[tuple[str, str], Callable[[Obj], Obj]] = {
    ("events.k8s.io/v1", "Event"): _event_in,
    ("autoscaling/v1", _SCALER): _scaler_in,
}
