"""Waits that double: 10 s to 300 s, forgotten after 600 s of quiet. Models client-go/util/flowcontrol/backoff.go."""

from __future__ import annotations

INITIAL_MS = 10_000
MAXIMUM_MS = 300_000


class Backoff:
    """One key's back-off."""

    __slots__ = ("_updated", "duration")

    def __init__(self) -> None:
        self.duration = 0
        self._updated = 0

    def until(self, since: int) -> int:
        """Return when an attempt may be made again after what happened at `since`."""
        if not self.duration or since - self._updated > 2 * MAXIMUM_MS:
            return since
        return since + self.duration

    def next(self, at: int) -> None:
        """Note an attempt: the next wait is twice as long."""
        if not self.duration or at - self._updated > 2 * MAXIMUM_MS:
            self.duration = INITIAL_MS
        else:
            self.duration = min(2 * self.duration, MAXIMUM_MS)
        self._updated = at
