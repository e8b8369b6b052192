"""Waits that count cluster time: the simulated clock is run ahead, elsewhere the wall clock passes."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Protocol, TypeVar

from kit.client.capabilities import Control
from kit.errors import BadInput

T = TypeVar("T")
_UNITS = {"ms": 1, "s": 1000, "m": 60_000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}
_FIRST_MS, _LONGEST_MS = 50, 2000


class Ticker(Protocol):
    """A clock that a wait can ask and let pass."""

    def now_ms(self) -> int:
        """Return the time in milliseconds."""

    def let_pass(self, ms: int) -> None:
        """Return when about `ms` milliseconds have passed, or when nothing more can happen before then."""


class WallTicker:
    """The wall's clock: for clusters whose time nobody moves."""

    def now_ms(self) -> int:
        """Return milliseconds of the monotonic clock."""
        return time.monotonic_ns() // 1_000_000

    def let_pass(self, ms: int) -> None:
        """Sleep; never longer than half a second, so that a wait notices soon."""
        time.sleep(min(ms, 500) / 1000)


class ClusterTicker:
    """The clock of a simulated cluster: passing time means running it ahead."""

    def __init__(self, control: Control) -> None:
        self._control = control

    def now_ms(self) -> int:
        """Return cluster milliseconds."""
        return self._control.clock().now_ms

    def let_pass(self, ms: int) -> None:
        """Run the cluster `ms` milliseconds ahead."""
        self._control.run_until(self.now_ms() + ms)


def ticker(control: Control | None) -> Ticker:
    """Return the clock that waits on this cluster count."""
    return ClusterTicker(control) if control else WallTicker()


def wait(condition: Callable[[], T | None], within: str | int, clock: Ticker) -> T | None:
    """Return the first true answer of `condition`, or None when `within` of cluster time passed without one."""
    limit = milliseconds(within)
    started = clock.now_ms()
    step = _FIRST_MS
    while True:
        found = condition()
        left = started + limit - clock.now_ms()
        if found or left <= 0:
            return found or None
        clock.let_pass(min(step, left))
        step = min(step * 2, _LONGEST_MS)


def milliseconds(text: str | int) -> int:
    """Return the milliseconds of `30s`, `5m`, `1h30m`, `250ms`; an int is taken as milliseconds."""
    if isinstance(text, int):
        return text
    parts = re.findall(r"(\d+(?:\.\d+)?)\s*(ms|min|[smhd])\s*", text)
    if not parts or "".join(number + unit for number, unit in parts) != re.sub(r"\s", "", text):
        raise BadInput(f"{text!r} is not a length of time", 'write it as "30s", "5m" or "1h30m"')
    return round(sum(float(number) * _UNITS[unit] for number, unit in parts))
