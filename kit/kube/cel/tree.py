"""The syntax tree of an expression, as cel-go has it after its macros: literals, names, fields, calls, lists, maps, messages, folds.

Models cel-go/common/ast/expr.go. `place` is where in the text an error about the node points.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from kit.kube.cel.types import DYN, Type


@dataclass(slots=True, eq=False)
class Node:
    """A part of an expression; the checker writes its type."""

    place: int
    type: Type = field(default=DYN, kw_only=True)


@dataclass(slots=True, eq=False)
class Const(Node):
    """A literal."""

    value: Any


@dataclass(slots=True, eq=False)
class Name(Node):
    """A variable or the name of a type; a leading dot belongs to the name."""

    name: str


@dataclass(slots=True, eq=False)
class Select(Node):
    """A field; with `test` whether there is such a one (`has`)."""

    of: Node
    field: str
    test: bool = False


@dataclass(slots=True, eq=False)
class Call(Node):
    """A call, an operator too: `_+_`, `_[_]`, `_?._`."""

    function: str
    target: Node | None
    arguments: list[Node]


@dataclass(slots=True, eq=False)
class Items(Node):
    """A list; `optional` are the places of items that may be absent."""

    items: list[Node]
    optional: frozenset[int] = frozenset()


@dataclass(slots=True, eq=False)
class Entry:
    """A key or field name with its value; `place` is that of the colon."""

    key: Node | str
    value: Node
    optional: bool
    place: int


@dataclass(slots=True, eq=False)
class Entries(Node):
    """A map."""

    entries: list[Entry]


@dataclass(slots=True, eq=False)
class Message(Node):
    """An object of a named type."""

    name: str
    fields: list[Entry]


@dataclass(slots=True, eq=False)
class Fold(Node):
    """What all macros over lists and maps become: `accumulated` goes from `start` through `step` once for each item."""

    over: Node
    names: tuple[str, ...]
    accumulated: str
    start: Node
    condition: Node
    step: Node
    result: Node


def dotted(node: Node | None) -> str:
    """Return names and fields as one name with dots, "" when the node is something else."""
    if isinstance(node, Name):
        return node.name
    if isinstance(node, Select) and not node.test:
        before = dotted(node.of)
        return before and f"{before}.{node.field}"
    return ""
