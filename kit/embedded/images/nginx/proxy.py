"""proxy_pass: one request passed on to a server behind. Models src/http/ngx_http_upstream.c, ngx_http_proxy_module.c."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import h11

from kit.embedded.core.program import Close, Connect, Errno, Now, Poll, Read, Resolve, Secure, Write
from kit.embedded.images.nginx.config import Directive
from kit.embedded.images.nginx.journal import Exchange
from kit.embedded.images.nginx.reply import Reply
from kit.embedded.images.nginx.site import address, duration

OWN = frozenset(("server", "date", "connection", "keep-alive", "transfer-encoding", "content-length", "content-type", "last-modified",
                 "upgrade", "x-accel-redirect"))  # fmt: skip
DROPPED = frozenset(
    ("host", "connection", "keep-alive", "transfer-encoding", "te", "expect", "upgrade", "content-length")
)
REASONS = {"ECONNREFUSED": (111, "Connection refused"), "EHOSTUNREACH": (113, "No route to host"),
           "ENETUNREACH": (101, "Network is unreachable"), "ECONNRESET": (104, "Connection reset by peer")}  # fmt: skip
WRONG_VERSION = "SSL_do_handshake() failed (SSL: error:0A00010B:SSL routines::wrong version number)"
HANDSHAKES = {
    "EOF": "peer closed connection in SSL handshake",
    "connection reset by peer": "SSL_do_handshake() failed (104: Connection reset by peer)",
}
BODY_LIMIT = 4 << 20


def target_of(rule: Directive) -> tuple[str, str | None]:
    """Split the URL of proxy_pass into authority and URI (None: the request's own)."""
    rest = rule.args[0].partition("://")[2]
    authority, slash, path = rest.partition("/")
    return authority, f"/{path}" if slash else None


def port_of(rule: Directive) -> int:
    """Return the port of a URL that names none."""
    return 443 if rule.args[0].startswith("https://") else 80


def passed_to(rule: Directive) -> str:
    """Return what the addresses of a proxy_pass are kept under: `https://a` and `http://a` have different ports."""
    return ("https://" if port_of(rule) == 443 else "") + target_of(rule)[0]


def proxied(exchange: Exchange, rule: Directive) -> Generator[Any, Any, Reply]:
    """Answer by what the server behind says; 502 and 504 when it does not."""
    now = yield Now()
    authority, uri = target_of(rule)
    passed = _uri(exchange, uri, now)
    name = exchange.expand(authority, now)
    secure = port_of(rule) == 443
    peers = exchange.site.upstreams.get(f"https://{name}" if secure else name) or exchange.site.upstreams.get(name)
    if peers is None:
        found = yield from _resolved(exchange, name, port_of(rule))
        if found is None:
            return Reply(502)
        peers = found
    turn = exchange.site.turns.get(name, 0)
    exchange.site.turns[name] = turn + 1
    status = 502
    for offset in range(len(peers)):
        host, port = peers[(turn + offset) % len(peers)]
        upstream = f"{'https' if secure else 'http'}://{host}:{port}{passed}"
        try:
            return (yield from _ask(exchange, (host, port), passed, authority, secure=secure))
        except Errno as error:
            status = yield from _failed(exchange, error, upstream)
    return Reply(status)


def _resolved(exchange: Exchange, name: str, default: int) -> Generator[Any, Any, list[tuple[str, int]] | None]:
    """Resolve a name with variables at the time of the request."""
    host, port = address(name, default)
    try:
        found = yield Resolve(host)
        return [(one, port) for one in found]
    except Errno:
        yield from exchange.error(f"{host} could not be resolved (3: Host not found)")
        return None


def _failed(exchange: Exchange, error: Errno, upstream: str) -> Generator[Any, Any, int]:
    if error.name == "ETIMEDOUT":
        doing = error.path or "connecting to upstream"
        yield from exchange.error(f"upstream timed out (110: Connection timed out) while {doing}", upstream=upstream)
        return 504
    if error.name in ("EPROTO", "EPIPE"):
        closed = "upstream prematurely closed connection while reading response header from upstream"
        failed = f"{error.path} while SSL handshaking to upstream" if error.path else closed
        yield from exchange.error(failed, upstream=upstream)
        return 502
    number, text = REASONS.get(error.name, (5, str(error)))
    what = "recv()" if error.name == "ECONNRESET" else "connect()"
    doing = "reading response header from upstream" if what == "recv()" else "connecting to upstream"
    yield from exchange.error(f"{what} failed ({number}: {text}) while {doing}", upstream=upstream)
    return 502


def _uri(exchange: Exchange, uri: str | None, now: int) -> str:
    request, here = exchange.request, exchange.location
    query = f"?{request.query}" if request.query else ""
    if uri is None:
        return request.target if exchange.redirects <= 1 else exchange.uri + query
    if "$" in uri:
        return exchange.expand(uri, now)
    prefix = "" if here.pattern is not None or here.kind == "@" else here.path
    return uri + exchange.uri.removeprefix(prefix) + query


def _headers(exchange: Exchange, authority: str, now: int) -> list[tuple[str, str]]:
    given = [rule.args for rule in exchange.location.settings.get("proxy_set_header") or []]
    named = {name.lower() for name, _ in given}
    headers = [] if "host" in named else [("Host", authority)]
    headers += [(name, value) for name, text in given if (value := exchange.expand(text, now))]
    if "connection" not in named:
        headers.append(("Connection", "close"))
    if exchange.body:
        headers.append(("Content-Length", str(len(exchange.body))))
    return headers + [(name, value) for name, value in exchange.request.headers if name.lower() not in DROPPED | named]


def _ask(
    exchange: Exchange, peer: tuple[str, int], passed: str, authority: str, *, secure: bool
) -> Generator[Any, Any, Reply]:
    now = yield Now()
    here = exchange.location
    fd = yield Connect(peer[0], peer[1], duration(here.word("proxy_connect_timeout", "60s")))
    try:
        if secure and (why := (yield Secure(fd, name=_named(exchange, authority, now)))):
            raise Errno("EPROTO", HANDSHAKES.get(why, WRONG_VERSION))
        wire = h11.Connection(h11.CLIENT)
        try:
            head = h11.Request(method=exchange.method, target=passed, headers=_headers(exchange, authority, now))
            out = wire.send(head) or b""
            out += (wire.send(h11.Data(data=exchange.body)) or b"") if exchange.body else b""
            yield Write(fd, out + (wire.send(h11.EndOfMessage()) or b""))
            return (yield from _receive(wire, fd, duration(here.word("proxy_read_timeout", "60s"))))
        except (h11.LocalProtocolError, h11.RemoteProtocolError):
            raise Errno("EPROTO") from None
    finally:
        yield Close(fd)


def _named(exchange: Exchange, authority: str, now: int) -> str:
    """Return the name that a server behind is asked for by: none, unless proxy_ssl_server_name is on."""
    if exchange.location.word("proxy_ssl_server_name", "off") != "on":
        return ""
    return exchange.expand(exchange.location.word("proxy_ssl_name", address(authority)[0]), now)


def _receive(wire: h11.Connection, fd: int, timeout: int) -> Generator[Any, Any, Reply]:
    reply, body = None, bytearray()
    while True:
        event = wire.next_event()
        if event is h11.NEED_DATA:
            if not (yield Poll((fd,), timeout)):
                raise Errno(
                    "ETIMEDOUT", "reading response header from upstream" if reply is None else "reading upstream"
                )
            wire.receive_data((yield Read(fd)))
        elif isinstance(event, h11.Response):
            reply = _reply(event)
        elif isinstance(event, h11.Data):
            body += event.data[: max(0, BODY_LIMIT - len(body))]
        elif isinstance(event, h11.EndOfMessage) and reply is not None:
            reply.body = bytes(body)
            return reply
        elif not isinstance(event, h11.InformationalResponse):
            raise Errno("EPROTO")


def _reply(event: h11.Response) -> Reply:
    raw = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in event.headers.raw_items()]
    known = {name.lower(): value for name, value in raw}
    length = known.get("content-length")
    return Reply(
        event.status_code,
        kind=known.get("content-type", ""),
        modified=known.get("last-modified", ""),
        headers=[(name, value) for name, value in raw if name.lower() not in OWN],
        special=False,
        chunked=length is None,
        length=int(length) if length else None,
    )
