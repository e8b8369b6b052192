"""When schedules are due, as github.com/robfig/cron finds it."""

from __future__ import annotations

import pytest

from kit.kube import schedules, times
from kit.runtime.zones import SystemZones

ZONES = SystemZones()


def due(schedule: str, after: str, count: int = 3, zone: str = "UTC") -> list[str]:
    """Return the next few times a schedule is due."""
    found, at = [], times.parse(after)
    read = schedules.parse(schedule)
    for _ in range(count):
        following = read.next(at, lambda moment: ZONES.offset_ms(zone, moment) or 0)
        if following is None:
            break
        at = following
        found.append(times.rfc3339(at))
    return found


@pytest.mark.parametrize(
    ("schedule", "after", "wanted"),
    [
        ("* * * * *", "2026-03-01T12:00:00Z", ["2026-03-01T12:01:00Z", "2026-03-01T12:02:00Z", "2026-03-01T12:03:00Z"]),
        ("*/20 9 * * *", "2026-03-01T09:20:30Z", ["2026-03-01T09:40:00Z", "2026-03-02T09:00:00Z", "2026-03-02T09:20:00Z"]),
        ("30 6-16/4 * * 1-5", "2026-03-06T12:00:00Z", ["2026-03-06T14:30:00Z", "2026-03-09T06:30:00Z", "2026-03-09T10:30:00Z"]),
        ("0 0 13 * fri", "2026-03-06T12:00:00Z", ["2026-03-13T00:00:00Z", "2026-03-20T00:00:00Z", "2026-03-27T00:00:00Z"]),
        ("0 0 */2 * fri", "2026-03-06T12:00:00Z", ["2026-03-07T00:00:00Z", "2026-03-09T00:00:00Z", "2026-03-11T00:00:00Z"]),
        ("0 0 29 2 *", "2026-03-06T12:00:00Z", ["2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z", "2036-02-29T00:00:00Z"]),
        ("@monthly", "2026-11-06T12:00:00Z", ["2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z", "2027-02-01T00:00:00Z"]),
        ("@every 90s", "2026-03-27T12:00:10Z", ["2026-03-27T12:01:40Z", "2026-03-27T12:03:10Z", "2026-03-27T12:04:40Z"]),
        ("0 0 31 2 *", "2026-03-06T12:00:00Z", []),
    ],
)  # fmt: skip
def test_next(schedule: str, after: str, wanted: list[str]) -> None:
    """Fields, steps, ranges, names, days that match one of two fields, and days that never come."""
    assert due(schedule, after) == wanted


def test_clocks_that_change() -> None:
    """What is due in an hour that a zone skips is not due that day; the offset is that of the day."""
    assert due("30 2 * * *", "2026-03-27T12:00:00Z", zone="Europe/Berlin") == [
        "2026-03-28T01:30:00Z",
        "2026-03-30T00:30:00Z",
        "2026-03-31T00:30:00Z",
    ]


def test_times_of_a_zone() -> None:
    """A time can be written as a zone's clocks show it, and as Go's RFC1123Z."""
    at = times.parse("2026-03-01T12:00:00Z")
    assert times.rfc3339(at, 3_600_000) == "2026-03-01T13:00:00+01:00"
    assert times.rfc3339(at, -12_600_000) == "2026-03-01T08:30:00-03:30"
    assert times.rfc1123z(at) == "Sun, 01 Mar 2026 12:00:00 +0000"
