"""TLS over a connection: the same reading and writing as a bare end, of what is inside. Models crypto/tls.Conn on top of net.Conn.

The session itself is a port (`core.ports.Tls`): keys and ciphers live at the edge, here are only its bytes.
"""

from __future__ import annotations

from collections.abc import Callable

from kit.embedded.core.ports import TlsChannel, TlsError
from kit.embedded.core.program import Errno
from kit.embedded.net.wires import WINDOW, Address, End

HANDSHAKE, ALERT = 0x16, 0x15  # the first byte of a TLS record
PLAIN = "plain"
EOF = "EOF"
NOT_TLS = "tls: first record does not look like a TLS handshake"
HTTP = "http: server gave HTTP response to HTTPS client"  # net/http/transport.go, when the first record reads "HTTP/"


def _nothing() -> None:
    """Do nothing: nobody watches this yet."""


class Secured:
    """A session over `end`. `ready` hears once how the handshake went: "" it holds, PLAIN, or why there is none.

    A server whose client does not speak TLS hears PLAIN and goes on without: what the client sent is there to be read.
    """

    def __init__(self, end: End, channel: TlsChannel, *, server: bool, ready: Callable[[str], None]) -> None:
        self.end = end
        self.watch: Callable[[], None] = _nothing
        self._channel: TlsChannel | None = channel
        self._server = server
        self._ready: Callable[[str], None] | None = ready
        self._inside = bytearray()
        self._wire = bytearray()
        self._looked = self._ended = self._shut = False
        self._error = ""
        end.watch = self.pump

    # --- what a bare end offers too ---

    @property
    def local(self) -> Address:
        """Our address."""
        return self.end.local

    @property
    def remote(self) -> Address:
        """The other end's address."""
        return self.end.remote

    @property
    def hops(self) -> tuple[str, ...]:
        """The way the connection took."""
        return self.end.hops

    @property
    def readable(self) -> bool:
        """Say whether a read would not wait."""
        return bool(self._inside or self._error) or self._ended or self.end.closed or self.end.reset

    @property
    def over(self) -> bool:
        """Say whether nothing more will come, and all that came was read."""
        return self._ended and not self._inside

    def recv(self, size: int = 65536) -> bytes | None:
        """Return bytes, b"" at the end, None when there is nothing yet. ECONNRESET."""
        if not self._inside and not self._ended:
            self._take_in()
        if self._inside:
            data = bytes(self._inside[:size])
            del self._inside[:size]
            return data
        if self._error:
            raise Errno("ECONNRESET")
        return b"" if self._ended or self.end.closed else None

    def send(self, data: bytes) -> int:
        """Take as much of `data` as there is room for -> how much. EPIPE, ECONNRESET."""
        if self._channel is None:
            return self.end.send(data)
        if self._shut or self._error or self.end.shut or self.end.closed:
            raise Errno("EPIPE")
        if self._ready is not None:  # the handshake goes first
            return 0
        self._flush()
        taken = 0 if self._wire else min(len(data), WINDOW)
        if taken:
            self._channel.send(data[:taken])
            self._flush()
        return taken

    def shutdown(self) -> None:
        """Send no more."""
        if not self._shut:
            self._shut = True
            self._end_session()
            self._flush()

    def close(self) -> None:
        """Close both ways."""
        if not self.end.closed:
            self.shutdown()
            self.end.close()

    def abort(self) -> None:
        """Reset the connection."""
        self.end.abort()

    @property
    def shut(self) -> bool:
        """Say whether we send no more."""
        return self._shut or self.end.shut

    # --- the session ---

    def pump(self) -> None:
        """Take in what arrived, send what is due, and tell who watches."""
        self._take_in()
        try:
            self._flush()
        except Errno:
            self._ended = True
        self._judge()
        self.watch()

    def _take_in(self) -> None:
        try:
            while len(self._inside) < WINDOW and not self._ended and (data := self.end.recv()) is not None:
                self._receive(data)
        except (Errno, TlsError) as error:
            self._error = str(error) if isinstance(error, TlsError) else "connection reset by peer"
            self._ended = True

    def _receive(self, data: bytes) -> None:
        if not data:
            self._ended = True
            return
        if not self._looked:
            self._looked = True
            self._look(data)
        if self._channel is None:
            self._inside += data
            return
        inside, over = self._channel.receive(data)
        self._inside += inside
        self._ended |= over

    def _look(self, data: bytes) -> None:
        """See whether the other end speaks TLS at all."""
        if data[0] in (HANDSHAKE, ALERT):
            return
        if not self._server:
            raise TlsError(HTTP if data.startswith(b"HTTP/") else NOT_TLS)
        self._channel = None

    def _flush(self) -> None:
        if self._channel is not None:
            self._wire += self._channel.take()
        while self._wire and not (self.end.shut or self.end.reset) and (taken := self.end.send(bytes(self._wire))):
            del self._wire[:taken]
        if self._shut and not self._wire:
            self.end.shutdown()

    def _end_session(self) -> None:
        if self._channel is not None and self._ready is None and not self._error:
            self._channel.end()

    def _judge(self) -> None:
        """Say how the handshake went, once that is known."""
        if self._ready is None:
            return
        if self._channel is None:
            found = PLAIN
        elif self._error:
            found = self._error
        elif self._channel.secured:
            found = ""
        elif self._ended:
            found = self._error = EOF
        else:
            return
        ready, self._ready = self._ready, None
        ready(found)


Stream = End | Secured
