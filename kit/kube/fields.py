"""Sets of field paths in the very form metadata.managedFields keeps them (FieldsV1), and their algebra.

    {"f:spec": {"f:replicas": {}, "f:ports": {".": {}, 'k:{"port":80}': {".": {}, "f:port": {}}}}}

A node that is empty or has "." is itself a member of the set. Sets are never changed in place, results share their parts.
Models sigs.k8s.io/structured-merge-diff/fieldpath (set.go, element.go, serialize.go, path.go).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from kit.kube.gotext import go_quoted, plain
from kit.kube.shapes import Shape

FieldSet = dict[str, Any]
"""A set of paths; at the top {} is the empty set, below it a path that is in the set."""

_DOT: FieldSet = {}
_RANK = {"f": 0, "k": 1, "v": 2, "i": 3}


def _member(node: FieldSet) -> bool:
    return not node or "." in node


def _below(node: FieldSet) -> FieldSet:
    if "." in node:
        return {k: v for k, v in node.items() if k != "."}
    return node


def _put(out: FieldSet, element: str, member: bool, below: FieldSet) -> None:
    if below:
        out[element] = {".": _DOT, **below} if member else below
    elif member:
        out[element] = {}


def union(a: FieldSet, b: FieldSet) -> FieldSet:
    """Return the paths that are in either set."""
    if not a or not b:
        return a or b
    out = dict(a)
    for element, right in b.items():
        left = out.get(element)
        if left is None:
            out[element] = right
        elif left is not right and element != ".":
            _put(out, element, _member(left) or _member(right), union(_below(left), _below(right)))
    return out


def difference(a: FieldSet, b: FieldSet) -> FieldSet:
    """Return the paths of a that are not in b; paths below those of b stay."""
    if not b or not a:
        return a
    out = a
    for element, right in b.items():
        left = a.get(element)
        if left is None:
            continue
        member, before = _member(left) and not _member(right), _below(left)
        below = difference(before, _below(right)) if element != "." else {}
        if below is before and below and member == _member(left):
            continue
        if out is a:
            out = dict(a)
        if (member or below) and element != ".":
            _put(out, element, member, below)
        else:
            del out[element]
    return out


def recursive_difference(a: FieldSet, b: FieldSet) -> FieldSet:
    """Return the paths of a that are neither in b nor below a path of b."""
    out: FieldSet = {}
    for element, left in a.items():
        right = b.get(element)
        if right is None:
            out[element] = left
        elif element != "." and not _member(right):
            _put(out, element, _member(left), recursive_difference(_below(left), _below(right)))
    return out


def intersection(a: FieldSet, b: FieldSet) -> FieldSet:
    """Return the paths that are in both sets."""
    out: FieldSet = {}
    for element, left in a.items():
        right = b.get(element)
        if right is not None and element != ".":
            _put(out, element, _member(left) and _member(right), intersection(_below(left), _below(right)))
    return out


def leaves(a: FieldSet) -> FieldSet:
    """Return the paths that have none below them."""
    out: FieldSet = {}
    for element, node in a.items():
        if element != ".":
            below = leaves(_below(node))
            _put(out, element, not below, below)
    return out


def named_members(a: FieldSet, at: Shape | None) -> FieldSet:
    """Return the set with every named field on the way to a path added (EnsureNamedFieldsAreMembers)."""
    out: FieldSet = {}
    for element, node in a.items():
        if element == ".":
            continue
        if not node:
            out[element] = node
            continue
        kind, name = element[0], element[2:]
        child = None if at is None else at.field(name) if kind == "f" else at.item()
        named = kind == "f" and at is not None and at.has(name)
        _put(out, element, _member(node) or named, named_members(node, child))
    return out


def has(a: FieldSet, path: tuple[str, ...]) -> bool:
    """Return whether the path, a tuple of FieldsV1 names, is in the set."""
    node: FieldSet | None = a
    for element in path:
        node = node.get(element) if node else None
        if node is None:
            return False
    return bool(path) and node is not None and _member(node)


def ordered(a: FieldSet) -> FieldSet:
    """Return the set with its names in the order the API server writes them."""
    if len(a) < 2:
        return {k: ordered(v) if v else v for k, v in a.items()}
    names = sorted(a)
    if names[-1] >= "g":  # more than the dot and names of fields, whose order is that of their letters
        names.sort(key=_order)
    return {k: ordered(a[k]) if a[k] else a[k] for k in names}


def paths(a: FieldSet, prefix: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield every path of the set: of each node first its own members, then what is below them."""
    elements = [e for e in sorted(a, key=_order) if e != "."]
    for element in elements:
        if _member(a[element]):
            yield (*prefix, element)
    for element in elements:
        yield from paths(_below(a[element]), (*prefix, element))


def path_text(path: tuple[str, ...]) -> str:
    """Return the path as messages print it: .spec.containers[name="a"].image."""
    return "".join(element_text(e) for e in path)


def element_text(element: str) -> str:
    """Return one FieldsV1 name as messages print it."""
    kind, text = element[0], element[2:]
    if kind == "f":
        return f".{text}"
    if kind == "i":
        return f"[{text}]"
    value = json.loads(text)
    if kind == "v":
        return f"[={_value_text(value)}]"
    return "[" + ",".join(f"{k}={_value_text(v)}" for k, v in value.items()) + "]"


def _value_text(value: Any) -> str:
    if isinstance(value, str):
        return go_quoted(value)
    return "null" if value is None else plain(value)


@lru_cache(maxsize=8192)
def _order(element: str) -> tuple[Any, ...]:
    if element == ".":
        return (-1,)
    kind, text = element[0], element[2:]
    if kind == "f":
        return (0, text)
    try:
        value = json.loads(text)
    except ValueError:
        return (_RANK.get(kind, 4), ((9, text),))
    pairs = value.items() if kind == "k" and isinstance(value, Mapping) else [("", value)]
    return (_RANK.get(kind, 4), *((k, *_value_order(v)) for k, v in pairs))


def _value_order(value: Any) -> tuple[int, Any]:
    if isinstance(value, bool):
        return (2, value)
    if isinstance(value, int | float):
        return (0, value)
    return (1, value) if isinstance(value, str) else (3, json.dumps(value))


def valid(a: Any) -> bool:
    """Return whether a document is FieldsV1: nested objects whose names are f:, k:, v:, i: or a dot."""
    if not isinstance(a, Mapping):
        return False
    return all(k == "." or (k[1:2] == ":" and k[0] in _RANK and _readable(k) and valid(v)) for k, v in a.items())


def _readable(element: str) -> bool:
    if element[0] == "f":
        return True
    try:
        value = json.loads(element[2:])
    except ValueError:
        return False
    return isinstance(value, {"k": dict, "i": int}.get(element[0], object))
