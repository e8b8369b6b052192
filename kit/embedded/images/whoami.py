"""The image `traefik/whoami`: says who answered and what was asked. Models github.com/traefik/whoami app.go and Go's net/http."""

from __future__ import annotations

import json
from collections.abc import Generator
from typing import Any
from urllib.parse import parse_qs, urlsplit

from kit.embedded.core.filesystem import build
from kit.embedded.core.inodes import File, Node
from kit.embedded.core.program import Context, Errno, Listen, Local, Now, Peer, Sleep, Steps, Write
from kit.embedded.images.httpd import Request, Response, http_handler
from kit.embedded.images.image import Image
from kit.embedded.images.registry import Family
from kit.embedded.images.serving import CONNECTION, Server
from kit.embedded.images.stamps import error_date

TEXT = ("Content-Type", "text/plain; charset=utf-8")
PATTERN = "ABCDEFGHIJKLMNOPQRSTUVWXYZ-"
UNITS = {"": 1, "kb": 1 << 10, "mb": 1 << 20}
MAX_DATA = 4 << 20
WRITTEN_BEFORE = frozenset(("User-Agent", "Content-Length", "Transfer-Encoding", "Trailer"))  # net/http: Request.Write
REFUSED = frozenset(("--cert", "--key", "--cacert"))


def whoami_program(ctx: Context) -> Steps:
    """Serve on port 80, WHOAMI_PORT_NUMBER or `--port`."""
    options = _options(ctx.argv[1:])
    if wrong := REFUSED & set(options):
        yield Write(
            2,
            f"{min(wrong)} is not simulated by the embedded cluster (a kind cluster runs the real whoami)\n".encode(),
        )
        return 2
    port = options.get("--port") or ctx.env.get("WHOAMI_PORT_NUMBER") or "80"
    now = yield Now()
    if not port.isdecimal() or not 0 < int(port) < 65536:
        yield Write(2, f"{error_date(now)} listen tcp: address {port}: invalid port\n".encode())
        return 1
    try:
        listener = yield Listen(int(port))
    except Errno as error:
        yield Write(2, f"{error_date(now)} listen tcp :{port}: bind: {str(error).lower()}\n".encode())
        return 1
    yield Write(2, f"{error_date(now)} Starting up on port {port}\n".encode())
    who = Whoami(options.get("--name") or ctx.env.get("WHOAMI_NAME", ""))
    yield from Server(ctx, {listener: int(port)}, http_handler(who.answer), title="/whoami", catch=()).until_signal()
    return 0


def _options(args: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    rest = list(args)
    while rest:
        name, equals, value = rest.pop(0).partition("=")
        name = f"--{name.lstrip('-')}"
        if name in ("--port", "--name", *REFUSED) and not equals and rest:
            value = rest.pop(0)
        found[name] = value
    return found


class Whoami:
    """One server; `health` is what POST /health set."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._health = 200

    def answer(self, ctx: Context, request: Request) -> Generator[Any, Any, Response]:
        """Answer one request."""
        url = urlsplit(request.target)
        query = parse_qs(url.query, keep_blank_values=True)
        if url.path == "/health":
            return self._answer_health(request)
        if url.path == "/bench":
            return Response(200, [("Connection", "keep-alive"), ("Content-Type", "text/plain")], b"1")
        if url.path == "/data":
            return _data(query)
        if url.path == "/echo":
            return Response(400, [TEXT], b"Bad Request\n")  # a WebSocket, which an ordinary request is not
        wait = (query.get("wait") or [""])[0]
        if wait:
            yield Sleep(_duration(wait))
        facts = yield from self._facts(ctx, request)
        if url.path == "/api":
            return Response(200, [("Content-Type", "application/json")], _api(facts, request))
        return Response(200, [TEXT], _text(facts, request, show_env=(query.get("env") or [""])[0] == "true", ctx=ctx))

    def _answer_health(self, request: Request) -> Response:
        if request.method == "POST":
            text = request.body.decode("latin-1").strip()
            if not text.isdecimal() or not 100 <= int(text) <= 599:
                return Response(400, [TEXT], f'strconv.Atoi: parsing "{text}": invalid syntax\n'.encode())
            self._health = int(text)
            return Response(200)
        return Response(self._health)

    def _facts(self, ctx: Context, request: Request) -> Generator[Any, Any, dict[str, Any]]:
        del request
        address, port = yield Peer(CONNECTION)
        own = (yield Local())[0]
        facts: dict[str, Any] = {
            "hostname": ctx.hostname,
            "ip": ["127.0.0.1", "::1", own],
            "remote": f"{address}:{port}",
        }
        return facts | ({"name": self._name} if self._name else {})


def _headers(request: Request) -> dict[str, list[str]]:
    """Return the headers in canonical form, without Host, sorted."""
    found: dict[str, list[str]] = {}
    for name, value in request.headers:
        if name.lower() != "host":
            found.setdefault("-".join(part.capitalize() for part in name.split("-")), []).append(value)
    return dict(sorted(found.items()))


def _text(facts: dict[str, Any], request: Request, *, show_env: bool, ctx: Context) -> bytes:
    lines = [f"Name: {facts['name']}"] if "name" in facts else []
    lines += [f"Hostname: {facts['hostname']}", *(f"IP: {ip}" for ip in facts["ip"]), f"RemoteAddr: {facts['remote']}"]
    agent = request.header("user-agent") or "Go-http-client/1.1"
    lines += [
        f"{request.method} {request.target} HTTP/1.1\r",
        f"Host: {request.header('host')}\r",
        f"User-Agent: {agent}\r",
    ]
    lines += [f"Content-Length: {len(request.body)}\r"] if request.body else []
    rest = {name: values for name, values in _headers(request).items() if name not in WRITTEN_BEFORE}
    lines += [f"{name}: {value}\r" for name, values in rest.items() for value in values]
    lines.append("\r")
    lines += [f"{name}={value}" for name, value in ctx.env.items()] if show_env else []
    return "\n".join([*lines, ""]).encode("utf-8", "surrogateescape") + request.body


def _api(facts: dict[str, Any], request: Request) -> bytes:
    shown = {
        "hostname": facts["hostname"],
        "ip": facts["ip"],
        "headers": _headers(request),
        "url": request.target,
        "host": request.header("host"),
        "method": request.method,
    }
    if "name" in facts:
        shown["name"] = facts["name"]
    shown["remoteAddr"] = facts["remote"]
    return json.dumps(shown, separators=(",", ":")).encode() + b"\n"


def _data(query: dict[str, list[str]]) -> Response:
    """Answer /data?size=n&unit=KB with that many bytes between two bars."""
    text, unit = (query.get("size") or ["1"])[0] or "1", (query.get("unit") or [""])[0].lower()
    size = int(text) * UNITS.get(unit, 1) if text.isdecimal() else 1
    if size > MAX_DATA:
        return Response(400, [TEXT], b"the embedded cluster sends at most 4 MB\n")
    body = "|" if size == 1 else "|" + (PATTERN * (size // len(PATTERN) + 1))[: max(0, size - 2)] + "|"
    return Response(200, [("Content-Type", "text/plain")], body.encode())


def _duration(text: str) -> int:
    """Return the ms of a Go duration of one unit; what can't be read is no wait."""
    for unit, factor in (("ms", 1), ("s", 1000), ("m", 60_000)):
        digits = text.removesuffix(unit)
        if digits != text and digits.replace(".", "", 1).isdecimal():
            return min(600_000, int(float(digits) * factor))
    return 0


def whoami(tag: str, version: str) -> Image:
    """Return the image `traefik/whoami:tag`: one program, no shell."""
    del version
    files: dict[str, bytes | str | Node | None] = {
        "/whoami": File(b"\x7fELF", 0o755, program=whoami_program),
        "/etc/hosts": "127.0.0.1\tlocalhost\n",
    }
    env = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
    return Image("traefik/whoami", tag, build(files), entrypoint=("/whoami",), env=env, ports=(80,), size=6_600_000)


FAMILY = Family("traefik/whoami", whoami, {"1.11": 0, "1.10": 4, "1.9": 0, "1.8": 7}, {"latest": "1.11.0"}, prefix="v")
