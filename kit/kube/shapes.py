"""What server-side apply sees of a schema: which lists and maps are merged, which are one leaf.

Models sigs.k8s.io/structured-merge-diff/schema and k8s.io/kube-openapi/pkg/schemaconv.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from kit.kube import schema
from kit.kube.defaults.wire import wire_of
from kit.kube.gotext import quoted

_SCALARS = {"integer": "numeric", "number": "numeric", "boolean": "boolean", "string": "string"}
RAW = "io.k8s.apimachinery.pkg.runtime.RawExtension"  # bytes to the API server, whatever is in them
_PLAIN_STRINGS = {"", "byte"}
_ZERO: dict[str, Any] = {"numeric": 0, "boolean": False, "string": ""}


class BadItemError(ValueError):
    """An item of an associative list that cannot be named."""


class Shape:
    """One place of a schema, flattened for speed; places below are looked up on first use."""

    __slots__ = (
        "_children",
        "_element",
        "atomic_list",
        "atomic_map",
        "defaults",
        "is_list",
        "is_map",
        "keys",
        "node",
        "scalar",
    )

    def __init__(self, node: schema.Node | None) -> None:
        self.node = node
        self._children: dict[str, Shape | None] = {}
        self._element: Shape | None = None
        anything = node is None or _is_anything(node)
        self.scalar = "untyped" if node is None or anything else _scalar(node)
        self.is_map = anything or (node is not None and node.type == "object")
        self.is_list = anything or (node is not None and node.type == "array")
        self.atomic_map = node is not None and (node.map_type == "atomic" or node.name == RAW)
        self.atomic_list = node is None or node.list_type not in {"map", "set"}
        self.keys: tuple[str, ...] = () if node is None or node.list_type != "map" else tuple(sorted(node.map_keys))
        self.defaults = {k: self._key_default(k) for k in self.keys}

    def _key_default(self, key: str) -> Any:
        field = self.node.items.fields.get(key) if self.node and self.node.items else None
        return schema.MISSING if field is None else field.default

    def has(self, name: str) -> bool:
        """Return whether the schema names this field."""
        return self.node is not None and name in self.node.fields

    def field(self, name: str) -> Shape | None:
        """Return the shape of a field or map value, None where the schema has no such place."""
        try:
            return self._children[name]
        except KeyError:
            found = self._find(name)
            if found is None or self.has(name):  # map keys are the user's: not kept
                self._children[name] = found
            return found

    def _find(self, name: str) -> Shape | None:
        node = self.node
        if node is None:
            return self
        if name in node.fields:
            return shape(node.fields[name])
        if node.values is not None:
            if self._element is None:
                self._element = shape(node.values)
            return self._element
        return ANYTHING if node.open or not node.fields else None

    def item(self) -> Shape:
        """Return the shape of a list's items."""
        if self._element is None:
            self._element = ANYTHING if self.node is None or self.node.items is None else shape(self.node.items)
        return self._element

    def element(self, value: Any) -> str:
        """Return the FieldsV1 name of an item in this associative list; raise BadItemError where it has none."""
        return self._keyed(value) if self.keys else _set_element(value)

    def _keyed(self, value: Any) -> str:
        if value is None:
            raise BadItemError("associative list with keys may not have a null element")
        if not isinstance(value, Mapping):
            raise BadItemError("associative list with keys may not have non-map elements")
        parts = []
        for key in self.keys:
            found = value.get(key, schema.MISSING)
            if found is schema.MISSING:
                found = self.defaults[key]
            if found is schema.MISSING:
                raise BadItemError(
                    f"associative list with keys has an element that omits key field {quoted(key)} (and doesn't have default value)"
                )
            parts.append(f"{quoted(key)}:{quoted(found) if isinstance(found, str) else _dump(found)}")
        return "k:{" + ",".join(parts) + "}"


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def _set_element(value: Any) -> str:
    if isinstance(value, Mapping):
        raise BadItemError("associative list without keys has an element that's a map type")
    if isinstance(value, list):
        raise BadItemError("not supported: associative list with lists as elements")
    if value is None:
        raise BadItemError("associative list without keys has an element that's an explicit null")
    return "v:" + (quoted(value) if isinstance(value, str) else _dump(value))


def _is_anything(node: schema.Node) -> bool:
    return node.type == "" and not node.int_or_string and node.name not in {schema.QUANTITY, schema.INT_OR_STRING}


def _scalar(node: schema.Node) -> str:
    if node.int_or_string or node.name in {schema.QUANTITY, schema.INT_OR_STRING}:
        return "untyped"
    if node.type == "string" and node.format not in _PLAIN_STRINGS:
        return "untyped"
    return _SCALARS.get(node.type, "")


@lru_cache(maxsize=16384)
def shape(node: schema.Node) -> Shape:
    """Return the shape of a schema node (the same one each time)."""
    return Shape(node)


ANYTHING = Shape(None)
"""The shape of what no schema describes: maps are merged, lists are leaves."""


@lru_cache(maxsize=4096)
def empty_object(at: Shape, depth: int = 0) -> Mapping[str, Any]:
    """Return what Go's empty struct of a built-in kind looks like in JSON (the same object each time: only to be read).

    Creating an object is tracked as a change from this value, so structs that are no pointers are never "added".
    """
    node = at.node
    if node is None or depth > 8:
        return {}
    out: dict[str, Any] = {}
    wire = wire_of(node.name)
    written = node.fields.keys() - wire.omitted if wire else set(node.required)
    for name, field in node.fields.items():
        below = at.field(name)
        if below is None:
            continue
        if field.default == {} and below.is_map and not below.is_list:
            out[name] = empty_object(below, depth + 1)
        elif name in written:
            out[name] = None if below.is_list or below.is_map else _ZERO.get(below.scalar)
    return out
