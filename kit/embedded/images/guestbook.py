"""The image `guestbook`: the handler of the real one (`kit/apps/guestbook`) over the calls of a simulated program."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from kit.apps.guestbook import handler
from kit.embedded.core.filesystem import build
from kit.embedded.core.inodes import Dir, File, Node
from kit.embedded.core.program import (
    Burn,
    Close,
    Connect,
    Context,
    Errno,
    Kill,
    Listen,
    Now,
    Poll,
    Read,
    Resolve,
    Signal,
    Sleep,
    Steps,
    Trap,
    Write,
)  # fmt: skip
from kit.embedded.images.busybox.image import devices, shell_files
from kit.embedded.images.image import Image
from kit.embedded.images.redis.resp import RedisError, Replies, Simple
from kit.embedded.images.registry import Family
from kit.embedded.images.serving import CONNECTION, Server
from kit.embedded.images.stamps import iso_date

PORT = 8080
BANNER = "/etc/guestbook/banner.txt"
DATABASE_MS = 2000
PROBE_MS, PROBE_TIMEOUT_MS = 500, 2000
CRASH, HANG, TERM = 10, 12, 15  # USR1 and USR2 tell the main process what a request has done to it
SLICE_US = 10_000
BODY_LIMIT = 1 << 20
Calls = Generator[Any, Any, Any]


def guestbook_program(ctx: Context) -> Steps:
    """`guestbook serve` (the default) or `guestbook probe URL`."""
    if ctx.argv[1:2] == ["probe"]:
        if len(ctx.argv) != 3:
            yield Write(2, b"usage: guestbook probe URL\n")
            return 2
        return (yield from _probe(ctx.argv[2]))
    return (yield from App(ctx).serve())


class App:
    """One running guestbook."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.config = handler.settings(ctx.env, ctx.hostname)
        self.state = handler.State()
        self.hung = False

    def serve(self) -> Generator[Any, Any, int]:
        """Run until SIGTERM, then let requests under way finish."""
        try:
            listener = yield Listen(self.config.port)
        except Errno as error:
            where = f"('0.0.0.0', {self.config.port})"
            yield Write(
                2,
                f"OSError: [Errno 98] error while attempting to bind on address {where}: {str(error).lower()}\n".encode(),
            )
            return 1
        config = self.config
        yield from _say(
            f"guestbook {config.version} listens on {config.port}, database {config.db_host}:{config.db_port}"
        )
        server = Server(
            self.ctx, {listener: self.config.port}, self.connection, title="guestbook", catch=(TERM, CRASH, HANG)
        )
        number = yield from server.until_signal()
        if number == CRASH:
            return 1
        if number == HANG:
            yield from _hang()
        yield from _say("SIGTERM: finishing")
        yield from server.stop(graceful=True)
        return 0

    def connection(self, server: Server, ctx: Context, port: int) -> Calls:
        """Answer one request and close."""
        del port
        request = yield from _receive(server, ctx.pid)
        if request is None:
            return
        replies, problem = yield from self._ask_database(handler.database_commands(request))
        response = handler.respond(request, self.config, self.state, self._banner(), replies, problem)
        if response.then == "burn":
            for _ in range(int(response.seconds * 1_000_000) // SLICE_US):
                yield Burn(SLICE_US)
        elif response.then == "wait":
            yield Sleep(int(response.seconds * 1000))
        if self.hung:
            yield from _hang()
        yield Write(CONNECTION, handler.encode_response(request, response, self.config))
        yield Close(CONNECTION)
        yield from _say(handler.log_line(request, response))
        if response.then in ("exit", "hang"):
            self.hung = response.then == "hang"
            yield Kill(self.ctx.pid, HANG if self.hung else CRASH)

    def _banner(self) -> str:
        try:
            return self.ctx.fs.read(BANNER).decode("utf-8", "replace")
        except Errno:
            return ""

    def _ask_database(self, commands: list[list[str]]) -> Generator[Any, Any, tuple[list[object], str]]:
        """Send commands to redis -> their replies, and "" or what went wrong."""
        if not commands:
            return [], ""
        login = [["AUTH", self.config.db_password]] if self.config.db_password else []
        try:
            address = (yield Resolve(self.config.db_host))[0]
            fd = yield Connect(address, self.config.db_port, DATABASE_MS)
            try:
                replies = yield from _exchange(fd, [*login, *commands])
            finally:
                yield Close(fd)
        except Errno as error:
            return [], handler.problem_of(error)
        if len(replies) < len(login) + len(commands):
            return [], "connection closed"
        errors = [str(reply) for reply in replies if isinstance(reply, ValueError)]
        return replies[len(login) :], errors[0] if errors else ""


def _exchange(fd: int, commands: list[list[str]]) -> Generator[Any, Any, list[object]]:
    """Send commands one by one -> the replies that came before the connection ended. ETIMEDOUT."""
    replies: list[object] = []
    reader = Replies()
    for command in commands:
        yield Write(fd, handler.encode_command(command))
        while not (found := reader.take())[0]:
            if not (yield Poll((fd,), DATABASE_MS)):
                raise Errno("ETIMEDOUT")
            more = yield Read(fd)
            if not more:
                return replies
            reader.data += more
        replies.append(_plain(found[1]))
    return replies


def _plain(reply: Any) -> object:
    """Return a reply as the real server reads it."""
    if isinstance(reply, RedisError):
        return ValueError(str(reply))
    if isinstance(reply, bytes):
        return reply.decode("utf-8", "replace")
    if isinstance(reply, list):
        return [_plain(one) for one in reply]
    return reply.text if isinstance(reply, Simple) else "" if reply is None else reply


def _receive(server: Server, pid: int) -> Generator[Any, Any, handler.Request | None]:
    data = b""
    while b"\r\n\r\n" not in data:
        more = yield Read(CONNECTION)
        if not more or len(data) > BODY_LIMIT:
            return None
        server.busy.add(pid)
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    words = lines[0].split(" ", 2)
    if len(words) != 3:
        return None
    headers = {key.lower(): value.strip() for key, _, value in (line.partition(":") for line in lines[1:])}
    length = headers.get("content-length", "0")
    while length.isdecimal() and len(body) < min(int(length), BODY_LIMIT):
        more = yield Read(CONNECTION)
        if not more:
            return None
        body += more
    url = urlsplit(words[1])
    return handler.Request(words[0], url.path, dict(parse_qsl(url.query)), body.decode("utf-8", "replace"))


def _hang() -> Calls:
    """Stand still until killed, deaf to SIGTERM as a blocked event loop is."""
    yield Trap(TERM, "ignore")
    while True:
        try:
            yield Poll(())
        except Signal:
            continue


def _say(line: str) -> Calls:
    yield Write(1, line.encode("utf-8", "surrogateescape") + b"\n")


def _probe(url: str) -> Generator[Any, Any, int]:
    """Ask `url` twice a second; print time, status and answering Pod."""
    yield Trap(TERM, "catch")
    try:
        while True:
            status, pod = yield from _ask(url)
            now = yield Now()
            yield from _say(f"{iso_date(now)[:19]}Z {status} {pod}")
            yield Sleep(PROBE_MS)
    except Signal:
        return 0


def _ask(url: str) -> Generator[Any, Any, tuple[str, str]]:
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    head = (
        f"GET {target} HTTP/1.1\r\nHost: {parts.netloc}\r\nUser-Agent: Python-urllib/3.13\r\nConnection: close\r\n\r\n"
    )
    try:
        address = (yield Resolve(parts.hostname or ""))[0]
        fd = yield Connect(address, parts.port or 80, PROBE_TIMEOUT_MS)
        try:
            yield Write(fd, head.encode())
            data = b""
            while b"\r\n\r\n" not in data:
                if not (yield Poll((fd,), PROBE_TIMEOUT_MS)):
                    raise Errno("ETIMEDOUT")
                more = yield Read(fd)
                if not more:
                    raise Errno("ECONNRESET")
                data += more
        finally:
            yield Close(fd)
    except Errno as error:
        return handler.problem_of(error).replace(" ", "-"), "-"
    lines = data.decode("latin-1").split("\r\n")
    pods = [line.partition(":")[2].strip() for line in lines if line.lower().startswith("x-pod:")]
    return lines[0].split(" ")[1], pods[0] if pods else "-"


def guestbook(tag: str, version: str) -> Image:
    """Return the image `guestbook:tag`."""
    files: dict[str, bytes | str | Node | None] = {
        **shell_files(),
        **devices(),
        "/app": None,
        "/tmp": Dir(mode=0o1777),  # noqa: S108 -- a path in the container
        "/root": Dir(mode=0o700),
        "/proc": None,
        "/etc/passwd": "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
        "/etc/group": "root:x:0:\nnogroup:x:65534:\n",
        "/etc/hosts": "127.0.0.1\tlocalhost\n",
        "/usr/local/bin/guestbook": File(b"\x7fELF", 0o755, program=guestbook_program),
    }
    env = {
        "PATH": "/usr/local/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "APP_VERSION": version,
    }
    return Image(
        "guestbook", tag, build(files), entrypoint=("guestbook",), command=("serve",), env=env, workdir="/app",
        ports=(PORT,), size=45_100_000,
    )  # fmt: skip


FAMILY = Family("guestbook", guestbook, names={"v1": "v1", "v2": "v2"})
