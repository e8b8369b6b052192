"""A terminal in cooked mode: echo, line editing, the keys that signal. Models the kernel's n_tty line discipline.

Not simulated: raw mode, job control beyond the foreground process group.
"""

from __future__ import annotations

from collections.abc import Callable

from kit.embedded.core.program import SIGNALS
from kit.embedded.node.descriptors import BLOCKED, Blocked, Description

KEYS = {b"\x03": "INT", b"\x1c": "QUIT"}
LINE_LIMIT = 4096


class Terminal(Description):
    """One terminal: `feed` takes what is typed, `out` gets what the screen shows, `interrupt` the signals of its keys."""

    __slots__ = ("_ended", "_line", "_lines", "columns", "interrupt", "out", "rows")
    tty = True

    def __init__(self, out: Callable[[bytes], None], interrupt: Callable[[int], None]) -> None:
        super().__init__()
        self.out = out
        self.interrupt = interrupt
        self.rows, self.columns = 24, 80
        self._line = bytearray()
        self._lines = bytearray()
        self._ended = False

    def read(self, size: int) -> bytes | Blocked:
        if self._lines:
            newline = self._lines.find(b"\n")
            size = min(size, len(self._lines) if newline < 0 else newline + 1)
            data = bytes(self._lines[:size])
            del self._lines[:size]
            return data
        if self._ended:
            self._ended = False
            return b""
        return BLOCKED

    @property
    def readable(self) -> bool:
        return bool(self._lines) or self._ended

    def write(self, data: bytes) -> int | Blocked:
        self.out(data.replace(b"\n", b"\r\n"))
        return len(data)

    def feed(self, data: bytes) -> None:
        """Take what was typed."""
        for byte in data:
            self._key(bytes((byte,)))
        self.notify()

    def hangup(self) -> None:
        """The other side is gone: reads end."""
        self._lines += self._line
        self._line.clear()
        self._ended = True
        self.notify()

    def _key(self, key: bytes) -> None:
        if key in KEYS:
            self._line.clear()
            self.out(b"^" + bytes((key[0] | 0x40,)))
            self.interrupt(SIGNALS[KEYS[key]])
        elif key in (b"\r", b"\n"):
            self._lines += self._line + b"\n"
            self._line.clear()
            self.out(b"\r\n")
        elif key == b"\x04":
            self._lines += self._line
            self._ended = not self._line
            self._line.clear()
        elif key in (b"\x7f", b"\x08"):
            self._erase(1)
        elif key == b"\x15":
            self._erase(len(self._line))
        elif len(self._line) < LINE_LIMIT:
            self._line += key
            self.out(key)

    def _erase(self, count: int) -> None:
        for _ in range(min(count, len(self._line))):
            del self._line[-1:]
            self.out(b"\b \b")
