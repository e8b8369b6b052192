"""What curl asks: the body made of its options, the head around it. Models curl's lib/http.c and tool_getparam.c (set_data)."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote_plus

from kit.embedded.core.program import Close, Errno, Open, Read
from kit.embedded.images.curl.options import TRY, Line, Wrong, misused
from kit.embedded.images.curl.report import warning
from kit.embedded.images.webclient import Url

MAX_FILE = 16 << 20
FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
BOTH = "You can only select one HTTP request method! You asked for both POST (-d, --data) and HEAD (-I, --head)."
UNREAD = "curl: (26) Failed to open/read local data from file/application\n"


@dataclass(frozen=True, slots=True)
class Request:
    """One request, before it is known where to: `body` None is none at all; `headers` are those of -H, as given."""

    method: str
    headers: tuple[str, ...]
    body: bytes | None = None
    kind: str = ""
    user: str = ""
    fixed: bool = False  # the method was given with -X

    def moved(self, status: int, *, elsewhere: bool) -> Request:
        """Return what is asked where a redirect leads; a POST becomes a GET unless the status says otherwise."""
        request = self
        if (status in (301, 302) and self.body is not None and self.method != "PUT") or (
            status == 303 and self.method != "HEAD"
        ):
            request = replace(self, method=self.method if self.fixed else "GET", body=None, kind="")
        if elsewhere:
            kept = tuple(one for one in self.headers if _name(one) not in ("authorization", "cookie", "host"))
            request = replace(request, user="", headers=kept)
        return request

    def text(self, url: Url, line: Line, agent: str) -> bytes:
        """Return the bytes to send."""
        given = {_name(one): one for one in self.headers}
        user = self.user or url.user
        own = [
            ("Host", url.shown),
            ("Authorization", f"Basic {b64encode(_bytes(user)).decode()}" if user else ""),
            ("User-Agent", line.text("user-agent", agent)),
            ("Accept", "*/*"),
            ("Referer", line.text("referer")),
            ("Cookie", ";".join(line.many("cookie"))),
        ]
        if line.has("oauth2-bearer"):
            own[1] = ("Authorization", f"Bearer {line.text('oauth2-bearer')}")
        lines = [f"{self.method} {line.text('request-target', url.path)} HTTP/1.1"]
        for name, value in own:
            if name == "Host" and "host" in given:
                lines += _custom(given.pop("host"))
            elif value and name.lower() not in given:
                lines.append(f"{name}: {value}")
        framing = [] if self.body is None else [("Content-Length", str(len(self.body))), ("Content-Type", self.kind)]
        for one in self.headers:
            if _name(one) != "host":
                lines += _custom(one)
        lines += [f"{name}: {value}" for name, value in framing if value and name.lower() not in given]
        return _bytes("\r\n".join([*lines, "", ""])) + (self.body or b"")


def _name(header: str) -> str:
    cut = min((at for at in (header.find(":"), header.find(";")) if at >= 0), default=len(header))
    return header[:cut].strip().lower()


def _custom(header: str) -> list[str]:
    """Return a header of -H: `Name:` takes one away, `Name;` sends one without a value."""
    _, colon, value = header.partition(":")
    if colon:
        return [header] if value.strip() else []
    return [f"{header[:-1]}:"] if header.endswith(";") else []


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def make(line: Line) -> Generator[Any, Any, tuple[Request, str]]:
    """Return the request of a command line, and what -G adds to the address. Wrong."""
    body: bytes | None = None
    kind = FORM
    for option, value in line.data:
        piece = yield from _piece(option, value)
        joint = b"" if option == "json" or body is None else b"&"
        body = piece if body is None else body + joint + piece
        kind = JSON if option == "json" else kind
    headers: list[str] = []
    for header in line.many("header"):
        headers += yield from _headers(header)
    if kind == JSON:
        named = {_name(one) for one in headers}
        headers += [f"{name}: {JSON}" for name in ("Content-Type", "Accept") if name.lower() not in named]
    query = ""
    if line.has("get"):
        query, body = (body or b"").decode("utf-8", "surrogateescape"), None
    if line.has("head") and body is not None:
        raise Wrong("" if line.has("silent") else warning(BOTH), 2)
    usual = "HEAD" if line.has("head") else "POST" if body is not None else "GET"
    if line.has("upload-file"):
        usual, body, kind = "PUT", (yield from _upload(line)), ""
    method = line.text("request", usual)
    return Request(method, tuple(headers), body, kind, line.text("user"), line.has("request")), query


def _piece(option: str, value: str) -> Generator[Any, Any, bytes]:
    """Return one piece of the body."""
    shown = "-d" if option == "data" else f"--{option}"
    if option == "data-urlencode":
        return (yield from _encoded(value, shown))
    if option == "data-raw" or not value.startswith("@"):
        return _bytes(value)
    found = yield from _file(value[1:], shown)
    return found if option in ("data-binary", "json") else found.replace(b"\r", b"").replace(b"\n", b"").replace(b"\0", b"")  # fmt: skip


def _encoded(value: str, shown: str) -> Generator[Any, Any, bytes]:
    """Return `content`, `=content`, `name=content`, `@file` or `name@file` with the content encoded."""
    at = min((place for place in (value.find("="), value.find("@")) if place >= 0), default=-1)
    if at < 0:
        return quote_plus(_bytes(value)).encode()
    name, rest = value[:at], value[at + 1 :]
    found = _bytes(rest) if value[at] == "=" else (yield from _file(rest, shown))
    encoded = quote_plus(found).encode()
    return _bytes(name) + b"=" + encoded if name else encoded


def _headers(header: str) -> Generator[Any, Any, list[str]]:
    if not header.startswith("@"):
        return [header]
    text = yield from _file(header[1:], "-H")
    return [line for line in text.decode("utf-8", "surrogateescape").splitlines() if line]


def _file(path: str, shown: str) -> Generator[Any, Any, bytes]:
    """Return what a file, or with `-` standard input, holds."""
    try:
        return (yield from content(path))
    except Errno:
        wrong = misused(shown, "error encountered when reading a file")
        raise Wrong(f"curl: Failed to open {path}\n{wrong}", 26) from None


def _upload(line: Line) -> Generator[Any, Any, bytes]:
    path = line.text("upload-file")
    try:
        return (yield from content("-" if path == "." else path))
    except Errno:
        more = UNREAD if line.has("show-error") or not line.has("silent") else ""
        raise Wrong(f"curl: cannot open '{path}'\n{TRY}{more}", 26) from None


def form_of(line: Line) -> Generator[Any, Any, str]:
    """Return what --write-out shall print; `@` names a file that holds it. Wrong."""
    form = line.text("write-out")
    return (yield from _file(form[1:], "-w")).decode("utf-8", "surrogateescape") if form.startswith("@") else form


def content(path: str) -> Generator[Any, Any, bytes]:
    """Return what a file, or with `-` standard input, holds. Errno."""
    fd = 0 if path == "-" else (yield Open(path, "r"))
    pieces: list[bytes] = []
    size = 0
    while size < MAX_FILE and (piece := (yield Read(fd))):
        pieces.append(piece)
        size += len(piece)
    if fd:
        yield Close(fd)
    return b"".join(pieces)
