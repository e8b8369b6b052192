"""How Go writes a field that is empty, read from the field table of protobuf (pointer, `omitempty`)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from kit.kube.data import load
from kit.kube.schema import MICRO_TIME, TIME


class Wire(NamedTuple):
    """What a Go type says about its empty fields."""

    pointers: frozenset[str]
    """Fields behind a pointer: their zero is a value (`replicas: 0`)."""
    nulls: frozenset[str]
    """Fields written as null when they are missing: lists, pointers and times that Go does not leave out."""
    omitted: frozenset[str]
    """Fields with `omitempty`."""


@cache
def wire_of(name: str) -> Wire | None:
    """Return what is known of a definition's Go type, None when it isn't in the table."""
    messages = load("protobuf")["messages"]
    if name not in messages:
        return None
    pointers: set[str] = set()
    nulls: set[str] = set()
    leaves_out: set[str] = set()
    for field, kind, flags in _fields(messages, name):
        pointer, omitted, several = "p" in flags, "o" in flags, "r" in flags or "m" in flags
        if omitted:
            leaves_out.add(field)
        if pointer:
            pointers.add(field)
        if (kind in {TIME, MICRO_TIME} and not pointer and not several) or (not omitted and (pointer or several)):
            nulls.add(field)
    # ObjectMeta.creationTimestamp is `omitzero`, which the table cannot say.
    return Wire(frozenset(pointers), frozenset(nulls - {"creationTimestamp"}), frozenset(leaves_out))


def _fields(messages: dict[str, Any], name: str) -> Iterator[tuple[str, str, str]]:
    for _, field, kind, flags, *_ in messages[name][1]:
        if "i" in flags and not field:
            yield from _fields(messages, kind)
        else:
            yield field, kind, flags
