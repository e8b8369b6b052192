"""A custom object made to fit its schema: nulls that may not be go, defaults come, unknown fields are left out.

Models apiextensions-apiserver/pkg/apiserver/schema/{defaulting,pruning}. Nothing given is changed.
"""

from __future__ import annotations

from typing import Any

from kit.kube import copies
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
            out[name] = fitted(copies.deep(field.default), field)
    return out
