"""The one queue of the machine, ordered by (due, sequence)."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush


class Entry:
    """One thing to run at `due`; without `run` it is over or cancelled."""

    __slots__ = ("due", "run")

    def __init__(self, due: int, run: Callable[[], None] | None) -> None:
        self.due = due
        self.run = run


_Heap = list[tuple[int, int, Entry]]  # due, sequence: tuples compare faster than a method of Entry


class Queue:
    """A heap of entries; cancelled ones are dropped when they come up."""

    def __init__(self) -> None:
        self._heap: _Heap = []
        self._sequence = 0
        self._busy: _Heap = []  # a second heap: those that are not housekeeping

    def put(self, due: int, run: Callable[[], None], *, housekeeping: bool = False) -> Entry:
        """Run `run` at `due` (ms); entries of one instant run in the order they were put.

        `housekeeping` says that it changes nothing a person would wait for (leases, steady probes).
        """
        self._sequence += 1
        entry = Entry(due, run)
        heappush(self._heap, (due, self._sequence, entry))
        if not housekeeping:
            heappush(self._busy, (due, self._sequence, entry))
        return entry

    def cancel(self, entry: Entry | None) -> None:
        """Forget an entry; it need not be there any more."""
        if entry is not None:
            entry.run = None

    def pop(self, now: int) -> tuple[int, Callable[[], None]] | None:
        """Return when it was due and what to run next, of what is due at `now` or before; None when nothing is."""
        while self._heap:
            entry = self._heap[0][2]
            if entry.run is None:
                heappop(self._heap)
                continue
            if entry.due > now:
                return None
            heappop(self._heap)
            run, entry.run = entry.run, None
            return entry.due, run
        return None

    def next_due(self) -> int | None:
        """Return when the next entry is due."""
        return _first_due(self._heap)

    def next_busy(self) -> int | None:
        """Return when the next entry is due that is not housekeeping: None means the cluster is quiet."""
        return _first_due(self._busy)


def _first_due(heap: _Heap) -> int | None:
    while heap and heap[0][2].run is None:
        heappop(heap)
    return heap[0][0] if heap else None
