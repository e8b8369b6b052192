"""What Go's converter of unstructured objects says of a value that its type can't take: after a strategic merge patch.

Models k8s.io/apimachinery/pkg/runtime/converter.go (fromUnstructured); leaves with a decoder of their own go through JSON.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from kit.kube import misfits
from kit.kube.schema import Node

_KINDS: Final = (
    (bool, "bool"),
    (str, "string"),
    (int, "int64"),
    (float, "float64"),
    (list, "slice"),
    (dict, "map"),
)
_WHOLE: Final = {"int32": "int32", "int64": "int64", "": "int64"}


def misfit(value: Any, node: Node) -> str:
    """Return the words about the first value that does not fit, or ""."""
    return "" if value is None else _way(node)(value, node)


@lru_cache(maxsize=8192)
def _way(node: Node) -> Callable[[Any, Node], str]:
    """Return what checks a place's values: asked for every value of every patched object."""
    if node.open:
        return _anything
    if node.int_or_string or misfits.is_leaf(node):
        return _leaf
    if node.items or node.format == "byte":
        return _slice
    if node.fields or node.values:
        return _members
    return _text if node.type == "string" else _scalar


def _anything(value: Any, node: Node) -> str:
    return ""


def _text(value: Any, node: Node) -> str:
    return "" if isinstance(value, str) else _scalar(value, node)


def _kind(value: Any) -> str:
    return next(word for kind, word in _KINDS if isinstance(value, kind))


def _leaf(value: Any, node: Node) -> str:
    """Return the words of a type's own decoder, which does not know where it stands."""
    text = misfits.type_error(value, node)
    head, said, rest = text.partition(" into Go struct field ")
    return f"{head} into Go value of type {rest.partition(' of type ')[2]}" if said else text


def _slice(value: Any, node: Node) -> str:
    if node.format == "byte" and isinstance(value, str):
        text = misfits.type_error(value, node)
        return f"error decoding from json: {text}" if text else ""
    if not isinstance(value, list) or node.items is None:
        return f"cannot restore slice from {_kind(value)}"
    return next((text for item in value if (text := misfit(item, node.items))), "")


def _members(value: Any, node: Node) -> str:
    if not isinstance(value, dict):
        return (
            f"cannot restore struct from: {_kind(value)}" if node.fields else f"cannot restore map from {_kind(value)}"
        )
    fields, values, found = node.fields, node.values, dict[str, str]()
    for key, item in value.items():
        child = fields.get(key) or values
        if child is not None and (text := misfit(item, child)):
            found[key] = text
    return next((found[key] for key in (*fields, *value) if key in found), "") if found else ""  # in the schema's order


def _scalar(value: Any, node: Node) -> str:
    """Return "" for a value that Go converts: between numbers only whole ones, and nothing becomes a text."""
    wanted = {"boolean": "bool", "number": "float64", "integer": _WHOLE.get(node.format, "int64")}.get(
        node.type, node.type
    )
    kind = _kind(value)
    if kind == wanted or (kind == "int64" and wanted in {"int32", "float64"}):
        return misfits.type_error(value, node)
    if kind == "float64" and wanted in {"int32", "int64"}:
        whole = value.is_integer() and -(2**31 if wanted == "int32" else 2**63) <= value < 2**63
        return "" if whole else f"cannot convert float64 to {wanted}"
    return "cannot convert int64 to string" if (kind, wanted) == ("int64", "string") else f"unrecognized type: {wanted}"
