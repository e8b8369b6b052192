"""What requests about custom resources ask for beyond what built-in kinds do: their types are known by a schema alone.

Models apiextensions-apiserver/pkg/apiserver/customresource_handler.go (schemaCoercingDecoder) and registry/customresource/validator.go.
"""

from __future__ import annotations

from typing import Any

from kit.embedded.api.attributes import Attributes
from kit.embedded.core.store import Obj
from kit.errors import Status
from kit.kube import decoding, status
from kit.kube.custom import embedded, fitting
from kit.kube.custom.definition import Custom
from kit.kube.custom.values import type_of
from kit.kube.kinds import Resource

_HEAD = frozenset({"apiVersion", "kind", "metadata"})


def unknown(obj: Obj, resource: Resource) -> list[str]:
    """Return what strict reading says of an object's fields; of another version nothing but the head is known."""
    if obj.get("apiVersion", resource.api_version) != resource.api_version:
        return [f'unknown field "{name}"' for name in obj if name not in _HEAD]
    return decoding.unknown_fields(obj, resource.node) if resource.node else []


def misfit(obj: Any, custom: Custom) -> str:
    """Return why an object can't be read at all: only its metadata, and that of objects inside, is typed."""
    if not isinstance(obj, dict):
        return f"json: cannot unmarshal {type_of(obj)} into Go value of type map[string]interface {{}}"
    return embedded.misfit(obj, custom.schema)


def fitted(obj: Obj, resource: Resource) -> Obj:
    """Return an object with defaults and without what its schema does not know."""
    out: Obj = fitting.fitted(obj, resource.node) if resource.node else obj
    return out


def other_version(obj: Obj, resource: Resource) -> Status | None:
    """Return the refusal of a body of another version than the URL's."""
    given = obj.get("apiVersion") or resource.api_version
    if given == resource.api_version:
        return None
    expected = f"the expected API version ({resource.api_version})"
    return status.bad_request(f"the API version in the data ({given}) does not match {expected}")


def check_kind(at: Attributes, obj: Obj) -> None:
    """Raise Invalid for an object of another kind, or made one of another version."""
    resource = at.resource
    kind, version = str(obj.get("kind") or ""), str(obj.get("apiVersion") or "")
    causes = []
    if kind != resource.kind:
        causes.append(status.invalid_value("kind", kind, f"must be {resource.kind}"))
    if version != resource.api_version:
        causes.append(status.invalid_value("apiVersion", version, f"must be {resource.api_version}"))
    if causes:
        name = at.name or str((obj.get("metadata") or {}).get("name") or "")
        raise status.invalid(resource.group, kind or resource.kind, name, causes)


def admitted(at: Attributes) -> None:
    """Refuse a new object of a definition that is being deleted; warn of a version that is deprecated."""
    custom = at.resource.custom
    if custom and custom.terminating:
        why = "create not allowed while custom resource definition is terminating"
        raise Status("Forbidden", f'{at.resource.group_resource} "{at.name}" is forbidden: {why}', details=_about(at))


def _about(at: Attributes) -> dict[str, Any]:
    return status.details(at.resource, at.name)
