"""Requests as nginx reads them, byte by byte where it matters. Models src/http/ngx_http_parse.c and ngx_http_request.c."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

from kit.embedded.core.program import Read, Write
from kit.embedded.images.nginx.pages import HEADER_TOO_LARGE
from kit.embedded.images.serving import CONNECTION

BUFFER = 8192  # large_client_header_buffers 4 8k
BUFFERS = 4
METHOD = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ_-")
TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


@dataclass(slots=True)
class Request:
    """A request as far as it was read; `bad` is the status that ends it at once (0: none)."""

    line: str = ""
    method: str = ""
    target: str = ""
    path: str = "/"
    query: str = ""
    version: tuple[int, int] = (0, 9)
    headers: list[tuple[str, str]] = field(default_factory=list)
    bad: int = 0
    length: int = 0
    chunked: bool = False
    host: str = ""

    def header(self, name: str) -> str:
        """Return a header's value, "" when it was not sent."""
        return next((value for key, value in self.headers if key.lower() == name), "")

    @property
    def keepalive(self) -> bool:
        """Whether the client wants the connection kept."""
        wish = self.header("connection").lower()
        return (self.version >= (1, 1) and "close" not in wish) or (self.version == (1, 0) and "keep-alive" in wish)


class Reader:
    """What came over one connection and was not used yet."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.ended = False

    def fill(self) -> Generator[Any, Any, bool]:
        """Read more -> whether something came."""
        more = yield Read(CONNECTION)
        self.data += more
        self.ended = not more
        return bool(more)

    def request(self) -> Generator[Any, Any, Request | None]:
        """Read the head of the next request -> None when the connection ended before one."""
        line = yield from self._first_line()
        if line is None or isinstance(line, Request):
            return line
        request = parse_line(line)
        if request.bad or request.version == (0, 9):
            return request
        used = len(line)
        while True:
            header = yield from self._line()
            if header is None:
                return None
            used += len(header)
            if len(header) > BUFFER or used > BUFFER * BUFFERS:
                request.bad = HEADER_TOO_LARGE
                return request
            text = header.decode("latin-1").rstrip("\r\n")
            if not text:
                break
            _add_header(request, text)
        _check(request)
        return request

    def _first_line(self) -> Generator[Any, Any, bytes | Request | None]:
        while True:
            while bytes(self.data[:1]) in (b"\r", b"\n"):
                del self.data[:1]
            end = self.data.find(b"\n")
            first = bytes(self.data[: end + 1] if end >= 0 else self.data)
            word = first.decode("latin-1").split(" ", 1)[0].rstrip("\r\n")
            if set(word) - METHOD:
                del self.data[: len(first)]
                return Request(line=shown(first), bad=400)
            if len(first) > BUFFER:
                return Request(line=shown(first[:BUFFER]), bad=414)
            if end >= 0:
                del self.data[: end + 1]
                return first
            if self.ended or not (yield from self.fill()):
                return None

    def _line(self) -> Generator[Any, Any, bytes | None]:
        while (end := self.data.find(b"\n")) < 0:
            if len(self.data) > BUFFER:
                return bytes(self.data)
            if self.ended or not (yield from self.fill()):
                return None
        line = bytes(self.data[: end + 1])
        del self.data[: end + 1]
        return line

    def body(self, request: Request) -> Generator[Any, Any, bytes | None]:
        """Read a request's body -> None when the connection ended in the middle or the chunks are malformed."""
        if request.header("expect").lower() == "100-continue" and (request.length or request.chunked):
            yield Write(CONNECTION, b"HTTP/1.1 100 Continue\r\n\r\n")
        if not request.chunked:
            return (yield from self._exactly(request.length))
        body = bytearray()
        while True:
            line = yield from self._line()
            size = (line or b"").split(b";")[0].strip()
            if not size or set(size) - set(b"0123456789abcdefABCDEF"):
                return None
            part = yield from self._exactly(int(size, 16))
            yield from self._line()
            if part is None or not int(size, 16):
                return None if part is None else bytes(body)
            body += part

    def _exactly(self, size: int) -> Generator[Any, Any, bytes | None]:
        while len(self.data) < size:
            if self.ended or not (yield from self.fill()):
                return None
        part = bytes(self.data[:size])
        del self.data[:size]
        return part


def parse_line(line: bytes) -> Request:
    """Read a request line."""
    text = line.decode("latin-1").rstrip("\r\n")
    request = Request(line=shown(text.encode("latin-1")))
    words = text.split(" ")
    words = [word for index, word in enumerate(words) if word or index == 0]
    if len(words) not in (2, 3) or not words[0]:
        request.bad = 400
        return request
    request.method, request.target = words[0], words[1]
    if len(words) == 3:
        request.version, request.bad = _version(words[2])
    elif words[0] != "GET":
        request.bad = 400
    if not request.bad:
        request.bad = _target(request)
    return request


def _version(word: str) -> tuple[tuple[int, int], int]:
    major, dot, minor = word.removeprefix("HTTP/").partition(".")
    if not word.startswith("HTTP/") or not dot or not major.isdecimal() or not minor.isdecimal() or len(minor) > 3:
        return (1, 0), 400
    version = (int(major), int(minor))
    return version, 505 if version[0] > 1 else 400 if version[0] < 1 else 0


def _target(request: Request) -> int:
    target = request.target
    if not target.startswith("/"):
        scheme, mark, rest = target.partition("://")
        if not mark or not scheme.isalpha():
            return 400
        authority, _, path = rest.partition("/")
        request.host, target = authority.lower(), f"/{path}"
    target = target.partition("#")[0]
    path, _, request.query = target.partition("?")
    decoded = unquote(path)
    if decoded is None or "\0" in decoded:
        return 400
    parts: list[str] = []
    pieces = decoded.split("/")[1:]
    for index, part in enumerate(pieces):
        last = index == len(pieces) - 1
        if part == "..":
            if not parts:
                return 400
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
            continue
        if last:
            parts.append("")
    request.path = "/" + "/".join(parts)
    return 0


def unquote(text: str) -> str | None:
    """Decode %XX; None when one is malformed."""
    if "%" not in text:
        return text
    raw, out, at = text.encode("latin-1"), bytearray(), 0
    while at < len(raw):
        if raw[at : at + 1] == b"%":
            digits = raw[at + 1 : at + 3]
            if len(digits) != 2 or set(digits) - set(b"0123456789abcdefABCDEF"):
                return None
            out.append(int(digits, 16))
            at += 3
        else:
            out.append(raw[at])
            at += 1
    return out.decode("utf-8", "surrogateescape")


def _add_header(request: Request, text: str) -> None:
    name, colon, value = text.partition(":")
    if colon and name and not set(name) - TOKEN:
        request.headers.append((name, value.strip(" \t")))
    elif not colon or set(name) & {" ", "\t", "\0"}:
        request.bad = request.bad or 400


def _check(request: Request) -> None:
    hosts = [value for name, value in request.headers if name.lower() == "host"]
    if len(hosts) > 1 or (not hosts and request.version >= (1, 1)):
        request.bad = request.bad or 400
    host = request.host or (hosts[0].lower() if hosts else "")
    if set(host) & set("/ \0"):
        request.bad = request.bad or 400
    name = host if host.startswith("[") and host.endswith("]") else host.rpartition(":")[0] if ":" in host else host
    request.host = name.rstrip(".")
    lengths = [value for key, value in request.headers if key.lower() == "content-length"]
    coding = request.header("transfer-encoding").lower()
    if len(lengths) > 1 or any(not value.isdecimal() for value in lengths) or (coding and lengths):
        request.bad = request.bad or 400
    elif lengths:
        request.length = int(lengths[0])
    if coding and coding != "chunked":
        request.bad = request.bad or 501
    request.chunked = coding == "chunked"


def shown(line: bytes) -> str:
    """Return a request line as the logs show it."""
    plain = line.rstrip(b"\r\n")
    return "".join(chr(byte) if 32 <= byte < 127 and byte not in b'"\\' else f"\\x{byte:02X}" for byte in plain)
