"""What an expression costs at most, by its tree and the sizes its schema allows.

Models cel-go/checker/cost.go and k8s.io/apiserver/pkg/cel/library/cost.go.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from kit.kube.cel.macros import UNUSED
from kit.kube.cel.pricing import FUNCTIONS
from kit.kube.cel.ranges import NOTHING, ONE, UNKNOWN, Range
from kit.kube.cel.sizes import UNBOUNDED, Declared
from kit.kube.cel.tree import Call, Const, Entries, Fold, Items, Message, Name, Node, Select, dotted

_SCALARS: Final = frozenset({"bool", "double", "duration", "int", "timestamp", "uint"})
Path = tuple[str, ...]


class Local(NamedTuple):
    """A variable of a fold."""

    path: Path
    size: Range | None = None
    inner: tuple[Range, Range] | None = None


class Estimator:
    """One estimate; `declared` says what is known of variables."""

    def __init__(self, declared: Mapping[str, Declared]) -> None:
        self._declared = declared
        self._root = next(iter(declared.values()), None)
        self._paths: dict[int, Path] = {}
        self._sizes: dict[int, Range] = {}
        self._inner: dict[int, tuple[Range, Range]] = {}
        self._locals: list[tuple[str, Local]] = []

    def cost(self, node: Node) -> Range:
        """Return what a node costs."""
        return _COSTS[type(node)](self, node)

    # --- sizes ---

    def size(self, node: Node) -> Range:
        """Return the size of what a node gives."""
        found = self._size(node)
        return UNKNOWN if found is None else found

    def _size(self, node: Node) -> Range | None:
        if id(node) in self._sizes:
            return self._sizes[id(node)]
        literal = _literal_size(node)
        if literal is not None:
            return literal
        found = self._declared_size(self.path(node))
        if found is not None:
            return found
        if _scalar(node):
            return ONE
        local = self._local(node.name) if isinstance(node, Name) else None
        return local.size if local else None

    def _declared_size(self, path: Path) -> Range | None:
        at = self._at(path)
        return None if at is None else Range(0, at.most)

    def _at(self, path: Path) -> Declared | None:
        if not path:
            return None
        at = self._declared.get(path[0]) or self._root  # the API server takes every path to begin at `self`
        for name in path[1:]:
            at = at.part(name) if at else None
        return at

    def path(self, node: Node) -> Path:
        """Return where in the variables a node's value is, () when it is made."""
        local = self._local(node.name) if isinstance(node, Name) else None
        return local.path if local else self._paths.get(id(node), ())

    def _local(self, name: str) -> Local | None:
        return next((one for known, one in reversed(self._locals) if known == name), None)

    def inner(self, node: Node) -> tuple[Range, Range] | None:
        """Return the sizes of keys and of values, where they are known."""
        if id(node) in self._inner:
            return self._inner[id(node)]
        local = self._local(node.name) if isinstance(node, Name) else None
        return local.inner if local else None

    def element(self, node: Node) -> Range:
        """Return the size of a list's items by its schema."""
        path = self.path(node)
        found = self._declared_size((*path, "@items")) if path else None
        return UNKNOWN if found is None else found

    # --- nodes ---

    def _const(self, _: Node) -> Range:
        return NOTHING

    def _name(self, node: Name) -> Range:
        local = self._local(node.name)
        self._paths[id(node)] = local.path if local else (node.name,)
        return ONE

    def _select(self, node: Select) -> Range:
        if dotted(node) in self._declared or dotted(node).startswith("google."):
            return ONE
        inner = self.cost(node.of)
        if node.test:
            return ONE.plus(inner)
        self._paths[id(node)] = (*self.path(node.of), node.field)
        return inner.plus(ONE) if node.of.type.name in {"map", "object"} else inner

    def _items(self, node: Items) -> Range:
        total, sizes = Range(10, 10), Range(UNBOUNDED if node.items else 0, 0)
        for one in node.items:
            total, sizes = total.plus(self.cost(one)), sizes.united(self.size(one))
        self._inner[id(node)] = (ONE, sizes)
        return total

    def _entries(self, node: Entries) -> Range:
        total = Range(30, 30)
        keys = values = Range(UNBOUNDED if node.entries else 0, 0)
        for one in node.entries:
            key = one.key
            if isinstance(key, Node):
                total, keys = total.plus(self.cost(key)), keys.united(self.size(key))
            total, values = total.plus(self.cost(one.value)), values.united(self.size(one.value))
        self._inner[id(node)] = (keys, values)
        return total

    def _message(self, node: Message) -> Range:
        total = Range(40, 40)
        for one in node.fields:
            total = total.plus(self.cost(one.value))
        return total

    def _fold(self, node: Fold) -> Range:
        if node.names == (UNUSED,):
            return self._bound(node)
        total = self.cost(node.over).plus(self.cost(node.start))
        depth = len(self._locals)
        start = Local(self.path(node.start), self._size(node.start), self.inner(node.start))
        self._locals.append((node.accumulated, start))
        self._locals += self._variables(node)
        step = self.cost(node.condition).plus(self.cost(node.step))
        del self._locals[depth + 1 :]
        total = total.plus(self.cost(node.result))
        del self._locals[depth:]
        count = self.size(node.over)
        if isinstance(node.start, Items | Entries):
            self._sizes[id(node)] = count
            made = self.inner(node.step)
            if made is not None:
                self._inner[id(node)] = made
        else:
            self._sizes[id(node)] = self.size(node.start)
        return total.plus(count.times(step))

    def _bound(self, node: Fold) -> Range:
        total = Range(10, 10).plus(self.cost(node.start))
        self._locals.append(
            (node.accumulated, Local(self.path(node.start), self._size(node.start), self.inner(node.start)))
        )
        total = total.plus(self.cost(node.result))
        self._locals.pop()
        found = self._size(node.result)
        if found is not None:
            self._sizes[id(node)] = found
        return total

    def _variables(self, node: Fold) -> list[tuple[str, Local]]:
        over, inner, path = node.over, self.inner(node.over), self.path(node.over)
        is_list = isinstance(over, Items) or over.type.name == "list"
        keys = Local((*path, "@indices" if is_list else "@keys"), inner[0] if inner else None)
        values = Local((*path, "@items" if is_list else "@values"), inner[1] if inner else None)
        if len(node.names) == 2:
            return [(node.names[0], keys), (node.names[1], values)]
        return [(node.names[0], values if is_list else keys)]

    def _call(self, node: Call) -> Range:
        if node.function == "dyn":
            inner = self.cost(node.arguments[0])
            self._copied(node, node.arguments[0])
            return ONE.plus(inner)
        given = [self.cost(one) for one in node.arguments]
        total = self.cost(node.target) if node.target else NOTHING
        special = _SPECIAL.get(node.function)
        if special is not None:
            return total.plus(special(self, node, given))
        for one in given:
            total = total.plus(one)
        rule = FUNCTIONS.get(node.function)
        cost, size = rule(self, node) if rule else (ONE, None)
        if size is not None:
            self._sizes[id(node)] = size
        return total.plus(cost)

    def _copied(self, node: Node, source: Node) -> None:
        size, inner = self._size(source), self.inner(source)
        if size is not None:
            self._sizes[id(node)] = size
        if inner is not None:
            self._inner[id(node)] = inner

    def _logical(self, node: Call, given: list[Range]) -> Range:
        return Range(given[0].low, given[0].plus(given[1]).high)

    def _choice(self, node: Call, given: list[Range]) -> Range:
        _, one, other = node.arguments
        self._sizes[id(node)] = self.size(one).united(self.size(other))
        inner = (self.inner(one), self.inner(other))
        if inner[0] is not None and inner[1] is not None:
            self._inner[id(node)] = (inner[0][0].united(inner[1][0]), inner[0][1].united(inner[1][1]))
        return given[0].plus(given[1].united(given[2]))

    def _index(self, node: Call, given: list[Range]) -> Range:
        of = node.arguments[0]
        path, inner = self.path(of), self.inner(of)
        part = "@items" if of.type.name == "list" else "@values"
        if of.type.name in {"list", "map"}:
            self._paths[id(node)] = (*path, part)
        if inner is not None:
            self._sizes[id(node)] = inner[1]
        return ONE.plus(given[0]).plus(given[1])

    def joined_inner(self, node: Call) -> None:
        """Keep the sizes of what is in two lists that become one."""
        first, second = (self.inner(one) for one in node.arguments)
        if first is not None and second is not None:
            self._inner[id(node)] = (first[0].united(second[0]), first[1].united(second[1]))


def _literal_size(node: Node) -> Range | None:
    match node:
        case Const(value=str() | bytes() as value):
            return Range(len(value), len(value))
        case Const():
            return ONE
        case Items():
            return Range(len(node.items), len(node.items))
        case Entries():
            return Range(len(node.entries), len(node.entries))
    return None


def _scalar(node: Node) -> bool:
    of = node.type
    return of.name in _SCALARS or (of.name == "optional_type" and of.of[0].name in _SCALARS)


_SPECIAL: Final[Mapping[str, Callable[[Estimator, Call, list[Range]], Range]]] = {
    "_&&_": Estimator._logical,
    "_||_": Estimator._logical,
    "_?_:_": Estimator._choice,
    "_[_]": Estimator._index,
}
_COSTS: Final[dict[type, Callable[[Any, Any], Range]]] = {
    Const: Estimator._const,
    Name: Estimator._name,
    Select: Estimator._select,
    Call: Estimator._call,
    Items: Estimator._items,
    Entries: Estimator._entries,
    Message: Estimator._message,
    Fold: Estimator._fold,
}
