"""One transfer of curl: find, connect, ask, follow, save. Models curl's lib/multi.c in what is seen of it."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import Any

from kit.embedded.core.program import Close, Connect, Context, Errno, Local, Now, Poll, Resolve, Secure, Write
from kit.embedded.images.curl.build import Build
from kit.embedded.images.curl.failure import Failure, insecure, rejected, timed_out, unusable
from kit.embedded.images.curl.options import Line
from kit.embedded.images.curl.output import Output
from kit.embedded.images.curl.report import TITLE, Facts, meter
from kit.embedded.images.curl.request import Request
from kit.embedded.images.webclient import BadUrl, Broken, Head, Reader, Url, parse_url, without_dots

Work = Generator[Any, Any, Any]
STORE = "/etc/ssl/certs/ca-certificates.crt"
SCHEMES = {"http": 80, "https": 443}
MOVED = (301, 302, 303, 307, 308)
MAX_REDIRECTS = 50
TICK_MS = 1000


@dataclass(slots=True)
class Session:
    """What all transfers of a command line have in common."""

    ctx: Context
    build: Build
    line: Line
    request: Request
    query: str
    terminal: bool  # standard output is one
    form: str = ""  # of --write-out

    def say(self, text: str) -> Work:
        """Write to stderr; nobody minds when that is closed."""
        if not text:
            return
        try:
            yield Write(2, text.encode("utf-8", "surrogateescape"))
        except Errno as error:
            if error.name != "EPIPE":
                raise

    def note(self, text: str) -> Work:
        """Write lines of --verbose."""
        if self.line.has("verbose"):
            yield from self.say(text)


class Watched(Reader):
    """Reads for a transfer: until its time is over, and with its meter."""

    def __init__(self, fd: int, transfer: Transfer) -> None:
        super().__init__(fd, None)
        self._transfer = transfer

    def ready(self) -> Generator[Any, Any, bool]:
        """Wait until something can be read, a second at a time."""
        while True:
            left = yield from self._transfer.left()
            if left is not None and left <= 0:
                return False
            if (yield Poll((self.fd,), TICK_MS if left is None else min(TICK_MS, left))):
                return True
            yield from self._transfer.tick()


class Transfer:
    """One address on its way to its output."""

    def __init__(self, session: Session, text: str, output: Output, number: int, *, again: bool = False) -> None:
        self.session = session
        self._title = "" if again else TITLE
        self.line = session.line
        self.output = output
        self.facts = Facts(url=text, number=number, file=output.path, effective=text)
        self._metered = not (
            self.line.has("silent") or self.line.has("no-progress-meter") or (session.terminal and not output.path)
        )
        self._dump = Output(session.ctx, self.line.text("dump-header").removeprefix("-"))

    # --- time ---

    def spent(self) -> Generator[Any, Any, int]:
        """Return how long it has taken, in ms."""
        return (yield Now()) - self.facts.began  # type: ignore[no-any-return]

    def left(self, limit: str = "max-time") -> Generator[Any, Any, int | None]:
        """Return how long it may still take: curl's limits are over one ms after they are reached."""
        whole = self.line.ms(limit)
        return None if whole is None else whole + 1 - (yield from self.spent())

    def tick(self) -> Work:
        """Show the meter."""
        if self._metered:
            yield from self.session.say(meter(self.facts, (yield from self.spent())))

    def _mark(self, name: str) -> Work:
        self.facts.times[name] = yield from self.spent()

    # --- the whole ---

    def run(self) -> Work:
        """Carry it out. Failure."""
        facts = self.facts
        facts.began = yield Now()
        wanted = False
        try:
            url = self._address(facts.url)
            if self._metered:
                yield from self.session.say(self._title)
                yield from self.tick()
            yield from self._follow(url)
            wanted = True
        except Failure as failure:
            facts.code, facts.error = failure.code, str(failure)
            raise
        finally:
            yield from self._mark("total")
            if self._metered and facts.began and facts.scheme:
                yield from self.tick()
                yield from self.session.say("\n")
            yield from self.output.close(wanted=wanted)
            if self.line.has("dump-header"):
                yield from self._dump.close(wanted=wanted)

    def _address(self, text: str) -> Url:
        if any(character <= " " for character in text) or not text:
            raise rejected("input")
        try:
            url = parse_url(text, SCHEMES)
        except BadUrl as bad:
            raise unusable(bad) from None
        if not url.host:
            raise rejected("host")
        self.facts.scheme = url.scheme
        url = self._tidy(url)
        slash = "" if "/" in text.partition("://")[2 if "://" in text else 0] else "/"
        self.facts.effective = f"{'' if '://' in text else 'http://'}{text}{slash if '?' not in text else ''}"
        if self.session.query:
            url = replace(url, path=f"{url.path}{'&' if '?' in url.path else '?'}{self.session.query}")
            self.facts.effective = f"{url.scheme}://{url.shown}{url.path}"
        if self.line.has("upload-file") and url.path.endswith("/"):
            url = replace(url, path=url.path + self.line.text("upload-file").rpartition("/")[2].strip("-"))
        return url

    def _tidy(self, url: Url) -> Url:
        return url if self.line.has("path-as-is") else replace(url, path=without_dots(url.path))

    def _follow(self, url: Url) -> Work:
        """Ask, and ask again where the answer leads."""
        facts, request = self.facts, self.session.request
        while True:
            fd = yield from self._connect(url)
            reader = Watched(fd, self)
            try:
                head = yield from self._ask(fd, reader, url, request)
                target = self._moved(url, head)
                if target is None or not self._following():
                    yield from self._body(reader, head, request, kept=True)
                    yield from self._part(fd, url, head)
                    return
                yield from self._body(reader, head, request, kept=False)
                if self._metered:
                    yield from self.tick()
                    yield from self.session.say("\n")
                yield from self._part(fd, url, head)
            except Broken as broken:
                raise (yield from self._broken(broken)) from None
            limit = self.line.number("max-redirs", MAX_REDIRECTS)
            if 0 <= limit <= facts.redirects:
                raise Failure(47, f"Maximum ({limit}) redirects followed")
            facts.redirects += 1
            elsewhere = (url.scheme, url.host, url.port) != (target.scheme, target.host, target.port)
            elsewhere = elsewhere and not self.line.has("location-trusted")
            request = request.moved(head.status or 0, elsewhere=elsewhere)
            url = target
            yield from self.session.note(f"* Issue another request to this URL: '{facts.moved_to}'\n")
            facts.effective, facts.moved_to = facts.moved_to, ""
            yield from self._mark("redirect")

    def _following(self) -> bool:
        return self.line.has("location") or self.line.has("location-trusted")

    def _moved(self, url: Url, head: Head) -> Url | None:
        location = head.get("location")
        if head.status not in MOVED or location is None:
            return None
        try:
            target = self._tidy(url.moved(location))
        except BadUrl as bad:
            if not self._following():
                return None
            raise unusable(bad) from None
        if target.scheme not in SCHEMES:
            raise Failure(1, f'Protocol "{target.scheme}" disabled in redirect')
        self.facts.moved_to = f"{target.scheme}://{target.shown}{target.path}"
        return target

    def _broken(self, broken: Broken) -> Generator[Any, Any, Failure]:
        if broken.why == "timeout":
            return timed_out((yield from self.spent()), self.facts.received, self.facts.expected)
        if broken.why == "reset":
            return Failure(56, f"Recv failure: {broken}")
        if broken.why == "chunk":
            return Failure(56, "chunk hex-length char not a hex digit: 0x0")
        return Failure(18, "transfer closed with outstanding read data remaining")

    # --- the connection ---

    def _connect(self, url: Url) -> Generator[Any, Any, int]:
        addresses = yield from self._addresses(url)
        yield from self._mark("namelookup")
        last = "ECONNREFUSED"
        for address in addresses:
            yield from self.session.note(f"*   Trying {address}:{url.port}...\n")
            limit = yield from self._patience()
            try:
                fd: int = yield Connect(address, url.port, limit)
            except Errno as error:
                last = error.name
                if last == "ETIMEDOUT" and limit is not None:
                    raise Failure(28, f"Connection timed out after {yield from self.spent()} milliseconds") from None
                yield from self.session.note(f"* connect to {address} port {url.port} failed: {error}\n")
                continue
            return (yield from self._connected(fd, address, url))
        spent = yield from self.spent()
        where = f"{url.host}{self.session.build.at}{url.port}"
        failure = Failure(
            28 if last == "ETIMEDOUT" else 7,
            f"Failed to connect to {where} after {spent} ms: Could not connect to server",
        )
        yield from self.session.note(f"* {failure}\n* closing connection #0\n")
        raise failure

    def _patience(self) -> Generator[Any, Any, int | None]:
        """Return how long connecting may take: the nearer of both limits."""
        whole, first = (yield from self.left("max-time")), (yield from self.left("connect-timeout"))
        return min((max(1, one) for one in (whole, first) if one is not None), default=None)

    def _addresses(self, url: Url) -> Generator[Any, Any, list[str]]:
        for one in self.line.many("resolve"):
            host, port, address = [*one.lstrip("+").split(":", 2), "", ""][:3]
            if host in (url.host, "*") and port == str(url.port):
                return address.split(",")
        try:
            found: list[str] = [] if self.line.has("ipv6") else (yield Resolve(url.host))
        except Errno:
            found = []
        left = yield from self.left()
        if left is not None and left <= 0:
            raise Failure(28, f"Resolving timed out after {yield from self.spent()} milliseconds")
        found = [address for address in found if ":" not in address]
        if not found:
            failure = Failure(6, f"Could not resolve host: {url.host}")
            yield from self.session.note(f"* {failure}\n* shutting down connection #0\n")
            raise failure
        if found != [url.host]:
            shown = f"* Host {url.host}:{url.port} was resolved.\n* IPv6: (none)\n* IPv4: {', '.join(found)}\n"
            yield from self.session.note(shown)
        return found

    def _connected(self, fd: int, address: str, url: Url) -> Generator[Any, Any, int]:
        facts = self.facts
        yield from self._mark("connect")
        facts.connects += 1
        facts.remote, facts.local = (address, url.port), (yield Local(fd))
        if url.scheme == "https":
            yield from self._secure(fd, url)
            yield from self._mark("appconnect")
        yield from self._mark("pretransfer")
        yield from self.session.note(f"* Connected to {url.host} ({address}) port {url.port}\n* using HTTP/1.x\n")
        return fd

    def _secure(self, fd: int, url: Url) -> Work:
        authority = None if self.line.has("insecure") else self._authority()
        try:
            why = yield Secure(fd, name=url.host, authority=authority)
        except Errno as error:
            why = str(error)
        if why:
            raise insecure(why, url.host)

    def _authority(self) -> bytes:
        """Return whom the image, the environment or --cacert trusts."""
        ctx = self.session.ctx
        given = self.line.text("cacert") or ctx.env.get("CURL_CA_BUNDLE") or ctx.env.get("SSL_CERT_FILE")
        path = given or STORE
        try:
            found = ctx.fs.read(path, ctx.cwd)
        except Errno:
            found = b""
        if b"-----BEGIN" not in found and (given or not ctx.fs.exists(path, ctx.cwd)):
            raise Failure(77, f"error adding trust anchors from file: {path}")
        return found

    # --- question and answer ---

    def _ask(self, fd: int, reader: Watched, url: Url, request: Request) -> Generator[Any, Any, Head]:
        facts = self.facts
        facts.method = request.method
        text = request.text(url, self.line, f"curl/{self.session.build.version}")
        head_only = text[: text.find(b"\r\n\r\n") + 4]
        shown = head_only.decode("utf-8", "surrogateescape").replace("\r\n", "\n").removesuffix("\n").split("\n")
        yield from self.session.note("".join(f"> {line}\r\n" for line in shown))
        facts.requested += len(head_only)
        try:
            yield Write(fd, text)
        except Errno as error:
            raise Failure(55, f"Send failure: {error}") from None
        facts.sent += len(text) - len(head_only)
        yield from self.session.note("* Request completely sent off\n")
        facts.expected, facts.received = None, 0
        while True:
            head = yield from reader.head()
            if head is None:
                raise Failure(52, "Empty reply from server")
            if head.status is None:
                raise Failure(1, "Received HTTP/0.9 when not allowed")
            facts.head = head
            if "starttransfer" not in facts.times:
                yield from self._mark("starttransfer")
            yield from self._show(head)
            if not 100 <= head.status < 200 or head.status == 101:
                return head

    def _show(self, head: Head) -> Work:
        raw = "\r\n".join([*head.lines, ""]).encode("latin-1")
        self.facts.headers += len(raw)
        yield from self.session.note("".join(f"< {line}\r\n" for line in head.lines))
        if self.line.has("dump-header"):
            yield from self._dump.write(raw)
        if self.line.has("include") or self.line.has("head"):
            yield from self.output.write(raw)

    def _body(self, reader: Watched, head: Head, request: Request, *, kept: bool) -> Work:
        """Save the body, or throw it away when it is that of a redirect."""
        facts, status = self.facts, head.status or 0
        facts.expected = head.length
        if kept and status >= 400 and self.line.has("fail"):
            raise Failure(22, f"The requested URL returned error: {status}")
        if self.line.has("head") or status in (204, 304):
            return
        left, shown = head.length, False
        while left != 0 and (piece := (yield from reader.body(left, chunked=head.chunked))):
            facts.received += len(piece) if kept else 0
            left = None if left is None else left - len(piece)
            if not shown and not self.session.terminal:
                yield from self.session.note(f"{{ [{len(piece)} bytes data]\n")
                shown = True
            if kept:
                yield from self.output.write(piece)
        if left:
            raise Failure(18, f"end of response with {left} bytes missing")
        if kept and status >= 400 and self.line.has("fail-with-body"):
            raise Failure(22, f"The requested URL returned error: {status}")

    def _part(self, fd: int, url: Url, head: Head) -> Work:
        number = self.facts.connects - 1
        over = (head.get("connection") or "").lower() == "close"
        words = (
            f"shutting down connection #{number}" if over else f"Connection #{number} to host {url.host} left intact"
        )
        yield from self.session.note(f"* {words}\n")
        yield Close(fd)
