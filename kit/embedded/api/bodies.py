"""Request bodies: from bytes of a media type to an object of the kind the path is about."""

from __future__ import annotations

from typing import Any

from kit.embedded.api import rules
from kit.embedded.api.attributes import Attributes
from kit.embedded.api.negotiation import PROTOBUF, YAML, body_media
from kit.embedded.core.store import Obj
from kit.embedded.core.turns import Request
from kit.kube import decoding, protobuf, schema, status
from kit.kube.kinds import Resource

VALIDATIONS = ("", "Ignore", "Strict", "Warn")


def decoded(at: Attributes, request: Request, resource: Resource | None = None) -> Obj:
    """Return the object of a body, with defaults; `resource` where it is of another kind than the path's.

    What fieldValidation=Warn complains about goes to the request's warnings.
    """
    resource = resource or at.resource
    obj, complaints = parsed(request, resource.kind)
    refused = decoding.check_type(obj, resource)
    if refused is not None:
        raise refused
    obj = {"kind": resource.kind, "apiVersion": resource.api_version} | obj
    return fitted(at, obj, complaints, resource)


def parsed(request: Request, kind: str) -> tuple[Obj, list[str]]:
    """Return the object that a body's bytes are, and what strict reading complains about."""
    check_size(request)
    media = body_media(request.headers.get("content-type", ""))
    if media == PROTOBUF:
        return protobuf.decode(request.body), []
    read = decoding.decode_yaml if media == YAML else decoding.decode_json
    try:
        return read(request.body)
    except decoding.DecodeError as error:
        raise decoding.unrecognized(kind, error, request.body) from None


def fitted(at: Attributes, obj: Obj, complaints: list[str], resource: Resource) -> Obj:
    """Return an object without what its schema does not know, with defaults; refuse what does not fit."""
    node = schema.of(resource.api_version, resource.kind)
    if node is None:
        return obj
    why = decoding.type_error(obj, node)
    if not why:
        complaints = complain(at, [*complaints, *decoding.unknown_fields(obj, node)])
        why = decoding.strict(complaints) if complaints else ""
    if why:
        raise decoding.cannot_handle(resource.api_version, resource.kind, why)
    return rules.defaulted(decoding.prune(obj, node))


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
    dry_run = [word for word in (at.query.get("dryRun"),) if word]
    if any(word != "All" for word in dry_run):
        causes.append(status.not_supported("dryRun", dry_run, ("All",)))
    manager = at.query.get("fieldManager", "")
    if len(manager.encode()) > 128:
        causes.append(status.too_long("fieldManager", 128))
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
