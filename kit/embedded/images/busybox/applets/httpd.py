"""`httpd`: a small server of static files (models busybox networking/httpd.c)."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from kit.embedded.core.filesystem import normal
from kit.embedded.core.inodes import Dir, File
from kit.embedded.core.program import Accept, Close, Context, Errno, Listen, Now, Peer, Read, Spawn, Write
from kit.embedded.images.busybox.applets.command import Command, Fail, Steps, table
from kit.embedded.images.busybox.applets.dates import moment, strftime
from kit.embedded.images.busybox.words import natural

TYPES = {"html": "text/html", "htm": "text/html", "txt": "text/plain", "js": "application/javascript", "css": "text/css",
         "json": "application/json", "png": "image/png", "jpg": "image/jpeg", "svg": "image/svg+xml", "xml": "text/xml"}  # fmt: skip
REASONS = {200: "OK", 400: "Bad Request", 403: "Forbidden", 404: "Not Found", 501: "Not Implemented"}
PAGES = {
    400: "Unsupported method",
    403: "",
    404: "The requested URL was not found",
    501: "The requested method is not recognized",
}
MAX_REQUEST = 65536


def httpd(command: Command) -> Steps:
    """Serve the files below a directory."""
    command.parse("ifvp:u:r:c:h:")
    if command.has("i") or command.has("c") or command.has("r"):
        raise Fail("-i, -c and -r are not simulated")
    port = natural(str(command.options.get("p", "80")).rpartition(":")[2])
    if port is None or port > 65535:
        raise Fail(f"bad port '{command.options['p']}'")
    home = normal(str(command.options.get("h", ".")), command.ctx.cwd)
    try:
        if not isinstance(command.fs.lookup(home), Dir):
            raise Errno("ENOTDIR", home)
        listener = yield Listen(port)
    except Errno as error:
        raise Fail(f"can't change directory to '{home}': {error}" if error.path else f"bind: {error}") from None
    if not command.has("f"):
        # Without -f it goes to the background: a child serves on.
        yield Spawn("httpd", tuple(command.ctx.argv), dict(command.ctx.env), home, {0: 0, 1: 1, 2: 2, 3: listener},
                    lambda ctx: _serve(ctx, 3, home, verbose=command.has("v")))  # fmt: skip
        return 0
    return (yield from _serve(command.ctx, listener, home, verbose=command.has("v")))


def _serve(ctx: Context, listener: int, home: str, *, verbose: bool) -> Steps:
    while True:
        fd = yield Accept(listener)
        try:
            yield from _answer(ctx, fd, home, verbose=verbose)
        except Errno as error:  # the client went away
            if error.name == "EBADF":
                continue
        yield Close(fd)


def _answer(ctx: Context, fd: int, home: str, *, verbose: bool) -> Generator[Any, Any, None]:
    data = b""
    while b"\r\n\r\n" not in data and b"\n\n" not in data and len(data) < MAX_REQUEST:
        chunk = yield Read(fd)
        if not chunk:
            break
        data += chunk
    parts = data.split(b"\r\n")[0].decode("latin-1").split()
    now = yield Now()
    status, body, kind = _find(ctx, parts, home)
    if verbose:
        peer = yield Peer(fd)
        yield Write(2, f"[{peer[0]}]:{peer[1]}: response:{status}\n".encode())
    head = [f"HTTP/1.1 {status} {REASONS[status]}", f"Date: {strftime('%a, %d %b %Y %H:%M:%S GMT', moment(now))}", "Connection: close",
            f"Content-type: {kind}", f"Content-Length: {len(body)}"]  # fmt: skip
    if status == 200:
        head.insert(4, "Accept-Ranges: bytes")
    text = "\r\n".join([*head, "", ""]).encode("latin-1")
    yield Write(fd, text + (b"" if parts[:1] == ["HEAD"] else body))


def _find(ctx: Context, parts: list[str], home: str) -> tuple[int, bytes, str]:
    """Return (status, body, type) of a request line."""
    if len(parts) < 2 or not parts[1].startswith("/"):
        return _page(400)
    if parts[0] not in ("GET", "HEAD"):
        return _page(501)
    path = normal(parts[1].partition("?")[0])
    try:
        node = ctx.fs.lookup(home + path)
        if isinstance(node, Dir):
            path = path.rstrip("/") + "/index.html"
            node = ctx.fs.lookup(home + path)
    except Errno:
        return _page(404)
    if not isinstance(node, File):
        return _page(403)
    return 200, ctx.fs.read(home + path), TYPES.get(path.rpartition(".")[2], "application/octet-stream")


def _page(status: int) -> tuple[int, bytes, str]:
    title = f"{status} {REASONS[status]}"
    text = f"<HTML><HEAD><TITLE>{title}</TITLE></HEAD>\n<BODY><H1>{title}</H1>\n{PAGES[status]}\n</BODY></HTML>\n"
    return status, text.encode(), "text/html"


APPLETS: dict[str, Any] = table(
    (("httpd", httpd, "httpd [-ifv[v]] [-c CONFFILE] [-p [IP:]PORT] [-u USER[:GRP]] [-h HOME]"),)
)
