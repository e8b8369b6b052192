"""Macros: calls that become other expressions before types are checked.

Models cel-go/parser/macro.go, ext/{comprehensions,lists}.go and cel/macro.go (optional types).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from kit.kube.cel.tree import Call, Const, Entries, Fold, Items, Name, Node, Select

RESULT: Final = "@result"
UNUSED: Final = "#unused"


class MacroError(ValueError):
    """A macro's argument that is not what it must be."""

    def __init__(self, place: int, message: str) -> None:
        super().__init__(message)
        self.place, self.message = place, message


Macro = Callable[[int, Node, Sequence[Node]], Node]


def _variables(arguments: Sequence[Node], said: str = "argument must be a simple name") -> tuple[str, ...]:
    names: list[str] = []
    for one in arguments:
        if not isinstance(one, Name) or one.name.startswith("."):
            raise MacroError(one.place, said)
        if one.name in names:
            raise MacroError(one.place, f"duplicate variable name: {one.name}")
        names.append(one.name)
    return tuple(names)


def _call(place: int, function: str, *arguments: Node) -> Call:
    return Call(place, function, None, list(arguments))


def _result(place: int) -> Name:
    return Name(place, RESULT)


def _has(place: int, _: Node, arguments: Sequence[Node]) -> Node:
    found = arguments[0]
    if not isinstance(found, Select) or found.test:
        raise MacroError(found.place, "invalid argument to has() macro")
    return Select(place, found.of, found.field, test=True)


def _all(place: int, target: Node, arguments: Sequence[Node]) -> Node:
    *names, condition = arguments
    step = _call(place, "_&&_", _result(place), condition)
    go_on = _call(place, "@not_strictly_false", _result(place))
    return _fold(place, target, names, Const(place, True), go_on, step, _result(place))


def _exists(place: int, target: Node, arguments: Sequence[Node]) -> Node:
    *names, condition = arguments
    step = _call(place, "_||_", _result(place), condition)
    go_on = _call(place, "@not_strictly_false", _call(place, "!_", _result(place)))
    return _fold(place, target, names, Const(place, False), go_on, step, _result(place))


def _exists_one(place: int, target: Node, arguments: Sequence[Node]) -> Node:
    *names, condition = arguments
    more = _call(place, "_+_", _result(place), Const(place, 1))
    step = _call(place, "_?_:_", condition, more, _result(place))
    one = _call(place, "_==_", _result(place), Const(place, 1))
    return _fold(place, target, names, Const(place, 0), Const(place, True), step, one)


def _fold(
    place: int, over: Node, names: Sequence[Node], start: Node, condition: Node, step: Node, result: Node
) -> Node:
    return Fold(place, over, _variables(names), RESULT, start, condition, step, result)


def _listed(variables: int, filtered: int) -> Macro:
    """Return a macro that makes a list: so many variables, and a condition or none."""

    def made(place: int, target: Node, arguments: Sequence[Node]) -> Node:
        names, rest = arguments[:variables], arguments[variables:]
        step: Node = _call(place, "_+_", _result(place), Items(place, [rest[-1]]))
        if filtered:
            step = _call(place, "_?_:_", rest[0], step, _result(place))
        return _fold(place, target, names, Items(place, []), Const(place, True), step, _result(place))

    return made


def _filter(place: int, target: Node, arguments: Sequence[Node]) -> Node:
    return _listed(1, 1)(place, target, [arguments[0], arguments[1], arguments[0]])


def _mapped(insert: str, filtered: int) -> Macro:
    """Return a macro that makes a map of keys and values."""

    def made(place: int, target: Node, arguments: Sequence[Node]) -> Node:
        names, rest = arguments[:2], arguments[2:]
        given = [_result(place), *([names[0]] if insert == "cel.@mapInsert" else []), rest[-1]]
        step: Node = _call(place, "cel.@mapInsert", *given)
        if filtered:
            step = _call(place, "_?_:_", rest[0], step, _result(place))
        return _fold(place, target, names, Entries(place, []), Const(place, True), step, _result(place))

    return made


def _optional_map(flat: int) -> Macro:
    def made(place: int, target: Node, arguments: Sequence[Node]) -> Node:
        macro = "optFlatMap" if flat else "optMap"
        name = _variables(arguments[:1], f"{macro}() variable name must be a simple identifier")
        value = Call(place, "value", target, [])
        bound: Node = Fold(
            place, Items(place, []), (UNUSED,), name[0], value, Const(place, False), Name(place, name[0]), arguments[1]
        )
        made = bound if flat else _call(place, "optional.of", bound)
        return _call(place, "_?_:_", Call(place, "hasValue", target, []), made, _call(place, "optional.none"))

    return made


def _sort_by(place: int, target: Node, arguments: Sequence[Node]) -> Node:
    _variables(arguments[:1], "argument is not an identifier")
    return Call(place, "@sortByAssociatedKeys", target, [_listed(1, 0)(place, target, arguments)])


MACROS: Final[Mapping[tuple[str, int, bool], Macro]] = {
    ("has", 1, False): _has,
    **{("all", count, True): _all for count in (2, 3)},
    **{("exists", count, True): _exists for count in (2, 3)},
    **{("exists_one", count, True): _exists_one for count in (2, 3)},
    ("existsOne", 3, True): _exists_one,
    ("map", 2, True): _listed(1, 0),
    ("map", 3, True): _listed(1, 1),
    ("filter", 2, True): _filter,
    ("transformList", 3, True): _listed(2, 0),
    ("transformList", 4, True): _listed(2, 1),
    ("transformMap", 3, True): _mapped("cel.@mapInsert", 0),
    ("transformMap", 4, True): _mapped("cel.@mapInsert", 1),
    ("transformMapEntry", 3, True): _mapped("entry", 0),
    ("transformMapEntry", 4, True): _mapped("entry", 1),
    ("optMap", 2, True): _optional_map(0),
    ("optFlatMap", 2, True): _optional_map(1),
    ("sortBy", 2, True): _sort_by,
}
