"""Checks an expression's types before it is run, and words what does not fit as cel-go does.

Models cel-go/checker/{checker,errors}.go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from kit.kube.cel import types
from kit.kube.cel.numbers import Uint
from kit.kube.cel.parsing import located
from kit.kube.cel.signatures import ONLY_MUTATING, overloads
from kit.kube.cel.signatures import known as declared
from kit.kube.cel.tree import Call, Const, Entries, Entry, Fold, Items, Message, Name, Node, Select, dotted
from kit.kube.cel.types import BOOL, DYN, ERROR, OPTIONAL, STRING, Type
from kit.kube.cel.unifying import Known, assignable, fresh, most_general, resolved

LITERALS: Final[Mapping[type, str]] = {
    bool: "bool", Uint: "uint", int: "int", float: "double", str: "string", bytes: "bytes", type(None): "null_type",
}  # fmt: skip
NAMED_TYPES: Final = frozenset(
    [
        "bool", "bytes", "double", "int", "list", "map", "null_type", "string", "type", "uint", "optional_type",
        "google.protobuf.Timestamp", "google.protobuf.Duration",
    ]
)  # fmt: skip
WELL_KNOWN: Final[Mapping[str, tuple[str, Mapping[str, str]]]] = {
    "google.protobuf.Timestamp": ("timestamp", {"seconds": "int", "nanos": "int"}),
    "google.protobuf.Duration": ("duration", {"seconds": "int", "nanos": "int"}),
    **{
        f"google.protobuf.{name}Value": (kind, {"value": kind})
        for name, kind in (
            ("Bool", "bool"), ("Bytes", "bytes"), ("Double", "double"), ("Float", "double"), ("Int32", "int"),
            ("Int64", "int"), ("String", "string"), ("UInt32", "uint"), ("UInt64", "uint"),
        )
    },
}  # fmt: skip


class Checker:
    """One check of one expression; `errors` are collected by place."""

    extra: frozenset[str] = frozenset()  # functions that not all expressions may call

    def __init__(self, text: str, variables: Mapping[str, Type]) -> None:
        self.text = text
        self.faults: list[tuple[int, str]] = []
        self._scopes: list[Mapping[str, Type]] = [variables]
        self._known: Known = {}
        self._count = 0

    @property
    def errors(self) -> list[str]:
        """Return what does not fit, in the order of the text."""
        return [located(self.text, *one) for one in sorted(self.faults, key=lambda one: one[0])]

    def type_of(self, node: Node) -> Type:
        """Return the type of a node, and write it there."""
        node.type = _CHECKS[type(node)](self, node)
        return node.type

    def settle(self, node: Node) -> Type:
        """Return a node's type with all that became known after it."""
        return resolved(self._known, node.type, loose=True)

    def _fail(self, place: int, message: str) -> Type:
        self.faults.append((place, message))
        return ERROR

    def _fits(self, given: Sequence[Type], wanted: Sequence[Type]) -> bool:
        trial = dict(self._known)
        good = len(given) == len(wanted) and all(assignable(trial, *pair) for pair in zip(given, wanted, strict=True))
        if good:
            self._known = trial
        return good

    def _unknown(self) -> Type:
        self._count += 1
        return Type(f"_v{self._count}")

    def _assert(self, node: Node, wanted: Type) -> bool:
        if self._fits([node.type], [wanted]):
            return True
        known = resolved(self._known, wanted, loose=True)
        self._fail(node.place, f"expected type '{known}' but found '{resolved(self._known, node.type, loose=True)}'")
        return False

    # --- calls ---

    def _call(self, node: Call) -> Type:
        if node.function == "_?._":
            return self._optional_field(node)
        for one in node.arguments:
            self.type_of(one)
        if node.target is None:
            return self._resolved(node) if self._declared(node.function) else self._undeclared(node)
        prefix = dotted(node.target)
        full = f"{prefix}.{node.function}"
        if prefix and self._declared(full):
            node.function, node.target = full, None
            return self._resolved(node)
        self.type_of(node.target)
        return self._resolved(node) if self._declared(node.function) else self._undeclared(node)

    def _declared(self, name: str) -> bool:
        return declared(name) and (name not in ONLY_MUTATING or name in self.extra)

    def _undeclared(self, node: Call) -> Type:
        return self._fail(node.place, f"undeclared reference to '{node.function}' (in container '')")

    def _resolved(self, node: Call) -> Type:
        """Return what a call gives: `dyn` where several overloads could be meant."""
        if node.function in {"_&&_", "_||_"}:
            good = [self._assert(one, BOOL) for one in node.arguments]
            return BOOL if all(good) else ERROR
        given = [one.type for one in ([node.target] if node.target else []) + node.arguments]
        result: Type | None = None
        for overload in overloads(node.function):
            if (overload.receiver is None) != (node.target is None):
                continue
            self._count += 1
            wanted = [fresh(one, str(self._count)) for one in overload.taken]
            if self._fits(given, wanted):
                found = resolved(self._known, fresh(overload.result, str(self._count)))
                result = found if result is None else result if result in {DYN, found} else DYN
        if result is None:
            shown = [str(resolved(self._known, one, loose=True)) for one in given]
            head = f"{shown.pop(0)}." if node.target else ""
            applied = f"{head}({', '.join(shown)})"
            return self._fail(node.place, f"found no matching overload for '{node.function}' applied to '{applied}'")
        return result

    # --- fields ---

    def _select(self, node: Select) -> Type:
        name = dotted(node)
        found = name and self._lookup(name)
        if found:
            return found
        of = self._field(node, self.type_of(node.of), node.field)
        return BOOL if node.test else resolved(self._known, of)

    def _optional_field(self, node: Call) -> Type:
        of, name = node.arguments
        name.type = STRING
        found = self._field(node, self.type_of(of), str(name.value) if isinstance(name, Const) else "")
        return found if found.name == OPTIONAL else Type(OPTIONAL, (found,))

    def _field(self, node: Node, operand: Type, name: str) -> Type:
        of = resolved(self._known, operand)
        optional = of.name == OPTIONAL
        if optional:
            of = of.of[0]
        found = self._field_of(node, of, name)
        return Type(OPTIONAL, (found,)) if optional else found

    def _field_of(self, node: Node, of: Type, name: str) -> Type:
        if of.name == "map":
            return of.of[1]
        if of.name == "object":
            inner = types.field(of, name)
            return self._fail(node.place, f"undefined field '{name}'") if inner is None else inner
        if of.free:
            self._fits([DYN], [of])
        elif of.name.startswith("kubernetes."):
            return self._fail(node.place, f"unexpected failed resolution of '{of}'")
        elif of not in {DYN, ERROR}:
            self._fail(node.place, f"type '{of}' does not support field selection")
        return DYN

    # --- folds ---

    def _fold(self, node: Fold) -> Type:
        self.type_of(node.over)
        accumulated = self.type_of(node.start)
        over = resolved(self._known, node.over.type)
        names: dict[str, Type] = dict(zip(node.names, self._ranged(node, over), strict=False))
        self._scopes.append({node.accumulated: accumulated})
        self._scopes.append(names)
        self.type_of(node.condition)
        self._assert(node.condition, BOOL)
        self.type_of(node.step)
        self._assert(node.step, accumulated)
        self._scopes.pop()
        self.type_of(node.result)
        self._scopes.pop()
        return resolved(self._known, node.result.type)

    def _ranged(self, node: Fold, over: Type) -> tuple[Type, ...]:
        """Return the types of a fold's variables."""
        if over.name == "list":
            return over.of if len(node.names) == 1 else (types.INT, over.of[0])
        if over.name == "map":
            return over.of[: len(node.names)]
        if over.free:
            self._fits([DYN], [over])
        elif over not in {DYN, ERROR}:
            shown = f"expression of type '{over}' cannot be range of a comprehension (must be list, map, or dynamic)"
            self._fail(node.over.place, shown)
            return (ERROR, ERROR)
        return (DYN, DYN)

    # --- names and literals ---

    def _name(self, node: Name) -> Type:
        found = self._lookup(node.name)
        return found or self._fail(node.place, f"undeclared reference to '{node.name}' (in container '')")

    def _lookup(self, name: str) -> Type | None:
        name = name.removeprefix(".") if name.removeprefix(".") in self._scopes[0] else name
        for scope in reversed(self._scopes):
            if name in scope:
                return scope[name]
        return Type("type") if name in NAMED_TYPES else None

    def _literal(self, node: Const) -> Type:
        return Type(LITERALS[type(node.value)])

    def _items(self, node: Items) -> Type:
        parts = ((one, index in node.optional) for index, one in enumerate(node.items))
        return Type("list", (self._common(parts),))

    def _entries(self, node: Entries) -> Type:
        keys = self._common((one.key, False) for one in node.entries if isinstance(one.key, Node))
        return Type("map", (keys, self._common((one.value, one.optional) for one in node.entries)))

    def _common(self, parts: Iterable[tuple[Node, bool]]) -> Type:
        """Return the type all parts have."""
        common: Type | None = None
        for node, optional in parts:
            found = self.type_of(node)
            if optional:
                found = self._unwrapped(node, found)
            common = found if common is None else self._joined(common, found)
        return self._unknown() if common is None else common

    def _joined(self, before: Type, found: Type) -> Type:
        return most_general(before, found) if self._fits([before], [found]) else DYN

    def _unwrapped(self, node: Node, found: Type) -> Type:
        found = resolved(self._known, found)
        if found.name == OPTIONAL:
            return found.of[0]
        if found not in {DYN, ERROR}:
            self._fail(node.place, f"expected type '{Type(OPTIONAL, (found,))}' but found '{found}'")
        return found

    def _message(self, node: Message) -> Type:
        known = WELL_KNOWN.get(node.name.removeprefix("."))
        if known is None:
            for one in node.fields:
                self.type_of(one.value)
            return self._fail(node.place, f"undeclared reference to '{node.name}' (in container '')")
        for one in node.fields:
            self._message_field(one, known[1])
        return Type(known[0])

    def _message_field(self, entry: Entry, fields: Mapping[str, str]) -> None:
        found = self.type_of(entry.value)
        wanted = fields.get(str(entry.key))
        if wanted is None:
            self._fail(entry.place, f"undefined field '{entry.key}'")
        elif not self._fits([found], [Type(wanted)]):
            said = f"expected type of field '{entry.key}' is '{Type(wanted)}' but provided type is '{found}'"
            self._fail(entry.place, said)


_CHECKS: Final[dict[type, Callable[[Any, Any], Type]]] = {
    Const: Checker._literal,
    Name: Checker._name,
    Select: Checker._select,
    Call: Checker._call,
    Items: Checker._items,
    Entries: Checker._entries,
    Message: lambda checker, node: checker._message(node),
    Fold: Checker._fold,
}
