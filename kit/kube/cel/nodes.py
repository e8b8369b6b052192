"""The types of built-in kinds, read from their schema field by field as expressions name them.

Models k8s.io/apiserver/pkg/cel/openapi and pkg/cel/common/schemas.go.
"""

from __future__ import annotations

from kit.kube.cel.names import identifiers
from kit.kube.cel.types import DYN, FIELDS, FORMATS, SCHEMA_TYPES, STRING, Type
from kit.kube.schema import QUANTITY, Node


class Fields:
    """The fields of an object, each typed when it is asked for."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._known: dict[str, Type | None] = {}

    def get(self, name: str) -> Type | None:
        """Return a field's type, None when there is no such field an expression may name."""
        if name not in self._known:
            found = next((one for given, one in self._node.fields.items() if name in identifiers(given)), None)
            self._known[name] = None if found is None else of_node(found)
        return self._known[name]


def of_node(node: Node) -> Type | None:
    """Return the type of a place, None where expressions have none for it: quantities, and maps of them."""
    if node.int_or_string:
        return DYN
    if node.name == QUANTITY:
        return None
    if node.type == "array":
        return _holding("list", node.items)
    if node.values is not None:
        return _holding("map", node.values, STRING)
    if node.type == "object":
        return Type("object", (), {FIELDS: Fields(node)})
    if node.type == "string":
        return Type(FORMATS.get(node.format, "string"))
    return Type(SCHEMA_TYPES[node.type]) if node.type in SCHEMA_TYPES else DYN


def _holding(name: str, inner: Node | None, *keys: Type) -> Type | None:
    found = DYN if inner is None else of_node(inner)
    return None if found is None else Type(name, (*keys, found))
