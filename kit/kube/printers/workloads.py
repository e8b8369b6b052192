"""Workloads: Deployments and what is like them, Jobs, their scale and budget."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from kit.kube import times
from kit.kube.printers.cells import (
    NONE,
    UNKNOWN,
    UNSET,
    Object,
    Row,
    age,
    condition,
    containers,
    first,
    labels,
    name,
    selector,
    since,
    spec,
    status,
    template_containers,
)


def _ready(obj: Object) -> str:
    return f"{status(obj).get('readyReplicas', 0)}/{spec(obj).get('replicas', 0)}"


def _deployment(obj: Object, now: int) -> list[Any]:
    updated, available = status(obj).get("updatedReplicas", 0), status(obj).get("availableReplicas", 0)
    wide = [*template_containers(obj), selector(spec(obj).get("selector"))]
    return [name(obj), _ready(obj), updated, available, age(obj, now), *wide]


def _replicas(obj: Object) -> list[int]:
    return [spec(obj).get("replicas", 0), status(obj).get("replicas", 0), status(obj).get("readyReplicas", 0)]


def _replica_set(obj: Object, now: int) -> list[Any]:
    wide = [*template_containers(obj), selector(spec(obj).get("selector"))]
    return [name(obj), *_replicas(obj), age(obj, now), *wide]


def _replication_controller(obj: Object, now: int) -> list[Any]:
    wide = [*template_containers(obj), labels(spec(obj).get("selector"))]
    return [name(obj), *_replicas(obj), age(obj, now), *wide]


def _stateful_set(obj: Object, now: int) -> list[Any]:
    return [name(obj), _ready(obj), age(obj, now), *template_containers(obj)]


_DAEMONS: Final = (
    "desiredNumberScheduled",
    "currentNumberScheduled",
    "numberReady",
    "updatedNumberScheduled",
    "numberAvailable",
)


def _daemon_set(obj: Object, now: int) -> list[Any]:
    nodes = ((spec(obj).get("template") or {}).get("spec") or {}).get("nodeSelector")
    counts = [status(obj).get(field, 0) for field in _DAEMONS]
    wide = [*template_containers(obj), selector(spec(obj).get("selector"))]
    return [name(obj), *counts, labels(nodes), age(obj, now), *wide]


def _controller_revision(obj: Object, now: int) -> list[Any]:
    owner = next((ref for ref in obj["metadata"].get("ownerReferences") or () if ref.get("controller")), None)
    shown = NONE
    if owner:
        group = owner["apiVersion"].rpartition("/")[0]
        shown = f"{owner['kind'].lower()}{'.' if group else ''}{group}/{owner['name']}"
    return [name(obj), shown, obj.get("revision", 0), age(obj, now)]


def job_status(job: Object) -> str:
    """Return the word for how a Job is: Complete, Failed, Terminating, Suspended, ... or Running."""
    ended = next((type for type in ("Complete", "Failed") if condition(job, type)), None)
    if ended or job["metadata"].get("deletionTimestamp"):
        return ended or "Terminating"
    later = ("Suspended", "FailureTarget", "SuccessCriteriaMet")
    return next((type for type in later if condition(job, type)), "Running")


def _completions(job: Object) -> str:
    done, wanted, parallel = status(job).get("succeeded", 0), spec(job).get("completions"), spec(job).get("parallelism")
    if wanted is not None:
        return f"{done}/{wanted}"
    return f"{done}/1 of {parallel}" if parallel and parallel > 1 else f"{done}/1"


def _duration(job: Object, now: int) -> str:
    start, end = status(job).get("startTime"), status(job).get("completionTime")
    if not start:
        return ""
    return times.human_duration((times.parse(end) if end else now) - times.parse(start))


def _job(job: Object, now: int) -> list[Any]:
    wide = [*template_containers(job), selector(spec(job).get("selector"))]
    return [name(job), job_status(job), _completions(job), _duration(job, now), age(job, now), *wide]


def _cron_job(obj: Object, now: int) -> list[Any]:
    last = status(obj).get("lastScheduleTime")
    job = (spec(obj).get("jobTemplate") or {}).get("spec") or {}
    suspend = spec(obj).get("suspend")
    return [
        name(obj),
        spec(obj).get("schedule", ""),
        spec(obj).get("timeZone") or NONE,
        UNSET if suspend is None else str(suspend),
        len(status(obj).get("active") or ()),
        since(last, now) if last else NONE,
        age(obj, now),
        *containers((job.get("template") or {}).get("spec") or {}),
        selector(job.get("selector")),
    ]


# Where each type of metric keeps its source, and whether an average is said to be one.
_METRICS: Final = {
    "Resource": "resource",
    "ContainerResource": "containerResource",
    "Pods": "pods",
    "Object": "object",
    "External": "external",
}


def _metric(metric: Mapping[str, Any], current: Mapping[str, Any]) -> str:
    """Return `now/target` of one metric. Models formatHPAMetrics."""
    field = _METRICS.get(metric["type"], "")
    source = metric.get(field)
    if not source:
        return "<unknown type>"
    target, now = source.get("target") or {}, (current.get(field) or {}).get("current") or {}
    if field in {"resource", "containerResource"}:
        if target.get("averageValue") is not None:
            return f"{source['name']}: {now.get('averageValue', UNKNOWN)}/{target['averageValue']}"
        return f"{source['name']}: {_percent(now, UNKNOWN)}/{_percent(target, '<auto>')}"
    if field == "pods" or target.get("averageValue") is not None:
        average = "" if field == "pods" else " (avg)"
        return f"{now.get('averageValue', UNKNOWN)}/{target.get('averageValue', UNKNOWN)}{average}"
    return f"{now.get('value', UNKNOWN)}/{target.get('value', UNKNOWN)}"


def _percent(value: Mapping[str, Any], missing: str) -> str:
    found = value.get("averageUtilization")
    return missing if found is None else f"{found}%"


def _metrics(obj: Object) -> str:
    metrics, current = spec(obj).get("metrics") or [], status(obj).get("currentMetrics") or []
    if "targetCPUUtilizationPercentage" in spec(obj):  # autoscaling/v1
        target = {"averageUtilization": spec(obj)["targetCPUUtilizationPercentage"]}
        used = status(obj).get("currentCPUUtilizationPercentage")
        metrics = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
        current = [] if used is None else [{"resource": {"current": {"averageUtilization": used}}}]
    shown = [_metric(metric, current[i] if i < len(current) else {}) for i, metric in enumerate(metrics)]
    return first(shown, 2, ", ") if shown else NONE


def _autoscaler(obj: Object, now: int) -> list[Any]:
    target = spec(obj).get("scaleTargetRef") or {}
    least = spec(obj).get("minReplicas")
    return [
        name(obj),
        f"{target.get('kind', '')}/{target.get('name', '')}",
        _metrics(obj),
        UNSET if least is None else str(least),
        spec(obj).get("maxReplicas", 0),
        status(obj).get("currentReplicas", 0),
        age(obj, now),
    ]


def _budget(obj: Object, now: int) -> list[Any]:
    limits = [str(spec(obj).get(field, "N/A")) for field in ("minAvailable", "maxUnavailable")]
    return [name(obj), *limits, status(obj).get("disruptionsAllowed", 0), age(obj, now)]


ROWS: Final[dict[str, Row]] = {
    "deployments.apps": _deployment,
    "replicasets.apps": _replica_set,
    "replicationcontrollers": _replication_controller,
    "statefulsets.apps": _stateful_set,
    "daemonsets.apps": _daemon_set,
    "controllerrevisions.apps": _controller_revision,
    "jobs.batch": _job,
    "cronjobs.batch": _cron_job,
    "horizontalpodautoscalers.autoscaling": _autoscaler,
    "poddisruptionbudgets.policy": _budget,
}
