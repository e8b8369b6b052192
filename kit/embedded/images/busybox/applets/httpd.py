"""`httpd`: files below a directory, and programs below its cgi-bin (models busybox networking/httpd.c).

Each connection is served by a child of its own, as there. Answers to HEAD carry the body, errors carry no length: so does the original.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, NamedTuple

from kit.embedded.core.filesystem import normal
from kit.embedded.core.inodes import Dir, File
from kit.embedded.core.program import Accept, Close, Context, Errno, Listen, Now, Peer, Read, Spawn, Wait, Write
from kit.embedded.images.busybox.applets import cgi
from kit.embedded.images.busybox.applets.command import Command, Fail, Steps, table
from kit.embedded.images.busybox.applets.dates import moment, strftime
from kit.embedded.images.busybox.words import natural

TYPES = {"html": "text/html", "htm": "text/html", "txt": "text/plain", "js": "application/javascript", "css": "text/css",
         "json": "application/json", "png": "image/png", "jpg": "image/jpeg", "svg": "image/svg+xml", "xml": "text/xml"}  # fmt: skip
REASONS = {200: "OK", 302: "Found", 400: "Bad Request", 403: "Forbidden", 404: "Not Found", 501: "Not Implemented"}
PAGES = {
    400: "Unsupported method",
    403: "",
    404: "The requested URL was not found",
    501: "The requested method is not recognized",
}
MAX_REQUEST = 65536
CONNECTION = 3
HTTP_DATE = "%a, %d %b %Y %H:%M:%S GMT"


class Site(NamedTuple):
    """What is served, and how loudly: 1 tells of answers, 2 of requests too."""

    home: str
    verbose: int


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
    site = Site(home, int(command.options.get("v", 0)))
    if not command.has("f"):
        # Without -f it goes to the background: a child serves on.
        yield Spawn("httpd", tuple(command.ctx.argv), dict(command.ctx.env), home, {0: 0, 1: 1, 2: 2, 3: listener},
                    lambda ctx: _serve(ctx, 3, site))  # fmt: skip
        return 0
    return (yield from _serve(command.ctx, listener, site))


def _serve(ctx: Context, listener: int, site: Site) -> Steps:
    while True:
        fd = yield Accept(listener)
        fds = {0: 0, 1: 1, 2: 2, CONNECTION: fd}
        try:
            yield Spawn("httpd", tuple(ctx.argv), dict(ctx.env), site.home, fds, lambda child: _child(child, site))
        except Errno as error:
            if error.name != "EAGAIN":  # too many processes: the connection is dropped
                raise
        yield Close(fd)
        try:
            while (yield Wait(None, False)) is not None:
                pass
        except Errno:  # no child is left
            continue


def _child(ctx: Context, site: Site) -> Steps:
    try:
        yield from _answer(ctx, site)
    except Errno:  # the client went away
        return 1
    return 0


def _answer(ctx: Context, site: Site) -> Generator[Any, Any, None]:
    data = b""
    while b"\r\n\r\n" not in data and len(data) < MAX_REQUEST:
        chunk = yield Read(CONNECTION)
        if not chunk:
            break
        data += chunk
    head, _, begun = data.partition(b"\r\n\r\n")
    peer = yield Peer(CONNECTION)
    who = f"[::ffff:{peer[0]}]:{peer[1]}"
    request = cgi.parse(head, begun, peer)
    path = request.path if request else ""
    if site.verbose > 1 and request:
        yield Write(2, f"{who}: url:{path}\n".encode())
    if request and (path.startswith("/cgi-bin/") and path != "/cgi-bin/"):
        why = yield from cgi.run(ctx, request, site.home)
        if not why:
            return
        yield Write(2, f"{who}: can't execute '{why.path}': {why}\n".encode())
        yield from _send(who, site, *_page(404))
        return
    yield from _send(who, site, *_find(ctx, request, site.home))


def _send(who: str, site: Site, status: int, body: bytes, more: list[str]) -> Generator[Any, Any, None]:
    now = yield Now()
    if site.verbose:
        yield Write(2, f"{who}: response:{status}\n".encode())
    date = strftime(HTTP_DATE, moment(now))
    lines = [f"HTTP/1.1 {status} {REASONS[status]}", f"Date: {date}", "Connection: close", *more, "", ""]
    yield Write(CONNECTION, "\r\n".join(lines).encode("latin-1") + body)


Found = tuple[int, bytes, list[str]]


def _find(ctx: Context, request: cgi.Request | None, home: str) -> Found:
    """Return (status, body, further headers) for what is not a program."""
    if request is None or ".." in request.path.split("/"):
        return _page(400)
    if request.method not in ("GET", "HEAD"):
        return _page(501)
    if request.path == "/cgi-bin/":
        return _page(403)
    path = normal(request.path)
    try:
        node = ctx.fs.lookup(home + path)
        if isinstance(node, Dir) and not request.path.endswith("/"):
            return 302, b"", ["Content-type: text/html", f"Location: {request.path}/"]
        if isinstance(node, Dir):
            path = path.rstrip("/") + "/index.html"
            node = ctx.fs.lookup(home + path)
    except Errno:
        return _page(404)
    if not isinstance(node, File):
        return _page(403)
    body = ctx.fs.read(home + path)
    kind = TYPES.get(path.rpartition(".")[2], "application/octet-stream")
    changed, seconds = strftime(HTTP_DATE, moment(node.mtime)), node.mtime // 1000
    about = ["Accept-Ranges: bytes", f"Last-Modified: {changed}", f'ETag: "{seconds:x}-{len(body):x}"']
    return 200, body, [f"Content-type: {kind}", *about, f"Content-Length: {len(body)}"]


def _page(status: int) -> Found:
    title = f"{status} {REASONS[status]}"
    text = f"<HTML><HEAD><TITLE>{title}</TITLE></HEAD>\n<BODY><H1>{title}</H1>\n{PAGES[status]}\n</BODY></HTML>\n"
    return status, text.encode(), ["Content-type: text/html"]


APPLETS: dict[str, Any] = table(
    (("httpd", httpd, "httpd [-ifv[v]] [-c CONFFILE] [-p [IP:]PORT] [-u USER[:GRP]] [-h HOME]"),)
)
