"""Whole objects inside custom ones: their metadata is typed and checked like any other.

Models apiextensions-apiserver/pkg/apiserver/schema/objectmeta.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kit.kube import misfits, names, status
from kit.kube.custom.structural import EMBEDDED
from kit.kube.custom.values import under
from kit.kube.schema import OBJECT_META, definition
from kit.kube.status import Cause
from kit.kube.validation import metadata

Schema = Mapping[str, Any]


def misfit(obj: Mapping[str, Any], schema: Schema) -> str:
    """Return Go's words about metadata that can't be put into its type, "" when all can."""
    why = misfits.type_error(obj.get("metadata"), definition(OBJECT_META))
    if why:
        return why
    for path, inner in _inside(obj, schema, ""):
        given = inner.get("metadata")
        why = misfits.type_error(given, definition(OBJECT_META))
        if why:
            return str(status.invalid_value(f"{path}.metadata", given, why))
    return ""


def complaints(obj: Mapping[str, Any], schema: Schema) -> Iterator[Cause]:
    """Yield what is wrong with kind, apiVersion and metadata of embedded objects."""
    for path, inner in _inside(obj, schema, ""):
        version, kind = inner.get("apiVersion"), inner.get("kind")
        if isinstance(version, str) and version.count("/") > 1:
            yield status.invalid_value(f"{path}.apiVersion", version, f"unexpected GroupVersion string: {version}")
        for text in names.label_1035(kind.lower()) if isinstance(kind, str) and kind else ():
            yield status.invalid_value(f"{path}.kind", kind, f"may have mixed case, but should otherwise match: {text}")
        meta = inner.get("metadata")
        if isinstance(meta, Mapping):
            found: list[Cause] = []
            metadata.validate({"name": "x", **meta}, names.path_segment, found, core=False)
            yield from (Cause(one.reason, one.message, f"{path}.{one.field}") for one in found)


def _inside(value: Any, schema: Schema, path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield every embedded object and its path."""
    if isinstance(value, list) and isinstance(schema.get("items"), Mapping):
        for index, item in enumerate(value):
            yield from _inside(item, schema["items"], f"{path}[{index}]")
    elif isinstance(value, Mapping):
        if schema.get(EMBEDDED):
            yield path, value
        fields, values = schema.get("properties") or {}, schema.get("additionalProperties")
        for name in sorted(value):
            inner = fields.get(name) or (values if isinstance(values, Mapping) else None)
            if inner is not None:
                yield from _inside(value[name], inner, under(path, name))
