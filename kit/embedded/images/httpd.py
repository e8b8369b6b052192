"""HTTP/1.1 for simulated applications: requests read from a connection and answers written to it, framed by h11."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any

import h11

from kit.embedded.core.program import Context, Now, Read, Write
from kit.embedded.images.serving import CONNECTION, Handler, Server
from kit.embedded.images.stamps import http_date
from kit.embedded.net.phrases import REASONS

BODY_LIMIT = 1 << 20


@dataclass(frozen=True, slots=True)
class Request:
    """One request; header names as they were sent."""

    method: str
    target: str
    version: str
    headers: Sequence[tuple[str, str]]
    body: bytes = b""

    def header(self, name: str) -> str:
        """Return a header's value, "" when it was not sent."""
        return next((value for key, value in self.headers if key.lower() == name), "")


@dataclass(frozen=True, slots=True)
class Response:
    """One answer; Date, Content-Length and Connection are added."""

    status: int
    headers: Sequence[tuple[str, str]] = ()
    body: bytes = b""
    reason: str = ""


Answering = Callable[[Context, Request], Generator[Any, Any, Response]]


def http_handler(answer: Answering) -> Handler:
    """Return a connection handler (see `serving.Server`) that answers each request by `answer`."""

    def handle(server: Server, ctx: Context, port: int) -> Generator[Any, Any, None]:
        del port
        wire = h11.Connection(h11.SERVER)
        while True:
            try:
                request = yield from _receive(wire, server, ctx.pid)
            except h11.RemoteProtocolError:
                yield from _refuse(wire)
                return
            if request is None:
                return
            response = yield from answer(ctx, request)
            try:
                yield from _send(wire, request, response, draining=not server.listeners)
            finally:
                server.busy.discard(ctx.pid)
            if wire.our_state is not h11.DONE or wire.their_state is not h11.DONE:
                return
            wire.start_next_cycle()

    return handle


def _receive(wire: h11.Connection, server: Server, pid: int) -> Generator[Any, Any, Request | None]:
    head: h11.Request | None = None
    body = bytearray()
    while True:
        event = wire.next_event()
        if event is h11.NEED_DATA:
            wire.receive_data((yield Read(CONNECTION)))
            server.busy.add(pid)
        elif isinstance(event, h11.Request):
            head = event
            server.busy.add(pid)
        elif isinstance(event, h11.Data):
            body += event.data[: max(0, BODY_LIMIT - len(body))]
        elif isinstance(event, h11.EndOfMessage) and head is not None:
            headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in head.headers.raw_items()]
            target, version = head.target.decode("latin-1"), head.http_version.decode()
            return Request(head.method.decode(), target, version, headers, bytes(body))
        else:
            server.busy.discard(pid)
            return None


def _send(wire: h11.Connection, request: Request, response: Response, *, draining: bool) -> Generator[Any, Any, None]:
    now = yield Now()
    headers = [*response.headers, ("Date", http_date(now)), ("Content-Length", str(len(response.body)))]
    if draining:
        headers.append(("Connection", "close"))
    reason = response.reason.encode() or REASONS.get(response.status, "").encode()
    out = wire.send(h11.Response(status_code=response.status, headers=headers, reason=reason)) or b""
    if request.method != "HEAD":
        out += wire.send(h11.Data(data=response.body)) or b""
    out += wire.send(h11.EndOfMessage()) or b""
    yield Write(CONNECTION, out)


def _refuse(wire: h11.Connection) -> Generator[Any, Any, None]:
    del wire
    body = b"400 Bad Request"
    yield Write(
        CONNECTION,
        b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n" + body,
    )
