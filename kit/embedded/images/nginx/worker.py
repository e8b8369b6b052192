"""nginx's worker: reads requests from connections, answers and logs them. Models ngx_http_request.c."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from kit.embedded.core.program import Context, Local, Now, Peer, Write
from kit.embedded.images.nginx.answer import answer
from kit.embedded.images.nginx.journal import Exchange
from kit.embedded.images.nginx.pages import PLAIN_TO_TLS, special
from kit.embedded.images.nginx.parser import Reader, Request
from kit.embedded.images.nginx.reply import Reply, encoded, kept
from kit.embedded.images.nginx.site import Site, choose, size
from kit.embedded.images.nginx.tls import PLAIN, handshake
from kit.embedded.images.serving import CONNECTION, Server

QUIT, TERM = 3, 15
CLOSE_SILENTLY = 444


class Worker:
    """A worker process."""

    def __init__(self, ctx: Context, version: str, site: Site, logs: dict[str, int], connections: list[int]) -> None:
        self.ctx = ctx
        self.version = version
        self.site = site
        self.logs = logs
        self.connections = connections

    def run(self, listeners: dict[int, int]) -> Generator[Any, Any, int]:
        """Serve until told to stop; QUIT lets requests finish."""
        server = Server(
            self.ctx,
            listeners,
            self.connection,
            title="nginx: worker process",
            catch=(QUIT, TERM),
            keep=tuple(self.logs.values()),
        )
        number = yield from server.until_signal()
        yield from server.stop(graceful=number == QUIT)
        return 0

    def connection(self, server: Server, ctx: Context, port: int) -> Generator[Any, Any, None]:
        """Serve one connection."""
        self.connections[0] += 1
        number = self.connections[0]
        client, local = (yield Peer(CONNECTION)), (yield Local(CONNECTION))
        reader, secure, plain = Reader(), self.site.secure(port), False
        if secure:
            why = yield from handshake(self.site, port)
            plain = why == PLAIN
            if why and not plain:
                return
        while True:
            request = yield from reader.request()
            if request is None:
                return
            if plain:
                request.bad = request.bad or PLAIN_TO_TLS
            server.busy.add(ctx.pid)
            chosen = self.site.server(port, request.host)
            exchange = Exchange(
                self.site, request, chosen, chosen.top, client, (local[0], port), number, self.ctx.pid, self.ctx.hostname, self.version,
                self.logs, method=request.method, secure=secure and not plain,
            )  # fmt: skip
            reply, rest = yield from self._reply(ctx, exchange, reader)
            keep = kept(exchange, reply) and rest and bool(server.listeners)
            if reply.status != CLOSE_SILENTLY:
                out = encoded(exchange, reply, (yield Now()), keepalive=keep)
                yield Write(CONNECTION, out)
            yield from exchange.log()
            server.busy.discard(ctx.pid)
            if not keep:
                return

    def _reply(self, ctx: Context, exchange: Exchange, reader: Reader) -> Generator[Any, Any, tuple[Reply, bool]]:
        """Answer one request -> the answer, and whether the connection is fit for another."""
        request: Request = exchange.request
        if request.bad:
            page = special(request.bad, f"nginx/{exchange.version}")
            return Reply(request.bad, kind="text/html", body=page), False
        wanted = request.length if request.length <= 64 << 20 else 0
        too_large = request.length and not _takes(exchange, request)
        if (wanted or request.chunked) and not too_large:
            body = yield from reader.body(request)
            if body is None:
                return Reply(400, kind="text/html", body=special(400, f"nginx/{exchange.version}")), False
            exchange.body = body
        return (yield from answer(ctx, exchange)), not too_large


def _takes(exchange: Exchange, request: Request) -> bool:
    """Say whether a body is small enough for the location that the request falls to."""
    limit = size(choose(exchange.server.top, request.path).word("client_max_body_size", "1m"))
    return not limit or request.length <= limit
