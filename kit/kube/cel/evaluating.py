"""Runs a checked tree, counting what it costs.

Models cel-go/interpreter/{interpretable,attributes,runtimecost}.go.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from kit.kube.cel.checker import NAMED_TYPES
from kit.kube.cel.costs import spent
from kit.kube.cel.functions import called
from kit.kube.cel.numbers import NONE, Duration, Fault, Optional, RunError, Timestamp, TypeName, type_name
from kit.kube.cel.tree import Call, Const, Entries, Fold, Items, Message, Name, Node, Select, dotted


class BudgetError(RunError):
    """An expression that costs more than it may."""


class Budget:
    """Cost and steps left, shared by all expressions of one request.

    The cost is the API server's: it bounds one expression and all of a request. Steps are what is really done here; they
    bound the time it takes.
    """

    def __init__(self, steps: int, *, cost: int = 10_000_000, one: int = 1_000_000) -> None:
        self.left = steps
        self.cost, self._one = cost, one
        self._most = one

    @property
    def spent(self) -> bool:
        """Return whether no other expression can run."""
        return self.left < 0 or self.cost < 0

    def begin(self) -> int:
        """Start one expression; return what was left for the one it is part of."""
        before, self._most = self._most, min(self._one, self.cost)
        return before

    def end(self, before: int) -> None:
        """Go on with the expression that this one was part of."""
        self._most = before

    def take(self, cost: int = 1) -> None:
        """Spend a step and what it costs; raise BudgetError when there is nothing left."""
        self.left -= 1 + cost // 64  # what costs much goes through much
        self.cost -= cost
        self._most -= cost
        if self.left < 0 or self._most < 0:
            raise BudgetError("operation cancelled: actual cost limit exceeded")


class Growing(list[Any]):
    """The list a fold makes: nobody else has it yet."""


class GrowingMap(dict[Any, Any]):
    """The map a fold makes."""


class Evaluator:
    """One run of one expression."""

    def __init__(self, values: Mapping[str, Any], budget: Budget) -> None:
        self._values = values
        self._local: dict[str, Any] = {}
        self._budget = budget

    def value_of(self, node: Node) -> Any:
        """Return what a node gives; raise RunError."""
        return _EVALUATIONS[type(node)](self, node)

    def _const(self, node: Const) -> Any:
        return node.value

    def _name(self, node: Name) -> Any:
        self._budget.take()
        name = node.name
        if name in self._local:
            found = self._local[name]
            if isinstance(found, Fault):
                raise found.error
            return found
        name = name.removeprefix(".")
        if name in self._values:
            return self._values[name]
        if name not in NAMED_TYPES:
            raise RunError(f"no such attribute(s): {name}")
        return TypeName(name)

    def _select(self, node: Select) -> Any:
        name = dotted(node)
        if name and name in self._values:
            self._budget.take()
            return self._values[name]
        if name and name in _TYPES:
            return TypeName(name)
        of = self.value_of(node.of)
        self._budget.take()
        if isinstance(of, Optional):
            of = Optional(False) if node.test and not of.present else of
            if not of.present:
                return of
            inner = optional_field(of.value, node.field)
            return inner.present if node.test else inner
        if node.test:
            if not isinstance(of, Mapping):
                raise RunError("no such overload")
            return node.field in of
        return field_of(of, node.field)

    def _items(self, node: Items) -> Any:
        out = []
        for index, one in enumerate(node.items):
            value = self.value_of(one)
            if index not in node.optional:
                out.append(value)
            elif _optional(value).present:
                out.append(value.value)
        self._budget.take(10)
        return out

    def _entries(self, node: Entries) -> Any:
        out = {}
        for one in node.entries:
            key = self.value_of(one.key)  # type: ignore[arg-type]
            value = self.value_of(one.value)
            if not isinstance(key, bool | int | str):
                raise RunError(f"unsupported key type: {type_name(key)}")
            if one.optional:
                if not _optional(value).present:
                    continue
                value = value.value
            out[key] = value
        self._budget.take(30)
        return out

    def _message(self, node: Message) -> Any:
        fields = {}
        for one in node.fields:
            value = self.value_of(one.value)
            if not one.optional:
                fields[str(one.key)] = value
            elif _optional(value).present:
                fields[str(one.key)] = value.value
        self._budget.take(40)
        return self.made(node, fields)

    def made(self, node: Message, fields: dict[str, Any]) -> Any:
        """Return a message of its fields."""
        name = node.name.removeprefix(".")
        nanos = fields.get("seconds", 0) * 10**9 + fields.get("nanos", 0)
        if name.endswith("Timestamp"):
            return Timestamp(nanos)
        return (
            Duration(nanos) if name.endswith("Duration") else fields.get("value", node.type and _ZERO[node.type.name])
        )

    # --- folds ---

    def _fold(self, node: Fold) -> Any:
        over = self.value_of(node.over)
        before = dict(self._local)
        start = self.value_of(node.start)
        mutable = (
            Growing() if isinstance(node.start, Items) else GrowingMap() if isinstance(node.start, Entries) else start
        )
        self._local[node.accumulated] = mutable
        for values in _ranged(over, len(node.names)):
            self._local.update(zip(node.names, values, strict=True))
            if self._kept(node.condition) is False:
                break
            self._local[node.accumulated] = self._kept(node.step)
        for name in node.names:
            self._local.pop(name, None)
        try:
            found = self.value_of(node.result)
        finally:
            self._local = before
        if isinstance(found, Growing):
            return list(found)
        return dict(found) if isinstance(found, GrowingMap) else found

    def _kept(self, node: Node) -> Any:
        """Return what a node gives, its error as a value."""
        try:
            return self.value_of(node)
        except BudgetError:
            raise
        except RunError as error:
            return Fault(error)

    # --- calls ---

    def _call(self, node: Call) -> Any:
        lazy = _LAZY.get(node.function)
        if lazy is not None:
            return lazy(self, node)
        parts = node.arguments if node.target is None else [node.target, *node.arguments]
        values = [_EVALUATIONS[type(one)](self, one) for one in parts]
        try:
            cost = spent(node.function, values)
        except (TypeError, ValueError):
            cost = 1  # of values that the function does not take
        self._budget.take(cost)
        return self.result(node, values)

    def result(self, node: Call, values: list[Any]) -> Any:
        """Return what a function gives for these values."""
        if node.function == "_+_" and isinstance(values[0], Growing):
            values[0].extend(values[1])
            return values[0]
        if node.function == "cel.@mapInsert":
            return _inserted(values)
        return called(node.function, values)

    def _and(self, node: Call) -> Any:
        return self._logical(node, False)

    def _or(self, node: Call) -> Any:
        return self._logical(node, True)

    def _logical(self, node: Call, decisive: bool) -> Any:
        """Return what `&&` or `||` gives: the value that decides, whatever the other side is."""
        left = self._kept(node.arguments[0])
        if left is decisive:
            return decisive
        right = self._kept(node.arguments[1])
        if right is decisive:
            return decisive
        for one in (left, right):
            if isinstance(one, Fault):
                raise one.error
        if not isinstance(left, bool) or not isinstance(right, bool):
            raise RunError("no such overload")
        return not decisive

    def _choose(self, node: Call) -> Any:
        condition, one, other = node.arguments
        chosen = self.value_of(condition)
        if not isinstance(chosen, bool):
            raise RunError("no such overload")
        return self.value_of(one if chosen else other)

    def _not_false(self, node: Call) -> bool:
        self._budget.take()
        return self._kept(node.arguments[0]) is not False

    def _optional_select(self, node: Call) -> Any:
        of = self.value_of(node.arguments[0])
        self._budget.take()
        name = node.arguments[1].value  # type: ignore[attr-defined]
        if isinstance(of, Optional):
            return optional_field(of.value, name) if of.present else of
        return optional_field(of, name)

    def _index(self, node: Call) -> Any:
        of, at = (self.value_of(one) for one in node.arguments)
        self._budget.take()
        if isinstance(of, Optional):
            return optional_item(of.value, at) if of.present else of
        return item_of(of, at)

    def _optional_index(self, node: Call) -> Any:
        of, at = (self.value_of(one) for one in node.arguments)
        self._budget.take()
        if isinstance(of, Optional):
            if not of.present:
                return of
            of = of.value
        return optional_item(of, at)

    def _or_value(self, node: Call) -> Any:
        first = _optional(self.value_of(node.target))  # type: ignore[arg-type]
        self._budget.take()
        if first.present:
            return first.value if node.function == "orValue" else first
        return self.value_of(node.arguments[0])


def _optional(value: Any) -> Optional:
    if not isinstance(value, Optional):
        raise RunError("no such overload")
    return value


def _inserted(values: list[Any]) -> Any:
    out, *rest = values
    made = rest[0] if len(rest) == 1 else {rest[0]: rest[1]}
    for key, value in made.items():
        if key in out:
            raise RunError(f"insert failed: key {key} already exists")
        out[key] = value
    return out


def _ranged(over: Any, count: int) -> Any:
    """Return what a fold's variables become, one after the other."""
    if isinstance(over, list):
        return ((one,) for one in over) if count == 1 else enumerate(over)
    if isinstance(over, Mapping):
        return ((key,) for key in over) if count == 1 else over.items()
    go = f"types.{_GO.get(type_name(over), 'Unknown')}"
    raise RunError(
        f"got '{go}', expected iterable type" if count == 1 else f"unsupported comprehension range type: {go}"
    )


_GO: Final = {
    "string": "String",
    "int": "Int",
    "bool": "Bool",
    "uint": "Uint",
    "double": "Double",
    "bytes": "Bytes",
    "null_type": "Null",
}


def field_of(of: Any, name: str) -> Any:
    """Return a field; raise RunError when there is none."""
    if isinstance(of, Mapping):
        if name in of:
            return of[name]
    elif isinstance(of, list):
        raise RunError("unsupported index type 'string' in list")
    raise RunError(f"no such key: {name}")


def optional_field(of: Any, name: str) -> Optional:
    """Return a field that may be absent."""
    return Optional(of[name]) if isinstance(of, Mapping) and name in of else NONE


def item_of(of: Any, at: Any) -> Any:
    """Return an item of a list, or the value of a key; raise RunError."""
    if isinstance(of, list):
        if isinstance(at, float) and at.is_integer():
            at = int(at)
        if not isinstance(at, int) or isinstance(at, bool):
            raise RunError(f"unsupported index type '{type_name(at)}' in list")
        if not 0 <= at < len(of):
            raise RunError(f"index out of bounds: {at}")
        return of[at]
    if isinstance(of, Mapping) and isinstance(at, bool | int | float | str) and at in of:
        return of[at]
    raise RunError(f"no such key: {at}")


def optional_item(of: Any, at: Any) -> Optional:
    """Return an item that may be absent."""
    try:
        return Optional(item_of(of, at))
    except RunError:
        return NONE


_TYPES: Final = frozenset({"google.protobuf.Timestamp", "google.protobuf.Duration"})
_ZERO: Final[Mapping[str, Any]] = {"bool": False, "bytes": b"", "double": 0.0, "int": 0, "string": "", "uint": 0}


_LAZY: Final[Mapping[str, Callable[[Evaluator, Call], Any]]] = {
    "_&&_": Evaluator._and,
    "_||_": Evaluator._or,
    "_?_:_": Evaluator._choose,
    "@not_strictly_false": Evaluator._not_false,
    "_?._": Evaluator._optional_select,
    "_[_]": Evaluator._index,
    "_[?_]": Evaluator._optional_index,
    "orValue": Evaluator._or_value,
    "or": Evaluator._or_value,
}
_EVALUATIONS: Final[dict[type, Callable[[Any, Any], Any]]] = {
    Const: Evaluator._const,
    Name: Evaluator._name,
    Select: Evaluator._select,
    Call: Evaluator._call,
    Items: Evaluator._items,
    Entries: Evaluator._entries,
    Message: Evaluator._message,
    Fold: Evaluator._fold,
}
