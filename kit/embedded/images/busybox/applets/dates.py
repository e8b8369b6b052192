"""`date`, `cal`-free: times as text, without the host's clock or locale."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from kit.embedded.images.busybox.applets.command import Command, Fail, Steps, Usage, table
from kit.kube.times import DAYS, EPOCH, MONTHS

LONG_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
LONG_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
HALF_YEAR_MS = 183 * 86_400_000

FIELDS: dict[str, Callable[[datetime], str]] = {
    "a": lambda t: DAYS[t.weekday()],
    "A": lambda t: LONG_DAYS[t.weekday()],
    "b": lambda t: MONTHS[t.month - 1],
    "h": lambda t: MONTHS[t.month - 1],
    "B": lambda t: LONG_MONTHS[t.month - 1],
    "c": lambda t: strftime("%a %b %e %H:%M:%S %Y", t),
    "C": lambda t: f"{t.year // 100:02d}",
    "d": lambda t: f"{t.day:02d}",
    "D": lambda t: strftime("%m/%d/%y", t),
    "e": lambda t: f"{t.day:2d}",
    "F": lambda t: strftime("%Y-%m-%d", t),
    "H": lambda t: f"{t.hour:02d}",
    "I": lambda t: f"{(t.hour + 11) % 12 + 1:02d}",
    "j": lambda t: f"{t.timetuple().tm_yday:03d}",
    "k": lambda t: f"{t.hour:2d}",
    "l": lambda t: f"{(t.hour + 11) % 12 + 1:2d}",
    "m": lambda t: f"{t.month:02d}",
    "M": lambda t: f"{t.minute:02d}",
    "n": lambda t: "\n",
    "N": lambda t: f"{t.microsecond:06d}000",
    "p": lambda t: "AM" if t.hour < 12 else "PM",
    "P": lambda t: "am" if t.hour < 12 else "pm",
    "r": lambda t: strftime("%I:%M:%S %p", t),
    "R": lambda t: strftime("%H:%M", t),
    "s": lambda t: str((t - EPOCH) // timedelta(seconds=1)),
    "S": lambda t: f"{t.second:02d}",
    "t": lambda t: "\t",
    "T": lambda t: strftime("%H:%M:%S", t),
    "u": lambda t: str(t.isoweekday()),
    "w": lambda t: str(t.isoweekday() % 7),
    "V": lambda t: f"{t.isocalendar().week:02d}",
    "x": lambda t: strftime("%m/%d/%y", t),
    "X": lambda t: strftime("%H:%M:%S", t),
    "y": lambda t: f"{t.year % 100:02d}",
    "Y": lambda t: str(t.year),
    "z": lambda t: "+0000",
    "Z": lambda t: "UTC",
    "%": lambda t: "%",
}


def moment(ms: int) -> datetime:
    """Return the time `ms` milliseconds after 1970, in UTC."""
    try:
        return EPOCH + timedelta(milliseconds=ms)
    except OverflowError:
        return EPOCH


def strftime(template: str, time: datetime) -> str:
    """Format a time as C's strftime does in the C locale."""
    out: list[str] = []
    index = 0
    while index < len(template):
        char = template[index]
        if char == "%" and index + 1 < len(template):
            letter = template[index + 1]
            out.append(FIELDS[letter](time) if letter in FIELDS else char + letter)
            index += 2
        else:
            out.append(char)
            index += 1
    return "".join(out)


def ls_date(ms: int, now: int) -> str:
    """Return a date as `ls -l` shows it: with the time when it is near, with the year when not."""
    near = now - HALF_YEAR_MS < ms < now + HALF_YEAR_MS
    return strftime("%b %e %H:%M" if near else "%b %e  %Y", moment(ms))


def stat_date(ms: int) -> str:
    """Return a date as `stat` shows it."""
    return strftime("%Y-%m-%d %H:%M:%S.%N +0000", moment(ms))


def parse_date(text: str, now: datetime) -> datetime | None:
    """Return the time that `date -d` means, None when it is none."""
    if text.startswith("@"):
        digits = text[1:].lstrip("-")
        if digits.isdigit() and len(digits) < 12:
            return moment(int(text[1:]) * 1000)
        return None
    day = [now.year, now.month, now.day]
    day_text, _, clock = text.strip().replace("T", " ").rstrip("Z").partition(" ")
    if ":" in day_text and not clock:
        day_text, clock = "", day_text
    try:
        if day_text:
            day = [int(part) for part in (day_text.split("-") if "-" in day_text else "")]
        parts = [int(part) for part in clock.split(":")] if clock else [0, 0, 0]
        return datetime(*day, *parts, tzinfo=UTC) if len(day) == 3 and len(parts) in (2, 3) else None  # type: ignore[misc,arg-type]
    except ValueError:
        return None


def date(command: Command) -> Steps:
    """Show the time."""
    words = command.parse("ud:s:r:RI", {"utc": "u", "date": "d:", "set": "s:", "iso-8601": "I", "rfc-2822": "R"})
    time = moment((yield from command.now()))
    given = command.options.get("s", command.options.get("d"))
    if given is not None:
        found = parse_date(str(given), time)
        if found is None:
            raise Fail(f"invalid date '{given}'")
        time = found
    if command.has("s"):  # no container may, and the original shows the date none the less
        yield from command.raw_error("date: can't set date: Operation not permitted\n")
    template = "%a %b %e %H:%M:%S %Z %Y"
    if command.has("I"):
        template = "%Y-%m-%d"
    elif command.has("R"):
        template = "%a, %d %b %Y %H:%M:%S %z"
    if words:
        if not words[0].startswith("+") or len(words) > 1:
            raise Usage if len(words) > 1 else Fail(f"invalid date '{words[0]}'")
        template = words[0][1:]
    command.out(strftime(template, time) + "\n")
    return 0


APPLETS: dict[str, Any] = table((("date", date, "date [OPTIONS] [+FMT] [[-s] TIME]"),))
