"""NodeMetrics and PodMetrics: kept nowhere, made of the samples at each read; and what makes the API server serve them.

Models metrics-server's pkg/api (node.go, pod.go, table.go) and manifests/base.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from kit.embedded.api import forms, negotiation, reading, selecting
from kit.embedded.api.answers import respond
from kit.embedded.api.attributes import Attributes
from kit.embedded.api.context import Context
from kit.embedded.api.negotiation import TABLE, Accepted
from kit.embedded.core.store import Key, Obj, Record
from kit.embedded.core.turns import Request, Response
from kit.embedded.core.usage import earliest
from kit.errors import Status
from kit.kube import metering
from kit.kube.gojson import encode

READER: Obj = {
    "kind": "ClusterRole",
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "metadata": {
        "name": "system:aggregated-metrics-reader",
        "labels": {
            "k8s-app": "metrics-server",
            "rbac.authorization.k8s.io/aggregate-to-admin": "true",
            "rbac.authorization.k8s.io/aggregate-to-edit": "true",
            "rbac.authorization.k8s.io/aggregate-to-view": "true",
        },
    },
    "rules": [{"verbs": ["get", "list", "watch"], "apiGroups": [metering.GROUP], "resources": ["pods", "nodes"]}],
}


class Measured(NamedTuple):
    """How one of the two kinds is made: of which objects, what its absence is called, and what is said of one object."""

    source: str
    missing: str
    metrics: str
    of: Callable[[Context, Obj], Obj | None]


def answer(context: Context, at: Attributes, request: Request) -> Response:
    """Answer get and list."""
    form = negotiation.accepted(request.headers.get("accept", ""), listing=at.verb == "list")
    kind = KINDS[at.resource.plural]
    if at.verb == "get":
        body = forms.one(context, at, form, Record(_one(context, at, kind), 0))
    else:
        found = [Record(obj, 0) for obj in _listed(context, at, kind)]
        body = forms.many(context, at, form, reading.Page({}, found)) if found or form.kind != TABLE else _empty(form)
    return respond(body, media=form.media, warnings=at.warnings)


def _empty(form: Accepted) -> bytes:
    """Return the Table of nothing: metrics-server reads the columns off the first row."""
    head = {"kind": TABLE, "apiVersion": f"meta.k8s.io/{form.version}", "metadata": {}}
    return encode({**head, "columnDefinitions": None, "rows": None}).encode()


def _one(context: Context, at: Attributes, kind: Measured) -> Obj:
    found = context.store.get(Key(kind.source, at.namespace, at.name))
    if found is None or not _running(found):
        details = {"name": at.name, "kind": kind.missing}
        raise Status("NotFound", f'{kind.missing} "{at.name}" not found', details=details)
    measured = kind.of(context, found)
    if measured is None:
        name = f"{at.namespace}/{at.name}" if at.namespace else at.name
        details = {"name": name, "group": metering.GROUP, "kind": kind.metrics}
        raise Status("NotFound", f'{kind.metrics}.{metering.GROUP} "{name}" not found', details=details)
    return measured


def _listed(context: Context, at: Attributes, kind: Measured) -> Iterator[Obj]:
    matches = selecting.matcher(at)
    for obj in context.store.list(kind.source, at.namespace or None):
        if matches(obj) and _running(obj) and (measured := kind.of(context, obj)) is not None:
            yield measured


def _running(obj: Obj) -> bool:
    """Return whether metrics-server knows an object: it watches nodes, and Pods that run."""
    return obj["kind"] == "Node" or (obj.get("status") or {}).get("phase") == "Running"


def _node(context: Context, node: Obj) -> Obj | None:
    rate = context.usage.node(node["metadata"]["name"])
    if rate is None:
        return None
    measured = metering.interval(context.clock.epoch + rate.at, rate.window)
    return {**_head(context, "NodeMetrics", node), **measured, "usage": metering.usage(rate.cpu_nano, rate.memory)}


def _pod(context: Context, pod: Obj) -> Obj | None:
    meta = pod["metadata"]
    rates = context.usage.pod(meta["namespace"], meta["name"])
    if not rates:
        return None
    end, window = earliest(rates.values())
    containers = [
        {"name": name, "usage": metering.usage(rate.cpu_nano, rate.memory)} for name, rate in sorted(rates.items())
    ]
    measured = metering.interval(context.clock.epoch + end, window)
    return {**_head(context, "PodMetrics", pod), **measured, "containers": containers}


def _head(context: Context, kind: str, obj: Obj) -> Obj:
    meta: Mapping[str, object] = obj["metadata"]
    kept = {key: meta[key] for key in ("name", "namespace") if key in meta}
    labels = {"labels": meta["labels"]} if meta.get("labels") else {}
    made = {**kept, "creationTimestamp": context.clock.text(), **labels}
    return {"kind": kind, "apiVersion": metering.API_VERSION, "metadata": made}


KINDS: Mapping[str, Measured] = {
    "nodes": Measured("nodes", "node", "nodemetrics", _node),
    "pods": Measured("pods", "pods", "podmetrics", _pod),
}
