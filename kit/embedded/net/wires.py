"""Connections: two ends, bytes that take time, windows that fill, half-closes and resets. Models a TCP socket pair."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from kit.embedded.core.clock import Clock
from kit.embedded.core.program import Errno
from kit.embedded.core.queue import Queue

WINDOW = 256 * 1024
Address = tuple[str, int]
FIN = b""


def _nothing() -> None:
    """Do nothing: nobody watches this end yet."""


class End:
    """One end of a connection. `watch` is called whenever reading or writing may have become possible."""

    __slots__ = ("_clock", "_due", "_flight", "_flying", "_inbox", "_queue", "closed", "ended", "forget", "hops", "housekeeping",
                 "latency", "local", "peer", "remote", "reset", "shut", "watch")  # fmt: skip

    def __init__(
        self, queue: Queue, clock: Clock, local: Address, remote: Address, latency: int, housekeeping: bool
    ) -> None:
        self._queue = queue
        self._clock = clock
        self.local = local
        self.remote = remote
        self.latency = latency
        self.housekeeping = housekeeping
        self.peer: End = self
        self.watch: Callable[[], None] = _nothing
        self.forget: Callable[[End], None] = lambda end: None
        self.hops: tuple[str, ...] = ()
        self._inbox = bytearray()
        self._flight: deque[tuple[int, bytes | None]] = (
            deque()
        )  # what is on its way to us; None is a reset, FIN the end
        self._flying = 0
        self._due: int | None = None
        self.ended = False  # the peer sends no more
        self.reset = False
        self.shut = False  # we send no more
        self.closed = False

    # --- reading and writing ---

    @property
    def readable(self) -> bool:
        """Say whether a read would not wait."""
        return bool(self._inbox) or self.ended or self.reset or self.closed

    @property
    def room(self) -> int:
        """Bytes that a write would be taken now."""
        peer = self.peer
        return WINDOW - len(peer._inbox) - peer._flying

    def recv(self, size: int = 65536) -> bytes | None:
        """Return bytes, b"" at the end, None when there is nothing yet. ECONNRESET."""
        if self._inbox:
            full = self.peer.room <= 0
            data = bytes(self._inbox[:size])
            del self._inbox[:size]
            if full and not self.peer.closed:
                self.peer.watch()
            return data
        if self.reset:
            raise Errno("ECONNRESET")
        return b"" if self.ended or self.closed else None

    def send(self, data: bytes) -> int:
        """Take as much of `data` as the window has room for -> how much. EPIPE, ECONNRESET."""
        if self.reset or self.shut or self.closed:
            raise Errno("ECONNRESET" if self.reset and not self.shut else "EPIPE")
        taken = min(len(data), max(0, self.room))
        if taken:
            self.peer._flying += taken
            self._post(data if taken == len(data) else data[:taken])
        return taken

    def shutdown(self) -> None:
        """Send no more; the peer reads to the end and may still answer."""
        if not (self.shut or self.reset or self.closed):
            self.shut = True
            self._post(FIN)

    def close(self) -> None:
        """Close both ways; what was not read resets the peer."""
        if self.closed:
            return
        unread = bool(self._inbox)
        if not self.reset:
            if unread:
                self._post(None)
            elif not self.shut:
                self._post(FIN)
        self.closed = self.shut = True
        self._inbox.clear()
        self.forget(self)

    def abort(self) -> None:
        """Reset the connection: the process or the host is gone."""
        if not self.closed:
            self._post(None)
            self.closed = self.shut = True
            self._inbox.clear()
            self.forget(self)

    # --- the wire ---

    def _post(self, item: bytes | None) -> None:
        peer = self.peer
        due = self._clock.now + self.latency
        peer._flight.append((due, item))
        if peer._due is None:
            peer._due = due
            self._queue.put(due, peer._arrive, housekeeping=self.housekeeping)

    def _arrive(self) -> None:
        now = self._clock.now
        while self._flight and self._flight[0][0] <= now:
            self._take(self._flight.popleft()[1])
        self._due = None
        if self._flight:
            self._due = self._flight[0][0]
            self._queue.put(self._due, self._arrive, housekeeping=self.housekeeping)
        self.watch()

    def _take(self, item: bytes | None) -> None:
        if item is None:
            self.reset = True
            self.forget(self)
        elif item is FIN or not item:
            self.ended = True
        else:
            self._flying -= len(item)
            if self.closed:
                self._post(None)  # bytes for a socket that is gone are answered by a reset
            else:
                self._inbox += item


def pair(
    queue: Queue, clock: Clock, client: Address, server: Address, seen: Address, latency: int, housekeeping: bool
) -> tuple[End, End]:
    """Return the two ends of a new connection; `seen` is the address the client dialled (a Service's), `server` who answers."""
    near = End(queue, clock, client, seen, latency, housekeeping)
    far = End(queue, clock, server, client, latency, housekeeping)
    near.peer, far.peer = far, near
    return near, far
