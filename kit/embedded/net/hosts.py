"""Who has an address: the network namespaces of Pods and nodes, and what listens in them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from kit.embedded.core.program import Errno
from kit.embedded.net.wires import End

BACKLOG = 511
FIRST_EPHEMERAL, LAST_EPHEMERAL = 32768, 60999


class Listener:
    """A listening port. Connections wait in `backlog`; `watch` is called when one arrives."""

    __slots__ = ("address", "backlog", "host", "port", "watch")

    def __init__(self, host: Host, port: int, address: str) -> None:
        self.host = host
        self.port = port
        self.address = address
        self.backlog: deque[End] = deque()
        self.watch: Callable[[], None] = lambda: None

    def close(self) -> None:
        """Stop listening; connections nobody accepted are reset."""
        self.host.listeners.pop(self.port, None)
        while self.backlog:
            self.backlog.popleft().abort()


class Host:
    """A network namespace: a Pod's, a node's, or the world outside ("outside"). `name` is for the trace: "pod ns/name"."""

    def __init__(self, name: str, address: str, node: str = "") -> None:
        self.name = name
        self.address = address
        self.node = node
        self.up = True
        self.listeners: dict[int, Listener] = {}
        self.ends: dict[End, None] = {}
        self.names: dict[str, str] = {}  # address -> the name it was last resolved from, for the trace
        self._port = FIRST_EPHEMERAL

    def listen(self, port: int, address: str = "0.0.0.0") -> Listener:
        """Listen on `port`, any free one when it is 0. EADDRINUSE."""
        port = port or self.ephemeral()
        if port in self.listeners:
            raise Errno("EADDRINUSE")
        listener = self.listeners[port] = Listener(self, port, address)
        return listener

    def ephemeral(self) -> int:
        """Return the next local port for a client."""
        port = self._port
        self._port = FIRST_EPHEMERAL if port >= LAST_EPHEMERAL else port + 1
        return port

    def adopt(self, end: End) -> None:
        """Keep an end, to be reset when the host goes."""
        self.ends[end] = None
        end.forget = self._forget

    def _forget(self, end: End) -> None:
        self.ends.pop(end, None)

    def down(self) -> None:
        """Take the host away: listeners close, connections are reset."""
        for listener in list(self.listeners.values()):
            listener.close()
        self.cut()

    def cut(self) -> None:
        """Take it off the network for a while: connections are reset, what listens goes on when it is `up` again."""
        self.up = False
        for end in list(self.ends):
            end.abort()
