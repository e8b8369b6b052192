"""`wget` (models busybox networking/wget.c): HTTP/1.1 over the Pod's network; FTP is refused."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Generator
from typing import Any

from kit.embedded.core.program import Close, Connect, Errno, Now, Open, Resolve, Secure, Write
from kit.embedded.images.busybox.applets.command import Command, Fail, Steps, Usage, table
from kit.embedded.images.busybox.applets.usages import WGET
from kit.embedded.images.busybox.words import natural
from kit.embedded.images.webclient import BadUrl, Broken, Head, Reader, Url, parse_url

Work = Generator[Any, Any, Any]
MAX_REDIRECTS = 20
DEFAULT_TIMEOUT = 900
MOVED = (301, 302, 303, 307, 308)
BAR = "*" * 32
LONG = {"header": "H::", "post-data": "D:", "post-file": "F:", "spider": "s", "no-check-certificate": "k", "quiet": "q",
        "output-document": "O:", "server-response": "S", "timeout": "T:", "user-agent": "U:", "continue": "c",
        "directory-prefix": "P:", "output-file": "o:", "tries": "t:", "proxy": "Y:", "no-verbose": "q"}  # fmt: skip


def parsed(text: str) -> Url:
    """Take a URL apart; `Fail` with busybox's words when it is none."""
    try:
        return parse_url(text)
    except BadUrl as bad:
        raise Fail(f"not an http or ftp url: {text}" if bad.part == "scheme" else f"bad port '{bad.value}'") from None


def complaint(broken: Broken) -> Fail:
    """Return what is said of an answer that breaks off."""
    words = {"timeout": "download timed out", "closed": "connection closed prematurely"}
    if broken.why == "reset" and broken.name != "ECONNRESET":
        return Fail(f"error getting response: {broken}")
    return Fail(words.get(broken.why, "error getting response"))


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
        url = parsed(text)
        name = (
            url.path.rstrip("/").rsplit("/", 1)[-1].partition("?")[0]
            if url.path.strip("/") and url.path[-1] != "/"
            else "index.html"
        )
        try:
            for _ in range(MAX_REDIRECTS):
                moved = yield from self._fetch(url, name)
                if moved is None:
                    return
                url = moved
        except Broken as broken:
            raise complaint(broken) from None
        raise Fail("too many redirections")

    def _fetch(self, url: Url, name: str) -> Generator[Any, Any, Url | None]:
        """Ask once; return where the document has moved to, None when it is here."""
        fd = yield from self._connect(url)
        reader = Reader(fd, self.timeout_ms)
        head = yield from self._ask(url, fd, reader)
        location = head.get("location")
        if head.status in MOVED and location is not None:
            yield Close(fd)
            return url.moved(location) if "://" not in location else parsed(location)
        if not self.command.has("s"):
            yield from self._save(reader, head, name)
        else:
            yield from self.tell("remote file exists\n")
        yield Close(fd)
        return None

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

    def _ask(self, url: Url, fd: int, reader: Reader) -> Generator[Any, Any, Head]:
        """Send the request, read the head of the answer."""
        try:
            yield Write(fd, (yield from self._request(url)))
        except Errno:
            raise Fail("error getting response") from None
        head = yield from reader.head()
        if head is None or not head.lines[0].startswith("HTTP/"):
            raise Fail("error getting response")
        if self.command.has("S"):
            yield from self.command.raw_error("".join(f"  {line}\n" for line in head.lines))
        if head.status is None:
            raise Fail("error getting response")
        if 200 <= head.status < 300 or (head.status in MOVED and head.get("location") is not None):
            return head
        raise Fail(f"server returned error: {head.lines[0]}")

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

    def _save(self, reader: Reader, head: Head, name: str) -> Work:
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
        length, chunked = head.length if head.status != 204 else 0, head.chunked
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


APPLETS: dict[str, Any] = table((("wget", wget, WGET),))
