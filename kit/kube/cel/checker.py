"""Checks an expression's types before it is run, and words what does not fit as cel-go does.

Models cel-go/checker/checker.go and common/errors.go, over the tree of cel-python's parser.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from kit.kube.cel import types
from kit.kube.cel.signatures import FUNCTIONS, overloads
from kit.kube.cel.types import BOOL, DYN, ERROR, Type
from kit.kube.patterns import PatternError, pattern

Tree = Any  # lark's; it is imported with the engine

RELATIONS: Final = {
    "relation_eq": "_==_", "relation_ne": "_!=_", "relation_lt": "_<_", "relation_le": "_<=_", "relation_gt": "_>_",
    "relation_ge": "_>=_", "relation_in": "@in", "addition_add": "_+_", "addition_sub": "_-_",
    "multiplication_mul": "_*_", "multiplication_div": "_/_", "multiplication_mod": "_%_",
}  # fmt: skip
MACROS: Final = frozenset({"all", "exists", "exists_one", "map", "filter"})
LITERALS: Final = {
    "UINT_LIT": "uint", "FLOAT_LIT": "double", "INT_LIT": "int", "MLSTRING_LIT": "string", "STRING_LIT": "string",
    "BYTES_LIT": "bytes", "BOOL_LIT": "bool", "NULL_LIT": "null_type",
}  # fmt: skip
NAMED_TYPES: Final = frozenset({"bool", "bytes", "double", "int", "list", "map", "null_type", "string", "type", "uint"})


def located(text: str, place: int, message: str) -> str:
    """Return an error with the line it is about and a mark below the place."""
    before = text[:place]
    line, column = before.count("\n"), place - (before.rfind("\n") + 1)
    source = text.split("\n")[line] if text else ""
    return f"ERROR: <input>:{line + 1}:{column + 1}: {message}\n | {source}\n | {'.' * column}^"


class Checker:
    """One check of one expression; `errors` are collected."""

    def __init__(self, text: str, variables: Mapping[str, Type]) -> None:
        self.text = text
        self.errors: list[str] = []
        self._scopes: list[Mapping[str, Type]] = [variables]

    def type_of(self, tree: Tree) -> Type:
        """Return the type of a place in the tree."""
        check = _CHECKS.get(str(tree.data))
        return check(self, tree) if check else self.type_of(tree.children[0])

    def _fail(self, place: int, message: str) -> Type:
        self.errors.append(located(self.text, place, message))
        return ERROR

    def _call(self, name: str, place: int, arguments: Sequence[Type], receiver: Type | None = None) -> Type:
        """Return what a call gives: `dyn` where several overloads could be meant."""
        given = [*([receiver] if receiver else []), *arguments]
        if ERROR in given:
            return ERROR
        found: list[Type] = []
        for overload in overloads(name):
            wanted = [*([overload.receiver] if overload.receiver else []), *overload.arguments]
            bound: dict[str, Type] = {}
            if (overload.receiver is None) != (receiver is None) or len(wanted) != len(given):
                continue
            if all(types.assignable(one, other, bound) for one, other in zip(wanted, given, strict=True)):
                found.append(types.bound_to(overload.result, bound))
        if not found:
            listed = f"({', '.join(map(str, arguments))})"
            applied = f"{receiver}.{listed}" if receiver else listed
            return self._fail(place, f"found no matching overload for '{name}' applied to '{applied}'")
        return found[0] if all(one == found[0] for one in found) else DYN

    # --- operators ---

    def _binary(self, tree: Tree) -> Type:
        if len(tree.children) == 1:
            return self.type_of(tree.children[0])
        head, right = tree.children
        left = self.type_of(head.children[0])
        name = RELATIONS[str(head.data)]
        sign = "in" if name == "@in" else name.strip("_")
        return self._call(name, head.meta.end_pos - len(sign), (left, self.type_of(right)))

    def _logical(self, tree: Tree) -> Type:
        if len(tree.children) == 1:
            return self.type_of(tree.children[0])
        left, right = tree.children
        sign = "||" if tree.data == "conditionalor" else "&&"
        place = self.text.find(sign, left.meta.end_pos, right.meta.start_pos)
        return self._call(f"_{sign}_", place, (self.type_of(left), self.type_of(right)))

    def _ternary(self, tree: Tree) -> Type:
        if len(tree.children) == 1:
            return self.type_of(tree.children[0])
        condition, one, other = tree.children
        place = self.text.find("?", condition.meta.end_pos, one.meta.start_pos)
        return self._call("_?_:_", place, [self.type_of(part) for part in (condition, one, other)])

    def _unary(self, tree: Tree) -> Type:
        if len(tree.children) == 1:
            return self.type_of(tree.children[0])
        sign, inner = tree.children
        return self._call("!_" if sign.data == "unary_not" else "-_", sign.meta.start_pos, (self.type_of(inner),))

    # --- fields, items, calls ---

    def _select(self, tree: Tree) -> Type:
        inner, name = tree.children
        place = self.text.rfind(".", inner.meta.end_pos, name.start_pos)
        return self._selected(self.type_of(inner), str(name), place, place)

    def _selected(self, of: Type, name: str, place: int, shown: int) -> Type:
        if of in {DYN, ERROR}:
            return of
        if of.name == "map":
            return of.of[1]
        if of.name != "object":
            return self._fail(place, f"type '{of}' does not support field selection")
        found = types.field(of, name)
        return self._fail(shown, f"undefined field '{name}'") if found is None else found

    def _index(self, tree: Tree) -> Type:
        inner, at = tree.children
        place = self.text.find("[", inner.meta.end_pos)
        return self._call("_[_]", place, (self.type_of(inner), self.type_of(at)))

    def _method(self, tree: Tree) -> Type:
        inner, name = tree.children[0], str(tree.children[1])
        arguments = _listed(tree.children[2]) if len(tree.children) > 2 else []
        if name in MACROS and len(arguments) in {2, 3}:
            return self._macro(inner, name, arguments)
        place = self.text.find("(", tree.children[1].end_pos)
        receiver = self.type_of(inner)
        given = [self.type_of(one) for one in arguments]
        if name not in FUNCTIONS:
            return self._fail(place, f"undeclared reference to '{name}' (in container '')")
        self._check_pattern(name, arguments[:1])
        return self._call(name, place, given, receiver)

    def _check_pattern(self, name: str, arguments: Sequence[Tree]) -> None:
        """Refuse a literal that is no pattern."""
        if name not in {"matches", "find", "findAll"} or not arguments:
            return
        text = self.text[arguments[0].meta.start_pos : arguments[0].meta.end_pos]
        if text[:1] in {"'", '"'} and len(text) > 1 and "\\" not in text:
            try:
                pattern(text[1:-1])
            except PatternError:
                self._fail(arguments[0].meta.start_pos, f"invalid {name} argument")

    def _macro(self, inner: Tree, name: str, arguments: Sequence[Tree]) -> Type:
        over = self.type_of(inner)
        item = over.of[0] if over.name in {"list", "map"} else over
        if item not in {DYN, ERROR} and over.name not in {"list", "map"}:
            shown = f"expression of type '{over}' cannot be range of a comprehension (must be list, map, or dynamic)"
            return self._fail(inner.meta.start_pos, shown)
        variable = self.text[arguments[0].meta.start_pos : arguments[0].meta.end_pos]
        if not variable.isidentifier():
            return self._fail(arguments[0].meta.start_pos, "argument must be a simple name")
        self._scopes.append({variable: item})
        made = [self.type_of(one) for one in arguments[1:]]
        self._scopes.pop()
        if name == "map":
            return Type("list", (made[-1],))
        return Type("list", (item,)) if name == "filter" else BOOL

    def _function(self, tree: Tree) -> Type:
        name, *rest = tree.children
        arguments = _listed(rest[0]) if rest else []
        if str(name) == "has" and len(arguments) == 1:
            return self._has(arguments[0])
        place = self.text.find("(", name.end_pos)
        given = [self.type_of(one) for one in arguments]
        if str(name) not in FUNCTIONS:
            return self._fail(place, f"undeclared reference to '{name}' (in container '')")
        return self._call(str(name), place, given)

    def _has(self, argument: Tree) -> Type:
        inner = argument
        while len(inner.children) == 1 and hasattr(inner.children[0], "data") and inner.data != "member_dot":
            inner = inner.children[0]
        if inner.data != "member_dot":
            return self._fail(argument.meta.start_pos, "invalid argument to has() macro")
        of, name = inner.children
        shown = self.text.rfind("(", 0, argument.meta.start_pos)
        place = self.text.rfind(".", of.meta.end_pos, name.start_pos)
        return ERROR if self._selected(self.type_of(of), str(name), place, shown) == ERROR else BOOL

    # --- names and literals ---

    def _name(self, tree: Tree) -> Type:
        name = str(tree.children[0])
        for scope in reversed(self._scopes):
            if name in scope:
                return scope[name]
        if name in NAMED_TYPES:
            return Type("type")
        return self._fail(tree.meta.start_pos, f"undeclared reference to '{name}' (in container '')")

    def _literal(self, tree: Tree) -> Type:
        return Type(LITERALS[tree.children[0].type])

    def _list(self, tree: Tree) -> Type:
        items = _listed(tree.children[0]) if tree.children else []
        return Type("list", (self._common(items),))

    def _map(self, tree: Tree) -> Type:
        parts = tree.children[0].children if tree.children else []
        return Type("map", (self._common(parts[::2]), self._common(parts[1::2])))

    def _common(self, items: Sequence[Tree]) -> Type:
        """Return the type all items have."""
        first = DYN
        for index, item in enumerate(items):
            found = self.type_of(item)
            if not index:
                first = found
            elif not types.assignable(first, found, {}):
                self._fail(item.meta.start_pos, f"expected type '{first}' but found '{found}'")
        return first


def _listed(tree: Tree) -> list[Tree]:
    return list(tree.children)


_CHECKS: Final[Mapping[str, Callable[[Checker, Tree], Type]]] = {
    "expr": Checker._ternary,
    "conditionalor": Checker._logical,
    "conditionaland": Checker._logical,
    "relation": Checker._binary,
    "addition": Checker._binary,
    "multiplication": Checker._binary,
    "unary": Checker._unary,
    "member_dot": Checker._select,
    "member_dot_arg": Checker._method,
    "member_index": Checker._index,
    "member_object": lambda checker, tree: checker._fail(tree.meta.start_pos, "undeclared reference to a message type"),
    "ident_arg": Checker._function,
    "dot_ident_arg": Checker._function,
    "ident": Checker._name,
    "dot_ident": Checker._name,
    "literal": Checker._literal,
    "list_lit": Checker._list,
    "map_lit": Checker._map,
}
