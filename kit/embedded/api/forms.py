"""Objects in the form a client asked for: as they are, as a Table, or as metadata alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kit.embedded.api.answers import item, listing
from kit.embedded.api.attributes import Attributes
from kit.embedded.api.context import Context
from kit.embedded.api.conversion import listed, shown
from kit.embedded.api.negotiation import PARTIAL, PARTIAL_LIST, TABLE, Accepted
from kit.embedded.api.reading import Page
from kit.embedded.core.store import Obj, Record
from kit.errors import Status
from kit.kube import protowriting, status
from kit.kube.gojson import encode
from kit.kube.kinds import Resource
from kit.kube.tables import Include, table

INCLUDES: dict[str, Include] = {"Metadata": "Metadata", "Object": "Object", "None": "None"}
# Annotations that stand for a field of the internal type, which Tables are made of.
HIDDEN = {"daemonsets.apps": "deprecated.daemonset.template.generation"}
_CARRIED = '{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":'


def one(context: Context, at: Attributes, form: Accepted, record: Record) -> bytes:
    """Return one object's bytes."""
    if not form.kind:
        return encoded(at.resource, record)
    if form.kind == PARTIAL_LIST:
        kind = go_type(at.resource, at.resource.kind)
        message = f"you requested {PARTIAL_LIST}, but the requested object is not a list ({kind})"
        raise Status("NotAcceptable", message)
    if form.kind == PARTIAL:
        return encode(partial(record.obj, form.version)).encode()
    return encode(tabled(context, at, form, [record.obj], None)).encode()


def many(context: Context, at: Attributes, form: Accepted, page: Page) -> bytes:
    """Return a list's bytes."""
    resource = at.resource
    page = page._replace(records=listed(resource, page.records))
    if form.kind == TABLE:
        return _listed(context, at, form, page)
    if form.kind == PARTIAL:
        kind = go_type(resource, f"{resource.kind}List")
        raise Status("NotAcceptable", f"you requested {PARTIAL}, but the requested object is a list ({kind})")
    if form.kind == PARTIAL_LIST:
        items = (encode(partial(record.obj, form.version)).encode() for record in page.records)
        return listing(PARTIAL_LIST, f"meta.k8s.io/{form.version}", page.meta, items)
    prefix = head(resource)
    if not built_in(resource):
        return _custom(resource, page)
    items = (item(encoded(resource, record), prefix) for record in page.records)
    return listing(f"{resource.kind}List", resource.api_version, page.meta, items)


def packed(resource: Resource, record: Record) -> bytes:
    """Return one object's bytes in protobuf."""
    return protowriting.envelope(resource.api_version, resource.kind, _packed(resource, record))


def packed_list(resource: Resource, page: Page) -> bytes:
    """Return a list's bytes in protobuf."""
    items = (_packed(resource, record) for record in page.records)
    return protowriting.listing(resource.api_version, f"{resource.kind}List", page.meta, items)


def _packed(resource: Resource, record: Record) -> bytes:
    write = protowriting.message(resource.api_version, resource.kind)
    same = record.obj["apiVersion"] == resource.api_version
    return record.packed(write) if same else write(shown(resource, record.obj))


def _custom(resource: Resource, page: Page) -> bytes:
    """Return a list of custom resources: its keys stand in the order of letters, and it always says how to go on."""
    meta = encode({"continue": page.meta.get("continue", ""), **page.meta})
    begin = f'{{"apiVersion":"{resource.api_version}","items":['
    end = f'],"kind":"{resource.kind}List","metadata":{meta}}}'
    return begin.encode() + b",".join(encoded(resource, record) for record in page.records) + end.encode()


def _listed(context: Context, at: Attributes, form: Accepted, page: Page) -> bytes:
    """Return a list's Table. Most of it is the rows' metadata, which each record has encoded already."""
    carried = included(at)
    objects = [record.obj for record in page.records]
    if carried != "Metadata" or at.resource.group_resource in HIDDEN:
        return encode(tabled(context, at, form, objects, page.meta)).encode()
    out = tabled(context, at, form, objects, page.meta, include="None")
    rows = zip(out.pop("rows"), page.records, strict=True)
    texts = ",".join(f"{encode(row).removesuffix('null}')}{_CARRIED}{record.metadata}}}}}" for row, record in rows)
    return f'{encode(out).removesuffix("}")},"rows":[{texts}]}}'.encode()


def encoded(resource: Resource, record: Record) -> bytes:
    """Return an object's bytes in the version of a resource, its stored ones where that is the same."""
    obj = record.obj
    if obj["apiVersion"] == resource.api_version:
        return record.encoded
    return encode(shown(resource, obj)).encode()


def head(resource: Resource) -> bytes:
    """Return what the encoded form of every object of a resource begins with."""
    return f'{{"kind":"{resource.kind}","apiVersion":"{resource.api_version}",'.encode()


def built_in(resource: Resource) -> bool:
    """Return whether Kubernetes itself defines a resource (its lists leave out kind and apiVersion of items)."""
    return resource.custom is None


def partial(obj: Obj, version: str) -> dict[str, Any]:
    """Return an object's metadata alone."""
    return {"kind": PARTIAL, "apiVersion": f"meta.k8s.io/{version}", "metadata": obj["metadata"]}


def tabled(
    context: Context,
    at: Attributes,
    form: Accepted,
    objects: Sequence[Obj],
    meta: dict[str, Any] | None,
    *,
    columns: bool = True,
    include: Include | None = None,
) -> dict[str, Any]:
    """Return objects as a Table; `include`, else `includeObject`, says what each row carries. Without `meta` it is about one object."""
    hidden = HIDDEN.get(at.resource.group_resource)
    if hidden and (include or included(at)) == "Metadata":
        objects = [_without(obj, hidden) for obj in objects]
    out = table(
        objects,
        at.key.resource,
        now_ms=context.clock.wall(),
        include=include or included(at),
        list_meta=meta,
        printer_columns=at.resource.custom.columns if at.resource.custom else None,
    )
    out["apiVersion"] = f"meta.k8s.io/{form.version}"
    if not columns:
        out["columnDefinitions"] = None
    return out


def _without(obj: Obj, annotation: str) -> Obj:
    given = obj["metadata"].get("annotations") or {}
    kept = {key: value for key, value in given.items() if key != annotation}
    meta = {key: value for key, value in obj["metadata"].items() if key != "annotations"}
    return {**obj, "metadata": {**meta, **({"annotations": kept} if kept else {})}}


def included(at: Attributes) -> Include:
    """Return what the query says that a Table's rows carry; BadRequest for another word."""
    word = at.query.get("includeObject", "") or "Metadata"
    if word not in INCLUDES:
        why = f"includeObject: Invalid value: {status.shown(word)}: must be 'Metadata', 'Object', 'None', or empty"
        raise status.bad_request(f"Unable to convert to Table as requested: {why}")
    return INCLUDES[word]


def go_type(resource: Resource, kind: str) -> str:
    """Return the Go type messages name: `*core.ConfigMap`, `*apps.DeploymentList`."""
    if resource.custom:
        return f"*unstructured.Unstructured{'List' if kind == f'{resource.kind}List' else ''}"
    return f"*{resource.group.partition('.')[0] or 'core'}.{kind}"
