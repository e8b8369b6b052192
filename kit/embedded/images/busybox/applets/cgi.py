"""Programs that answer HTTP requests for `httpd`: the Common Gateway Interface (models send_cgi_and_exit of busybox networking/httpd.c)."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from kit.embedded.core.filesystem import normal
from kit.embedded.core.inodes import Dir
from kit.embedded.core.program import Close, Context, Errno, Kill, Pipe, Read, Spawn, Wait, Write
from kit.embedded.images.busybox.words import natural

CONNECTION, PROGRAM = 3, 4
KILL = 9
STATUS, HTTP, OK = b"Status: ", b"HTTP", b"HTTP/1.1 200 OK\r\n"


@dataclass(frozen=True, slots=True)
class Request:
    """A request; `begun` is what has come of its body, `length` what it says it has."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    begun: bytes
    peer: tuple[str, int]

    @property
    def path(self) -> str:
        """The path, its %-escapes resolved."""
        return unquote(self.target.partition("?")[0], errors="surrogateescape")

    @property
    def query(self) -> str:
        """What follows the question mark."""
        return self.target.partition("?")[2]

    @property
    def length(self) -> int:
        """Bytes of the body."""
        found = next((value for name, value in self.headers if name.lower() == "content-length"), "")
        return natural(found) or 0


def parse(head: bytes, begun: bytes, peer: tuple[str, int]) -> Request | None:
    """Return the request that a head describes, None when it is none."""
    first, *rest = head.decode("latin-1").split("\r\n")
    words = first.split()
    if len(words) < 2 or not words[1].startswith("/"):
        return None
    pairs = (line.partition(":") for line in rest)
    return Request(
        words[0], words[1], [(name.strip(), value.strip()) for name, _, value in pairs if value], begun, peer
    )


def run(ctx: Context, request: Request, home: str) -> Generator[Any, Any, Errno | None]:
    """Let the program that a path names answer -> None, or why it can't be run, with its name."""
    script, extra = _split(ctx, request.path, home)
    folder, _, name = (home + script).rpartition("/")
    into, feed = yield Pipe()
    output, out = yield Pipe()
    try:
        pid = yield Spawn(
            f"{folder}/{name}", (name,), _environment(ctx, request, script, extra), folder, {0: into, 1: out, 2: 2}
        )
    except Errno as error:
        return Errno(error.name if error.name in ("ENOENT", "EACCES") else "ENOEXEC", name)
    finally:
        yield Close(into)
        yield Close(out)
    fds = {0: 0, CONNECTION: CONNECTION, PROGRAM: feed}
    feeder = yield Spawn("httpd", tuple(ctx.argv), {}, "/", fds, lambda child: _feed(child, request))
    yield Close(feed)
    yield from _pass_on(output)
    yield Wait(pid)
    try:
        yield Kill(feeder, KILL)  # the program may have ended before it read all
        yield Wait(feeder)
    except Errno:
        pass
    return None


def _split(ctx: Context, path: str, home: str) -> tuple[str, str]:
    """Split a path into the program's and what follows it."""
    clean = normal(path)
    parts = clean.split("/")
    for end in range(3, len(parts) + 1):
        script = "/".join(parts[:end])
        if not _is_folder(ctx, home + script):
            return script, clean[len(script) :]
    return clean, ""


def _is_folder(ctx: Context, path: str) -> bool:
    try:
        return isinstance(ctx.fs.lookup(path), Dir)
    except Errno:
        return False


def _environment(ctx: Context, request: Request, script: str, extra: str) -> dict[str, str]:
    given = {name.upper().replace("-", "_"): value for name, value in request.headers}
    own = {
        "PATH_INFO": extra, "REQUEST_METHOD": request.method, "REQUEST_URI": request.target, "SCRIPT_NAME": script,
        "QUERY_STRING": request.query, "SERVER_SOFTWARE": "busybox httpd/1.37.0", "SERVER_PROTOCOL": "HTTP/1.1",
        "GATEWAY_INTERFACE": "CGI/1.1", "REMOTE_ADDR": request.peer[0], "REMOTE_PORT": str(request.peer[1]),
    }  # fmt: skip
    if request.length:
        own["CONTENT_LENGTH"] = str(request.length)
    plain = {name: given[name] for name in ("CONTENT_TYPE",) if name in given}
    rest = {f"HTTP_{name}": value for name, value in given.items() if name not in ("CONTENT_TYPE", "CONTENT_LENGTH")}
    return {**ctx.env, **rest, **plain, **own}


def _feed(ctx: Context, request: Request) -> Generator[Any, Any, int]:
    """Hand the body on, as it comes."""
    del ctx
    left = request.length
    piece = request.begun[:left]
    try:
        while left > 0:
            if piece:
                yield Write(PROGRAM, piece)
                left -= len(piece)
            if left > 0 and not (piece := (yield Read(CONNECTION, min(left, 65536)))):
                return 0
    except Errno:  # the program or the client is gone
        return 1
    return 0


def _pass_on(output: int) -> Generator[Any, Any, None]:
    """Send what the program says, with the first line of the answer that it leaves to us."""
    begun = b""
    while len(begun) < len(STATUS) and (piece := (yield Read(output))):
        begun += piece
    if begun.startswith(STATUS):
        begun = b"HTTP/1.1 " + begun.removeprefix(STATUS)
    elif begun and not begun.startswith(HTTP):
        begun = OK + begun
    while begun:
        yield Write(CONNECTION, begun)
        begun = yield Read(output)
