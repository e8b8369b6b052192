"""Times and durations as the API and kubectl write them. A time is an int of milliseconds since 1970.

Models k8s.io/apimachinery/pkg/apis/meta/v1/{time,micro_time}.go, pkg/util/duration/duration.go and Go's time.Duration.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

SECOND: Final = 1000
MINUTE: Final = 60 * SECOND

DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAYOUT: Final = "2006-01-02T15:04:05Z07:00"
_PARTS: Final = (
    ("2006", r"[0-9]{4}"),
    ("-", "-"),
    ("01", r"[0-9]{2}"),
    ("-", "-"),
    ("02", r"[0-9]{2}"),
    ("T", "T"),
    ("15", r"[0-9]{2}"),
    (":", ":"),
    ("04", r"[0-9]{2}"),
    (":", ":"),
    ("05", r"[0-9]{2}"),
    ("", r"(?:[.,][0-9]+)?"),
    ("Z07:00", r"Z|[+-][0-9]{2}:[0-9]{2}"),
)
_WHOLE: Final = re.compile("".join(f"({pattern})" for _, pattern in _PARTS))
_RANGES: Final = (
    ("month", 2, 1, 12),
    ("day", 4, 1, 31),
    ("hour", 6, 0, 23),
    ("minute", 8, 0, 59),
    ("second", 10, 0, 59),
)
_UNITS: Final = {
    "ns": 1,
    "us": 10**3,
    "µs": 10**3,
    "μs": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
}


class TimeError(ValueError):
    """The text is no time or duration; the message is Go's."""


def rfc3339(ms: int, offset: int = 0) -> str:
    """Return a time in whole seconds, as metav1.Time is written: 2026-01-31T09:00:00Z; `offset` is that of a zone's clocks in ms."""
    return _format((ms + offset) // SECOND) + (_zone(offset) if offset else "Z")


def rfc1123z(ms: int) -> str:
    """Return a time as Go's RFC1123Z in UTC: Sat, 31 Jan 2026 09:00:00 +0000."""
    at = EPOCH + timedelta(milliseconds=ms)
    return f"{DAYS[at.weekday()]}, {at.day:02d} {MONTHS[at.month - 1]} {at:%Y %H:%M:%S} +0000"


def _zone(offset: int) -> str:
    minutes = abs(offset) // MINUTE
    return f"{'-' if offset < 0 else '+'}{minutes // 60:02d}:{minutes % 60:02d}"


def rfc3339_micro(ms: int) -> str:
    """Return a time with six decimals, as metav1.MicroTime is written."""
    return f"{_format(ms // SECOND)}.{ms % SECOND:03d}000Z"


def http_date(ms: int, zone: str = "GMT") -> str:
    """Return a time as headers of HTTP hold it: Wed, 25 Nov 2026 03:26:43 GMT."""
    return (EPOCH + timedelta(seconds=ms // SECOND)).strftime(f"%a, %d %b %Y %H:%M:%S {zone}")


def from_timestamp(seconds: int, nanos: int, *, micro: bool = False) -> str:
    """Return a protobuf Timestamp as the API writes it; raise TimeError outside the years 1 to 9999."""
    fraction = f".{nanos // 1000:06d}" if micro else ""
    return f"{_format(seconds)}{fraction}Z"


@lru_cache(maxsize=1024)
def _format(seconds: int) -> str:
    try:
        return (EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0")
    except OverflowError:
        raise TimeError("Time.MarshalJSON: year outside of range [0,9999]") from None


@lru_cache(maxsize=4096)
def parse(text: str) -> int:
    """Read an RFC 3339 time, with or without a fraction and in any zone; raise TimeError in Go's words."""
    pieces = _pieces(text)
    numbers = {index: int(pieces[index]) for index in (0, 2, 4, 6, 8, 10)}
    for name, index, low, high in _RANGES:
        if not low <= numbers[index] <= high:
            raise TimeError(f"parsing time {_quoted(text)}: {name} out of range")
    zone = pieces[12]
    minutes = 0 if zone == "Z" else (int(zone[1:3]) * 60 + int(zone[4:6])) * (-1 if zone[0] == "-" else 1)
    try:
        date = datetime(*(numbers[index] for index in (0, 2, 4, 6, 8, 10)), tzinfo=UTC)  # type: ignore[arg-type,misc]
    except ValueError:
        raise TimeError(f"parsing time {_quoted(text)}: day out of range") from None
    milli = int((pieces[11][1:] + "000")[:3])
    return ((date - EPOCH) // timedelta(seconds=1) - minutes * 60) * SECOND + milli


def timestamp(text: str) -> tuple[int, int]:
    """Read an RFC 3339 time as seconds since 1970 and the nanoseconds beyond; raise TimeError in Go's words."""
    return parse(text) // SECOND, int((_pieces(text)[11][1:] + "0" * 9)[:9])


def _quoted(text: str) -> str:
    """Return a text as Go's package time quotes it: in ASCII, other bytes as \\xNN."""
    plain = text.replace("\\", "\\\\").replace('"', '\\"')
    return (
        '"'
        + "".join(one if " " <= one < "\x7f" else "".join(f"\\x{byte:02x}" for byte in one.encode()) for one in plain)
        + '"'
    )


def _pieces(text: str) -> Sequence[str]:
    if whole := _WHOLE.fullmatch(text):
        return whole.groups()
    at, out = 0, []
    for layout, pattern in _PARTS:
        match = re.compile(pattern).match(text, at)
        if not match:
            where = f'parsing time {_quoted(text)} as "{_LAYOUT}"'
            raise TimeError(f'{where}: cannot parse {_quoted(text[at:])} as "{layout}"')
        out.append(match.group())
        at = match.end()
    if at != len(text):
        raise TimeError(f"parsing time {_quoted(text)}: extra text: {_quoted(text[at:])}")
    return out


def human_duration(ms: int) -> str:
    """Return an age as tables print it: 119s, 3m5s, 2h, 7d3h, 3y40d; <invalid> for what lies ahead."""
    seconds = int(ms / SECOND)
    if seconds < 0:
        return "<invalid>" if seconds < -1 else "0s"
    if seconds < 120:
        return f"{seconds}s"
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if minutes < 10:
        return _two(minutes, "m", seconds % 60, "s")
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return _two(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    if hours < 192:
        return _two(days, "d", hours % 24, "h")
    if days < 730:
        return f"{days}d"
    return _two(days // 365, "y", days % 365 if days < 2920 else 0, "d")


def _two(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large}{large_unit}{small}{small_unit}" if small else f"{large}{large_unit}"


def go_duration(nanos: int) -> str:
    """Return nanoseconds as Go's time.Duration prints them: 1m0s, 1.5s, 100ms, 0s."""
    if nanos == 0:
        return "0s"
    sign, size = ("-", -nanos) if nanos < 0 else ("", nanos)
    for unit, scale in (("ns", 1), ("µs", 10**3), ("ms", 10**6)):
        if size < scale * 1000:
            return f"{sign}{_decimal(size, scale)}{unit}"
    minutes, rest = divmod(size, _UNITS["m"])
    hours, minutes = divmod(minutes, 60)
    head = f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else ""
    return f"{sign}{head}{_decimal(rest, 10**9)}s"


def _decimal(value: int, scale: int) -> str:
    whole, part = divmod(value, scale)
    digits = f"{part:0{len(str(scale)) - 1}d}".rstrip("0") if scale > 1 else ""
    return f"{whole}.{digits}" if digits else str(whole)


def parse_go_duration(text: str) -> int:
    """Read a Go duration such as 1h30m or 1.5s into nanoseconds; raise TimeError in Go's words."""
    sign, rest = (-1 if text.startswith("-") else 1), text[1:] if text[:1] in {"+", "-"} else text
    if rest == "0":
        return 0
    total, at = 0, 0
    while at < len(rest) or not rest:
        match = re.compile(r"([0-9]*)(?:\.([0-9]*))?").match(rest, at)
        if not match or not (match[1] or match[2]):
            raise TimeError(f'time: invalid duration "{text}"')
        unit = re.compile(r"[^0-9.]*").match(rest, match.end())
        name = unit.group() if unit else ""
        if name not in _UNITS:
            what = f'unknown unit "{name}" in' if name else "missing unit in"
            raise TimeError(f'time: {what} duration "{text}"')
        part = match[2] or ""
        total += int(match[1] + part or "0") * _UNITS[name] // 10 ** len(part)
        at = match.end() + len(name)
    if total > 2**63 - 1:
        raise TimeError(f'time: invalid duration "{text}"')
    return sign * total
