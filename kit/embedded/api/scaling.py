"""The scale subresource: how many replicas, seen alike for every kind that has them.

Models pkg/registry/apps/*/storage/storage.go (ScaleREST) and managedfields' ScaleHandler.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kit.embedded.api import bodies, patching, reading, rules, scaleowners, writing
from kit.embedded.api.answers import respond
from kit.embedded.api.attributes import Attributes
from kit.embedded.api.context import Context
from kit.embedded.api.negotiation import Accepted, patch_media
from kit.embedded.core.store import Obj
from kit.embedded.core.turns import Request, Response
from kit.kube import decoding, misfits, patches, schema, selectors, status
from kit.kube.apply import apply, check_type, track_update
from kit.kube.custom.definition import Scale
from kit.kube.gojson import encode
from kit.kube.kinds import Resource

_CARRIED = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
SCALE = Resource("autoscaling", "v1", "Scale", "scales", "scale", namespaced=True)


def handle(context: Context, at: Attributes, request: Request, form: Accepted) -> Response:
    """Answer GET, PUT and PATCH of a scale."""
    if at.verb == "get":
        obj = reading.get(context, at).obj
    elif at.verb == "update":
        bodies.check_options(at, "UpdateOptions")
        wanted = bodies.check_place(at, bodies.decoded(at, request, SCALE))
        obj = _scaled(context, at, lambda scale: wanted)
    else:
        media = patch_media(request.headers.get("content-type", ""))
        patching.check_options(at, media)
        found = patches.decode_patch(media, request.body)
        if media == patches.APPLY:
            obj = _applied(context, at, found.value)
        else:
            obj = _scaled(context, at, lambda scale: _patched(at, media, scale, found))
    return respond(encode(scale_of(obj, at.resource)).encode(), media=form.media, warnings=at.warnings)


def _patched(at: Attributes, media: str, scale: Obj, patch: patches.Decoded) -> Obj:
    node = schema.of("autoscaling/v1", "Scale")
    result = patches.patched(media, scale, patch.value, node)
    why = misfits.type_error(result, node) if node else ""
    if why:
        raise patches.patch_rejected(media, result, patch.value, why)
    return bodies.check_place(at, rules.defaulted(decoding.prune(result, node) if node else result))


def _applied(context: Context, at: Attributes, patch: Obj) -> Obj:
    """Return the object that server-side apply of its Scale leaves."""
    check_type(patch, SCALE.api_version, SCALE.kind)
    bodies.check_place(at, {**patch, "metadata": {"name": at.name, **(patch.get("metadata") or {})}})

    def change(scale: Obj) -> Obj:
        return apply(
            scale,
            patch,
            at.manager,
            force=at.query.get("force") in {"true", "1"},
            node=SCALE.node,
            subresource=at.subresource,
            api_version=SCALE.api_version,
            kind=SCALE.kind,
            time_text=context.clock.text(),
            default=rules.defaulted,
        )

    return _changed(context, at, change)


def _scaled(context: Context, at: Attributes, change: Callable[[Obj], Obj]) -> Obj:
    """Return the object that another Scale leaves."""

    def tracked(scale: Obj) -> Obj:
        return track_update(
            scale,
            change(scale),
            at.manager,
            subresource=at.subresource,
            node=SCALE.node,
            api_version=SCALE.api_version,
            time_text=context.clock.text(),
        )

    return _changed(context, at, tracked)


def _changed(context: Context, at: Attributes, change: Callable[[Obj], Obj]) -> Obj:
    """Return an object whose Scale is changed: who owns its replicas is told in the Scale's terms and back."""
    where = _where(at.resource)

    def rescaled(old: Obj) -> Obj:
        scale = scale_of(old, at.resource)
        scale["metadata"]["managedFields"] = scaleowners.of_scale(old, where)
        after = change(scale)
        owners = scaleowners.of_parent(old, after["metadata"].get("managedFields") or [], where)
        out = _rescaled(at, old, after)
        return {**out, "metadata": {**out["metadata"], "managedFields": owners}}

    return writing.update(context, at, rescaled, applied=True).obj


def _where(resource: Resource) -> tuple[str, ...]:
    """Return the path of the replicas of a kind."""
    own = resource.custom
    return own.scale.replicas if own and own.scale else ("spec", "replicas")


def _rescaled(at: Attributes, old: Obj, scale: Obj) -> Obj:
    """Return an object with the replicas that a Scale wants."""
    replicas = (scale.get("spec") or {}).get("replicas", 0)
    if replicas < 0:
        wrong = status.invalid_value("spec.replicas", replicas, "must be greater than or equal to 0")
        raise status.invalid("autoscaling", "Scale", at.name, [wrong])
    version = (scale.get("metadata") or {}).get("resourceVersion") or old["metadata"]["resourceVersion"]
    return {**_put(old, _where(at.resource), replicas), "metadata": {**old["metadata"], "resourceVersion": version}}


def _put(obj: Obj, path: tuple[str, ...], value: Any) -> Obj:
    """Return an object with a value at a path."""
    name, *rest = path
    return {**obj, name: _put(obj.get(name) or {}, tuple(rest), value) if rest else value}


def _custom(obj: Obj, scale: Scale) -> tuple[int, int, str]:
    """Return wanted and observed replicas and the selector of a custom resource."""
    return int(_at(obj, scale.replicas) or 0), int(_at(obj, scale.observed) or 0), str(_at(obj, scale.selector) or "")


def _at(obj: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        obj = obj.get(name) if isinstance(obj, dict) else None
    return obj if path else None


def _known(obj: Obj) -> tuple[int, int, str]:
    """Return wanted and observed replicas and the selector of a built-in kind."""
    selector = obj["spec"].get("selector")
    found = selectors.of_labels(selector) if obj["kind"] == "ReplicationController" else selectors.of_object(selector)
    return obj["spec"].get("replicas", 0), (obj.get("status") or {}).get("replicas", 0), str(found)


def scale_of(obj: Obj, resource: Resource) -> Obj:
    """Return an object's Scale."""
    own = resource.custom
    replicas, observed, selector = _custom(obj, own.scale) if own and own.scale else _known(obj)
    meta = {key: obj["metadata"][key] for key in _CARRIED if key in obj["metadata"]}
    now: dict[str, Any] = {"replicas": observed}
    if selector:
        now["selector"] = selector
    spec = {"replicas": replicas} if replicas else {}
    return {"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": meta, "spec": spec, "status": now}
