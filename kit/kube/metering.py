"""The kinds of metrics.k8s.io/v1beta1, which the add-on metrics-server serves on a real cluster: what they are, not what they hold.

Models k8s.io/metrics/pkg/apis/metrics/v1beta1 and metrics-server's pkg/api.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kit.kube import times
from kit.kube.kinds import Resource
from kit.kube.openapi_schemas import described, with_references
from kit.kube.quantities import Quantity
from kit.kube.schema import DURATION, OBJECT_META, QUANTITY, REF, TIME

GROUP, VERSION = "metrics.k8s.io", "v1beta1"
API_VERSION = f"{GROUP}/{VERSION}"
VERBS = ("get", "list")
NODES = Resource(GROUP, VERSION, "NodeMetrics", "nodes", "", namespaced=False, verbs=VERBS)
PODS = Resource(GROUP, VERSION, "PodMetrics", "pods", "", namespaced=True, verbs=VERBS)
RESOURCES = (NODES, PODS)
NOTES: Mapping[str, str] = {"title": "Kubernetes metrics-server", "version": "v0.0.0"}
_USED = ("cpu", "memory")
_COLUMNS = (
    ("Name", "name", "Name of the resource"),
    *((name, "quantity", "") for name in _USED),
    ("Window", "duration", ""),
)


def usage(cpu_nano: int, memory: int) -> dict[str, str]:
    """Return amounts as metrics-server writes them: nanocores, and bytes in binary units."""
    return {"cpu": str(Quantity(cpu_nano)), "memory": str(Quantity.of(memory, "binary"))}


def interval(end_ms: int, window_ms: int) -> dict[str, str]:
    """Return the fields that say when something was measured, and over which time."""
    return {"timestamp": times.rfc3339(end_ms), "window": times.go_duration(window_ms * 1_000_000)}


def columns() -> list[dict[str, Any]]:
    """Return the columns of both kinds' Tables."""
    return [
        {"name": name, "type": "string", "format": format, "description": text, "priority": 0}
        for name, format, text in _COLUMNS
    ]


def cells(obj: Mapping[str, Any], now_ms: int) -> list[Any]:
    """Return the cells of one object; a Pod uses what its containers use together."""
    parts: Sequence[Mapping[str, Any]] = obj.get("containers") or [obj]
    used = [str(sum((Quantity.parse(part["usage"][name]) for part in parts), Quantity())) for name in _USED]
    return [obj["metadata"]["name"], *used, obj["window"]]


# --- OpenAPI ---

DEFINITIONS = "io.k8s.metrics.pkg.apis.metrics.v1beta1."
_META = "io.k8s.apimachinery.pkg.apis.meta.v1."
_SPAN = "The following fields define time interval from which metrics were collected from the interval [Timestamp-Window, Timestamp]."
_DURATION = (
    "Duration is a wrapper around time.Duration which supports correct"
    " marshaling to YAML and JSON. In particular, it marshals into strings, which can be used as map keys in json."
)
_USAGE = {
    "description": "The memory usage is the memory working set.",
    "type": "object",
    "additionalProperties": {"$ref": REF + QUANTITY},
}


def schemas(*, whole: bool) -> dict[str, Any]:
    """Return the schemas of their OpenAPI document, or of their group's."""
    if not whole:
        return with_references([f"{_META}APIGroup"])
    listed = {"description": "Metrics for all containers are collected within the same time window.", "type": "array"}
    containers = {
        **listed,
        "items": {"$ref": f"{REF}{DEFINITIONS}ContainerMetrics"},
        "x-kubernetes-list-type": "atomic",
    }
    own = {
        "ContainerMetrics": _container(),
        "NodeMetrics": _kind("NodeMetrics", "NodeMetrics sets resource usage metrics of a node.", "usage", _USAGE),
        "NodeMetricsList": _list("NodeMetrics", "node"),
        "PodMetrics": _kind("PodMetrics", "PodMetrics sets resource usage metrics of a pod.", "containers", containers),
        "PodMetricsList": _list("PodMetrics", "pod"),
    }
    needed = (QUANTITY, TIME, OBJECT_META, *(_META + name for name in ("ListMeta", "APIResourceList")))
    found = {f"{DEFINITIONS}{name}": schema for name, schema in own.items()} | with_references(needed)
    found[DURATION] = {"description": _DURATION, "type": "string"}
    return {name: found[name] for name in sorted(found)}


def _container() -> dict[str, Any]:
    text = "Container name corresponding to the one from pod.spec.containers."
    name = {"description": text, "type": "string", "default": ""}
    return {
        "description": "ContainerMetrics sets resource usage metrics of a container.",
        "type": "object",
        "required": ["name", "usage"],
        "properties": {"name": name, "usage": _USAGE},
    }


def _kind(kind: str, text: str, what: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    fields = {
        **_head("ObjectMeta", "Standard object's metadata.", "metadata"),
        "timestamp": {"description": _SPAN, "allOf": [{"$ref": REF + TIME}]},
        "window": {"$ref": REF + DURATION},
        what: schema,
    }
    return _object(kind, text, ["timestamp", "window", what], fields)


def _list(kind: str, what: str) -> dict[str, Any]:
    items = {"description": f"List of {what} metrics.", "type": "array", "items": {"$ref": f"{REF}{DEFINITIONS}{kind}"}}
    fields = {**_head("ListMeta", "Standard list metadata.", "types-kinds"), "items": items}
    return _object(f"{kind}List", f"{kind}List is a list of {kind}.", ["items"], fields)


def _object(kind: str, text: str, required: list[str], fields: Mapping[str, Any]) -> dict[str, Any]:
    named = [{"group": GROUP, "kind": kind, "version": VERSION}]
    ordered = {name: fields[name] for name in sorted(fields)}
    whole = {"description": text, "type": "object", "required": required, "properties": ordered}
    return {**whole, "x-kubernetes-group-version-kind": named}


def _head(meta: str, text: str, anchor: str) -> dict[str, Any]:
    known = described("io.k8s.api.core.v1.ConfigMap")["properties"]
    more = f"https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#{anchor}"
    refers = [{"$ref": f"{REF}{_META}{meta}"}]
    said = {"description": f"{text} More info: {more}", "default": {}, "allOf": refers}
    return {"apiVersion": known["apiVersion"], "kind": known["kind"], "metadata": said}
