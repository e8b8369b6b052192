"""The verbs on objects, as HTTP asks for them: each takes a request apart, does it, and puts the answer together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kit.embedded.api import absent, bodies, custom, deleting, forms, patching, reading, writing
from kit.embedded.api.answers import respond, success
from kit.embedded.api.attributes import Attributes
from kit.embedded.api.context import Context
from kit.embedded.api.negotiation import PACKED, PROTOBUF, YAML, Accepted, body_media
from kit.embedded.core.store import Record
from kit.embedded.core.turns import Request, Response
from kit.kube import decoding, misfits, protobuf, schema, status
from kit.kube.gojson import encode

Handler = Callable[[Context, Attributes, Request, Accepted], Response]


def get(context: Context, at: Attributes, request: Request, form: Accepted) -> Response:
    """Answer with one object."""
    if form == PACKED:
        body = forms.packed(at.resource, reading.get(context, at))
        return respond(body, media=form.media, warnings=at.warnings, done=True)
    return respond(forms.one(context, at, form, reading.get(context, at)), media=form.media, warnings=at.warnings)


def list_objects(context: Context, at: Attributes, request: Request, form: Accepted) -> Response:
    """Answer with the objects that match."""
    if form == PACKED:
        body = forms.packed_list(at.resource, reading.page(context, at))
        return respond(body, media=form.media, warnings=at.warnings, done=True)
    return respond(forms.many(context, at, form, reading.page(context, at)), media=form.media, warnings=at.warnings)


def create(context: Context, at: Attributes, request: Request, form: Accepted) -> Response:
    """Make an object."""
    bodies.check_options(at, "CreateOptions")
    obj = bodies.check_place(at, bodies.decoded(at, request))
    if at.resource.custom:
        custom.check_kind(at, obj)
    record = writing.create(context, at, obj)
    return written(context, at, form, record, 201)


def update(context: Context, at: Attributes, request: Request, form: Accepted) -> Response:
    """Replace an object; some kinds are made when they are not there."""
    bodies.check_options(at, "UpdateOptions")
    obj = bodies.check_place(at, bodies.decoded(at, request))
    if at.resource.custom:
        custom.check_kind(at, obj)
    if context.store.record(at.key) is None and at.key.resource in writing.CREATED_BY_PUT and not at.subresource:
        writing.check_uid(at, str(obj["metadata"].get("uid") or ""), "")
        return written(context, at, form, writing.create(context, at, obj), 201)
    return written(context, at, form, writing.update(context, at, lambda old: obj), 200)


def patch(context: Context, at: Attributes, request: Request, form: Accepted) -> Response:
    """Change an object."""
    record, made = patching.patch(context, at, request)
    return written(context, at, form, record, 201 if made else 200)


def delete(context: Context, at: Attributes, request: Request, form: Accepted) -> Response:
    """Delete an object, or begin to."""
    options = delete_options(at, request)
    found = deleting.delete(context, at, options)
    if not found.gone or at.key.resource in deleting.RETURNED:
        return written(context, at, form, found.record, 200)
    resource = at.resource
    body = success(name=at.name, group=resource.group, kind=resource.plural, uid=found.record.obj["metadata"]["uid"])
    return respond(encode(body).encode(), media=form.media, warnings=at.warnings)


def delete_collection(context: Context, at: Attributes, request: Request, form: Accepted) -> Response:
    """Delete all objects that match."""
    page = deleting.delete_collection(context, at, delete_options(at, request))
    return respond(forms.many(context, at, form, page), media=form.media, warnings=at.warnings)


def written(context: Context, at: Attributes, form: Accepted, record: Record, code: int) -> Response:
    """Return the answer to a write."""
    if code == 201 and not at.subresource and not at.dry_run:
        at.warnings += absent.warnings(at.key.resource)
    return respond(forms.one(context, at, form, record), code, media=form.media, warnings=at.warnings)


def delete_options(at: Attributes, request: Request) -> deleting.Options:
    """Return DeleteOptions from a body, else from the query."""
    if request.body:
        bodies.check_size(request)
        return deleting.Options.of(_options_body(request))
    query = at.query
    said: dict[str, object] = {}
    if query.get("gracePeriodSeconds"):
        said["gracePeriodSeconds"] = reading.integer(query["gracePeriodSeconds"])
    if query.get("propagationPolicy"):
        said["propagationPolicy"] = query["propagationPolicy"]
    if query.get("orphanDependents"):
        said["orphanDependents"] = query["orphanDependents"] in {"true", "1"}
    if query.get("dryRun"):
        said["dryRun"] = [query["dryRun"]]
    said["preconditions"] = {key: query[key] for key in ("uid", "resourceVersion") if query.get(key)}
    return deleting.Options.of(said)


def _options_body(request: Request) -> dict[str, object]:
    """Return the DeleteOptions of a body; unknown fields are passed over, as the API server does here."""
    media = body_media(request.headers.get("content-type", ""))
    if media == PROTOBUF:
        return protobuf.decode(request.body)
    try:
        obj, _ = (decoding.decode_yaml if media == YAML else decoding.decode_json)(request.body)
    except decoding.DecodeError as error:
        raise status.bad_request(str(error)) from None
    _check_options_kind(obj)
    node = schema.of("v1", "DeleteOptions")
    why = misfits.type_error(obj, node) if node else ""
    if why:
        raise status.bad_request(why)
    return obj


def _check_options_kind(obj: dict[str, Any]) -> None:
    version, kind = obj.get("apiVersion") or "v1", obj.get("kind") or "DeleteOptions"
    if kind == "DeleteOptions":
        return
    if kind != "Status":  # no other is known where options are read
        raise status.bad_request(
            f'no kind "{kind}" is registered for version "{version}" in scheme "pkg/runtime/scheme.go:111"'
        )
    short = version.rpartition("/")[2]
    raise status.bad_request(f"converting ({short}.{kind}) to ({short}.DeleteOptions): unknown conversion")


HANDLERS: Mapping[str, Handler] = {
    "get": get,
    "list": list_objects,
    "create": create,
    "update": update,
    "patch": patch,
    "delete": delete,
    "deletecollection": delete_collection,
}
WRITES = frozenset({"create", "update", "patch", "delete", "deletecollection"})
