"""Values that Python has no type for: unsigned integers, times, durations, types themselves, optional ones.

Models cel-go/common/types. All other values are Python's: bool, int, float, str, bytes, None, list, dict.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

SECOND: Final = 10**9


class RunError(ValueError):
    """An expression that failed while it ran: no such key, no such overload, division by zero."""


class Uint(int):
    """An unsigned integer."""


@dataclass(frozen=True, slots=True, order=True)
class Duration:
    """A time between two others, in nanoseconds."""

    nanos: int

    def __str__(self) -> str:
        return f"{_fraction(self.nanos)}s"


@dataclass(frozen=True, slots=True, order=True)
class Timestamp:
    """A time, in nanoseconds since 1970; `zone` are the minutes its text was ahead of UTC."""

    nanos: int
    zone: int = 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Timestamp) and self.nanos == other.nanos

    def __hash__(self) -> int:
        return hash(self.nanos)


@dataclass(frozen=True, slots=True)
class TypeName:
    """A type as a value."""

    name: str


@dataclass(frozen=True, slots=True)
class Optional:
    """A value that may be absent."""

    value: Any = None
    present: bool = True


NONE: Final = Optional(present=False)


@dataclass(frozen=True, slots=True)
class Fault:
    """An error that a fold keeps: another item may make it of no account."""

    error: RunError


NAMES: Final[Mapping[type, str]] = {
    bool: "bool", int: "int", Uint: "uint", float: "double", str: "string", bytes: "bytes", type(None): "null_type",
    list: "list", dict: "map", Duration: "google.protobuf.Duration", Timestamp: "google.protobuf.Timestamp",
    TypeName: "type", Optional: "optional_type",
}  # fmt: skip


def type_name(value: Any) -> str:
    """Return the name of a value's type."""
    found = NAMES.get(type(value))
    if found:
        return found
    named = getattr(value, "type_name", "")
    return named or next((name for kind, name in NAMES.items() if isinstance(value, kind)), "dyn")


def _fraction(nanos: int) -> str:
    """Return nanoseconds as a decimal number of seconds."""
    whole, part = divmod(abs(nanos), SECOND)
    digits = f".{part:09d}".rstrip("0") if part else ""
    return f"{'-' if nanos < 0 else ''}{whole}{digits}"


def equal(one: Any, other: Any) -> bool:
    """Return whether two values are equal: numbers by what they count, others of one type only."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if one is other and isinstance(one, list | dict):
        return True
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(equal, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(equal(value, other[key]) for key, value in one.items())
    if isinstance(one, Optional) and isinstance(other, Optional):
        return one.present == other.present and equal(one.value, other.value)
    return bool(one == other)


def ordered(one: Any, other: Any) -> int:
    """Return -1, 0 or 1; raise RunError for values that are not ordered."""
    alike = type(one) is type(other) and type(one) in _NUMBERS
    if (
        not alike
        and not (is_number(one) and is_number(other))
        and (type(one) is not type(other) or not isinstance(one, _ORDERED))
    ):
        raise RunError("no such overload")
    return int(one > other) - int(one < other)


_NUMBERS: Final = frozenset({int, float})
_ORDERED: Final = (bool, str, bytes, Duration, Timestamp)


def is_number(value: Any) -> bool:
    """Return whether a value is a number; truth is none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def double_text(value: float) -> str:
    """Return a number as Go's strconv writes it in its shortest form ('g', -1)."""
    if value != value or value in {float("inf"), float("-inf")}:
        return "NaN" if value != value else "+Inf" if value > 0 else "-Inf"
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    text = "".join(map(str, digits))
    power = len(text) + int(exponent) - 1
    minus = "-" if sign else ""
    if not value or -4 <= power < 6:
        return minus + f"{abs(Decimal(repr(value))):f}".removesuffix(".0")
    point = f".{text[1:]}" if len(text) > 1 else ""
    return f"{minus}{text[0]}{point}e{'-' if power < 0 else '+'}{abs(power):02d}"
