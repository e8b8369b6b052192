"""Parts of objects with paths of their own, by name: a table of who answers.

Those that are views of the whole object (status, finalize, ephemeralcontainers, resize, approval) go through the verbs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kit.embedded.api import admission, bodies, connecting, evictions, negotiation, scaling, streams, tokens, verbs
from kit.embedded.api.answers import respond
from kit.embedded.api.attributes import Attributes
from kit.embedded.api.context import Context
from kit.embedded.core.store import Obj
from kit.embedded.core.turns import Request, Response, Ticket
from kit.kube import status
from kit.kube.gojson import encode
from kit.kube.kinds import Resource

VIEWS = frozenset({"status", "finalize", "ephemeralcontainers", "resize", "approval"})

# Subresources that are posted to: (resource, name) -> what is done with the object.
CALLS: Mapping[tuple[str, str], Callable[[Context, Attributes, Obj], Any]] = {
    ("pods", "binding"): evictions.bind,
    ("pods", "eviction"): evictions.evict,
    ("serviceaccounts", "token"): tokens.issue,
}
SCALED = frozenset({"deployments.apps", "replicasets.apps", "statefulsets.apps", "replicationcontrollers"})


def handle(
    context: Context, at: Attributes, request: Request, ticket: Ticket, rest: str
) -> tuple[Response | None, bool]:
    """Answer a request about a subresource; whether it writes or runs programs."""
    name, writes = at.subresource, at.verb in verbs.WRITES and not at.dry_run
    stream = streams.STREAMS.get((at.resource.group_resource, name))
    if stream is not None:
        connecting.admit(context, at, request, rest)
        return None, stream(context, at, request, ticket, rest)
    form = negotiation.accepted(request.headers.get("accept", ""), custom=at.resource.custom is not None)
    if name in VIEWS:
        return verbs.HANDLERS[at.verb](context, at, request, form), writes
    if name == "scale" and (at.resource.custom or at.resource.group_resource in SCALED):
        return scaling.handle(context, at, request, form), writes
    if (at.resource.group_resource, name) in CALLS and at.verb == "create":
        obj = bodies.decoded(at, request, _kind(context, at))
        admission.admit_call(context, at, _placed(at, obj))
        body = CALLS[at.resource.group_resource, name](context, at, obj)
        return respond(encode(body).encode(), 201, media=form.media, warnings=at.warnings), writes
    if context.store.record(at.key) is None:
        raise status.not_found(at.resource, at.name)
    raise status.not_implemented(
        f"this embedded cluster does not support {at.resource.plural}/{name}; a kind cluster does (--provider kind)"
    )


def _placed(at: Attributes, obj: Obj) -> Obj:
    """Return what is posted with the place it is posted to: a TokenRequest need not name its account."""
    meta = {"namespace": at.namespace, **(obj.get("metadata") or {})}
    return {**obj, "metadata": {"name": at.name, **meta} if at.subresource == "token" else meta}


def call(context: Context, at: Attributes, obj: Obj) -> Any:
    """Post an object to a subresource of `at` (a controller's own call)."""
    run = CALLS.get((at.resource.group_resource, at.subresource))
    if run is None:
        raise status.unknown_path()
    return run(context, at, obj)


def _kind(context: Context, at: Attributes) -> Resource:
    """Return the kind a subresource takes, as a resource the decoder can work with."""
    sub = at.sub
    if sub is None:
        raise status.unknown_path()
    group, version = (sub.group, sub.version) if sub.version else (at.resource.group, at.resource.version)
    return Resource(group, version, sub.kind, at.resource.plural, at.resource.singular, at.resource.namespaced)
