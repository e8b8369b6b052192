"""Time zones of this machine (the IANA database as Python finds it), for CronJobs that name one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_START = datetime(1970, 1, 1, tzinfo=UTC)


class SystemZones:
    """The `Zones` of `kit.embedded.core.ports`."""

    def offset_ms(self, zone: str, at_ms: int) -> int | None:
        """Return a zone's offset from UTC at a moment (ms since 1970), None when there is no such zone."""
        found = _zone(zone)
        if found is None:
            return None
        offset = (_START + timedelta(milliseconds=at_ms)).astimezone(found).utcoffset()
        return int(offset.total_seconds() * 1000) if offset is not None else None


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # unknown, no such file, a path that leads elsewhere
        return None
