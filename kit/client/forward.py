"""A byte stream to a port of a Pod through the API server (the portforward subresource over a WebSocket)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kit.client.connect import Connection
from kit.client.execute import open_socket
from kit.errors import Unavailable

_DATA, _ERROR = 0, 1


class Tunnel:
    """One open stream to a port of a Pod."""

    def __init__(self, socket: Any, pod: str, port: int) -> None:
        self._socket = socket
        self._pod, self._port = pod, port
        self._greeted: set[int] = set()

    def send(self, data: bytes) -> None:
        """Send bytes to the port."""
        self._socket.send_binary(bytes([_DATA]) + data)

    def receive(self) -> bytes:
        """Return the next bytes from the port; empty when the other side closed."""
        import websocket

        while True:
            try:
                frame = self._socket.recv()
            except websocket.WebSocketConnectionClosedException:
                return b""
            data = frame.encode() if isinstance(frame, str) else frame
            if not data:
                return b""
            payload = self._payload(data)
            if payload and data[0] == _ERROR:
                raise Unavailable(f"port {self._port} of Pod {self._pod}: {payload.decode('utf-8', 'replace').strip()}")
            if payload:
                return payload

    def _payload(self, data: bytes) -> bytes:
        """Strip the channel number and, in a channel's first frame, the two bytes that repeat the port."""
        channel, rest = data[0], data[1:]
        if channel not in self._greeted and len(rest) >= 2 and struct.unpack("<H", rest[:2])[0] == self._port:
            rest = rest[2:]
        self._greeted.add(channel)
        return rest


@contextmanager
def forward(
    connection: Connection, pod: str, port: int, *, namespace: str | None = None, timeout_s: float = 30.0
) -> Iterator[Tunnel]:
    """Open a stream to `port` of `pod`; closed at the end of the `with` block."""
    path = f"/api/v1/namespaces/{namespace or connection.namespace}/pods/{pod}/portforward?ports={port}"
    socket = open_socket(connection, path, ["v4.channel.k8s.io"], timeout_s)
    try:
        yield Tunnel(socket, pod, port)
    finally:
        socket.close()
