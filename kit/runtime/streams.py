"""exec and attach over a WebSocket: the channel protocols v5 and v4 (Models apimachinery/pkg/util/httpstream/wsstream/conn.go)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from kit.embedded.core.turns import Data, End, Hangup, Response
from kit.errors import Status
from kit.runtime import websocket
from kit.runtime.driver import Driver
from kit.runtime.http import Exchange, HttpConnection

V5, V4 = "v5.channel.k8s.io", "v4.channel.k8s.io"
TUNNEL = "SPDY/3.1+portforward.k8s.io"
FORWARDING = (TUNNEL, V4, "channel.k8s.io", "")  # the last: a client that names none, as kr8s
ERROR_CHANNEL, CLOSE_CHANNEL = 3, 255
CLIENT_CHANNELS = {0, 4}


def offered(exchange: Exchange) -> list[str]:
    """Return the subprotocols that a client offers."""
    return [name.strip() for name in exchange.headers.get("sec-websocket-protocol", "").split(",") if name.strip()]


def is_websocket(exchange: Exchange) -> bool:
    """Tell whether a request asks for a WebSocket."""
    return (
        "websocket" in exchange.headers.get("upgrade", "").lower()
        and "upgrade" in exchange.headers.get("connection", "").lower()
    )


def choose(exchange: Exchange, spoken: tuple[str, ...]) -> str:
    """Return the first protocol that a client offers and we speak ("": none is named); Status 400 when there is none."""
    for protocol in offered(exchange) or [""]:
        if protocol in spoken:
            return protocol
    names = ", ".join(offered(exchange)) or "none"
    raise Status(
        "BadRequest",
        f"unable to upgrade: the client offers the WebSocket protocols {names}; this server speaks {', '.join(filter(None, spoken))}",
    )


def accept(connection: HttpConnection, exchange: Exchange, protocol: str) -> bytes:
    """Answer 101 and return what the client sent already."""
    key = websocket.accept_key(exchange.headers.get("sec-websocket-key", ""))
    return connection.switch(
        [
            ("Upgrade", "websocket"),
            ("Connection", "Upgrade"),
            ("Sec-WebSocket-Accept", key),
            *([("Sec-WebSocket-Protocol", protocol)] if protocol else []),
        ]
    )


class Socket:
    """The WebSocket under a session: answers pings and closes."""

    def __init__(self, connection: HttpConnection, take: Callable[[bytes], None], gone: Callable[[], None]) -> None:
        self._connection = connection
        self._reader = websocket.Reader()
        self._take = take
        self._gone = gone
        self._closed = False

    def send(self, data: bytes) -> None:
        """Send one binary message."""
        if not self._closed:
            self._connection.write(websocket.encode(websocket.BINARY, data))

    def feed(self, data: bytes) -> None:
        """Take bytes of the client."""
        try:
            for message in self._reader.feed(data):
                self._message(message)
        except websocket.Broken as error:
            self.close(error.code, str(error))
            self._gone()

    def close(self, code: int = websocket.NORMAL, why: str = "") -> None:
        """Say goodbye, once."""
        if not self._closed:
            self._connection.write(websocket.closing(code, why))
            self._closed = True
            self._connection.close()

    def drop(self) -> None:
        """End without a goodbye: the client sees an abnormal closure (1006)."""
        if not self._closed:
            self._closed = True
            self._connection.close()

    def _message(self, message: websocket.Message) -> None:
        if message.opcode == websocket.PING:
            self._connection.write(websocket.encode(websocket.PONG, message.data))
        elif message.opcode == websocket.CLOSE:
            self.close()
            self._gone()
        elif message.opcode in {websocket.BINARY, websocket.TEXT}:
            self._take(message.data)


class ExecSession:
    """exec or attach on one WebSocket: the ticket's channels are the protocol's. It takes the exchange's place as the Sink."""

    def __init__(self, driver: Driver, exchange: Exchange, protocol: str) -> None:
        self._driver = driver
        self._exchange = exchange
        self._v5 = protocol == V5
        self._socket = Socket(exchange.connection, self._take, self._gone)
        driver.redirect(exchange.id, self)
        rest = accept(exchange.connection, exchange, protocol)
        # Models kubelet/pkg/cri/streaming/remotecommand/websocket.go: an empty message says that the connection stands
        query = exchange.raw_query
        first = 1 if "stdout=true" in query or "stdout=1" in query else 2 if "stderr" in query else ERROR_CHANNEL
        self._socket.send(bytes([first]))
        if rest:
            self._socket.feed(rest)

    def feed(self, data: bytes) -> None:
        """Take bytes of the client."""
        self._socket.feed(data)

    def lost(self) -> None:
        """Hear that the client is gone."""
        self._gone()

    # --- the driver's Sink ---

    def answer(self, response: Response) -> None:
        """An upgraded request has no answer."""
        self.finish(None, None, "")

    def begin(self, begin: object) -> None:
        """It began already."""

    def chunk(self, channel: int, data: bytes) -> None:
        """Send a channel's bytes."""
        self._socket.send(bytes([channel]) + data)

    def finish(self, channel: int | None, status: Mapping[str, Any] | None, error: str) -> None:
        """End with the Status on the error channel; an `error` broke the connection, so there is no word of farewell."""
        if channel is not None or self._exchange.done:
            return
        self._exchange.done = True
        if error:
            self._socket.drop()
        if status is not None:
            self._socket.send(bytes([ERROR_CHANNEL]) + json.dumps(status, separators=(",", ":")).encode())
        self._socket.close()

    def _take(self, data: bytes) -> None:
        if len(data) == 0:
            return
        if self._v5 and data[0] == CLOSE_CHANNEL:
            if len(data) > 1:
                self._driver.feed(End(self._exchange.id, data[1]))
        elif data[0] in CLIENT_CHANNELS and len(data) > 1:
            self._driver.feed(Data(self._exchange.id, data[0], data[1:]))

    def _gone(self) -> None:
        if not self._exchange.done:
            self._exchange.done = True
            self._driver.feed(Hangup(self._exchange.id))
