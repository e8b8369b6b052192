"""From a request to an answer: the phases of nginx (return, access, content, error_page). Models ngx_http_core_module.c."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any

from kit.embedded.core.inodes import Dir, File
from kit.embedded.core.program import Context, Errno, Now
from kit.embedded.images.nginx.config import Directive
from kit.embedded.images.nginx.journal import Exchange
from kit.embedded.images.nginx.pages import REDIRECTS, listing, special
from kit.embedded.images.nginx.proxy import proxied
from kit.embedded.images.nginx.reply import Reply
from kit.embedded.images.nginx.site import Location, choose, size
from kit.embedded.images.stamps import http_date, index_date

MAX_REDIRECTS = 10
NUMBERS = {"ENOENT": 2, "EACCES": 13, "ENOTDIR": 20, "ENAMETOOLONG": 36, "ELOOP": 40}
ADD_HEADER = frozenset((200, 201, 204, 206, 301, 302, 303, 304, 307, 308))
Answering = Generator[Any, Any, Reply]


@dataclass(slots=True)
class Work:
    """What the phases share."""

    ctx: Context
    exchange: Exchange
    errors: list[int] = field(default_factory=list)  # statuses that error_page has handled

    @property
    def here(self) -> Location:
        """The location that counts."""
        return self.exchange.location


def answer(ctx: Context, exchange: Exchange) -> Answering:
    """Answer a well-formed request."""
    work = Work(ctx, exchange)
    top = exchange.server.top
    if rule := top.one("return"):
        reply = yield from _return(work, rule)
    else:
        reply = yield from _located(work, exchange.request.path)
    return (yield from _finish(work, reply))


def _finish(work: Work, reply: Reply) -> Answering:
    """Let error_page have its say, give what is left without a body its page, add headers."""
    exchange = work.exchange
    while reply.special and reply.status >= 300 and (page := _error_page(work, reply.status)) is not None:
        target, status = page
        work.errors.append(reply.status)
        old = reply.status
        if target.startswith(("http://", "https://")) or (status in REDIRECTS and not target.startswith(("/", "@"))):
            reply = Reply(status if status in REDIRECTS else 302, location=target)
            break
        if exchange.method != "HEAD":
            exchange.method = "GET"
        reply = yield from _named(work, target) if target.startswith("@") else _located(work, target)
        if status is None and reply.status == 200:
            reply.status = old
        elif status:
            reply.status = status
        reply.special = reply.special and reply.status not in work.errors
    off = work.here.word("server_tokens", "on") == "off"
    if reply.special and not reply.body:
        reply.body = special(reply.status, "nginx" if off else f"nginx/{exchange.version}")
        reply.kind = "text/html" if reply.body else ""
    now = yield Now()
    for header in work.here.settings.get("add_header") or []:
        if (header.args[-1] == "always" and len(header.args) == 3) or reply.status in ADD_HEADER:
            reply.headers.append((header.args[0], exchange.expand(header.args[1], now)))
    return reply


def _error_page(work: Work, status: int) -> tuple[str, int | None] | None:
    """Return where error_page sends a status, and the status to answer with (None: the old one, 0: that of the page)."""
    if work.exchange.redirects >= MAX_REDIRECTS or status in work.errors:
        return None
    for rule in work.here.settings.get("error_page") or []:
        codes, target, changed = rule.args[:-1], rule.args[-1], None
        if codes and codes[-1].startswith("="):
            changed = int(codes[-1][1:]) if codes[-1][1:].isdecimal() else 0
            codes = codes[:-1]
        if str(status) in codes:
            return target, changed
    return None


def _named(work: Work, name: str) -> Answering:
    found = next((one for one in work.exchange.server.top.inner if one.kind == "@" and one.path == name), None)
    if found is None:
        yield from work.exchange.error(f'could not find named location "{name}"')
        return Reply(500)
    work.exchange.location = found
    return (yield from _content(work))


def _located(work: Work, uri: str) -> Answering:
    exchange = work.exchange
    exchange.redirects += 1
    if exchange.redirects > MAX_REDIRECTS:
        yield from exchange.error(f'rewrite or internal redirection cycle while internally redirecting to "{uri}"')
        return Reply(500)
    exchange.uri = uri.partition("?")[0]
    exchange.location = choose(exchange.server.top, exchange.uri)
    here = work.here
    if here.settings.get("internal") and exchange.redirects == 1:
        return Reply(404)
    limit = size(here.word("client_max_body_size", "1m"))
    if limit and exchange.request.length > limit:
        yield from exchange.error(f"client intended to send too large body: {exchange.request.length} bytes")
        return Reply(413)
    if rule := here.one("return"):
        return (yield from _return(work, rule))
    return (yield from _content(work))


def _return(work: Work, rule: Directive) -> Answering:
    now = yield Now()
    words = [work.exchange.expand(word, now) for word in rule.args]
    if not words[0].isdecimal():
        return Reply(302, location=words[0])
    code = int(words[0])
    if code in REDIRECTS and len(words) == 2:
        return Reply(code, location=words[1])
    if len(words) == 2:
        return Reply(code, kind=_kind(work, work.exchange.uri), body=words[1].encode(), special=False)
    return Reply(code)


def _content(work: Work) -> Answering:
    here, exchange = work.here, work.exchange
    if not _allowed(here, exchange.client[0]):
        yield from exchange.error("access forbidden by rule")
        return Reply(403)
    if tries := here.one("try_files"):
        done = yield from _try(work, tries.args)
        if done is not None:
            return done
    if target := here.one("proxy_pass"):
        return (yield from proxied(exchange, target))
    if exchange.uri.endswith("/"):
        return (yield from _folder(work))
    return (yield from _file(work))


def _allowed(here: Location, client: str) -> bool:
    for allow, whom in here.rules:
        try:
            if whom == "all" or ip_address(client) in ip_network(whom, strict=False):
                return allow
        except ValueError:
            continue
    return True


def _try(work: Work, words: list[str]) -> Generator[Any, Any, Reply | None]:
    exchange = work.exchange
    now = yield Now()
    for word in words[:-1]:
        uri = exchange.expand(word, now)
        node = _node(work, _path(work, uri.rstrip("/") or "/"))
        if isinstance(node, Dir if uri.endswith("/") else File):
            exchange.uri = uri
            return None
    last = words[-1]
    if last.startswith("="):
        return Reply(int(last[1:]) if last[1:].isdecimal() else 404)
    return (yield from (_named(work, last) if last.startswith("@") else _located(work, exchange.expand(last, now))))


def _path(work: Work, uri: str) -> str:
    """Return the file that a URI stands for here."""
    here = work.here
    if alias := here.one("alias"):
        rest = uri if here.pattern is not None else uri.removeprefix(here.path)
        return f"{alias.args[0]}{rest if here.kind != '=' else ''}"
    root = here.word("root", "/etc/nginx/html")
    return f"{(root if root.startswith('/') else f'/etc/nginx/{root}').rstrip('/')}{uri}"


def _node(work: Work, path: str) -> Any:
    try:
        return work.ctx.fs.lookup(path)
    except Errno:
        return None


def _folder(work: Work) -> Answering:
    exchange, here = work.exchange, work.here
    path = _path(work, exchange.uri)
    if exchange.request.method not in ("GET", "HEAD", "POST"):
        return Reply(405)
    rule = here.one("index")
    for name in rule.args if rule else ["index.html"]:
        if name.startswith("/"):
            return (yield from _located(work, name))
        if isinstance(_node(work, path + name), File):
            return (yield from _located(work, exchange.uri + name))
        if not isinstance(_node(work, path.rstrip("/") or "/"), Dir):
            yield from exchange.error(f'"{path}{name}" is not found (2: No such file or directory)')
            return Reply(404)
    if here.word("autoindex", "off") == "on":
        return _listing(work, path)
    yield from exchange.error(f'directory index of "{path}" is forbidden')
    return Reply(403)


def _listing(work: Work, path: str) -> Reply:
    folders: list[tuple[str, str, int | None]] = []
    files: list[tuple[str, str, int | None]] = []
    for name in sorted(work.ctx.fs.listdir(path)):
        node = _node(work, f"{path}/{name}")
        if name.startswith(".") or not isinstance(node, Dir | File):
            continue
        date = index_date(node.mtime)
        (folders if isinstance(node, Dir) else files).append((name, date, None if isinstance(node, Dir) else node.size))
    return Reply(
        200, kind="text/html", body=listing(work.exchange.uri, [*folders, *files]), special=False, chunked=True
    )


def _file(work: Work) -> Answering:
    exchange = work.exchange
    method = exchange.method
    if method not in ("GET", "HEAD", "POST"):
        return Reply(405)
    path = _path(work, exchange.uri)
    try:
        node = work.ctx.fs.lookup(path)
        if isinstance(node, File) and not node.mode & 0o004:
            raise Errno("EACCES")
    except Errno as error:
        number = NUMBERS.get(error.name, 2)
        if work.here.word("log_not_found", "on") != "off":
            yield from exchange.error(f'open() "{path}" failed ({number}: {error})')
        return Reply(403 if error.name == "EACCES" else 404)
    if isinstance(node, Dir):
        return Reply(301, location=f"{exchange.uri}/{f'?{exchange.request.query}' if exchange.request.query else ''}")
    if method == "POST":
        return Reply(405)
    if not isinstance(node, File):
        return Reply(404)
    return _ranged(exchange, _unchanged(exchange, _plain(work, path, node)))


def _plain(work: Work, path: str, node: File) -> Reply:
    body = work.ctx.fs.read(path)
    etag = f'"{node.mtime // 1000:x}-{len(body):x}"'
    headers = [("ETag", etag), ("Accept-Ranges", "bytes")]
    kind = _kind(work, work.exchange.uri)
    return Reply(200, kind=kind, body=body, modified=http_date(node.mtime), headers=headers, special=False)


def _unchanged(exchange: Exchange, reply: Reply) -> Reply:
    """Answer 304 when the client has the file already."""
    etag = reply.headers[0][1]
    known = exchange.request.header("if-none-match")
    if known:
        same = known == "*" or etag in [part.strip().removeprefix("W/") for part in known.split(",")]
    else:
        same = exchange.request.header("if-modified-since") == reply.modified
    if same:
        return Reply(304, modified=reply.modified, headers=[("ETag", etag)], special=False)
    return reply


def _ranged(exchange: Exchange, reply: Reply) -> Reply:
    """Cut a single byte range out of a file; several at once are answered with the whole."""
    wish = exchange.request.header("range")
    if (
        reply.status != 200
        or not wish.lower().startswith("bytes=")
        or "," in wish
        or exchange.request.header("if-range")
    ):
        return reply
    first, dash, last = wish[6:].strip().partition("-")
    total = len(reply.body)
    if not dash or not (first + last).isdecimal():
        return reply if dash and not first + last else _unsatisfiable(total)
    start = int(first) if first else max(0, total - int(last))
    end = min(int(last), total - 1) if last and first else total - 1
    if start > end or start >= total:
        return _unsatisfiable(total)
    reply.status, reply.body = 206, reply.body[start : end + 1]
    reply.headers = [reply.headers[0], ("Content-Range", f"bytes {start}-{end}/{total}")]
    return reply


def _unsatisfiable(total: int) -> Reply:
    return Reply(416, headers=[("Content-Range", f"bytes */{total}")])


def _kind(work: Work, uri: str) -> str:
    """Return the content type by the name's extension."""
    here = work.here
    name, dot, extension = uri.rsplit("/", 1)[-1].rpartition(".")
    if dot and name:
        for rule in here.settings.get("types") or []:
            for entry in rule.block or []:
                if extension.lower() in entry.args:
                    return _charset(here, entry.name)
    return _charset(here, here.word("default_type", "text/plain"))


def _charset(here: Location, kind: str) -> str:
    charset = here.word("charset", "off")
    return f"{kind}; charset={charset}" if charset != "off" and kind.startswith("text/") else kind
