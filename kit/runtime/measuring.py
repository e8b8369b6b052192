"""How long requests take, how large answers are, and how many are in hand: plain numbers, put into words by `exposition`.

Models k8s.io/apiserver/pkg/endpoints/metrics (the buckets) and pkg/server/filters/maxinflight.go. What it costs a request was measured:
2 µs of 400, with the counting of the machine. Requests that stay open (watch, exec) are not timed.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Callable, Sequence

Labels = tuple[str, ...]
DURATIONS = (
    0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 1.25, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0,
)  # fmt: skip
SIZES = (1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9)
READS = frozenset({"GET", "HEAD"})
SIZED = frozenset({"GET", "LIST"})
KINDS = ("readOnly", "mutating")


class Histogram:
    """How often a value fell into each bucket, by labels; a row is the buckets' counts and the sum of all values."""

    def __init__(self, buckets: Sequence[float]) -> None:
        self.buckets = buckets
        self.rows: dict[Labels, list[float]] = {}

    def observe(self, labels: Labels, value: float) -> None:
        """Count one value."""
        row = self.rows.get(labels)
        if row is None:
            row = self.rows[labels] = [0] * (len(self.buckets) + 2)
        row[bisect_left(self.buckets, value)] += 1
        row[-1] += value

    def cumulative(self, labels: Labels) -> list[tuple[str, float]]:
        """Return how many values were at most each bound."""
        total, out = 0.0, []
        for bound, count in zip((*map(_bound, self.buckets), "+Inf"), self.rows[labels], strict=False):
            total += count
            out.append((bound, total))
        return out


class Meter:
    """Watches requests from their coming to their answer."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self.durations = Histogram(DURATIONS)
        self.sizes = Histogram(SIZES)
        self._clock = clock
        self._open: dict[int, tuple[float, bool]] = {}
        self._now = [0, 0]  # in hand: reading, changing
        self._peak = [0, 0]  # the most within this second
        self._last = [0, 0]  # and within the one before
        self._second = 0

    def submitted(self, id: int, method: str) -> None:
        """A request has come."""
        at = self._clock()
        if int(at) != self._second:
            self._turn(int(at))
        changes = method not in READS
        self._open[id] = (at, changes)
        self._now[changes] += 1
        if self._now[changes] > self._peak[changes]:
            self._peak[changes] = self._now[changes]

    def answered(self, id: int, about: Labels | None, size: int) -> None:
        """It is answered; `about` is what the machine counts it under."""
        began = self.left(id)
        if began is None or about is None:
            return
        self.durations.observe(about, self._clock() - began)
        if about[0] in SIZED:
            self.sizes.observe(about[:7], size)

    def left(self, id: int) -> float | None:
        """It is in hand no longer: answered, open from now on, or its client is gone. Return when it came."""
        found = self._open.pop(id, None)
        if found is None:
            return None
        self._now[found[1]] -= 1
        return found[0]

    def in_hand(self) -> dict[str, int]:
        """Return the most requests that were in hand at once within the last second, by kind."""
        if int(self._clock()) != self._second:
            self._turn(int(self._clock()))
        return dict(zip(KINDS, map(max, self._last, self._now), strict=True))

    def reset(self) -> None:
        """Forget what has been measured."""
        self.durations.rows.clear()
        self.sizes.rows.clear()

    def _turn(self, second: int) -> None:
        self._last = self._peak if second == self._second + 1 else list(self._now)
        self._peak, self._second = list(self._now), second


def _bound(value: float) -> str:
    return f"{value:g}"
