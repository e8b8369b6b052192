"""HTTPS on the loopback address: who may speak (Host, Origin), and where a request goes: control surface or machine."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from urllib.parse import parse_qsl

from kit.embedded.core.turns import Begin, Hangup
from kit.errors import Status
from kit.runtime import streams
from kit.runtime.control import PREFIX, Control
from kit.runtime.driver import Driver
from kit.runtime.forward import ChannelForward, TunnelForward, ports_of
from kit.runtime.http import Exchange, HttpConnection, Session
from kit.runtime.streams import ExecSession

HOSTS = frozenset(
    {"127.0.0.1", "localhost", "[::1]", "kubernetes", "kubernetes.default", "kubernetes.default.svc",
     "kubernetes.default.svc.cluster.local", "10.96.0.1"}
)  # fmt: skip
_BAD_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})")
LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})
IDLE_S = 300.0  # between two requests
REQUEST_S = 60.0  # from a request's first byte to its last
SWEEP_S = 5.0
MAX_CONNECTIONS = 4_000


def pairs_of(query: str) -> tuple[tuple[str, str], ...]:
    """Return the pairs of a query as Go reads it: what is no pair is passed over."""
    pairs = (pair for pair in query.split("&") if ";" not in pair and not _BAD_ESCAPE.search(pair))
    return tuple(parse_qsl("&".join(pairs), keep_blank_values=True))


class Server:
    """The API's door. It is the `App` of every connection."""

    def __init__(self, driver: Driver, control: Control) -> None:
        self.connections: set[HttpConnection] = set()
        self.last_seen = 0.0
        self.port = 0
        self._driver = driver
        self._control = control
        self._listener: asyncio.Server | None = None
        self._sweeper: asyncio.TimerHandle | None = None

    async def listen(self, context: ssl.SSLContext, bound: socket.socket) -> int:
        """Listen on a bound socket and return its port."""
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(
            lambda: HttpConnection(self), sock=bound, ssl=context, backlog=1024, ssl_handshake_timeout=10.0
        )
        self.port = bound.getsockname()[1]
        self.last_seen = loop.time()
        self._sweep()
        return self.port

    def close(self) -> None:
        """Listen no more and close every connection."""
        if self._sweeper is not None:
            self._sweeper.cancel()
        if self._listener is not None:
            self._listener.close()
        for connection in list(self.connections):
            connection.close()

    # --- App ---

    def serve(self, exchange: Exchange) -> None:
        """Answer one request."""
        self.last_seen = asyncio.get_running_loop().time()
        try:
            self._allow(exchange)
            if exchange.path == PREFIX or exchange.path.startswith(PREFIX + "/"):
                self._control.serve(exchange)
                return
            query = self._query(exchange)
        except Status as error:
            exchange.refuse(error)
            return
        self._driver.submit(exchange, lambda number: exchange.request(number, query))

    def hangup(self, exchange: Exchange) -> None:
        """The client went before its answer came."""
        if exchange.id:
            self._driver.feed(Hangup(exchange.id))

    def upgrade(self, exchange: Exchange, begin: Begin) -> Session | None:
        """Hand the connection to exec, attach or port-forward."""
        try:
            if not streams.is_websocket(exchange):
                raise Status("BadRequest", "Upgrade request required")
            return self._session(exchange, begin)
        except Status as error:
            self._driver.feed(Hangup(exchange.id))
            exchange.refuse(error)
            return None

    def _session(self, exchange: Exchange, begin: Begin) -> Session:
        if begin.upgrade == "channels":
            return ExecSession(self._driver, exchange, streams.choose(exchange, (streams.V5, streams.V4)))
        protocol = streams.choose(exchange, streams.FORWARDING)
        if protocol == streams.TUNNEL:
            return TunnelForward(self._driver, exchange, protocol)
        ports = ports_of(tuple(parse_qsl(exchange.raw_query)))
        return ChannelForward(self._driver, exchange, protocol, ports)

    # --- rules ---

    def _allow(self, exchange: Exchange) -> None:
        """Refuse what a web page could send: another host's name (DNS rebinding), or any Origin."""
        host = exchange.headers.get("host", "").lower()
        name = host if host.endswith("]") else host.rpartition(":")[0] or host
        if name not in HOSTS:
            raise Status("Forbidden", f"this cluster answers to 127.0.0.1 and localhost only, not to the host {host!r}")
        if "origin" in exchange.headers and not (name in LOOPBACK and self._is_program(exchange, name)):
            raise Status(
                "Forbidden", "this cluster does not answer to web pages: requests with an Origin header are refused"
            )

    def _is_program(self, exchange: Exchange, name: str) -> bool:
        """Tell whether an Origin comes from a program: the official Python client names the server itself in every WebSocket's handshake.

        All of it must hold: a WebSocket, our own https origin to the port, a credential that no page can add (a bearer token: no
        browser lets a page set Authorization on a WebSocket) or that the handshake of TLS has proven, and no word of a browser's.
        Whether the token is good the API says: nothing is upgraded before it has.
        """
        headers = exchange.headers
        own = (
            headers["origin"].lower() == f"https://{name}:{self.port}"
            and headers["host"].lower() == f"{name}:{self.port}"
        )
        scheme, _, token = headers.get("authorization", "").partition(" ")
        proven = exchange.identity is not None or (scheme.lower() == "bearer" and bool(token.strip()))
        browser = "cookie" in headers or any(key.startswith("sec-fetch-") for key in headers)
        return own and proven and not browser and exchange.method == "GET" and streams.is_websocket(exchange)

    def _query(self, exchange: Exchange) -> tuple[tuple[str, str], ...]:
        """Return the query as the machine gets it, and refuse a stream that can't be upgraded before anything is started."""
        query = pairs_of(exchange.raw_query)
        if exchange.path.endswith("/portforward") and "/pods/" in exchange.path:
            if streams.is_websocket(exchange) and streams.choose(exchange, streams.FORWARDING) != streams.TUNNEL:
                ports_of(query)
            return tuple(pair for pair in query if pair[0] != "ports")
        if (
            exchange.path.endswith(("/exec", "/attach"))
            and "/pods/" in exchange.path
            and streams.is_websocket(exchange)
        ):
            streams.choose(exchange, (streams.V5, streams.V4))
        return query

    def _sweep(self) -> None:
        """Close connections that wait for nothing, or send too slowly."""
        loop = asyncio.get_running_loop()
        for connection in list(self.connections):
            waited = loop.time() - connection.since
            if (not connection.busy and waited > IDLE_S) or (connection.reading and waited > REQUEST_S):
                connection.close()
        if len(self.connections) > MAX_CONNECTIONS:
            for connection in sorted(self.connections, key=lambda one: (one.busy, one.since))[
                : len(self.connections) - MAX_CONNECTIONS
            ]:
                connection.close()
        self._sweeper = loop.call_later(SWEEP_S, self._sweep)
