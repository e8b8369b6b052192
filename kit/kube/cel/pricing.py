"""What calls cost at most, and how large their results may be.

Models k8s.io/apiserver/pkg/cel/library/cost.go and cel-go/checker/cost.go (functionCost).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from kit.kube.cel.costs import CHECK
from kit.kube.cel.ranges import ONE, UNKNOWN, Range, capped
from kit.kube.cel.tree import Call, Const, Node

if TYPE_CHECKING:
    from kit.kube.cel.estimating import Estimator

_TEXT: Final = 0.1
_REGEX: Final = 0.25
Rule = Callable[["Estimator", Call], tuple[Range, Range | None]]


def _of(node: Call) -> Node:
    return node.target if node.target is not None else node.arguments[0]


def _walked(factor: float, *, same: bool = False) -> Rule:
    """Return the rule of what goes through its text once or more; with `same` the result is as long."""

    def rule(by: Estimator, node: Call) -> tuple[Range, Range | None]:
        size = by.size(_of(node))
        return size.scaled(factor), size if same else None

    return rule


def _fixed(cost: int) -> Rule:
    return lambda by, node: (Range(cost, cost), None)


def _list(by: Estimator, node: Call) -> tuple[Range, Range | None]:
    of = _of(node)
    if of.type.name != "list":
        return by.size(of).scaled(_TEXT), None
    one = ONE
    if of.type.of and of.type.of[0].name in {"string", "bytes"}:
        one = one.plus(by.element(of).scaled(_TEXT))
    return by.size(of).times(one), None


def _matched(by: Estimator, node: Call) -> tuple[Range, Range | None]:
    text, regex = (node.target, node.arguments[0]) if node.target is not None else node.arguments
    cost = by.size(text).plus(ONE).scaled(_TEXT).times(by.size(regex).scaled(_REGEX))
    return cost, None if node.function == "matches" else Range(0, by.size(text).high)


def _contained(by: Estimator, node: Call) -> tuple[Range, Range | None]:
    return by.size(_of(node)).scaled(_TEXT).times(by.size(node.arguments[0]).scaled(_TEXT)), None


def _compared(by: Estimator, node: Call) -> tuple[Range, Range | None]:
    one, other = node.arguments
    if node.function not in {"_==_", "_!=_"} and not {one.type.name, other.type.name} <= {"string", "bytes", "dyn"}:
        return ONE, None
    most = min(by.size(one).high, by.size(other).high)
    return Range(min(most, 1), most).scaled(_TEXT), None


def _added(by: Estimator, node: Call) -> tuple[Range, Range | None]:
    one, other = node.arguments
    kinds = {one.type.name, other.type.name}
    if not kinds & {"string", "bytes", "list", "dyn"}:
        return ONE, None
    size = by.size(one).plus(by.size(other))
    by.joined_inner(node)
    return (ONE if "list" in kinds else size.scaled(_TEXT)), size


def _contains(by: Estimator, node: Call) -> tuple[Range, Range | None]:
    return (ONE if node.arguments[1].type.name == "map" else by.size(node.arguments[1])), None


def _replaced(by: Estimator, node: Call) -> tuple[Range, Range | None]:
    """Return the cost of `replace`, and the longest and shortest text it may give."""
    text, old, new = by.size(_of(node)), by.size(node.arguments[0]), by.size(node.arguments[1])
    count, kept = [0, 0], [0, 0]
    for index, (least, other, whole) in enumerate(((old.high, new.low, text.low), (old.low, new.high, text.high))):
        if least == 0:
            count[index], kept[index] = capped(whole + 1), whole
        elif (least <= other) if index == 0 else (other <= least):
            kept[index] = whole
        else:
            count[index] = -(-whole // least)
    size = Range(count[0], count[1]).times(new).plus(Range(kept[0], kept[1]))
    return text.scaled(2 * _TEXT), size


def _split(by: Estimator, node: Call) -> tuple[Range, Range | None]:
    text = by.size(_of(node))
    limit = node.arguments[1] if len(node.arguments) > 1 else None
    most = limit.value % 2**64 if isinstance(limit, Const) and isinstance(limit.value, int) else text.high
    return text.scaled(2 * _TEXT), Range(0, most)


def _joined(by: Estimator, node: Call) -> tuple[Range, Range | None]:
    of = _of(node)
    count = by.size(of)
    size = count.times(by.element(of))
    if node.arguments:
        between = Range(max(count.low - 1, 0), max(count.high - 1, 0))
        size = size.plus(by.size(node.arguments[0]).times(between))
    return size.scaled(_TEXT), size


def _sets(by: Estimator, node: Call) -> tuple[Range, Range | None]:
    one, other = node.arguments
    return by.size(one).times(by.size(other)).scaled(1), None


def _within(extra: bool) -> Rule:
    def rule(by: Estimator, node: Call) -> tuple[Range, Range | None]:
        size, other = Range(4, 16), node.arguments[0]
        cost = size.plus(size).scaled(_TEXT)
        if extra:
            cost = cost.plus(size.scaled(_TEXT)).plus(ONE)
        return (cost.plus(by.size(other).scaled(_TEXT)) if other.type.name == "string" else cost), None

    return rule


def _distinct(by: Estimator, node: Call) -> tuple[Range, Range | None]:
    size = by.size(_of(node))
    return size.times(size).scaled(2), size


def _sorted(by: Estimator, node: Call) -> tuple[Range, Range | None]:
    size, keys = by.size(_of(node)), node.arguments[0] if node.arguments else _of(node)
    texts = bool(keys.type.of) and keys.type.of[0].name in {"string", "bytes"}
    return size.times(size).scaled(2 + (_TEXT if texts else 0)), size


def _listed(by: Estimator, node: Call) -> tuple[Range, Range | None]:
    size = by.size(_of(node))
    return size, size


def _sliced(by: Estimator, node: Call) -> tuple[Range, Range | None]:
    start, end = node.arguments
    if isinstance(start, Const) and isinstance(end, Const):
        size = Range(max(end.value - start.value, 0), max(end.value - start.value, 0))
        return Range(11, 11).plus(size), size
    return _listed(by, node)


def _ranged(by: Estimator, node: Call) -> tuple[Range, Range | None]:
    end = node.arguments[0]
    size = Range(max(end.value, 0), max(end.value, 0)) if isinstance(end, Const) else UNKNOWN
    return Range(11, 11).plus(size), size


def _encoded(by: Estimator, node: Call) -> tuple[Range, Range | None]:
    of = node.arguments[0]
    size = by.size(of)
    if of.type.name not in {"string", "bytes"} or of.type.name == node.function:
        return ONE, None
    return size.scaled(_TEXT), Range(size.low, size.high * 4) if node.function == "bytes" else Range(
        size.low // 4, size.high
    )


def _quoted(by: Estimator, node: Call) -> tuple[Range, Range | None]:
    size = by.size(node.arguments[0])
    return size.scaled(_TEXT), Range(size.low + 2, capped(size.high * 2 + 2))


def _validated(by: Estimator, node: Call) -> tuple[Range, Range | None]:
    return by.size(node.arguments[0]).scaled(_TEXT).scaled(128 * _REGEX), None


def _formatted(by: Estimator, node: Call) -> tuple[Range, Range | None]:
    size = by.size(_of(node))
    return size.scaled(_TEXT), None


FUNCTIONS: Final[Mapping[str, Rule]] = {
    "check": _fixed(CHECK),
    **dict.fromkeys(("isSorted", "sum", "max", "min", "indexOf", "lastIndexOf"), _list),
    **dict.fromkeys(("url", "cidr", "isIP", "isCIDR", "quantity", "isQuantity", "semver", "isSemver"), _walked(_TEXT)),
    **dict.fromkeys(("lowerAscii", "upperAscii", "substring", "trim"), _walked(_TEXT, same=True)),
    "replace": _replaced,
    "split": _split,
    "join": _joined,
    **dict.fromkeys(("find", "findAll", "matches"), _matched),
    "contains": _contained,
    **dict.fromkeys(("startsWith", "endsWith"), lambda by, node: (by.size(node.arguments[0]).scaled(_TEXT), None)),
    "ip": lambda by, node: (ONE if node.target else by.size(node.arguments[0]).scaled(_TEXT), None),
    "ip.isCanonical": _walked(2 * _TEXT),
    "containsIP": _within(extra=False),
    "containsCIDR": _within(extra=True),
    **dict.fromkeys(("_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_"), _compared),
    "_+_": _added,
    "@in": _contains,
    **dict.fromkeys(("sets.contains", "sets.intersects", "sets.equivalent"), _sets),
    "format": _formatted,
    "distinct": _distinct,
    **dict.fromkeys(("sort", "@sortByAssociatedKeys"), _sorted),
    **dict.fromkeys(("reverse", "flatten"), _listed),
    "slice": _sliced,
    "lists.range": _ranged,
    **dict.fromkeys(("bytes", "string"), _encoded),
    "strings.quote": _quoted,
    "validate": _validated,
}
