"""A container's log: whole lines with time and stream, as the CRI log files hold them. Models containerd's cio logger."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import NamedTuple

LIMIT = 1 << 20  # bytes kept per container; the real kubelet rotates at 10 MiB
LINES = 50_000  # kept per container, however short they are
LINE_LIMIT = 16 * 1024


class Line(NamedTuple):
    """One entry. `data` ends with a newline unless the line was cut."""

    ms: int
    stream: str
    data: bytes


class Log:
    """The log of one container instance. `followers` hear of each entry, and of the end with None."""

    def __init__(self) -> None:
        self.lines: deque[Line] = deque()
        self.closed = False
        self.followers: dict[object, Callable[[Line | None], None]] = {}
        self._size = 0
        self._partial: dict[str, bytearray] = {}

    def write(self, now: int, stream: str, data: bytes) -> None:
        """Add what a stream said; entries are made of whole lines."""
        rest = self._partial.pop(stream, None)
        data = bytes(rest) + data if rest else data
        start = 0
        while (end := data.find(b"\n", start)) >= 0:
            self._add(Line(now, stream, data[start : end + 1]))
            start = end + 1
        while len(data) - start >= LINE_LIMIT:
            self._add(Line(now, stream, data[start : start + LINE_LIMIT]))
            start += LINE_LIMIT
        if start < len(data):
            self._partial[stream] = bytearray(data[start:])

    def close(self, now: int) -> None:
        """Note that the container ended: what was not a whole line is kept as it is."""
        for stream, rest in self._partial.items():
            self._add(Line(now, stream, bytes(rest)))
        self._partial = {}
        self.closed = True
        for follower in list(self.followers.values()):
            follower(None)

    def _add(self, line: Line) -> None:
        self.lines.append(line)
        self._size += len(line.data)
        while (self._size > LIMIT or len(self.lines) > LINES) and len(self.lines) > 1:
            self._size -= len(self.lines.popleft().data)
        for follower in list(self.followers.values()):
            follower(line)

    def tail(self, size: int, lines: int) -> bytes:
        """Return the last `lines` lines, at most `size` bytes of them (a termination message)."""
        picked = list(self.lines)[-lines:]
        return b"".join(line.data for line in picked)[-size:]

    def select(self, since_ms: int | None, tail: int | None) -> Iterator[Line]:
        """Yield the entries from `since_ms` on, the last `tail` of them."""
        found = [line for line in self.lines if since_ms is None or line.ms >= since_ms]
        return iter(found if tail is None else found[len(found) - tail :] if tail else [])
