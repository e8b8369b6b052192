"""Arithmetic and comparison.

Models cel-go/common/stdlib and common/types: numbers have 64 bits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

from kit.kube.cel.numbers import Duration, RunError, Timestamp, Uint, equal, ordered

_LOW, _HIGH = -(2**63), 2**63
_TIMES: Final = (-62135596800 * 10**9, 253402300799 * 10**9 + 999_999_999)


def whole(value: int) -> int:
    """Return an integer; raise RunError for one of more than 64 bits."""
    if not _LOW <= value < _HIGH:
        raise RunError("integer overflow")
    return value


def natural(value: int) -> Uint:
    """Return an unsigned integer; raise RunError for one of more than 64 bits."""
    if not 0 <= value < 2**64:
        raise RunError("unsigned integer overflow")
    return Uint(value)


def span(nanos: int) -> Duration:
    """Return a duration; raise RunError for one of more than 290 years."""
    if not _LOW <= nanos < _HIGH:
        raise RunError("integer overflow")
    return Duration(nanos)


def moment(nanos: int, zone: int = 0) -> Timestamp:
    """Return a time; raise RunError outside the years 1 to 9999."""
    if not _TIMES[0] <= nanos <= _TIMES[1]:
        raise RunError("timestamp overflow")
    return Timestamp(nanos, zone)


def add(one: Any, other: Any) -> Any:
    """Return a sum, or one after the other."""
    if isinstance(one, Duration):
        return (
            moment(one.nanos + other.nanos, other.zone)
            if isinstance(other, Timestamp)
            else span(one.nanos + other.nanos)
        )
    if isinstance(one, Timestamp):
        return moment(one.nanos + other.nanos, one.zone)
    return _kept(one, one + other)


def subtract(one: Any, other: Any) -> Any:
    """Return a difference."""
    if isinstance(one, Timestamp):
        nanos = one.nanos - other.nanos
        return span(nanos) if isinstance(other, Timestamp) else moment(nanos, one.zone)
    return span(one.nanos - other.nanos) if isinstance(one, Duration) else _kept(one, one - other)


def _kept(one: Any, result: Any) -> Any:
    """Return a result in the type of its operands."""
    if isinstance(one, Uint):
        return natural(int(result))
    return whole(result) if isinstance(one, int) else result


def divide(one: Any, other: Any) -> Any:
    """Return a quotient, of integers the part before the point."""
    if isinstance(one, float):
        return _divided(one, other)
    if other == 0:
        raise RunError("division by zero")
    return _kept(one, abs(one) // abs(other) * (1 if (one < 0) == (other < 0) else -1))


def _divided(one: float, other: float) -> float:
    if other:
        return one / other
    if one == 0 or math.isnan(one):
        return math.nan
    return math.copysign(math.inf, one) * math.copysign(1, other)


def remainder(one: Any, other: Any) -> Any:
    """Return what a division leaves, with the sign of what is divided."""
    if other == 0:
        raise RunError("modulus by zero")
    if one == _LOW and other == -1:
        raise RunError("integer overflow")
    return _kept(one, abs(one) % abs(other) * (-1 if one < 0 else 1))


def contains(one: Any, other: Any) -> bool:
    """Return whether a list has an item, or a map a key."""
    if isinstance(other, dict):
        return isinstance(one, bool | int | float | str) and one in other
    return any(equal(one, item) for item in other)


FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    "_+_": add,
    "_-_": subtract,
    "_*_": lambda one, other: _kept(one, one * other),
    "_/_": divide,
    "_%_": remainder,
    "-_": lambda one: _kept(one, -one),
    "!_": lambda one: not one,
    "_==_": equal,
    "_!=_": lambda one, other: not equal(one, other),
    "_<_": lambda one, other: ordered(one, other) < 0,
    "_<=_": lambda one, other: ordered(one, other) <= 0,
    "_>_": lambda one, other: ordered(one, other) > 0,
    "_>=_": lambda one, other: ordered(one, other) >= 0,
    "@in": contains,
}
