"""A custom object made to fit its schema: nulls that may not be go, defaults come, unknown fields are left out.

Models apiextensions-apiserver/pkg/apiserver/schema/{defaulting,pruning}. Nothing given is changed.
"""

from __future__ import annotations

from typing import Any

from kit.kube.decoding import prune
from kit.kube.schema import MISSING, OBJECT_META, Node


def fitted(value: Any, node: Node) -> Any:
    """Return the value with defaults and without what its schema does not know."""
    if isinstance(value, list):
        items = node.items
        return [fitted(item, items) for item in value] if items else value
    if not isinstance(value, dict) or node.int_or_string:
        return value
    if node.name == OBJECT_META:
        return prune(value, node)
    out = {}
    for name, item in value.items():
        child = node.child(name)
        if child is None:
            if node.open:
                out[name] = item
        elif item is not None or child.nullable:
            out[name] = fitted(item, child)
    for name, field in node.fields.items():
        if field.default is not MISSING and name not in out:
            out[name] = fitted(_copy(field.default), field)
    return out


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list) else value


def in_order(value: Any) -> Any:
    """Return the value with the keys of all its maps sorted, as Go writes what it has no type for."""
    if isinstance(value, dict):
        return {key: in_order(value[key]) for key in sorted(value)}
    return [in_order(item) for item in value] if isinstance(value, list) else value
