"""The cluster itself: nodes, namespaces, quotas, events, leases, devices, definitions of new kinds."""

from __future__ import annotations

from typing import Any, Final

from kit.kube.printers.cells import NONE, UNKNOWN, Object, Row, age, condition, name, since, spec, status

_ROLE: Final = "node-role.kubernetes.io/"


def node_status(node: Object) -> str:
    """Return what STATUS says of a node: `Ready`, `NotReady,SchedulingDisabled`, `Unknown`."""
    known = any(found["type"] == "Ready" for found in status(node).get("conditions") or ())
    word = ("Ready" if condition(node, "Ready") else "NotReady") if known else "Unknown"
    return f"{word},SchedulingDisabled" if spec(node).get("unschedulable") else word


def node_roles(node: Object) -> str:
    """Return what ROLES says of a node, by name."""
    labels = node["metadata"].get("labels") or {}
    found = {key.removeprefix(_ROLE) for key in labels if key.startswith(_ROLE) and key != _ROLE}
    if labels.get("kubernetes.io/role"):
        found.add(labels["kubernetes.io/role"])
    return ",".join(sorted(found)) or NONE


def _address(node: Object, kind: str) -> str:
    found = (entry["address"] for entry in status(node).get("addresses") or () if entry["type"] == kind)
    return next(found, NONE)


def _node(obj: Object, now: int) -> list[Any]:
    info = status(obj).get("nodeInfo") or {}
    kernel = info.get("kernelVersion")
    machine = f" ({info['architecture']})" if info.get("architecture") else ""
    return [
        name(obj),
        node_status(obj),
        node_roles(obj),
        age(obj, now),
        info.get("kubeletVersion", ""),
        _address(obj, "InternalIP"),
        _address(obj, "ExternalIP"),
        info.get("osImage") or UNKNOWN,
        f"{kernel}{machine}" if kernel else UNKNOWN,
        info.get("containerRuntimeVersion") or UNKNOWN,
    ]


def _namespace(obj: Object, now: int) -> list[Any]:
    return [name(obj), status(obj).get("phase", ""), age(obj, now)]


def _quota(obj: Object, now: int) -> list[Any]:
    used = status(obj).get("used") or {}
    request: list[str] = []
    limit: list[str] = []
    for resource, hard in sorted((status(obj).get("hard") or {}).items()):
        column = limit if resource.startswith("limits") else request
        column.append(f"{resource}: {used.get(resource, '0')}/{hard}")
    return [name(obj), ", ".join(request), ", ".join(limit), age(obj, now)]


def _plain(obj: Object, now: int) -> list[Any]:
    return [name(obj), age(obj, now)]


def _lease(obj: Object, now: int) -> list[Any]:
    return [name(obj), spec(obj).get("holderIdentity") or "", age(obj, now)]


def _runtime_class(obj: Object, now: int) -> list[Any]:
    return [name(obj), obj.get("handler", ""), age(obj, now)]


def _priority_class(obj: Object, now: int) -> list[Any]:
    return [
        name(obj),
        obj.get("value", 0),
        bool(obj.get("globalDefault")),
        age(obj, now),
        obj.get("preemptionPolicy", "PreemptLowerPriority"),
    ]


def _event(obj: Object, now: int) -> list[Any]:
    """Models printEvent; events.k8s.io calls the same fields by other names."""
    about = obj.get("involvedObject") or obj.get("regarding") or {}
    origin = obj.get("source") or obj.get("deprecatedSource") or {}
    first_seen = since(obj.get("firstTimestamp") or obj.get("deprecatedFirstTimestamp") or obj.get("eventTime"), now)
    last = obj.get("lastTimestamp") or obj.get("deprecatedLastTimestamp")
    series, count = obj.get("series"), obj.get("count") or obj.get("deprecatedCount") or 1
    last_seen = since(last, now) if last else first_seen
    if series:
        last_seen, count = since(series.get("lastObservedTime"), now), series.get("count", 0)
    component = origin.get("component") or obj.get("reportingComponent") or obj.get("reportingController") or ""
    host = origin.get("host") or obj.get("reportingInstance")
    kind = str(about.get("kind", "")).lower()
    return [
        last_seen,
        obj.get("type", ""),
        obj.get("reason", ""),
        f"{kind}/{about['name']}" if about.get("name") else kind,
        about.get("fieldPath", ""),
        f"{component}, {host}" if host else component,
        str(obj.get("message") or obj.get("note") or "").strip(),
        first_seen,
        count,
        name(obj),
    ]


def _definition(obj: Object, _now: int) -> list[Any]:
    names = spec(obj).get("names") or {}
    versions = [f"{v['name']}{'(storage)' if v.get('storage') else ''}" for v in spec(obj).get("versions") or ()]
    return [
        name(obj),
        spec(obj).get("scope", ""),
        ",".join(versions),
        obj["metadata"].get("creationTimestamp"),
        spec(obj).get("group", ""),
        names.get("kind", ""),
        ",".join(names.get("shortNames") or ()),
        condition(obj, "Established"),
    ]


def _api_service(obj: Object, now: int) -> list[Any]:
    """Models kube-aggregator/pkg/registry/apiservice/etcd: kinds of its own answer from here (Local)."""
    service = spec(obj).get("service")
    where = f"{service.get('namespace', '')}/{service.get('name', '')}" if service else "Local"
    found = next((c for c in status(obj).get("conditions") or () if c["type"] == "Available"), None)
    word = "Unknown" if found is None else found["status"]
    if found and found["status"] != "True":
        word = f"{found['status']} ({found.get('reason', '')})"
    return [name(obj), where, word, age(obj, now)]


def _resource_claim(obj: Object, now: int) -> list[Any]:
    states = []
    if obj["metadata"].get("deletionTimestamp"):
        states.append("deleted")
    if status(obj).get("allocation"):
        states.append("allocated")
    if status(obj).get("reservedFor"):
        states.append("reserved")
    pending = not (status(obj).get("allocation") or status(obj).get("reservedFor"))
    return [name(obj), ",".join([*states, "pending"] if pending else states), age(obj, now)]


def _resource_slice(obj: Object, now: int) -> list[Any]:
    pool = (spec(obj).get("pool") or {}).get("name", "")
    return [name(obj), spec(obj).get("nodeName", ""), spec(obj).get("driver", ""), pool, age(obj, now)]


def _created(obj: Object, _now: int) -> list[Any]:
    """The row of kinds without a printer. Models apiserver/pkg/registry/rest/table.go."""
    return [name(obj), obj["metadata"].get("creationTimestamp")]


def _migration(obj: Object, _now: int) -> list[Any]:
    """Models printStorageVersionMigration."""
    resource = spec(obj).get("resource") or {}
    group = f".{resource['group']}" if resource.get("group") else ""
    found = next((c["type"] for c in status(obj).get("conditions") or () if c["status"] == "True"), "")
    return [name(obj), f"{resource.get('resource', '')}{group}", found]


def _taint_rule(obj: Object, now: int) -> list[Any]:
    taint = spec(obj).get("taint") or {}
    what = [taint.get(field, "") for field in ("key", "value", "effect")]
    return [name(obj), *what, since(taint.get("timeAdded"), now), age(obj, now)]


def _component(obj: Object, _now: int) -> list[Any]:
    """Models printComponentStatus."""
    found = next((c for c in obj.get("conditions") or () if c["type"] == "Healthy"), None)
    word = "Unknown" if found is None else "Healthy" if found["status"] == "True" else "Unhealthy"
    return [name(obj), word, (found or {}).get("message", ""), (found or {}).get("error", "")]


ROWS: Final[dict[str, Row]] = {
    "roles.rbac.authorization.k8s.io": _created,
    "clusterroles.rbac.authorization.k8s.io": _created,
    "limitranges": _created,
    "csistoragecapacities.storage.k8s.io": _created,
    "storageversionmigrations.storagemigration.k8s.io": _migration,
    "devicetaintrules.resource.k8s.io": _taint_rule,
    "componentstatuses": _component,
    "nodes": _node,
    "namespaces": _namespace,
    "resourcequotas": _quota,
    "serviceaccounts": _plain,
    "leases.coordination.k8s.io": _lease,
    "runtimeclasses.node.k8s.io": _runtime_class,
    "priorityclasses.scheduling.k8s.io": _priority_class,
    "events": _event,
    "events.events.k8s.io": _event,
    "customresourcedefinitions.apiextensions.k8s.io": _definition,
    "apiservices.apiregistration.k8s.io": _api_service,
    "deviceclasses.resource.k8s.io": _plain,
    "resourceclaims.resource.k8s.io": _resource_claim,
    "resourceclaimtemplates.resource.k8s.io": _plain,
    "resourceslices.resource.k8s.io": _resource_slice,
}
