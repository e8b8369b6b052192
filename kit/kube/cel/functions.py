"""All functions and operators: which values they take is what `signatures` declares, what they give is what their tables say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from kit.kube.cel.library import (
    amounts,
    authorizing,
    conversions,
    formats,
    lists,
    networks,
    operators,
    texts,
    urls,
    versions,
)
from kit.kube.cel.numbers import NAMES, RunError, type_name
from kit.kube.cel.signatures import overloads
from kit.kube.cel.types import Type

TABLES: Final = (operators, conversions, texts, lists, networks, urls, versions, amounts, formats, authorizing)
FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    name: function for table in TABLES for name, function in table.FUNCTIONS.items()
}
_PLAIN: Final = frozenset({"startsWith", "endsWith", "contains", "matches", "@in", "!_", "-_"})


def called(name: str, values: Sequence[Any]) -> Any:
    """Return what a function gives for these values; raise RunError."""
    if not _taken(name, tuple(map(_kind, values))):
        raise RunError(_unfit(name, values))
    try:
        return FUNCTIONS[name](*values)
    except TypeError:
        raise RunError("no such overload") from None


Kind = type | str | tuple[type, type | str]


def _kind(value: Any) -> Kind:
    """Return what tells a value's type: a list's is that of its first item too."""
    own = type(value)
    if own is list and value:
        first = type(value[0])
        return (list, first if first in NAMES else type_name(value[0]))
    return own if own in NAMES else type_name(value)


@lru_cache(maxsize=4096)
def _taken(name: str, kinds: tuple[Kind, ...]) -> bool:
    """Return whether a function takes values of these types."""
    said = list(map(_said, kinds))
    return any(len(one.taken) == len(said) and all(map(_fits, one.taken, said)) for one in overloads(name))


def _said(kind: Kind) -> str:
    if isinstance(kind, tuple):
        return f"list {_said(kind[1])}"
    return kind if isinstance(kind, str) else NAMES[kind]


_LONG: Final = {"timestamp": "google.protobuf.Timestamp", "duration": "google.protobuf.Duration"}


def _fits(wanted: Type, kind: str) -> bool:
    if wanted.name == "dyn" or len(wanted.name) == 1:
        return True
    name, _, item = kind.partition(" ")
    if _LONG.get(wanted.name, wanted.name) != name:
        return False
    return not item or not wanted.of or _fits(wanted.of[0], item)


def _unfit(name: str, values: Sequence[Any]) -> str:
    if name.startswith("_") or name in _PLAIN:
        return "no such overload"
    if name == "size":
        return f"no such overload: {name}"
    return f"no such overload: {name}({', '.join(map(type_name, values))})"
