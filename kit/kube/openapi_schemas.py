"""The `components.schemas` of the OpenAPI v3 documents, one document a group version.

Descriptions are not carried: whoever has them (kubectl explain wants them) passes them in by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kit.kube.data import load
from kit.kube.schema import parsed

Descriptions = Mapping[str, str | Mapping[str, str]]
"""By definition name its own text, or its fields' texts by name with its own under ``""``."""


def group_versions() -> tuple[str, ...]:
    """Return the paths that have a document: `api/v1`, `apis/apps`, `apis/apps/v1`, `version` ..."""
    return tuple(load("schema")["groupVersions"])


def definition_names(path: str) -> tuple[str, ...]:
    """Return the definitions a document holds; KeyError when there is no such document."""
    table = load("schema")
    names = list(table["definitions"])
    return tuple(names[number] for number in table["groupVersions"][path])


def openapi_document(path: str, descriptions: Descriptions | None = None) -> dict[str, Any]:
    """Return the schemas of a document by definition name, with descriptions where given."""
    return {name: _described(parsed(name), (descriptions or {}).get(name)) for name in definition_names(path)}


def _described(schema: dict[str, Any], texts: str | Mapping[str, str] | None) -> dict[str, Any]:
    if texts is None:
        return schema
    said = {"": texts} if isinstance(texts, str) else texts
    if said.get(""):
        schema["description"] = said[""]
    for name, field in schema.get("properties", {}).items():
        if said.get(name):
            field["description"] = said[name]
    return schema
