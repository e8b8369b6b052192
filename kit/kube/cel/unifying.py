"""Whether a value of one type may stand where another is wanted, and what types not known yet must be for that.

Models cel-go/checker/types.go.
"""

from __future__ import annotations

from typing import Final

from kit.kube.cel.types import DYN, NULL, Type

Known = dict[str, Type]
"""What types that were not known turned out to be."""

_LOOSE: Final = frozenset({"dyn", "error"})
_NULLABLE: Final = frozenset({"object", "timestamp", "duration", "null_type", "optional_type"})


def assignable(known: Known, given: Type, wanted: Type) -> bool:
    """Return whether a type fits; `known` grows, also when it does not."""
    if wanted.free:
        good, had = _substitutes(known, given, wanted)
        if good or had:
            return good
    if given.free:
        return _substitutes(known, wanted, given)[0]
    if given.name in _LOOSE or wanted.name in _LOOSE:
        return True
    if NULL in {given, wanted}:
        return given.name in _NULLABLE and wanted.name in _NULLABLE
    if given.name != wanted.name:
        return False
    if given.name == "type":
        return True
    return len(given.of) == len(wanted.of) and all(
        assignable(known, *pair) for pair in zip(given.of, wanted.of, strict=True)
    )


def _substitutes(known: Known, one: Type, free: Type) -> tuple[bool, bool]:
    """Return whether a type may be what another, not known yet, stands for, and whether that had been found before."""
    if one == free:
        return True, True
    before = known.get(free.name)
    if before is not None:
        if before == one:
            return True, True
        if assignable(known, one, before):
            more = one if _no_less_general(one, before) else before
            if not _within(known, free, more):
                known[free.name] = more
            return True, True
        return False, True
    if _within(known, free, one):
        return False, False
    known[free.name] = one
    return True, False


def _within(known: Known, free: Type, other: Type) -> bool:
    """Return whether a type that is not known yet occurs in another."""
    if other == free:
        return True
    if other.free:
        return other.name in known and _within(known, free, known[other.name])
    return any(_within(known, free, one) for one in other.of)


def _no_less_general(one: Type, other: Type) -> bool:
    if one.name in _LOOSE or one.free:
        return True
    if other.name in _LOOSE or other.free or one.name != other.name:
        return False
    return all(_no_less_general(*pair) for pair in zip(one.of, other.of, strict=False))


def most_general(one: Type, other: Type) -> Type:
    """Return the type that takes the values of both."""
    return one if _no_less_general(one, other) else other


def resolved(known: Known, of: Type, *, loose: bool = False) -> Type:
    """Return a type with all that is known of it; with `loose` the rest may be anything."""
    if of.free:
        found = known.get(of.name)
        return (DYN if loose else of) if found is None else resolved(known, found, loose=loose)
    if not of.of:
        return of
    return Type(of.name, tuple(resolved(known, one, loose=loose) for one in of.of), of.schema)


def fresh(of: Type, suffix: str) -> Type:
    """Return a signature's type with its letters as types not known yet."""
    if len(of.name) == 1 and of.name.isupper():
        return Type(f"_{of.name}{suffix}")
    return Type(of.name, tuple(fresh(one, suffix) for one in of.of), of.schema) if of.of else of


def loosened(of: Type) -> Type:
    """Return a type as it is shown when nothing more will be known of it."""
    return resolved({}, of, loose=True)
