"""The schema of a custom resource, compiled into the same nodes that built-in kinds have.

Models apiextensions-apiserver/pkg/apiserver/schema and pkg/controller/openapi/builder: apiVersion, kind and metadata are added to
the root and to embedded resources, and what is not said to be kept is not kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from kit.kube.schema import OBJECT_META, PRESERVE, REF, Node, from_openapi

Schema = Mapping[str, Any]

EMBEDDED: Final = "x-kubernetes-embedded-resource"
INT_OR_STRING: Final = "x-kubernetes-int-or-string"
RULES: Final = "x-kubernetes-validations"
TYPE_META: Final[Mapping[str, Any]] = {
    "apiVersion": {"type": "string"},
    "kind": {"type": "string"},
    "metadata": {"allOf": [{"$ref": f"{REF}{OBJECT_META}"}]},
}


def compiled(schema: Schema | None) -> Node:
    """Return the node of a version's schema; without one, everything is kept."""
    return from_openapi(_whole(_place(schema or {"type": "object", PRESERVE: True})))


def _whole(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a whole object."""
    return {**schema, "type": "object", "properties": {**schema.get("properties", {}), **TYPE_META}}


def _place(schema: Schema) -> dict[str, Any]:
    """Return one place of a schema; whether unknown fields are kept is always said."""
    out = dict(schema)
    values = schema.get("additionalProperties")
    kept = bool(schema.get(PRESERVE)) or values is True
    out[PRESERVE] = kept and not isinstance(values, Mapping)
    if "properties" in schema:
        out["properties"] = {name: _place(field) for name, field in schema["properties"].items()}
    if isinstance(values, Mapping):
        out["additionalProperties"] = _place(values)
    else:
        out.pop("additionalProperties", None)
    if isinstance(schema.get("items"), Mapping):
        out["items"] = _place(schema["items"])
    return _whole(out) if schema.get(EMBEDDED) else out


def compiled_place(schema: Schema) -> Node:
    """Return the node of one place of a schema, as it stands there."""
    return from_openapi(_place(schema))
