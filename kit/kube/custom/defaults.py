"""The defaults of a schema must fit it. Models apiextensions-apiserver/pkg/apiserver/schema/defaulting/validation.go."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kit.kube import status
from kit.kube.custom import values
from kit.kube.custom.fitting import fitted
from kit.kube.custom.structural import RULES, compiled_place
from kit.kube.schema import Node
from kit.kube.status import Cause

Schema = Mapping[str, Any]


def complaints(schema: Schema, at: str, *, root: bool = True) -> Iterator[Cause]:
    """Yield what is wrong with the defaults in a schema."""
    if schema.get("default") is not None:
        yield from _default(schema, f"{at}.default", root=root)
    for name in sorted(schema.get("properties") or {}):
        yield from complaints(schema["properties"][name], f"{at}.properties[{name}]", root=False)
    for key in ("additionalProperties", "items"):
        if isinstance(schema.get(key), Mapping):
            yield from complaints(schema[key], f"{at}.{key}", root=False)


def _default(schema: Schema, at: str, *, root: bool) -> Iterator[Cause]:
    value = schema["default"]
    if root:
        yield from (status.required(f"{at}.{name}") for name in ("apiVersion", "kind"))
        return
    node: Node = compiled_place(schema)
    if _unknown(value, node):
        yield status.invalid_value(at, value, "must not have unknown fields")
        return
    bare = {key: item for key, item in schema.items() if key != RULES}
    for cause in values.complaints(fitted(value, node), bare):
        yield Cause(cause.reason, cause.message, f"{at}.{cause.field}" if cause.field else at)


def _unknown(value: Any, node: Node) -> bool:
    """Return whether pruning would take something away."""
    if isinstance(value, list):
        return node.items is not None and any(_unknown(item, node.items) for item in value)
    if not isinstance(value, Mapping) or (node.open and not node.fields):
        return False
    found = [(node.child(name), item) for name, item in value.items()]
    return any(_unknown(item, child) if child else not node.open for child, item in found)
