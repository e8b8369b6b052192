"""Waits that double, one for each of many things, forgotten after quiet. Models client-go/util/flowcontrol/backoff.go."""

from __future__ import annotations

from collections.abc import Hashable


class Waits:
    """Back-offs from `initial` to `maximum` ms by key."""

    def __init__(self, initial: int, maximum: int) -> None:
        self._initial, self._maximum = initial, maximum
        self._waits: dict[Hashable, tuple[int, int]] = {}  # key -> wait, since when

    def left(self, key: Hashable, now: int) -> int:
        """Return for how many ms more nothing may be done."""
        wait, since = self._waits.get(key, (0, now))
        return 0 if now - since > 2 * self._maximum else max(0, since + wait - now)

    def forget(self, key: Hashable) -> None:
        """Drop what was noted of a key."""
        self._waits.pop(key, None)

    def next(self, key: Hashable, now: int) -> None:
        """Note that something was done now: the next wait is twice as long."""
        wait, since = self._waits.get(key, (0, now))
        fresh = not wait or now - since > 2 * self._maximum
        self._waits = {one: kept for one, kept in self._waits.items() if now - kept[1] <= 2 * self._maximum}
        self._waits[key] = self._initial if fresh else min(2 * wait, self._maximum), now
