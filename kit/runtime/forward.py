"""port-forward over a WebSocket, in both forms: kubectl's (SPDY inside binary messages) and the Python client's (channels).

To the machine, a forwarded connection is a request of its own to the same `portforward` path with exactly one `ports`: it begins with
`upgrade="ports"` and carries its bytes on channel 0; a failure finishes it with `error`. The request that opened the WebSocket goes
in without `ports`: it is only authorised, and stays open as long as the session does.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from kit.embedded.core.turns import Begin, Data, End, Hangup, Request, Response
from kit.errors import Status
from kit.runtime import spdy, websocket
from kit.runtime.driver import Driver
from kit.runtime.http import Exchange
from kit.runtime.streams import Socket, accept


@dataclass
class Forwarded:
    """One connection to a port of the Pod (a driver's Sink)."""

    driver: Driver
    data: Callable[[bytes], None]
    failed: Callable[[str], None]
    closed: Callable[[], None]
    id: int = 0
    over: bool = False

    def open(self, exchange: Exchange, port: int) -> None:
        """Ask the machine for the connection."""
        self.id = self.driver.submit(self, lambda number: _request(exchange, number, port))

    def send(self, data: bytes) -> None:
        """Send bytes to the port."""
        if not self.over and data:
            self.driver.feed(Data(self.id, 0, data))

    def end(self) -> None:
        """Send no more."""
        if not self.over:
            self.driver.feed(End(self.id, 0))

    def drop(self) -> None:
        """Break it off."""
        if not self.over:
            self.over = True
            self.driver.feed(Hangup(self.id))

    # --- the driver's Sink ---

    def answer(self, response: Response) -> None:
        """The API refused."""
        self.over = True
        self.failed(response.body.decode("utf-8", "replace"))
        self.closed()

    def begin(self, begin: Begin) -> None:
        """It stands."""

    def chunk(self, channel: int, data: bytes) -> None:
        """Bytes from the port."""
        self.data(data)

    def finish(self, channel: int | None, status: Mapping[str, Any] | None, error: str) -> None:
        """The port's end. Where it has closed its side the other is closed too: neither form of port-forward has half-closes."""
        if channel is not None:
            self.end()
            return
        self.over = True
        if error or status:
            self.failed(error or str((status or {}).get("message", "")))
        self.closed()


def _request(exchange: Exchange, id: int, port: int) -> Request:
    return Request(id, "GET", exchange.path, (("ports", str(port)),), exchange.headers, b"", exchange.identity)


class _Session:
    """What both forms share: the WebSocket, and the machine's ticket of the session."""

    def __init__(self, driver: Driver, exchange: Exchange, protocol: str) -> None:
        self._driver = driver
        self._exchange = exchange
        self._socket = Socket(exchange.connection, self._take, self.lost)
        driver.redirect(exchange.id, self)
        self._rest = accept(exchange.connection, exchange, protocol)

    def feed(self, data: bytes) -> None:
        """Take bytes of the client."""
        self._socket.feed(data)

    def lost(self) -> None:
        """Hear that the client is gone."""
        if not self._exchange.done:
            self._exchange.done = True
            self._driver.feed(Hangup(self._exchange.id))
        for forwarded in self._all():
            forwarded.drop()

    def answer(self, response: Response) -> None:
        """An upgraded request has no answer."""

    def begin(self, begin: Begin) -> None:
        """It began already."""

    def chunk(self, channel: int, data: bytes) -> None:
        """The session's own ticket carries nothing."""

    def finish(self, channel: int | None, status: Mapping[str, Any] | None, error: str) -> None:
        """The Pod is gone: so is the session."""
        if channel is None:
            self._exchange.done = True
            self._socket.close()
            self.lost()

    def _take(self, data: bytes) -> None:
        raise AssertionError

    def _all(self) -> list[Forwarded]:
        raise AssertionError


class ChannelForward(_Session):
    """v4.channel.k8s.io and before: port i has the channels 2i (data) and 2i+1 (error), each beginning with the port in two bytes."""

    def __init__(self, driver: Driver, exchange: Exchange, protocol: str, ports: list[int]) -> None:
        super().__init__(driver, exchange, protocol)
        self._ports = [self._port(index, port) for index, port in enumerate(ports)]
        if self._rest:
            self.feed(self._rest)

    def _port(self, index: int, port: int) -> Forwarded:
        data, error = bytes([2 * index]), bytes([2 * index + 1])
        self._socket.send(data + struct.pack("<H", port))
        self._socket.send(error + struct.pack("<H", port))
        forwarded = Forwarded(
            self._driver,
            data=lambda payload: self._socket.send(data + payload),
            failed=lambda why: self._socket.send(error + why.encode()),
            closed=self._closed,
        )
        forwarded.open(self._exchange, port)
        return forwarded

    def _take(self, data: bytes) -> None:
        if len(data) > 1 and data[0] % 2 == 0 and data[0] // 2 < len(self._ports):
            self._ports[data[0] // 2].send(data[1:])

    def _closed(self) -> None:
        if all(forwarded.over for forwarded in self._ports):
            self._socket.close()
            self.lost()

    def _all(self) -> list[Forwarded]:
        return self._ports


class TunnelForward(_Session):
    """SPDY/3.1 inside binary messages: each connection is an error stream and a data stream with one request id."""

    def __init__(self, driver: Driver, exchange: Exchange, protocol: str) -> None:
        self._framer = spdy.Framer()
        self._errors: dict[str, int] = {}  # request id -> its error stream
        self._streams: dict[int, Forwarded] = {}
        super().__init__(driver, exchange, protocol)
        if self._rest:
            self.feed(self._rest)

    def _take(self, data: bytes) -> None:
        try:
            for frame in self._framer.feed(data):
                self._frame(frame)
        except spdy.Broken as error:
            self._socket.close(websocket.PROTOCOL_ERROR, str(error))
            self.lost()

    def _frame(self, frame: spdy.Frame) -> None:
        if frame.kind == spdy.SYN_STREAM:
            self._open(frame)
        elif frame.kind == spdy.PING:
            self._socket.send(self._framer.ping(frame.stream))
        elif frame.kind == spdy.RST_STREAM:
            if (gone := self._streams.pop(frame.stream, None)) is not None:
                gone.drop()
        elif frame.kind is None and (forwarded := self._streams.get(frame.stream)) is not None:
            forwarded.send(frame.data)
            if frame.fin:
                forwarded.end()

    def _open(self, frame: spdy.Frame) -> None:
        headers = frame.headers
        self._socket.send(self._framer.syn_reply(frame.stream, {}))
        if headers.get("streamtype") == "error":
            self._errors[headers.get("requestid", "")] = frame.stream
        elif headers.get("streamtype") == "data" and headers.get("port", "").isdigit():
            self._connect(frame.stream, int(headers["port"]), self._errors.pop(headers.get("requestid", ""), None))
        else:
            self._socket.send(self._framer.rst_stream(frame.stream, spdy.CANCEL))

    def _connect(self, stream: int, port: int, errors: int | None) -> None:
        def failed(why: str) -> None:
            if errors is not None:
                self._socket.send(self._framer.data(errors, why.encode()))

        def closed() -> None:
            if errors is not None:
                self._socket.send(self._framer.data(errors, b"", fin=True))
            self._socket.send(self._framer.data(stream, b"", fin=True))
            self._streams.pop(stream, None)

        forwarded = Forwarded(
            self._driver, lambda data: self._socket.send(self._framer.data(stream, data)), failed, closed
        )
        self._streams[stream] = forwarded
        forwarded.open(self._exchange, port)

    def _all(self) -> list[Forwarded]:
        return list(self._streams.values())


def ports_of(query: tuple[tuple[str, str], ...]) -> list[int]:
    """Return the ports that a channel client asks for. Status 400 when there is none."""
    found = [port for name, value in query if name == "ports" for port in value.split(",")]
    if not found or not all(port.isdigit() and 0 < int(port) < 65536 for port in found):
        raise Status("BadRequest", 'query parameter "port" is required')
    return [int(port) for port in found]
