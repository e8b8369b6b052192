"""Times as servers write them: in HTTP headers and in their logs. All in UTC, from milliseconds since 1970."""

from __future__ import annotations

from datetime import datetime, timedelta

from kit.kube.times import DAYS, EPOCH, MONTHS


def _date(ms: int) -> datetime:
    return EPOCH + timedelta(milliseconds=ms)


def http_date(ms: int) -> str:
    """Return `Tue, 24 Nov 2026 03:38:09 GMT`."""
    when = _date(ms)
    return f"{DAYS[when.weekday()]}, {when.day:02} {MONTHS[when.month - 1]} {when.year} {when:%H:%M:%S} GMT"


def access_date(ms: int) -> str:
    """Return `24/Nov/2026:03:38:09 +0000`, as access logs have it."""
    when = _date(ms)
    return f"{when.day:02}/{MONTHS[when.month - 1]}/{when.year}:{when:%H:%M:%S} +0000"


def error_date(ms: int) -> str:
    """Return `2026/11/24 03:38:09`, as nginx's error log has it."""
    return f"{_date(ms):%Y/%m/%d %H:%M:%S}"


def redis_date(ms: int) -> str:
    """Return `24 Nov 2026 03:34:11.662`."""
    when = _date(ms)
    return f"{when.day:02} {MONTHS[when.month - 1]} {when.year} {when:%H:%M:%S}.{ms % 1000:03}"


def index_date(ms: int) -> str:
    """Return `24-Nov-2026 03:34`, as nginx's folder listing has it."""
    when = _date(ms)
    return f"{when.day:02}-{MONTHS[when.month - 1]}-{when.year} {when:%H:%M}"


def iso_date(ms: int) -> str:
    """Return `2026-11-24T03:34:11.662Z`."""
    return f"{_date(ms):%Y-%m-%dT%H:%M:%S}.{ms % 1000:03}Z"
