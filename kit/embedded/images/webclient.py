"""What the HTTP clients of the images share: addresses taken apart, answers read from a connection."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from kit.embedded.core.program import Errno, Poll, Read

MAX_HEADERS = 256
MAX_LINE = 65536
PORTS = {"http": 80, "https": 443, "ftp": 21}


class BadUrl(Exception):
    """An address that can't be used; `part` says what is wrong with it (scheme, port), `value` is that part."""

    def __init__(self, part: str, value: str) -> None:
        super().__init__(f"{part}: {value}")
        self.part = part
        self.value = value


@dataclass(frozen=True, slots=True)
class Url:
    """An address taken apart; `path` has the query, the fragment is gone."""

    scheme: str
    host: str
    port: int
    path: str
    user: str = ""

    @property
    def shown(self) -> str:
        """The Host header's value."""
        return self.host if self.port == PORTS[self.scheme] else f"{self.host}:{self.port}"

    def moved(self, location: str) -> Url:
        """Return where a Location header leads from here. BadUrl."""
        if "://" in location:
            return parse_url(location)
        if location.startswith("//"):
            return parse_url(f"{self.scheme}:{location}")
        here = self.path.partition("?")[0]
        location = location.partition("#")[0]
        if location.startswith("?"):
            path = here + location
        else:
            path = location if location.startswith("/") else here.rsplit("/", 1)[0] + "/" + location
        return replace(self, path=path)


def parse_url(text: str, schemes: Mapping[str, int] = PORTS) -> Url:
    """Take an address apart; without a scheme it is http. BadUrl."""
    scheme, separator, rest = text.partition("://")
    if not separator:
        scheme, rest = "http", text
    scheme = scheme.lower()
    if scheme not in schemes:
        raise BadUrl("scheme", scheme)
    cut = min((at for at in (rest.find("/"), rest.find("?"), rest.find("#")) if at >= 0), default=len(rest))
    authority, path = rest[:cut], rest[cut:].partition("#")[0]
    if path.startswith("?"):
        path = "/" + path
    user, _, where = authority.rpartition("@")
    bracket = where.rfind("]") + 1
    host, port = where[:bracket], where[bracket:]
    if not bracket:
        host, colon, port = where.partition(":")
        port = colon + port
    return Url(scheme, host, _port(port[1:], schemes[scheme]), path or "/", user)


def without_dots(path: str) -> str:
    """Return a path with `.` and `..` carried out (RFC 3986, 5.2.4); the query stays."""
    path, question, query = path.partition("?")
    kept: list[str] = []
    parts = path.split("/")[1:]
    for part in parts:
        if part == "..":
            kept = kept[:-1]
        elif part != ".":
            kept.append(part)
    if parts and parts[-1] in (".", ".."):
        kept.append("")
    return "/" + "/".join(kept) + question + query


def _port(text: str, usual: int) -> int:
    if not text:
        return usual
    if not (text.isascii() and text.isdecimal()) or int(text) > 65535:
        raise BadUrl("port", text)
    return int(text)


class Broken(Exception):
    """An answer that can't be read to its end: `why` is timeout, reset, closed (in the middle of a chunk) or chunk (no size)."""

    def __init__(self, why: str, error: Errno | None = None) -> None:
        super().__init__(str(error) if error else why)
        self.why = why
        self.name = error.name if error else ""


@dataclass(slots=True)
class Head:
    """The head of an answer: its lines as they came, its headers in order."""

    lines: list[str] = field(default_factory=list)
    headers: list[tuple[str, str]] = field(default_factory=list)

    @property
    def status(self) -> int | None:
        """The status code, None when the first line has none."""
        parts = self.lines[0].split(None, 2)
        return int(parts[1]) if len(parts) > 1 and parts[1].isascii() and parts[1].isdecimal() else None

    def get(self, name: str) -> str | None:
        """Return the last value of a header."""
        return next((value for key, value in reversed(self.headers) if key.lower() == name), None)

    @property
    def chunked(self) -> bool:
        """Say whether the body comes in chunks."""
        return (self.get("transfer-encoding") or "").lower() == "chunked"

    @property
    def length(self) -> int | None:
        """The length the body is said to have, None when it is not."""
        text = self.get("content-length") or ""
        return int(text) if text.isascii() and text.isdecimal() and not self.chunked else None


class Reader:
    """Reads an answer; nothing for `timeout_ms` breaks it."""

    def __init__(self, fd: int, timeout_ms: int | None) -> None:
        self.fd = fd
        self.timeout_ms = timeout_ms
        self.data = b""
        self._chunk_left = 0

    def ready(self) -> Generator[Any, Any, bool]:
        """Wait until something can be read; say whether that came to pass."""
        return bool((yield Poll((self.fd,), self.timeout_ms)))

    def more(self) -> Generator[Any, Any, bytes]:
        """Read the next bytes, b"" at the end. Broken."""
        if not (yield from self.ready()):
            raise Broken("timeout")
        try:
            chunk: bytes = yield Read(self.fd)
        except Errno as error:
            raise Broken("reset", error) from None
        return chunk

    def line(self) -> Generator[Any, Any, bytes | None]:
        """Return a line without its end, None at the end of the input. Broken."""
        while b"\n" not in self.data and len(self.data) < MAX_LINE:
            chunk = yield from self.more()
            if not chunk:
                break
            self.data += chunk
        if not self.data:
            return None
        line, _, self.data = self.data.partition(b"\n")
        return line.rstrip(b"\r")

    def head(self) -> Generator[Any, Any, Head | None]:
        """Read the head of an answer, None when there is no answer; one that is not HTTP has no more than its first line. Broken."""
        first = yield from self.line()
        if first is None:
            return None
        head = Head([first.decode("latin-1")])
        if not first.startswith(b"HTTP/"):
            return head
        for _ in range(MAX_HEADERS):
            line = ((yield from self.line()) or b"").decode("latin-1")
            head.lines.append(line)
            if not line:
                break
            key, _, value = line.partition(":")
            head.headers.append((key.strip(), value.strip()))
        return head

    def body(self, length: int | None, *, chunked: bool) -> Generator[Any, Any, bytes]:
        """Return the next piece of the body, b"" at its end; `length` is what is still to come, None until the connection ends. Broken."""
        if chunked:
            return (yield from self._chunk())
        if length == 0:
            return b""
        if not self.data:
            self.data = yield from self.more()
        piece, self.data = (self.data, b"") if length is None else (self.data[:length], self.data[length:])
        return piece

    def _chunk(self) -> Generator[Any, Any, bytes]:
        if not self._chunk_left:
            self._chunk_left = yield from self._chunk_size()
            if not self._chunk_left:
                return b""
        if not self.data:
            self.data = yield from self.more()
        if not self.data:
            raise Broken("closed")
        piece, self.data = self.data[: self._chunk_left], self.data[self._chunk_left :]
        self._chunk_left -= len(piece)
        return piece

    def _chunk_size(self) -> Generator[Any, Any, int]:
        line = yield from self.line()
        if line == b"":
            line = yield from self.line()
        if line is None:
            raise Broken("closed")
        try:
            return int(line.split(b";")[0], 16)
        except ValueError:
            raise Broken("chunk") from None
