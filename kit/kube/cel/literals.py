"""What can be told of calls with literals before they run: patterns, times and formats that can't be, conversions that fail.

Models cel-go/cel/validator.go, ext/formatting_v2.go (its validator) and interpreter/planner.go (conversions of constants).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from kit.kube.cel.functions import called
from kit.kube.cel.library.conversions import to_duration, to_timestamp
from kit.kube.cel.library.texts import Clause, clauses, expression, misfit
from kit.kube.cel.numbers import RunError
from kit.kube.cel.tree import Call, Const, Entries, Fold, Items, Message, Node, Select
from kit.kube.cel.types import DYN, Type
from kit.kube.cel.unifying import assignable, loosened

Fault = tuple[int, str]
_CHECKED: Final[Mapping[str, Callable[[Any], Any]]] = {
    "matches": expression,
    "duration": to_duration,
    "timestamp": to_timestamp,
}
_CONVERSIONS: Final = frozenset({"bool", "bytes", "double", "int", "string", "uint", "duration", "timestamp"})
_PATTERNS: Final = frozenset({"matches", "find", "findAll"})
_LONG: Final = {"timestamp": "google.protobuf.Timestamp", "duration": "google.protobuf.Duration"}


def children(node: Node) -> Sequence[Node]:
    """Return the nodes a node is made of."""
    match node:
        case Call():
            return [*([node.target] if node.target else []), *node.arguments]
        case Select():
            return [node.of]
        case Items():
            return node.items
        case Entries():
            return [part for one in node.entries for part in (one.key, one.value) if isinstance(part, Node)]
        case Message():
            return [one.value for one in node.fields]
        case Fold():
            return [node.over, node.start, node.condition, node.step, node.result]
    return ()


def nodes(tree: Node) -> Iterator[Node]:
    """Return all nodes of a tree."""
    left = [tree]
    while left:
        node = left.pop()
        yield node
        left += children(node)


def faults(tree: Node) -> list[Fault]:
    """Return what is wrong with literals, each with its place."""
    out: list[Fault] = list(_mixed(tree, free=False))
    for node in nodes(tree):
        if isinstance(node, Call):
            out += _literal(node)
            if node.function == "format":
                out += _format(node)
    return sorted(out)


def _mixed(node: Node, *, free: bool) -> Iterator[Fault]:
    """Return the items that are of another type than those before; what `format` takes is free."""
    match node:
        case Items() if not free:
            yield from _alike(
                [
                    (one, one.type.of[0] if index in node.optional and one.type.of else one.type)
                    for index, one in enumerate(node.items)
                ]
            )
        case Entries() if not free:
            yield from _alike([(one.key, one.key.type) for one in node.entries if isinstance(one.key, Node)])
            yield from _alike([(one.value, one.value.type) for one in node.entries if not one.optional])
    free = (isinstance(node, Call) and node.function == "format") or (free and isinstance(node, Items | Entries))
    for one in children(node):
        yield from _mixed(one, free=free)


def _alike(parts: Sequence[tuple[Node, Type]]) -> Iterator[Fault]:
    for node, found in parts[1:]:
        wanted = parts[0][1]
        if not assignable({}, wanted, found):
            yield node.place, f"expected type '{loosened(wanted)}' but found '{loosened(found)}'"
            return


def _literal(call: Call) -> Iterator[Fault]:
    check = _CHECKED.get(call.function)
    argument = call.arguments[-1] if call.arguments else None
    if check is None or not isinstance(argument, Const) or not isinstance(argument.value, str | int):
        return
    try:
        check(argument.value)
    except RunError:
        yield argument.place, f"invalid {call.function} argument"


def _format(call: Call) -> Iterator[Fault]:
    given = call.arguments[0]
    if not isinstance(call.target, Const) or not isinstance(given, Items):
        return
    index = 0
    try:
        for clause in clauses(str(call.target.value)):
            if not isinstance(clause, Clause):
                continue
            if index >= len(given.items):
                yield call.place, f"index {index} out of range"
                return
            yield from _clause(clause, given.items[index])
            index += 1
    except RunError as error:
        yield call.place, str(error)
        return
    if index < len(given.items):
        yield call.place, f"too many arguments supplied to string.format (expected {index}, got {len(given.items)})"


def _clause(clause: Clause, item: Node) -> Iterator[Fault]:
    name = _LONG.get(item.type.name, item.type.name)
    wrong = "" if item.type == DYN or item.type.free else misfit(clause, name)
    if wrong:
        yield item.place, wrong


def failing(tree: Node) -> str:
    """Return why a conversion or a pattern of constants fails, "" when none does."""
    for node in nodes(tree):
        if not isinstance(node, Call) or not node.arguments:
            continue
        try:
            if node.function in _CONVERSIONS and node.target is None:
                called(node.function, [constant(node.arguments[0])])
            elif node.function in _PATTERNS:
                expression(str(constant(node.arguments[0 if node.target else -1])))
        except _NoConstant:
            continue
        except RunError as error:
            return str(error)
    return ""


class _NoConstant(Exception):
    """A node whose value is known only when it runs."""


def constant(node: Node) -> Any:
    """Return the value of a literal, or a list of them."""
    match node:
        case Const():
            return node.value
        case Call(function="dyn"):
            return constant(node.arguments[0])
        case Items() if not node.optional:
            return [constant(one) for one in node.items]
    raise _NoConstant
