"""Disturbances on loan: what a check did to the cluster is undone at its expiry, by the cluster itself.

A check writes the lease before it acts; when its kernel dies in the middle, the timer is still here, and after a crash of the
process too, because leases are journal rows.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kit.embedded.core.clock import Clock
from kit.embedded.core.queue import Entry, Queue
from kit.embedded.core.store import Row, Store

Undo = Mapping[str, Any]  # {"method", "path", "headers"?, "body"?}


class Leases:
    """Leases by id; `run` carries out one undo request as the cluster's administrator."""

    def __init__(self, queue: Queue, clock: Clock, store: Store, run: Callable[[Undo], None]) -> None:
        self._queue = queue
        self._clock = clock
        self._store = store
        self._run = run
        self._open: dict[str, tuple[Entry, Sequence[Undo]]] = {}

    def take(self, id: str, within_ms: int, undo: Sequence[Undo]) -> None:
        """Begin (or renew) a lease: `undo` is run in `within_ms` of cluster time unless it is released before."""
        self._drop(id)
        due = self._clock.now + within_ms
        self._open[id] = (self._queue.put(due, lambda: self._expire(id), housekeeping=True), undo)
        self._store.note(Row("leases", id, json.dumps({"due": due, "undo": list(undo)}).encode()))

    def release(self, id: str, *, undo: bool) -> bool:
        """End a lease, with `undo` by undoing what it stands for; say whether there was one."""
        steps = self._drop(id)
        if steps is None:
            return False
        self._store.note(Row("leases", id, None))
        for step in steps if undo else ():
            self._run(step)
        return True

    def release_all(self) -> list[str]:
        """Undo every lease: a new lab begins, or a reset."""
        ids = sorted(self._open)
        for id in ids:
            self.release(id, undo=True)
        return ids

    def restore(self, id: str, value: bytes) -> None:
        """Take up a lease from the journal."""
        kept = json.loads(value)
        self.take(id, max(0, kept["due"] - self._clock.now), kept["undo"])

    def _expire(self, id: str) -> None:
        self.release(id, undo=True)

    def _drop(self, id: str) -> Sequence[Undo] | None:
        entry, steps = self._open.pop(id, (None, None))
        self._queue.cancel(entry)
        return steps
