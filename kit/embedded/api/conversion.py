"""One object in several versions: Events of two groups, and what other kinds serve in more than one version.

Stored are core/v1 Events and autoscaling/v2 HorizontalPodAutoscalers. Models pkg/apis/core/v1 and pkg/apis/events/v1
conversion (events), and pkg/apis/autoscaling/v1/conversion.go.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from kit.embedded.api.converting import undecodable
from kit.embedded.core.store import Key, Obj, Record
from kit.errors import Status
from kit.kube import decoding
from kit.kube.custom import fitting
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
    if resource.custom and resource.custom.convert:
        return read_as(resource, resource.custom.convert([obj], resource.api_version)[0])
    if resource.custom and resource.node:  # defaults are those of the version it is stored in
        obj = decoding.prune(obj, resource.node)
    convert = _OUT.get((resource.api_version, resource.kind))
    return convert(obj) if convert else {**obj, "apiVersion": resource.api_version}


def stored(resource: Resource, obj: Obj) -> Obj:
    """Return an object of a resource's version as it is kept."""
    if resource.custom:
        return obj  # until it is kept: rules and admission see the version of the request
    convert = _IN.get((resource.api_version, resource.kind))
    return convert(obj) if convert else obj


def kept(resource: Resource, obj: Obj) -> Obj:
    """Return a custom resource in the version that its definition stores."""
    custom = resource.custom
    if custom is None or resource.version == custom.storage:
        return obj
    version = f"{resource.group}/{custom.storage}"
    return custom.convert([obj], version)[0] if custom.convert else {**obj, "apiVersion": version}


def read_as(resource: Resource, obj: Obj) -> Obj:
    """Return what a webhook made as the schema of its version reads it."""
    out: Obj = fitting.fitted(obj, resource.node) if resource.node else obj
    return out


def opened(resource: Resource, key: Key, record: Record) -> Record:
    """Return a record in the version of a resource, as it is read from the store; what a webhook can't convert is an error of the store."""
    if resource.custom is None or record.obj["apiVersion"] == resource.api_version:
        return record
    try:
        made = Record(shown(resource, record.obj), record.revision)
    except Status as error:
        where = "/".join(part for part in (resource.group, resource.plural, key.namespace, key.name) if part)
        raise undecodable(error, f"/{where}", record.revision) from None
    made.written = record.written
    return made


def listed(resource: Resource, records: Sequence[Record]) -> Sequence[Record]:
    """Return what a list shows in the version of a resource: what a webhook converts is asked about at once."""
    convert = resource.custom.convert if resource.custom else None
    others = [record for record in records if record.obj["apiVersion"] != resource.api_version] if convert else []
    if convert is None or not others:
        return records
    made = iter(convert([record.obj for record in others], resource.api_version, again=False))
    same = {id(record) for record in others}
    return [Record(read_as(resource, next(made)), one.revision) if id(one) in same else one for one in records]


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
