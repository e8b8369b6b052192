"""Reading the schedule of a CronJob, to say what is wrong with it.

Models github.com/robfig/cron/v3 (ParseStandard).
"""

from __future__ import annotations

import re
from typing import Final

DESCRIPTORS: Final = frozenset({"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"})
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


class _Bad(Exception):
    """What is wrong with a schedule."""


def complaint(schedule: str) -> str:
    """Return what is wrong with a schedule, "" when nothing is."""
    try:
        _parse(schedule)
    except _Bad as error:
        return str(error)
    return ""


def _parse(schedule: str) -> None:
    text = schedule
    if text.startswith(("TZ=", "CRON_TZ=")):
        text = text.partition(" ")[2].strip()
    if not text:
        raise _Bad("empty spec string")
    if text.startswith("@"):
        _descriptor(text)
        return
    parts = text.split()
    if len(parts) != len(FIELDS):
        raise _Bad(f"expected exactly {len(FIELDS)} fields, found {len(parts)}: [{' '.join(parts)}]")
    for part, (low, high, names) in zip(parts, FIELDS, strict=True):
        for one in part.split(","):
            _range(one, low, high, names)


def _descriptor(text: str) -> None:
    if text in DESCRIPTORS:
        return
    every = "@every "
    if text.startswith(every):
        if not _DURATION.fullmatch(text[len(every) :]):
            raise _Bad(f'failed to parse duration {text}: time: invalid duration "{text[len(every) :]}"')
        return
    raise _Bad(f"unrecognized descriptor: {text}")


def _range(text: str, low: int, high: int, names: dict[str, int]) -> None:
    steps = text.split("/")
    ends = steps[0].split("-")
    if ends[0] in {"*", "?"}:
        start, end = low, high
    else:
        start = _number(ends[0], names)
        if len(ends) > 2:
            raise _Bad(f"too many hyphens: {text}")
        end = _number(ends[1], names) if len(ends) == 2 else start
    step = 1
    if len(steps) > 2:
        raise _Bad(f"too many slashes: {text}")
    if len(steps) == 2:
        step = _number(steps[1], {})
        if len(ends) == 1 and ends[0] not in {"*", "?"}:
            end = high
    if start < low:
        raise _Bad(f"beginning of range ({start}) below minimum ({low}): {text}")
    if end > high:
        raise _Bad(f"end of range ({end}) above maximum ({high}): {text}")
    if start > end:
        raise _Bad(f"beginning of range ({start}) beyond end of range ({end}): {text}")
    if step == 0:
        raise _Bad(f"step of range should be a positive number: {text}")


def _number(text: str, names: dict[str, int]) -> int:
    if text.lower() in names:
        return names[text.lower()]
    if not re.fullmatch("[+-]?[0-9]+", text):
        raise _Bad(f'failed to parse int from {text}: strconv.Atoi: parsing "{text}": invalid syntax')
    if int(text) < 0:
        raise _Bad(f"negative number ({int(text)}) not allowed: {text}")
    return int(text)
