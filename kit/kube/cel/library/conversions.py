"""From one type to another, and the parts of times.

Models cel-go/common/types/{int,uint,double,string,bytes,bool,duration,timestamp}.go.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from kit.kube import times
from kit.kube.cel.library.operators import moment, natural, whole
from kit.kube.cel.numbers import (
    NONE,
    SECOND,
    Duration,
    Optional,
    RunError,
    Timestamp,
    TypeName,
    Uint,
    double_text,
    type_name,
)

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,30}")
_DOUBLE: Final = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?|[+-]?(inf|infinity)|nan", re.IGNORECASE)
_TRUTH: Final = {
    **dict.fromkeys(("1", "t", "T", "TRUE", "true", "True"), True),
    **dict.fromkeys(("0", "f", "F", "FALSE", "false", "False"), False),
}
_OFFSET: Final = re.compile(r"([+-]?)(\d\d):(\d\d)")


def _unreadable(to: str) -> RunError:
    return RunError(f"type conversion error from 'string' to '{to}'")


def to_int(value: Any) -> int:
    """Return a value as an integer."""
    if isinstance(value, str):
        if not _INTEGER.fullmatch(value) or not -(2**63) <= int(value) < 2**63:
            raise _unreadable("int")
        return int(value)
    if isinstance(value, Timestamp):
        return value.nanos // SECOND
    if isinstance(value, Duration):
        return value.nanos
    if isinstance(value, float):
        if not -(2.0**63) < value < 2.0**63:
            raise RunError("integer overflow")
        return int(value)
    return whole(int(value))


def to_uint(value: Any) -> Uint:
    """Return a value as an unsigned integer."""
    if isinstance(value, str):
        if not _INTEGER.fullmatch(value) or value[0] in "+-" or int(value) >= 2**64:
            raise _unreadable("uint")
        return Uint(int(value))
    if isinstance(value, float) and not -1 < value < 2.0**64:
        raise RunError("unsigned integer overflow")
    return natural(int(value))


def to_double(value: Any) -> float:
    """Return a value as a double."""
    if isinstance(value, str) and not _DOUBLE.fullmatch(value):
        raise _unreadable("double")
    found = float(value)
    if isinstance(value, str) and abs(found) == float("inf") and "n" not in value.lower():
        raise _unreadable("double")
    return found


def to_bool(value: Any) -> bool:
    """Return a value as truth."""
    if isinstance(value, str):
        if value not in _TRUTH:
            raise _unreadable("bool")
        return _TRUTH[value]
    return bool(value)


def to_text(value: Any) -> str:
    """Return a value as a text."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return double_text(value)
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            raise RunError("invalid UTF-8 in bytes, cannot convert to string") from None
    return time_text(value) if isinstance(value, Timestamp) else str(value)


def to_bytes(value: Any) -> bytes:
    """Return a value as bytes."""
    return value.encode() if isinstance(value, str) else bytes(value)


def to_duration(value: Any) -> Duration:
    """Return a value as a duration; raise RunError."""
    if isinstance(value, Duration):
        return value
    if isinstance(value, int):
        return Duration(value)
    try:
        return Duration(times.parse_go_duration(value))
    except times.TimeError:
        raise _unreadable("google.protobuf.Duration") from None


def to_timestamp(value: Any) -> Timestamp:
    """Return a value as a time; raise RunError."""
    if isinstance(value, Timestamp):
        return value
    if isinstance(value, int):
        return moment(value * SECOND)
    try:
        seconds, nanos = times.timestamp(value)
    except times.TimeError:
        raise _unreadable("google.protobuf.Timestamp") from None
    offset = _OFFSET.search(value[19:])
    return moment(seconds * SECOND + nanos, _minutes(offset) if offset else 0)


def _minutes(offset: re.Match[str]) -> int:
    return (int(offset[2]) * 60 + int(offset[3])) * (-1 if offset[1] == "-" else 1)


def time_text(value: Timestamp) -> str:
    """Return a time in RFC 3339, in the zone it was written in."""
    at = _EPOCH + timedelta(seconds=value.nanos // SECOND, minutes=value.zone)
    part = value.nanos % SECOND
    digits = f".{part:09d}".rstrip("0") if part else ""
    sign, size = ("-" if value.zone < 0 else "+"), abs(value.zone)
    zone = f"{sign}{size // 60:02d}:{size % 60:02d}" if value.zone else "Z"
    return f"{at.strftime('%Y-%m-%dT%H:%M:%S').rjust(19, '0')}{digits}{zone}"


def _at(value: Timestamp, zone: str = "") -> datetime:
    """Return a time as it is in a zone: an offset or UTC; names of places are not known here."""
    found = _OFFSET.fullmatch(zone)
    if found is None and zone not in {"", "UTC"}:
        raise RunError(f"unknown time zone {zone}")
    return _EPOCH + timedelta(seconds=value.nanos // SECOND, minutes=_minutes(found) if found else 0)


def _part(of: Callable[[datetime], int]) -> Callable[..., int]:
    return lambda value, zone="": of(_at(value, zone))


def _clock(of: Callable[[datetime], int], unit: int) -> Callable[..., int]:
    """Return how many units a duration has, or the part of a time."""
    return lambda value, zone="": (
        of(_at(value, zone))
        if isinstance(value, Timestamp)
        else abs(value.nanos) // unit * (-1 if value.nanos < 0 else 1)
    )


def _milli(value: Any, zone: str = "") -> int:
    nanos = value.nanos % SECOND if isinstance(value, Timestamp) else value.nanos
    return int(nanos // 10**6)


def _of_non_zero(value: Any) -> Optional:
    empty = value is None or value == Duration(0) or value in (False, 0, "", b"") or value == [] or value == {}
    return NONE if empty else Optional(value)


def _value(one: Optional) -> Any:
    if not one.present:
        raise RunError("optional.none() dereference")
    return one.value


FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    "int": to_int,
    "uint": to_uint,
    "double": to_double,
    "bool": to_bool,
    "string": to_text,
    "bytes": to_bytes,
    "duration": to_duration,
    "timestamp": to_timestamp,
    "dyn": lambda value: value,
    "type": lambda value: TypeName(type_name(value)),
    "size": len,
    "getFullYear": _part(lambda at: at.year),
    "getMonth": _part(lambda at: at.month - 1),
    "getDayOfYear": _part(lambda at: at.timetuple().tm_yday - 1),
    "getDate": _part(lambda at: at.day),
    "getDayOfMonth": _part(lambda at: at.day - 1),
    "getDayOfWeek": _part(lambda at: at.isoweekday() % 7),
    "getHours": _clock(lambda at: at.hour, 3600 * SECOND),
    "getMinutes": _clock(lambda at: at.minute, 60 * SECOND),
    "getSeconds": _clock(lambda at: at.second, SECOND),
    "getMilliseconds": _milli,
    "optional.of": Optional,
    "optional.ofNonZeroValue": _of_non_zero,
    "optional.none": lambda: NONE,
    "optional.unwrap": lambda several: [one.value for one in several if one.present],
    "unwrapOpt": lambda several: [one.value for one in several if one.present],
    "hasValue": lambda one: one.present,
    "value": _value,
}
