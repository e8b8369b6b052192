"""Lists and sets.

Models k8s.io/apiserver/pkg/cel/library/lists.go and cel-go/ext/{lists,sets}.go.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cmp_to_key, reduce
from itertools import pairwise
from typing import Any, Final

from kit.kube.cel.library.operators import add, contains
from kit.kube.cel.numbers import NONE, Optional, RunError, equal, ordered


def _sorted(items: list[Any]) -> bool:
    return all(ordered(one, other) <= 0 for one, other in pairwise(items))


def _most(name: str, sign: int) -> Callable[[list[Any]], Any]:
    def most(items: list[Any]) -> Any:
        if not items:
            raise RunError(f"{name} called on empty list")
        return reduce(lambda one, other: other if _further(one, other, sign) else one, items)

    return most


def _further(one: Any, other: Any, sign: int) -> bool:
    try:
        return ordered(other, one) * sign > 0
    except RunError:
        return False


def index_of(items: Any, item: Any, start: int = 0) -> int:
    """Return where an item, or a text in another, is first found; -1 when it is not."""
    if isinstance(items, str):
        if start < 0:
            raise RunError(f"index out of range: {start}")
        if not item:
            return min(start, len(items))
        return items.find(item, start)
    return next((index for index, one in enumerate(items) if equal(one, item)), -1)


def last_index_of(items: Any, item: Any, start: int | None = None) -> int:
    """Return where an item, or a text in another, is last found; -1 when it is not."""
    if isinstance(items, str):
        if start is not None and start < 0:
            raise RunError(f"index out of range: {start}")
        if start is not None and start > len(items):
            return -1
        return items.rfind(item) if start is None else items.rfind(item, 0, start + len(item))
    return next((index for index in range(len(items) - 1, -1, -1) if equal(items[index], item)), -1)


def _slice(items: list[Any], start: int, end: int) -> list[Any]:
    if start < 0 or end < 0:
        raise RunError(f"cannot slice({start}, {end}), negative indexes not supported")
    if start > end:
        raise RunError(f"cannot slice({start}, {end}), start index must be less than or equal to end index")
    if end > len(items):
        raise RunError(f"cannot slice({start}, {end}), list is length {len(items)}")
    return items[start:end]


def flatten(items: list[Any], depth: int = 1) -> list[Any]:
    """Return a list with the items of the lists in it."""
    if depth < 0:
        raise RunError("level must be non-negative")
    out: list[Any] = []
    for one in items:
        out += flatten(one, depth - 1) if isinstance(one, list) and depth > 0 else [one]
    return out


def _distinct(items: list[Any]) -> list[Any]:
    out: list[Any] = []
    for one in items:
        if not contains(one, out):
            out.append(one)
    return out


def _by(items: list[Any], keys: list[Any]) -> list[Any]:
    if len(set(map(type, keys))) > 1:
        raise RunError("list elements must have the same type")
    order = sorted(range(len(items)), key=lambda index: cmp_to_key(ordered)(keys[index]))
    return [items[index] for index in order]


def _range(end: int) -> list[int]:
    if end < 0:
        raise RunError(f"lists.range: size must be non-negative, got {end}")
    if end > 10_000:
        raise RunError("operation cancelled: actual cost limit exceeded")
    return list(range(end))


def _all_in(one: list[Any], other: list[Any]) -> bool:
    return all(contains(item, one) for item in other)


FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    "isSorted": _sorted,
    "sum": lambda items: reduce(add, items) if items else 0,
    "min": _most("min", -1),
    "max": _most("max", 1),
    "indexOf": index_of,
    "lastIndexOf": last_index_of,
    "slice": _slice,
    "flatten": flatten,
    "sort": lambda items: _by(items, items),
    "@sortByAssociatedKeys": _by,
    "distinct": _distinct,
    "reverse": lambda items: items[::-1],
    "lists.range": _range,
    "first": lambda items: Optional(items[0]) if items else NONE,
    "last": lambda items: Optional(items[-1]) if items else NONE,
    "sets.contains": _all_in,
    "sets.equivalent": lambda one, other: _all_in(one, other) and _all_in(other, one),
    "sets.intersects": lambda one, other: any(contains(item, one) for item in other),
}
