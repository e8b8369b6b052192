"""The `components.schemas` of the OpenAPI v3 documents, one document a group version.

Descriptions, which kubectl explain prints, are a table of their own: nothing else reads them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from kit.kube.data import load
from kit.kube.schema import REF, parsed


def group_versions() -> tuple[str, ...]:
    """Return the paths that have a document: `api/v1`, `apis/apps`, `apis/apps/v1`, `version` ..."""
    return tuple(load("schema")["groupVersions"])


def definition_names(path: str) -> tuple[str, ...]:
    """Return the definitions a document holds; KeyError when there is no such document."""
    table = load("schema")
    names = list(table["definitions"])
    return tuple(names[number] for number in table["groupVersions"][path])


def openapi_document(path: str) -> dict[str, Any]:
    """Return the schemas of a document by definition name, with their descriptions."""
    return {name: described(name) for name in definition_names(path)}


def with_references(names: Iterable[str]) -> dict[str, Any]:
    """Return some definitions and all they refer to, with their descriptions."""
    out: dict[str, Any] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in out:
            out[name] = described(name)
            waiting += _references(out[name])
    return {name: out[name] for name in sorted(out)}


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, list):
        for item in schema:
            yield from _references(item)
    elif isinstance(schema, dict):
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"].removeprefix(REF)
        for item in schema.values():
            yield from _references(item)


def described(name: str) -> dict[str, Any]:
    """Return the schema of a definition with what is said of it and its fields; the caller may change it."""
    found = parsed(name)
    for field, text in load("descriptions")["definitions"].get(name, {}).items():
        (found["properties"][field] if field else found)["description"] = text
    return found
