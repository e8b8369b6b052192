"""When a CronJob was last due, and when it is next. Models pkg/controller/cronjob/utils.go."""

from __future__ import annotations

from typing import NamedTuple

from kit.embedded.core.ports import Zones
from kit.embedded.core.store import Obj
from kit.kube import schedules, times

MANY = 100  # missed starts beyond which a person should look


class Due(NamedTuple):
    """The last start that has not been made (ms since 1970), and whether very many were missed."""

    at: int | None
    many: bool = False


class Calendar:
    """The due times of one CronJob; BadSchedule for one that can't be read or is never due, LookupError for an unknown zone."""

    def __init__(self, cronjob: Obj, zones: Zones | None) -> None:
        self._zone, self._zones = cronjob["spec"].get("timeZone"), zones
        if self._zone and (zones is None or zones.offset_ms(self._zone, 0) is None):
            raise LookupError(f"unknown time zone {self._zone}")
        self._schedule = schedules.parse(cronjob["spec"]["schedule"])

    def offset(self, at: int) -> int:
        """Return the zone's offset from UTC in ms."""
        found = self._zones.offset_ms(self._zone, at) if self._zones is not None and self._zone else 0
        return found or 0

    def next(self, after: int) -> int | None:
        """Return when it is due after a moment, None when never again."""
        return self._schedule.next(after, self.offset)

    def unmet(self, cronjob: Obj, now: int) -> Due:
        """Return the last start that was due and not made. Models mostRecentScheduleTime."""
        since = _since(cronjob, now)
        first = self.next(since)
        second = self.next(first) if first is not None else None
        if first is None or (second is None and now >= first):
            raise schedules.BadSchedule("time difference between two schedules is less than 1 second")
        if second is None or now < first:
            return Due(None)
        if now < second:
            return Due(first)
        between = (second - first) // times.SECOND
        missed = (now - first) // times.SECOND // between + 1
        last, at = first, self.next(first + (missed - 2) * between * times.SECOND)
        while at is not None and at <= now:
            last, at = at, self.next(at)
        return Due(last, missed > MANY)


def _since(cronjob: Obj, now: int) -> int:
    """Return from when on starts count: creation or the last start, but not before the deadline for a late one."""
    status, limit = cronjob.get("status") or {}, cronjob["spec"].get("startingDeadlineSeconds")
    since = times.parse(status.get("lastScheduleTime") or cronjob["metadata"]["creationTimestamp"])
    return max(since, now - limit * 1000) if limit is not None else since
