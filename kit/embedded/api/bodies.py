"""Request bodies: from bytes of a media type to an object of the kind the path is about."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kit.embedded.api import custom, rules
from kit.embedded.api.attributes import Attributes
from kit.embedded.api.negotiation import PROTOBUF, YAML, body_media
from kit.embedded.core.store import Obj
from kit.embedded.core.turns import Request
from kit.kube import decoding, misfits, nesting, protobuf, status, unstructured
from kit.kube.kinds import Resource
from kit.kube.wire import ProtobufError

VALIDATIONS = ("", "Ignore", "Strict", "Warn")


def decoded(at: Attributes, request: Request, resource: Resource | None = None) -> Obj:
    """Return the object of a body, with defaults; `resource` where it is of another kind than the path's.

    What fieldValidation=Warn complains about goes to the request's warnings.
    """
    resource = resource or at.resource
    obj, complaints = parsed(request, resource.kind)
    deep = isinstance(obj, nesting.Cut)
    refused = None if resource.custom else decoding.check_type(obj, resource)
    if refused is not None:
        raise refused
    obj = {"kind": resource.kind, "apiVersion": resource.api_version} | obj
    obj = fitted(at, obj, complaints, resource)
    if deep and nesting.holds(obj):
        raise status.bad_request(nesting.REFUSAL)
    refused = custom.other_version(obj, resource) if resource.custom else None
    if refused is not None:
        raise refused
    return obj


def parsed(request: Request, kind: str) -> tuple[Obj, list[str]]:
    """Return the object that a body's bytes are, and what strict reading complains about."""
    check_size(request)
    media = body_media(request.headers.get("content-type", ""))
    if media == PROTOBUF:
        return _protobuf(request.body, kind), []
    read = decoding.decode_yaml if media == YAML else decoding.decode_json
    try:
        return read(request.body)
    except decoding.DecodeError as error:
        raise decoding.unrecognized(kind, error, request.body) from None


def _protobuf(body: bytes, kind: str) -> Obj:
    try:
        return protobuf.read(body)
    except ProtobufError as error:
        if error.kind:
            raise decoding.cannot_handle(error.api_version, error.kind, str(error), kind) from None
        raise decoding.unrecognized(kind, error, body) from None


def fitted(at: Attributes, obj: Obj, complaints: list[str], resource: Resource) -> Obj:
    """Return an object without what its schema does not know, with defaults; refuse what does not fit."""
    why = misfit(at, obj, resource, complaints)
    if why:
        raise decoding.cannot_handle(resource.api_version, resource.kind, why)
    return rules.read(obj, resource)


def misfit(at: Attributes, obj: Any, resource: Resource, complaints: Iterable[str], *, strategic: bool = False) -> str:
    """Return why an object can't be one of a resource, "" when it can; what is only complained about may become warnings."""
    node, own = resource.node, resource.custom
    if node is None:
        return ""
    if own:
        why, unknown = custom.misfit(obj, own), custom.unknown
    else:
        why = unstructured.misfit(obj, node) if strategic else misfits.type_error(obj, node)
        unknown = _unknown
    if not why:
        refused = complain(at, [*complaints, *unknown(obj, resource)])
        why = decoding.strict(refused) if refused else ""
    return why


def _unknown(obj: Any, resource: Resource) -> list[str]:
    return decoding.unknown_fields(obj, resource.node) if resource.node else []


def complain(at: Attributes, complaints: list[str]) -> list[str]:
    """Return the complaints that must be refused (Strict); with Warn they become warnings."""
    validation = at.query.get("fieldValidation", "") or "Warn"
    if validation == "Strict":
        return complaints
    if validation == "Warn":
        at.warnings += [text for text in complaints if text not in at.warnings]
    return []


def check_size(request: Request) -> None:
    """Refuse a body of more than 3 MiB."""
    if len(request.body) > status.BODY_LIMIT:
        raise status.entity_too_large()


def check_options(at: Attributes, kind: str) -> None:
    """Raise Invalid for bad dryRun, fieldManager or fieldValidation in a query; `kind` is CreateOptions and the like."""
    causes = []
    dry_run = list(at.dry_runs)
    if any(word != "All" for word in dry_run):
        causes.append(status.not_supported("dryRun", dry_run, ("All",)))
    manager = at.query.get("fieldManager", "")
    if len(manager.encode()) > 128:
        causes.append(status.too_long("fieldManager", 128))
    unseen = next((at for at, char in enumerate(manager) if not char.isprintable()), None)
    if unseen is not None:
        why = f"invalid character U+{ord(manager[unseen]):04X} (at position {unseen})"
        causes.append(status.invalid_value("fieldManager", manager, why))
    if at.query.get("fieldValidation", "") not in VALIDATIONS:
        causes.append(status.not_supported("fieldValidation", at.query["fieldValidation"], VALIDATIONS))
    if causes:
        raise status.invalid("meta.k8s.io", kind, "", causes)


def check_place(at: Attributes, obj: Obj) -> Obj:
    """Return a body with the namespace of its path; one that names another place is refused."""
    meta: dict[str, Any] = obj.get("metadata") or {}
    said = meta.get("namespace") or ""
    if said and said != at.namespace and at.resource.namespaced:
        raise status.bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )
    if at.name and at.verb != "create":
        named = meta.get("name") or ""
        if not named:
            why = f"the name of the object ({at.name} based on URL) was undeterminable: name must be provided"
            raise status.bad_request(why)
        if named != at.name:
            raise status.bad_request(f"the name of the object ({named}) does not match the name on the URL ({at.name})")
    return obj if "metadata" in obj else {**obj, "metadata": {}}


def manager(request: Request) -> str:
    """Return the field manager a request writes as: named in the query, else the User-Agent up to its version."""
    agent = request.headers.get("user-agent", "")
    named = next((value for key, value in request.query if key == "fieldManager"), "")
    return named or agent.partition("/")[0][:128]
