"""patch: JSON, merge, strategic merge, and server-side apply.

Models k8s.io/apiserver/pkg/endpoints/handlers/patch.go.
"""

from __future__ import annotations

from typing import Any

from kit.embedded.api import bodies, custom, rules, writing
from kit.embedded.api.attributes import Attributes
from kit.embedded.api.context import Context
from kit.embedded.api.conversion import shown
from kit.embedded.api.negotiation import patch_media
from kit.embedded.core.store import Obj, Record
from kit.embedded.core.turns import Request
from kit.errors import Status
from kit.kube import decoding, nesting, patches, status
from kit.kube.apply import apply, check_type
from kit.kube.goorder import in_go_order
from kit.kube.strategic import leftover as strategic_leftover

MEDIA = {"json": patches.JSON, "merge": patches.MERGE, "strategic": patches.STRATEGIC, "apply": patches.APPLY}


def patch(context: Context, at: Attributes, request: Request) -> tuple[Record, bool]:
    """Carry out a PATCH; the record, and whether it was made by it (apply only)."""
    bodies.check_size(request)
    media = patch_media(request.headers.get("content-type", ""), custom=at.resource.custom is not None)
    check_options(at, media)
    found = patches.decode_patch(media, request.body)
    if media == patches.APPLY:
        return applied(context, at, found.value, force=at.query.get("force") in {"true", "1"})
    return writing.update(context, at, lambda old: changed(at, media, old, found)), False


def changed(at: Attributes, media: str, old: Obj, patch: patches.Decoded) -> Obj:
    """Return what a patch makes of an object, with defaults; refuse what does not fit the schema."""
    resource = at.resource
    result = patches.patched(media, shown(resource, old), patch.value, resource.node)
    if resource.custom is None:
        _refuse_other_kind(at, media, result, patch)
    _refuse_misfit(at, media, result, patch, old)
    if resource.custom:
        custom.check_kind(at, result)
    result = bodies.check_place(at, {**result, "kind": resource.kind, "apiVersion": resource.api_version})
    return rules.read(result, resource)


def _refuse_other_kind(at: Attributes, media: str, result: Any, patch: patches.Decoded) -> None:
    """Refuse a patch that makes something else of an object."""
    if media == patches.STRATEGIC or not isinstance(result, dict):
        return
    try:
        decoding.headed(result)
    except decoding.DecodeError as error:
        raise patches.patch_rejected(media, result, patch.value, str(error)) from None
    version, kind = result.get("apiVersion"), result.get("kind", at.resource.kind)
    if version is None:  # decoded as nothing in particular
        raise status.bad_request(
            f"the name of the object ({at.name} based on URL) was undeterminable: name must be provided"
        )
    if (version, kind) != (at.resource.api_version, at.resource.kind):
        why = f'no kind "{kind}" is registered for version "{version}" in scheme "pkg/runtime/scheme.go:111"'
        head = {key: result[key] for key in ("apiVersion", "kind", "metadata") if key in result}
        ordered = in_go_order(head | dict(sorted(result.items())), at.resource.node)
        raise patches.patch_rejected(media, head | ordered, patch.value, why)


def _refuse_misfit(at: Attributes, media: str, result: Any, patch: patches.Decoded, old: Obj) -> None:
    strategic = media == patches.STRATEGIC
    why = bodies.misfit(at, result, at.resource, patch.strict, strategic=strategic)
    if why:
        told = strategic_leftover(patch.value, shown(at.resource, old)) if strategic else patch.value
        raise patches.patch_rejected(media, result, told, why)


def applied(context: Context, at: Attributes, patch: Obj, *, force: bool) -> tuple[Record, bool]:
    """Server-side apply: merge what the manager wants into the object, or make it."""
    resource = at.resource
    if not at.manager:
        raise _options_refused(status.required("fieldManager", "is required for apply patch"))
    check_type(patch, resource.api_version, resource.kind)
    if isinstance(patch, nesting.Cut):
        raise status.bad_request(nesting.REFUSAL)
    record = context.store.record(at.key)
    _check_place(at, patch, new=record is None)
    if record is None and at.subresource:
        raise status.not_found(resource, at.name)
    if record is not None:
        return writing.update(
            context, at, lambda old: _applied(context, at, old, patch, force=force), applied=True
        ), False
    return writing.create(context, at, _applied(context, at, None, patch, force=force), applied=True), True


def _check_place(at: Attributes, patch: Obj, *, new: bool) -> None:
    """Refuse a patch that names another object. What is of a wrong type is refused later, by its schema."""
    meta = patch.get("metadata")
    texts = {key: value for key, value in (meta if isinstance(meta, dict) else {}).items() if isinstance(value, str)}
    if new and not texts.get("name") and not (isinstance(meta, dict) and "name" in meta):
        bodies.check_place(at, {**patch, "metadata": {"namespace": texts.get("namespace", "")}})
    elif "name" in texts:
        bodies.check_place(at, {**patch, "metadata": texts})
    else:
        bodies.check_place(at, {**patch, "metadata": {**texts, "name": at.name}})


def _applied(context: Context, at: Attributes, live: Obj | None, patch: Obj, *, force: bool) -> Obj:
    resource = at.resource
    return apply(
        None if live is None else shown(resource, live),
        patch,
        at.manager,
        force=force,
        node=resource.node,
        subresource=at.subresource,
        api_version=resource.api_version,
        kind=resource.kind,
        time_text=context.clock.text(),
        default=lambda obj: rules.read(obj, resource),
        ignored=rules.ignored(at),
        custom=resource.custom is not None,
    )


def check_options(at: Attributes, media: str) -> None:
    """Raise Invalid for options that a patch can't have."""
    bodies.check_options(at, "PatchOptions")
    if media != patches.APPLY and "force" in at.query:
        raise _options_refused(status.forbidden_value("force", "may not be specified for non-apply patch"))
    if media == patches.APPLY and not at.query.get("fieldManager"):
        raise _options_refused(status.required("fieldManager", "is required for apply patch"))


def _options_refused(cause: status.Cause) -> Status:
    return status.invalid("meta.k8s.io", "PatchOptions", "", [cause])
