"""What a call costs when it runs.

Models cel-go/interpreter/runtimecost.go and k8s.io/apiserver/pkg/cel/library/cost.go.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

CHECK: Final = 350_000  # an authorization check: an expression may make two
_TEXT: Final = 0.1
_REGEX: Final = 0.25
_SIZELESS: Final = frozenset({int, float, bool, type(None)})


def spent(function: str, values: Sequence[Any]) -> int:
    """Return what a call costs, told before it is made."""
    cost = _COSTS.get(function)
    return cost(values) if cost else 1


def size(value: Any) -> int:
    """Return the size of a value as `size` counts, 1 for what has none."""
    if isinstance(value, str | bytes | list | dict):
        return len(value)
    return int(getattr(value, "size", 1))


def up(value: float) -> int:
    """Return a number rounded up."""
    return -int(-value // 1)


def _traversed(factor: float) -> Callable[[Sequence[Any]], int]:
    return lambda values: up(size(values[0]) * factor)


def _smaller(values: Sequence[Any]) -> int:
    if type(values[0]) in _SIZELESS or type(values[1]) in _SIZELESS:
        return 1
    return up(min(size(values[0]), size(values[1])) * _TEXT)


def _added(values: Sequence[Any]) -> int:
    return up((size(values[0]) + size(values[1])) * _TEXT) if isinstance(values[0], str | bytes) else 1


def _matched(values: Sequence[Any]) -> int:
    return up((1 + size(values[0])) * _TEXT) * up(size(values[1]) * _REGEX)


def _contained(values: Sequence[Any]) -> int:
    return up(size(values[0]) * _TEXT) * up(size(values[1]) * _TEXT)


def _whole(values: Sequence[Any]) -> int:
    return traversal(values[0])


def traversal(value: Any) -> int:
    """Return what it costs to go through all of a value."""
    if isinstance(value, str | bytes):
        return int(len(value) * _TEXT)
    if isinstance(value, list):
        return sum(map(traversal, value))
    if isinstance(value, dict):
        return sum(traversal(key) + traversal(one) for key, one in value.items())
    return 1


def _sets(values: Sequence[Any]) -> int:
    return 1 + size(values[0]) * size(values[1])


def _joined(values: Sequence[Any]) -> int:
    items, between = values[0], values[1] if len(values) > 1 else ""
    return up((sum(map(size, items)) + max(len(items) - 1, 0) * size(between)) * 2 * _TEXT)


def _within(extra: int) -> Callable[[Sequence[Any]], int]:
    def cost(values: Sequence[Any]) -> int:
        own, other = size(values[0]), values[1]
        masked = up(own * _TEXT) + 1 if extra else 0
        return up(2 * own * _TEXT) + masked + (up(len(other) * _TEXT) if isinstance(other, str) else 0)

    return cost


_COSTS: Final[Mapping[str, Callable[[Sequence[Any]], int]]] = {
    "check": lambda values: CHECK,
    **dict.fromkeys(("isSorted", "sum", "max", "min", "indexOf", "lastIndexOf"), _whole),
    **dict.fromkeys(("sort", "@sortByAssociatedKeys", "distinct"), lambda values: 2 * size(values[0]) ** 2),
    **dict.fromkeys(("reverse", "slice"), lambda values: size(values[0])),
    "flatten": lambda values: sum(map(size, values[0])),
    "lists.range": lambda values: 11 + max(values[0], 0),
    **dict.fromkeys(
        ("url", "isURL", "lowerAscii", "upperAscii", "substring", "trim", "cidr", "isIP", "isCIDR", "quantity", "isQuantity",
         "format", "semver", "isSemver", "validate", "jsonpatch.escapeKey", "strings.quote"),
        _traversed(_TEXT),
    ),
    **dict.fromkeys(("startsWith", "endsWith"), lambda values: up(size(values[1]) * _TEXT)),
    **dict.fromkeys(("replace", "split", "ip.isCanonical"), _traversed(2 * _TEXT)),
    "ip": lambda values: up(size(values[0]) * _TEXT) if isinstance(values[0], str) else 1,
    "join": _joined,
    **dict.fromkeys(("find", "findAll", "matches"), _matched),
    "contains": _contained,
    **dict.fromkeys(("_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_"), _smaller),
    "@in": lambda values: size(values[1]) if isinstance(values[1], list) else 1,
    "_+_": _added,
    **dict.fromkeys(("sets.contains", "sets.intersects", "sets.equivalent"), _sets),
    "containsIP": _within(0),
    "containsCIDR": _within(1),
}  # fmt: skip
