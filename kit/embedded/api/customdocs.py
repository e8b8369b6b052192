"""OpenAPI v3 of custom resources, built of their definitions. Models apiextensions-apiserver/pkg/controller/openapi/builder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kit.embedded.api.negotiation import PATCHES as ALL
from kit.embedded.api.negotiation import STRATEGIC
from kit.kube.custom.structural import EMBEDDED
from kit.kube.kinds import Resource
from kit.kube.openapi_schemas import described, with_references
from kit.kube.schema import OBJECT_META, REF

PATCHES = tuple(media for media in ALL if media != STRATEGIC)
META = "io.k8s.apimachinery.pkg.apis.meta.v1."
NEEDED = (OBJECT_META, *(META + name for name in ("ListMeta", "DeleteOptions", "Patch", "Status")))
SCALE = "io.k8s.api.autoscaling.v1.Scale"
LIKE = "io.k8s.api.core.v1.ConfigMap"  # whose head has the texts that all objects' heads have
WIDE = "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md"


def name(resource: Resource) -> str:
    """Return what the schema of a custom resource is called: com.example.v1.Widget."""
    return ".".join([*reversed(resource.group.split(".")), resource.version, resource.kind])


def schemas(resources: Sequence[Resource]) -> dict[str, Any]:
    """Return the schemas of one group version's document."""
    out: dict[str, Any] = {}
    for resource in resources:
        out[name(resource)] = _whole(resource, _texts(LIKE))
        out[f"{name(resource)}List"] = _list(resource, _texts(f"{LIKE}List"))
    scaled = any(resource.subresource("scale") for resource in resources)
    return out | with_references((*NEEDED, SCALE) if scaled else NEEDED)


def _texts(definition: str) -> dict[str, str]:
    """Return what is said of the fields of a definition."""
    fields: dict[str, Any] = dict(described(definition)["properties"])
    return {field: inner["description"] for field, inner in fields.items() if "description" in inner}


def _whole(resource: Resource, texts: Mapping[str, str]) -> dict[str, Any]:
    own: dict[str, Any] = (
        _typed(resource.custom.schema) if resource.custom and resource.custom.schema else {"type": "object"}
    )
    given: dict[str, Any] = own.get("properties") or {}
    fields = {**_head(texts, OBJECT_META), **{key: inner for key, inner in given.items() if key not in _HEAD}}
    return {**own, "properties": {key: fields[key] for key in sorted(fields)}, **_kind(resource, resource.kind)}


_HEAD = frozenset({"apiVersion", "kind", "metadata"})


def _head(texts: Mapping[str, str], metadata: str) -> dict[str, Any]:
    def said(field: str) -> dict[str, str]:
        return {"description": texts[field]} if texts.get(field) else {}

    return {
        "apiVersion": {**said("apiVersion"), "type": "string"},
        "kind": {**said("kind"), "type": "string"},
        "metadata": {**said("metadata"), "allOf": [{"$ref": f"{REF}{metadata}"}]},
    }


def _kind(resource: Resource, kind: str) -> dict[str, Any]:
    told = {"group": resource.group, "kind": kind, "version": resource.version}
    return {"x-kubernetes-group-version-kind": [told]}


def _typed(schema: Any) -> dict[str, Any]:
    """Return a schema whose embedded objects have the head that all objects have."""
    out = dict(schema)
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), Mapping):
            out[key] = _typed(schema[key])
    if schema.get("properties"):
        out["properties"] = {field: _typed(inner) for field, inner in schema["properties"].items()}
    if schema.get(EMBEDDED):
        out["properties"] = {**out.get("properties", {}), **_head({}, OBJECT_META)}
    return out


def _list(resource: Resource, texts: Mapping[str, str]) -> dict[str, Any]:
    head = _head(texts, f"{META}ListMeta")
    items = {
        "description": f"List of {resource.plural}. More info: {WIDE}",
        "type": "array",
        "items": {"$ref": f"{REF}{name(resource)}"},
    }
    fields = {"apiVersion": head["apiVersion"], "items": items, "kind": head["kind"], "metadata": head["metadata"]}
    return {
        "description": f"{resource.kind}List is a list of {resource.kind}",
        "type": "object",
        "required": ["items"],
        "properties": fields,
        **_kind(resource, f"{resource.kind}List"),
    }
