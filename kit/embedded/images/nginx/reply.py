"""An answer before it is written, and the bytes it becomes."""

from __future__ import annotations

from dataclasses import dataclass, field

from kit.embedded.images.nginx.journal import Exchange
from kit.embedded.images.nginx.pages import NO_KEEPALIVE, SENT_AS, status_line
from kit.embedded.images.stamps import http_date


@dataclass(slots=True)
class Reply:
    """`special`: nginx fills in its own page. `chunked`: the length is not known beforehand. `length` overrides that of the body (HEAD)."""

    status: int
    kind: str = ""
    body: bytes = b""
    modified: str = ""
    location: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)
    special: bool = True
    chunked: bool = False
    length: int | None = None


def encoded(exchange: Exchange, reply: Reply, now: int, *, keepalive: bool) -> bytes:
    """Return the whole answer; sets `sent` of the exchange to what the access log counts. HTTP/0.9 gets the body alone."""
    head_only = exchange.request.method == "HEAD" or reply.status in (204, 304)
    body = reply.body
    chunked = reply.chunked and exchange.request.version >= (1, 1)
    if chunked:
        body = (f"{len(body):x}\r\n".encode() + body + b"\r\n" if body else b"") + b"0\r\n\r\n"
    exchange.status = SENT_AS.get(reply.status, reply.status)
    exchange.sent = 0 if head_only else len(body)
    if exchange.request.version == (0, 9) and not exchange.request.bad:
        return body
    lines = _head(exchange, reply, now, keepalive=keepalive, chunked=chunked)
    return "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape") + (b"" if head_only else body)


def _head(exchange: Exchange, reply: Reply, now: int, *, keepalive: bool, chunked: bool) -> list[str]:
    off = exchange.location.word("server_tokens", "on") == "off"
    lines = [
        status_line(reply.status),
        f"Server: {'nginx' if off else f'nginx/{exchange.version}'}",
        f"Date: {http_date(now)}",
    ]
    if reply.kind:
        lines.append(f"Content-Type: {reply.kind}")
    if not reply.chunked and reply.status not in (204, 304):
        lines.append(f"Content-Length: {len(reply.body) if reply.length is None else reply.length}")
    if reply.modified:
        lines.append(f"Last-Modified: {reply.modified}")
    if reply.location:
        lines.append(f"Location: {_absolute(exchange, reply.location)}")
    if chunked:
        lines.append("Transfer-Encoding: chunked")
    lines.append(f"Connection: {'keep-alive' if keepalive else 'close'}")
    return [*lines, *(f"{name}: {value}" for name, value in reply.headers if value)]


def _absolute(exchange: Exchange, location: str) -> str:
    """Return a redirect in full: the client's Host without its port, the port listened on unless it is the scheme's own."""
    if not location.startswith("/"):
        return location
    port = exchange.local[1]
    host = exchange.request.host or exchange.local[0]
    scheme, own = ("https", 443) if exchange.secure else ("http", 80)
    return f"{scheme}://{host}{'' if port == own else f':{port}'}{location}"


def kept(exchange: Exchange, reply: Reply) -> bool:
    """Say whether the connection stays open after this answer."""
    return exchange.request.keepalive and not exchange.request.bad and reply.status not in NO_KEEPALIVE
