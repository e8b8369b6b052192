"""`wget` (models busybox networking/wget.c): HTTP/1.1 over the Pod's network; FTP is refused."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from kit.embedded.core.program import Close, Connect, Errno, Now, Open, Poll, Read, Resolve, Secure, Write
from kit.embedded.images.busybox.applets.command import Command, Fail, Steps, Usage, table
from kit.embedded.images.busybox.applets.usages import WGET
from kit.embedded.images.busybox.words import natural

Work = Generator[Any, Any, Any]
MAX_REDIRECTS = 20
MAX_HEADERS = 256
DEFAULT_TIMEOUT = 900
BAR = "*" * 32
PORTS = {"http": 80, "https": 443, "ftp": 21}
LONG = {"header": "H::", "post-data": "D:", "post-file": "F:", "spider": "s", "no-check-certificate": "k", "quiet": "q",
        "output-document": "O:", "server-response": "S", "timeout": "T:", "user-agent": "U:", "continue": "c",
        "directory-prefix": "P:", "output-file": "o:", "tries": "t:", "proxy": "Y:", "no-verbose": "q"}  # fmt: skip


@dataclass
class Url:
    """An address taken apart."""

    scheme: str
    host: str
    port: int
    path: str
    user: str = ""

    @property
    def shown(self) -> str:
        """The Host header's value."""
        return self.host if self.port == PORTS[self.scheme] else f"{self.host}:{self.port}"


def parse_url(text: str) -> Url:
    """Take a URL apart; `Fail` with busybox's words when it is none."""
    scheme, separator, rest = text.partition("://")
    if not separator:
        scheme, rest = "http", text
    if scheme not in PORTS:
        raise Fail(f"not an http or ftp url: {text}")
    cut = min((at for at in (rest.find("/"), rest.find("?"), rest.find("#")) if at >= 0), default=len(rest))
    authority, path = rest[:cut], rest[cut:].partition("#")[0]
    if path.startswith("?"):
        path = "/" + path
    user, _, where = authority.rpartition("@")
    host, _, port = where.partition(":")
    number = natural(port) if port else PORTS[scheme]
    if number is None or number > 65535:
        raise Fail(f"bad port '{port}'")
    return Url(scheme, host, number, path or "/", user)


class Reader:
    """Reads a connection with the time limit of -T."""

    def __init__(self, fd: int, timeout_ms: int) -> None:
        self.fd = fd
        self.timeout_ms = timeout_ms
        self.data = b""

    def more(self) -> Generator[Any, Any, bytes]:
        """Read the next bytes, b"" at the end; `Fail` when nothing comes in time."""
        ready = yield Poll((self.fd,), self.timeout_ms)
        if not ready:
            raise Fail("download timed out")
        try:
            chunk: bytes = yield Read(self.fd)
        except Errno as error:
            raise Fail(
                f"error getting response: {error}" if error.name != "ECONNRESET" else "error getting response"
            ) from None
        return chunk

    def line(self) -> Generator[Any, Any, bytes | None]:
        """Return a line without its end, None at the end of the input."""
        while b"\n" not in self.data and len(self.data) < 65536:
            chunk = yield from self.more()
            if not chunk:
                break
            self.data += chunk
        if not self.data:
            return None
        line, _, self.data = self.data.partition(b"\n")
        return line.rstrip(b"\r")

    def body(self, length: int | None, *, chunked: bool) -> Generator[Any, Any, bytes]:
        """Return the next piece of the body, b"" at its end."""
        if chunked:
            return (yield from self._chunk())
        if length == 0:
            return b""
        if not self.data:
            self.data = yield from self.more()
        piece, self.data = (self.data, b"") if length is None else (self.data[:length], self.data[length:])
        return piece

    def _chunk(self) -> Generator[Any, Any, bytes]:
        size_line = yield from self.line()
        if size_line == b"":
            size_line = yield from self.line()
        try:
            size = int((size_line or b"0").split(b";")[0], 16)
        except ValueError:
            raise Fail("error getting response") from None
        while len(self.data) < min(size, 16 << 20):
            chunk = yield from self.more()
            if not chunk:
                raise Fail("connection closed prematurely")
            self.data += chunk
        piece, self.data = self.data[:size], self.data[size:]
        return piece


def wget(command: Command) -> Steps:
    """Fetch URLs."""
    words = command.parse("cqSO:o:P:U:T:Y:t:nv", LONG)
    if not words:
        raise Usage
    timeout = natural(str(command.options.get("T", DEFAULT_TIMEOUT)))
    if timeout is None:
        raise Fail(f"invalid number '{command.options['T']}'")
    for text in words:
        yield from Download(command, (timeout or DEFAULT_TIMEOUT) * 1000).fetch(text)
    return 0


class Download:
    """One URL on its way into a file."""

    def __init__(self, command: Command, timeout_ms: int) -> None:
        self.command = command
        self.timeout_ms = timeout_ms
        self.quiet = command.has("q")

    def tell(self, text: str) -> Work:
        """Write progress to stderr, unless -q."""
        if not self.quiet:
            yield from self.command.raw_error(text)

    def fetch(self, text: str) -> Work:
        """Follow redirects to the document and save it."""
        url = parse_url(text)
        name = (
            url.path.rstrip("/").rsplit("/", 1)[-1].partition("?")[0]
            if url.path.strip("/") and url.path[-1] != "/"
            else "index.html"
        )
        for _ in range(MAX_REDIRECTS):
            fd = yield from self._connect(url)
            reader = Reader(fd, self.timeout_ms)
            status, headers = yield from self._ask(url, fd, reader)
            if status in (301, 302, 303, 307, 308) and "location" in headers:
                yield Close(fd)
                url = _moved(url, headers["location"])
                continue
            if not self.command.has("s"):
                yield from self._save(reader, headers, status, name)
            else:
                yield from self.tell("remote file exists\n")
            yield Close(fd)
            return
        raise Fail("too many redirections")

    def _connect(self, url: Url) -> Generator[Any, Any, int]:
        if not url.host:
            raise Fail(f"bad address '{url.host}'")
        try:
            address = (yield Resolve(url.host))[0]
        except (Errno, IndexError):
            raise Fail(f"bad address '{url.host}'") from None
        if url.scheme != "ftp":
            yield from self.tell(f"Connecting to {url.shown} ({address}:{url.port})\n")
        try:
            fd: int = yield Connect(address, url.port, self.timeout_ms)
        except Errno as error:
            if error.name == "ETIMEDOUT":
                raise Fail("download timed out") from None
            raise Fail(f"can't connect to remote host ({address}): {error}") from None
        if url.scheme == "https":
            yield from self.command.raw_error("wget: note: TLS certificate validation not implemented\n")
            if (yield Secure(fd, name=url.host)):
                raise Fail("TLS error from peer")
        if url.scheme == "ftp":
            raise Fail("FTP is not simulated: use http")
        return fd

    def _ask(self, url: Url, fd: int, reader: Reader) -> Generator[Any, Any, tuple[int, dict[str, str]]]:
        """Send the request, read the head of the answer."""
        try:
            yield Write(fd, (yield from self._request(url)))
        except Errno:
            raise Fail("error getting response") from None
        first = yield from reader.line()
        if first is None or not first.startswith(b"HTTP/"):
            raise Fail("error getting response")
        shown = first.decode("latin-1")
        parts = shown.split(None, 2)
        status = natural(parts[1]) if len(parts) > 1 else None
        headers: dict[str, str] = {}
        lines = [shown]
        for _ in range(MAX_HEADERS):
            line = yield from reader.line()
            lines.append((line or b"").decode("latin-1"))
            if not line:
                break
            key, _, value = line.decode("latin-1").partition(":")
            headers[key.strip().lower()] = value.strip()
        if self.command.has("S"):
            yield from self.command.raw_error("".join(f"  {line}\n" for line in lines))
        if status is None:
            raise Fail("error getting response")
        if status == 204 or 200 <= status < 300 or (status in (301, 302, 303, 307, 308) and "location" in headers):
            return status, headers
        raise Fail(f"server returned error: {shown}")

    def _request(self, url: Url) -> Generator[Any, Any, bytes]:
        command = self.command
        body: bytes | None = None
        if command.has("D"):
            body = str(command.options["D"]).encode("utf-8", "surrogateescape")
        elif command.has("F"):
            body = yield from command.whole(str(command.options["F"]))
            if body is None:
                raise Fail("")
        given = list(command.options.get("H", []))
        names = {line.partition(":")[0].strip().lower() for line in given}
        method = "POST" if body is not None else "GET"
        lines = [f"{method} {url.path} HTTP/1.1"]
        if "host" not in names:
            lines.append(f"Host: {url.shown}")
        if "user-agent" not in names:
            lines.append(f"User-Agent: {command.options.get('U', 'Wget')}")
        lines.append("Connection: close")
        if url.user:
            lines.append("Authorization: Basic " + b64encode(url.user.encode("utf-8", "surrogateescape")).decode())
        lines += given
        if body is not None:
            if "content-type" not in names:
                lines.append("Content-Type: application/x-www-form-urlencoded")
            lines.append(f"Content-Length: {len(body)}")
        head = "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape")
        return head + (body or b"")

    def _save(self, reader: Reader, headers: dict[str, str], status: int, name: str) -> Work:
        command = self.command
        where = str(command.options.get("O", name))
        if command.has("P") and not command.has("O"):
            where = f"{str(command.options['P']).rstrip('/')}/{name}"
        out = 1
        if where != "-":
            try:
                out = yield Open(where, "w" if command.has("O") else "x")
            except Errno as error:
                raise Fail(f"can't open '{where}': {error}") from None
        yield from self.tell("writing to stdout\n" if where == "-" else f"saving to '{where}'\n")
        length = natural(headers.get("content-length", "")) if status != 204 else 0
        chunked = headers.get("transfer-encoding", "").lower() == "chunked"
        start = yield Now()
        left, done = length, 0
        while left != 0 and (piece := (yield from reader.body(left, chunked=chunked))):
            yield Write(out, piece)
            done += len(piece)
            left = None if left is None else left - len(piece)
        if left and not chunked:
            raise Fail("connection closed prematurely")
        spent = ((yield Now()) - start) // 1000
        yield from self.tell(_progress(where, done, spent))
        if out != 1:
            yield Close(out)
        yield from self.tell("written to stdout\n" if where == "-" else f"'{where}' saved\n")


def _progress(where: str, done: int, seconds: int) -> str:
    size = str(done) if done < 100_000 else f"{done // 1024}k"
    clock = f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return f"{where.rsplit('/', 1)[-1]:<20.20} 100% |{BAR}| {size:>5}  {clock} ETA\n"


def _moved(url: Url, location: str) -> Url:
    if "://" in location:
        return parse_url(location)
    path = location if location.startswith("/") else url.path.rsplit("/", 1)[0] + "/" + location
    return Url(url.scheme, url.host, url.port, path, url.user)


APPLETS: dict[str, Any] = table((("wget", wget, WGET),))
