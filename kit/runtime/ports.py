"""Ports of the host that stand for ports of the cluster: NodePorts and the Ingress, on the loopback address only.

The first NodePort gets 30080 of the host; any gets its own number when that is free, else a free one. A connection becomes a `Dial`.
Every Host header is welcome here, there is no control surface, and the number of connections is bounded.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from kit.embedded.core.turns import Begin, Data, Dial, End, Expose, Hangup, Response
from kit.runtime.driver import Driver

PREFERRED = 30080
MAX_CONNECTIONS = 256


class Ports:
    """The open ones, by the name that the machine gave them. `changed` is told after each change."""

    def __init__(self, driver: Driver, *, enabled: bool, changed: Callable[[], None]) -> None:
        self._driver = driver
        self._enabled = enabled
        self._changed = changed
        self._open: dict[str, tuple[asyncio.Server, dict[str, Any]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.connections = 0

    def expose(self, wanted: Expose) -> None:
        """Open or close a port. In settled mode nothing is opened unless asked for."""
        if not self._enabled:
            return
        if not wanted.open:
            self._close(wanted.name)
            return
        task = asyncio.get_running_loop().create_task(self._listen(wanted))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def listing(self) -> list[dict[str, Any]]:
        """Return {name, address, port, host_port} of the open ones, by name."""
        return [entry for _, (_, entry) in sorted(self._open.items())]

    def close(self) -> None:
        """Close them all."""
        for name in list(self._open):
            self._close(name)

    async def _listen(self, wanted: Expose) -> None:
        self._close(wanted.name)
        first = all(entry["host_port"] != PREFERRED for _, entry in self._open.values())
        for port in ([PREFERRED] if first and wanted.port >= 1024 else []) + [wanted.port, 0]:
            try:
                server = await asyncio.get_running_loop().create_server(
                    lambda: _Dialled(self._driver, self, wanted), "127.0.0.1", port
                )
            except OSError:
                continue
            host_port = server.sockets[0].getsockname()[1]
            entry = {"name": wanted.name, "address": wanted.address, "port": wanted.port, "host_port": host_port}
            self._open[wanted.name] = (server, entry)
            self._changed()
            return

    def _close(self, name: str) -> None:
        if (found := self._open.pop(name, None)) is not None:
            found[0].close()
            self._changed()


class _Dialled(asyncio.Protocol):
    """One connection to such a port, and the driver's Sink for it."""

    def __init__(self, driver: Driver, ports: Ports, wanted: Expose) -> None:
        self._driver = driver
        self._ports = ports
        self._wanted = wanted
        self._transport: asyncio.Transport | None = None
        self._id = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]
        self._ports.connections += 1
        if self._ports.connections > MAX_CONNECTIONS:
            transport.abort()  # type: ignore[attr-defined]
            return
        self._id = self._driver.submit(self, lambda number: Dial(number, self._wanted.address, self._wanted.port))

    def data_received(self, data: bytes) -> None:
        self._driver.feed(Data(self._id, 0, data))

    def eof_received(self) -> bool:
        self._driver.feed(End(self._id, 0))
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._ports.connections -= 1
        if self._id:
            self._driver.feed(Hangup(self._id))

    def answer(self, response: Response) -> None:
        """A dialled connection has no answer."""

    def begin(self, begin: Begin) -> None:
        """It is accepted inside."""

    def chunk(self, channel: int, data: bytes) -> None:
        """Bytes from inside."""
        if self._transport is not None:
            self._transport.write(data)

    def finish(self, channel: int | None, status: Mapping[str, Any] | None, error: str) -> None:
        """The other side has ended: an orderly end closes, a failure resets."""
        if self._transport is None:
            return
        if error:
            self._transport.abort()
        elif channel is None:
            self._transport.close()
        elif self._transport.can_write_eof():
            self._transport.write_eof()
