"""What `kit.kube` knows of an object's life: defaults, preparation by its strategy, validation, who owns which fields.

The one seam between the verbs and the vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kit.embedded.api import custom
from kit.embedded.api.attributes import Attributes
from kit.embedded.api.context import Context
from kit.embedded.core.store import Obj
from kit.kube import decoding, status, strategy, validation
from kit.kube.apply import track_update
from kit.kube.custom import checking
from kit.kube.defaults import apply_defaults
from kit.kube.fields import FieldSet
from kit.kube.kinds import Resource
from kit.kube.status import Cause
from kit.kube.warnings import warnings

# Fields that nobody comes to own by a write, where it is not only the status (GetResetFields of the strategies).
_REQUEST: FieldSet = {"f:spec": {}, "f:status": {}}
IGNORED: dict[tuple[str, str], FieldSet] = {
    ("CertificateSigningRequest", ""): _REQUEST,
    ("CertificateSigningRequest", "approval"): _REQUEST,
}
GENERATION = "deprecated.daemonset.template.generation"


def defaulted(obj: Obj) -> Obj:
    """Return an object as the API server reads it."""
    return apply_defaults(obj)


def read(obj: Obj, resource: Resource) -> Obj:
    """Return an object as the API server reads it from a body: without what its schema does not know, with defaults."""
    if resource.custom:
        return custom.fitted(obj, resource)
    return defaulted(decoding.prune(obj, resource.node) if resource.node else obj)


def owned(context: Context, at: Attributes, old: Obj | None, new: Obj) -> Obj:
    """Return an object whose managedFields say what this request changed."""
    version = new["apiVersion"]
    new = _with_template_generation(new)
    node = at.resource.node
    return track_update(
        old,
        new,
        at.manager,
        subresource=at.subresource,
        node=node,
        api_version=version,
        time_text=context.clock.text(),
        ignored=ignored(at),
        custom=at.resource.custom is not None,
    )


def ignored(at: Attributes) -> FieldSet | None:
    """Return the fields nobody comes to own by a request, None for those of most kinds."""
    own = at.resource.custom
    if own is None:
        return IGNORED.get((at.resource.kind, at.subresource))
    if at.subresource == "status":
        return {"f:metadata": {}, "f:spec": {}}
    return {"f:status": {}} if own.status else {}


def _with_template_generation(new: Obj) -> Obj:
    """Return a DaemonSet with the annotation that its conversion to v1 writes, and that its writer so comes to own."""
    if new["kind"] != "DaemonSet":
        return new
    meta = new["metadata"]
    given = meta.get("annotations") or {}
    if GENERATION in given:
        return new
    return {**new, "metadata": {**meta, "annotations": {**given, GENERATION: "0"}}}


def prepared_create(context: Context, at: Attributes, obj: Obj) -> Obj:
    """Return a new object as its kind's strategy wants it: status cleared, generation begun."""
    user: dict[str, Any] = {"username": at.user.name, "uid": at.user.uid, "groups": list(at.user.groups)}
    return strategy.prepare_create(obj, at.resource, now=context.clock.text(), user=user)


def prepared_update(context: Context, at: Attributes, new: Obj, old: Obj) -> Obj:
    """Return a changed object as its kind's strategy wants it: status or the rest kept, generation counted."""
    part = PARTS.get(at.subresource)
    if part is not None:
        new = part(new, old)
    if at.subresource == "finalize":
        return new
    prepare = strategy.prepare_status if at.subresource in {"status", "approval"} else strategy.prepare_update
    return prepare(new, old, at.resource, now=context.clock.text())


def _finalizers(new: Obj, old: Obj) -> Obj:
    kept = {key: value for key, value in old["spec"].items() if key != "finalizers"}
    wanted = (new.get("spec") or {}).get("finalizers") or []
    return {**old, "metadata": new["metadata"], "spec": {**kept, **({"finalizers": wanted} if wanted else {})}}


def _ephemeral(new: Obj, old: Obj) -> Obj:
    given = new["spec"].get("ephemeralContainers")
    return {
        **old,
        "metadata": new["metadata"],
        "spec": {**old["spec"], **({"ephemeralContainers": given} if given else {})},
    }


def _resources(new: Obj, old: Obj) -> Obj:
    """Return a Pod with the resources of its containers as wanted, nothing else changed. Models pod/strategy.go: dropNonResizeUpdates."""
    spec = dict(old["spec"])
    for part in ("initContainers", "containers"):
        wanted = {one["name"]: one for one in new["spec"].get(part) or ()}
        if part in spec:
            spec[part] = [_resized(one, wanted.get(one["name"], one), part) for one in spec[part]]
    return {**old, "metadata": new["metadata"], "spec": spec}


def _resized(container: Obj, wanted: Obj, part: str) -> Obj:
    """Return a container with the resources of another; of those that run first only what stays beside the others can change."""
    if part == "initContainers" and container.get("restartPolicy") != "Always":
        return container
    given = {key: wanted[key] for key in ("resources", "resizePolicy") if key in wanted}
    return {key: value for key, value in container.items() if key != "resources"} | given


# Subresources that are a part of the object: what of it they may change.
PARTS: dict[str, Callable[[Obj, Obj], Obj]] = {
    "finalize": _finalizers,
    "ephemeralcontainers": _ephemeral,
    "resize": _resources,
}


def check_create(obj: Obj, at: Attributes) -> None:
    """Raise Invalid when a new object breaks a rule."""
    own = at.resource.custom
    causes = checking.created(obj, own) if own else validation.validate_create(obj, at.resource)
    _raise(at, causes, obj["metadata"].get("name") or "")
    at.warnings += [text for text in warnings(obj, at.resource) if text not in at.warnings]


def check_update(new: Obj, old: Obj, at: Attributes) -> None:
    """Raise Invalid when a changed object breaks a rule."""
    if at.resource.custom:
        causes = checking.updated(new, old, at.resource.custom)
    elif at.subresource == "status":
        causes = validation.validate_status_update(new, old, at.resource)
    else:
        causes = validation.validate_update(new, old, at.resource, at.subresource)
    _raise(at, causes, at.name)
    if not at.subresource and new.get("spec") != old.get("spec"):
        at.warnings += [text for text in warnings(new, at.resource) if text not in at.warnings]


def check_zone(context: Context, new: Obj, old: Obj | None, at: Attributes) -> None:
    """Raise Invalid for a CronJob in a time zone that there is not; one it was in before may stay."""
    if at.resource.group_kind != "CronJob.batch" or context.zones is None:
        return
    zone, before = ((obj or {}).get("spec", {}).get("timeZone") for obj in (new, old))
    if zone and zone != before and context.zones.offset_ms(zone, context.clock.wall()) is None:
        _raise(at, [status.invalid_value("spec.timeZone", zone, f"unknown time zone {zone}")], at.name)


def _raise(at: Attributes, causes: list[Cause], name: str) -> None:
    if causes:
        causes = list(dict.fromkeys(causes))  # a complaint about two labels of one value is one
        group = "" if at.resource.kind == "Event" else at.resource.group  # both groups share one strategy
        raise status.invalid(group, at.resource.kind, name, causes)
