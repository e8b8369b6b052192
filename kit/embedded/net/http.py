"""An HTTP client on the fabric: one request, one answer, by callbacks. Probes, hooks, proxies and `fetch` use it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import h11

from kit.embedded.core.program import Errno
from kit.embedded.core.queue import Entry
from kit.embedded.net.hosts import Host
from kit.embedded.net.secure import Secured, Stream
from kit.embedded.net.wires import End
from kit.embedded.net.wiring import Wiring

BODY_LIMIT = 4 << 20
PORTS = {"http": 80, "https": 443}
DIAL_ERRORS = {"ECONNREFUSED": "connect: connection refused", "EHOSTUNREACH": "connect: no route to host"}


@dataclass(frozen=True, slots=True)
class Ask:
    """One request to `address`:`port`; `target` is path and query. `Host` is added when no header gives it."""

    address: str
    port: int
    method: str = "GET"
    target: str = "/"
    headers: Sequence[tuple[str, str]] = ()
    body: bytes = b""
    trust: Trust | None = None


@dataclass(frozen=True, slots=True)
class Trust:
    """What makes it https: the name asked for, and the PEM its certificate must lead to (None: any certificate will do)."""

    name: str
    authority: bytes | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What came: `error` is "", an errno symbol (ECONNREFUSED, ETIMEDOUT, EHOSTUNREACH, ECONNRESET), "protocol", or why TLS failed."""

    status: int = 0
    headers: Sequence[tuple[str, str]] = ()
    body: bytes = b""
    error: str = ""
    connected: bool = False
    hops: tuple[str, ...] = field(default=())

    def told(self, address: str, late: str) -> str:
        """Return an error in the words of Go's HTTP client to `address`, "" when there is none; `late`: what it says when time is over."""
        if self.error in DIAL_ERRORS:
            return f"dial tcp {address}: {DIAL_ERRORS[self.error]}"
        if self.error == "ETIMEDOUT":
            return late
        if self.error == "ECONNRESET":
            return f"read tcp {address}: read: connection reset by peer"
        return "EOF" if self.error == "protocol" else self.error


class Exchange:
    """One request on its way; `done` is called exactly once."""

    def __init__(
        self, fabric: Wiring, source: Host, ask: Ask, timeout_ms: int, done: Callable[[Reply], None], housekeeping: bool
    ) -> None:
        self._ask = ask
        self._done = done
        self._fabric = fabric
        self._wire = h11.Connection(h11.CLIENT)
        self._end: Stream | None = None
        self._out = b""
        self._status = 0
        self._headers: list[tuple[str, str]] = []
        self._body = bytearray()
        self._over = False
        self._timer: Entry = fabric.queue.put(fabric.clock.now + timeout_ms, self._expire, housekeeping=housekeeping)
        self._attempt = fabric.connect(source, ask.address, ask.port, self._connected, housekeeping=housekeeping)

    def cancel(self) -> None:
        """Give up; `done` is not called."""
        self._over = True
        self._clean()

    def _connected(self, result: End | str) -> None:
        if self._over:
            return
        if isinstance(result, str):
            self._finish(Reply(error=result))
            return
        if self._ask.trust is None:
            self._begin(result)
        else:
            self._secure(result, self._ask.trust)

    def _secure(self, end: End, trust: Trust) -> None:
        """Shake hands; the request goes out when the session holds."""
        tls = self._fabric.tls
        if tls is None:
            self._end = end
            self._finish(Reply(error="protocol", connected=True))
            return

        def ready(why: str) -> None:
            if self._over:
                return
            if why:
                self._finish(Reply(error=why, connected=True, hops=end.hops))
            else:
                self._begin(secured)

        channel = tls.client(trust.name, trust.authority, self._fabric.clock.wall())
        self._end = secured = Secured(end, channel, server=False, ready=ready)
        secured.pump()

    def _begin(self, end: Stream) -> None:
        self._end = end
        end.watch = self._pump
        try:
            self._out = self._encode()
        except h11.LocalProtocolError:
            self._finish(Reply(error="protocol", connected=True))
            return
        self._pump()

    def _encode(self) -> bytes:
        ask = self._ask
        headers = list(ask.headers)
        names = {name.lower() for name, _ in headers}
        if "host" not in names:
            headers.insert(0, ("Host", f"{ask.address}:{ask.port}"))
        if ask.body and not names & {"content-length", "transfer-encoding"}:
            headers.append(("Content-Length", str(len(ask.body))))
        if "connection" not in names:
            headers.append(("Connection", "close"))
        out = self._wire.send(h11.Request(method=ask.method, target=ask.target, headers=headers)) or b""
        if ask.body:
            out += self._wire.send(h11.Data(data=ask.body)) or b""
        return out + (self._wire.send(h11.EndOfMessage()) or b"")

    def _pump(self) -> None:
        end = self._end
        if end is None or self._over:
            return
        try:
            if self._out:
                self._out = self._out[end.send(self._out) :]
            while not self._over and (data := end.recv()) is not None:
                self._wire.receive_data(data)
                self._events()
                if not data:
                    break
        except Errno as error:
            self._finish(Reply(error=error.name, connected=True, hops=end.hops))
        except h11.RemoteProtocolError:
            self._finish(Reply(error="protocol", connected=True, hops=end.hops))

    def _events(self) -> None:
        while not self._over:
            event = self._wire.next_event()
            if event is h11.NEED_DATA or event is h11.PAUSED:
                return
            if isinstance(event, h11.Response):
                self._status = event.status_code
                self._headers = [
                    (name.decode("latin-1"), value.decode("latin-1")) for name, value in event.headers.raw_items()
                ]
            elif isinstance(event, h11.Data):
                self._body += event.data[: max(0, BODY_LIMIT - len(self._body))]
            elif isinstance(event, h11.EndOfMessage):
                hops = self._end.hops if self._end else ()
                self._finish(Reply(self._status, self._headers, bytes(self._body), connected=True, hops=hops))
            elif isinstance(event, h11.ConnectionClosed):
                self._finish(Reply(error="protocol", connected=True))

    def _expire(self) -> None:
        if not self._over:
            self._finish(Reply(error="ETIMEDOUT", connected=self._end is not None))

    def _finish(self, reply: Reply) -> None:
        if not self._over:
            self._over = True
            self._clean()
            self._done(reply)

    def _clean(self) -> None:
        self._fabric.queue.cancel(self._timer)
        self._attempt.cancel()
        if self._end is not None:
            self._end.close()
