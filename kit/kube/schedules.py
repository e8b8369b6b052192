"""The schedule of a CronJob: read, what is wrong with it, and when it is next due.

Models github.com/robfig/cron/v3: ParseStandard, SpecSchedule.Next, ConstantDelaySchedule.Next.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from kit.kube import times

DESCRIPTORS: Final = {
    "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0", "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
}  # fmt: skip
_MONTHS: Final = {
    "jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11, "dec": 12,
}  # fmt: skip
_DAYS: Final = {"sun": 0, "mon": 1, "tue": 2, "wed": 3, "thu": 4, "fri": 5, "sat": 6}
# Minute, hour, day of month, month, day of week: smallest, largest, names.
FIELDS: Final[tuple[tuple[int, int, dict[str, int]], ...]] = (
    (0, 59, {}),
    (0, 23, {}),
    (1, 31, {}),
    (1, 12, _MONTHS),
    (0, 6, _DAYS),
)
_DURATION: Final = re.compile(r"[+-]?(?:\d+(?:\.\d*)?(?:ns|us|µs|ms|s|m|h))+")


_START: Final = datetime(1970, 1, 1, tzinfo=UTC)
_YEARS: Final = 5  # one that is not due for so long never is
Offset = Callable[[int], int]  # a zone's offset from UTC in ms, at a moment in ms since 1970


class BadSchedule(ValueError):
    """What is wrong with a schedule."""


class Every(NamedTuple):
    """A schedule of equal intervals in ms."""

    interval: int

    def next(self, after: int, offset: Offset) -> int | None:
        """Return when it is due after a moment, both in ms since 1970."""
        return after // times.SECOND * times.SECOND + self.interval


class Schedule(NamedTuple):
    """The minutes it is due; `either`: a day need match only one of its two fields, since both restrict it."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either: bool

    def next(self, after: int, offset: Offset) -> int | None:
        """Return when it is due after a moment, both in ms since 1970; None for a day that never comes."""
        at = (after // times.MINUTE + 1) * times.MINUTE
        last = _local(at, offset).year + _YEARS
        while (now := _local(at, offset)).year <= last:
            later = self._skip(now)
            if later is None:
                return at
            at += (later - now) // timedelta(milliseconds=1)
        return None

    def _skip(self, now: datetime) -> datetime | None:
        """Return the beginning of the next month, day, hour or minute when this one is not due, None when it is."""
        midnight = now.replace(hour=0, minute=0)
        if now.month not in self.months:
            return (midnight.replace(day=1) + timedelta(days=32)).replace(day=1)
        if not self._is_day(now):
            return midnight + timedelta(days=1)
        if now.hour not in self.hours:
            return now.replace(minute=0) + timedelta(hours=1)
        return None if now.minute in self.minutes else now + timedelta(minutes=1)

    def _is_day(self, now: datetime) -> bool:
        day, weekday = now.day in self.days, (now.weekday() + 1) % 7 in self.weekdays
        return day or weekday if self.either else day and weekday


def _local(at: int, offset: Offset) -> datetime:
    return _START + timedelta(milliseconds=at + offset(at))


def complaint(schedule: str) -> str:
    """Return what is wrong with a schedule, "" when nothing is."""
    try:
        parse(schedule)
    except BadSchedule as error:
        return str(error)
    return ""


def parse(schedule: str) -> Schedule | Every:
    """Read a schedule; raise BadSchedule in upstream's words."""
    text = schedule
    if text.startswith(("TZ=", "CRON_TZ=")):
        text = text.partition(" ")[2].strip()
    if not text:
        raise BadSchedule("empty spec string")
    if text.startswith("@every "):
        return _every(text)
    if text.startswith("@"):
        if text not in DESCRIPTORS:
            raise BadSchedule(f"unrecognized descriptor: {text}")
        text = DESCRIPTORS[text]
    parts = text.split()
    if len(parts) != len(FIELDS):
        raise BadSchedule(f"expected exactly {len(FIELDS)} fields, found {len(parts)}: [{' '.join(parts)}]")
    sets, stars = [], []
    for part, (low, high, names) in zip(parts, FIELDS, strict=True):
        found = [_range(one, low, high, names) for one in part.split(",")]
        sets.append(frozenset(value for values, _ in found for value in values))
        stars.append(any(star for _, star in found))
    minutes, hours, days, months, weekdays = sets
    return Schedule(minutes, hours, days, months, weekdays, not (stars[2] or stars[4]))


def _every(text: str) -> Every:
    words = text.removeprefix("@every ")
    if not _DURATION.fullmatch(words):
        raise BadSchedule(f'failed to parse duration {text}: time: invalid duration "{words}"')
    return Every(max(times.parse_go_duration(words) // 10**9, 1) * times.SECOND)


def _range(text: str, low: int, high: int, names: dict[str, int]) -> tuple[range, bool]:
    """Return the values of one range, and whether it is a star that restricts nothing."""
    steps = text.split("/")
    ends = steps[0].split("-")
    if ends[0] in {"*", "?"}:
        start, end = low, high
    else:
        start = _number(ends[0], names)
        if len(ends) > 2:
            raise BadSchedule(f"too many hyphens: {text}")
        end = _number(ends[1], names) if len(ends) == 2 else start
    step = 1
    if len(steps) > 2:
        raise BadSchedule(f"too many slashes: {text}")
    if len(steps) == 2:
        step = _number(steps[1], {})
        if len(ends) == 1 and ends[0] not in {"*", "?"}:
            end = high
    if start < low:
        raise BadSchedule(f"beginning of range ({start}) below minimum ({low}): {text}")
    if end > high:
        raise BadSchedule(f"end of range ({end}) above maximum ({high}): {text}")
    if start > end:
        raise BadSchedule(f"beginning of range ({start}) beyond end of range ({end}): {text}")
    if step == 0:
        raise BadSchedule(f"step of range should be a positive number: {text}")
    return range(start, end + 1, step), ends[0] in {"*", "?"} and step == 1


def _number(text: str, names: dict[str, int]) -> int:
    if text.lower() in names:
        return names[text.lower()]
    if not re.fullmatch("[+-]?[0-9]+", text):
        raise BadSchedule(f'failed to parse int from {text}: strconv.Atoi: parsing "{text}": invalid syntax')
    if int(text) < 0:
        raise BadSchedule(f"negative number ({int(text)}) not allowed: {text}")
    return int(text)
