"""The program `redis-cli`: one command, or those of standard input. Models src/redis-cli.c and its two ways of printing."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

from kit.embedded.core.program import Close, Connect, Context, Errno, IsTty, Program, Read, Resolve, Sleep, Steps, Write
from kit.embedded.images.redis.resp import RedisError, Replies, Simple, command, split

UNSAFE = "Warning: Using a password with '-a' or '-u' option on the command line interface may not be safe.\n"
WITH_VALUE = {"-h": "host", "-p": "port", "-n": "db", "-a": "password", "--pass": "password", "--user": "user", "-r": "repeat",
              "-i": "interval",
              "-t": "timeout"}  # fmt: skip
FLAGS = {
    "--raw": "raw",
    "--no-raw": "noraw",
    "--no-auth-warning": "quiet",
    "-e": "errors",
    "-x": "stdin",
    "-2": "resp2",
    "-3": "resp3",
}
UNSIMULATED = frozenset(("--bigkeys", "--cluster", "--csv", "--eval", "--hotkeys", "--intrinsic-latency", "--json", "--latency", "--ldb",
                         "--memkeys",
                         "--pipe", "--rdb", "--scan", "--stat", "--tls", "-c", "-d", "-u", "--askpass"))  # fmt: skip
REASONS = {"ENXDOMAIN": "Name or service not known", "ETIMEDOUT": "Temporary failure in name resolution"}


@dataclass(slots=True)
class Wish:
    """The command line."""

    values: dict[str, str] = field(default_factory=dict)
    flags: set[str] = field(default_factory=set)
    words: list[str] = field(default_factory=list)
    wrong: str = ""


def cli_program(version: str) -> Program:
    """Return the program `redis-cli` of one version."""

    def run(ctx: Context) -> Steps:
        if ctx.argv[1:2] in (["--version"], ["-v"]):
            yield Write(1, f"redis-cli {version}\n".encode())
            return 0
        wish = _read(ctx.argv[1:])
        if wish.wrong:
            yield Write(2, f"{wish.wrong}\n".encode())
            return 1
        return (yield from Client(ctx, wish).run())

    return run


def _read(args: list[str]) -> Wish:
    wish, rest = Wish(), list(args)
    while rest:
        word = rest.pop(0)
        if word in WITH_VALUE and rest:
            wish.values[WITH_VALUE[word]] = rest.pop(0)
        elif word in FLAGS:
            wish.flags.add(FLAGS[word])
        elif word in UNSIMULATED:
            wish.wrong = (
                f"redis-cli: {word} is not simulated by the embedded cluster (a kind cluster runs the real redis)"
            )
            return wish
        elif word.startswith("-") and word != "-":
            wish.wrong = f"Unrecognized option or bad number of args for: '{word}'"
            return wish
        else:
            wish.words = [word, *rest]
            return wish
    return wish


class Client:
    """One run of redis-cli."""

    def __init__(self, ctx: Context, wish: Wish) -> None:
        self.ctx = ctx
        self.wish = wish
        self.replies = Replies()
        self.fd = -1
        self.raw = True
        self.host = wish.values.get("host", "127.0.0.1")
        self.port = wish.values.get("port", "6379")
        self.db = wish.values.get("db", "0")

    def run(self) -> Generator[Any, Any, int]:
        """Connect, log in, run what was asked for -> exit code."""
        wish = self.wish
        terminal = yield IsTty(1)
        self.raw = "raw" in wish.flags or (not terminal and "noraw" not in wish.flags)
        if "password" in wish.values and "quiet" not in wish.flags:
            yield Write(2, UNSAFE.encode())
        if not (yield from self._connect()):
            return 1
        if wish.words:
            words = [word.encode("utf-8", "surrogateescape") for word in wish.words]
            if "stdin" in wish.flags:
                words.append((yield from _everything()).removesuffix(b"\n"))
            return (yield from self._repeated(words))
        return (yield from self._interactive())

    def _repeated(self, words: list[bytes]) -> Generator[Any, Any, int]:
        repeat, interval = self.wish.values.get("repeat", "1"), self.wish.values.get("interval", "0")
        times = int(repeat) if repeat.removeprefix("-").isdecimal() else 1
        pause = int(float(interval) * 1000) if interval.replace(".", "", 1).isdecimal() else 0
        while True:
            code = yield from self._send(words)
            times -= 1
            if code or times == 0:
                return code
            yield Sleep(pause)

    def _connect(self) -> Generator[Any, Any, bool]:
        try:
            address = yield from self._address()
            self.fd = yield Connect(address, int(self.port) if self.port.isdecimal() else 0)
        except Errno as error:
            said = f"Could not connect to Redis at {self.host}:{self.port}: {error.path or error}\n"
            yield Write(2, said.encode())
            return False
        password = self.wish.values.get("password") or self.ctx.env.get("REDISCLI_AUTH")
        if password:
            user = [self.wish.values["user"].encode()] if "user" in self.wish.values else []
            reply = yield from self._ask([b"AUTH", *user, password.encode("utf-8", "surrogateescape")])
            if isinstance(reply, RedisError):
                yield Write(2, f"AUTH failed: {reply}\n".encode())
        if "resp3" in self.wish.flags:
            yield from self._ask([b"HELLO", b"3"])
        if self.db != "0":
            reply = yield from self._ask([b"SELECT", self.db.encode()])
            if isinstance(reply, RedisError):
                yield Write(2, f"SELECT {self.db} failed: {reply}\n".encode())
        return True

    def _address(self) -> Generator[Any, Any, str]:
        try:
            found: list[str] = yield Resolve(self.host)
        except Errno as error:
            raise Errno(error.name, REASONS.get(error.name, REASONS["ETIMEDOUT"])) from None
        return found[0]

    def _ask(self, words: list[bytes]) -> Generator[Any, Any, Any]:
        yield Write(self.fd, command(words))
        return (yield from self._next())

    def _next(self) -> Generator[Any, Any, Any]:
        while True:
            there, value = self.replies.take()
            if there:
                return value
            more = yield Read(self.fd)
            if not more:
                raise Errno("ECONNRESET")
            self.replies.data += more

    def _send(self, words: list[bytes]) -> Generator[Any, Any, int]:
        """Run one command and print its reply -> exit code."""
        name = words[0].lower()
        try:
            reply = yield from self._ask(words)
            if isinstance(reply, RedisError) and "errors" in self.wish.flags:
                yield Write(2, f"{reply}\n".encode("utf-8", "surrogateescape"))
                return 1
            yield from self._print(reply)
            if name in (b"subscribe", b"psubscribe"):
                for _ in words[2:]:
                    yield from self._print((yield from self._next()))
                while True:
                    yield from self._print((yield from self._next()))
        except Errno as error:
            if name == b"shutdown":
                return 0
            text = "Server closed the connection" if error.name in ("ECONNRESET", "EPIPE") else str(error)
            yield Write(2, f"Error: {text}\n".encode())
            return 1
        return 0

    def _print(self, reply: Any) -> Generator[Any, Any, None]:
        text = raw(reply) + (b"\n" if isinstance(reply, RedisError) else b"") if self.raw else shown(reply)
        yield Write(1, text + (b"\n" if self.raw else b""))

    def _interactive(self) -> Generator[Any, Any, int]:
        """Run the lines of standard input; with a terminal, after a prompt."""
        prompting = yield IsTty(0)
        rest = b""
        while True:
            if prompting:
                yield Write(1, self._prompt().encode())
            while b"\n" not in rest:
                more = yield Read(0)
                if not more:
                    break
                rest += more
            line, newline, rest = rest.partition(b"\n")
            if not line and not newline:
                break
            words = split(line.strip())
            if words is None:
                yield Write(1, b"Invalid argument(s)\n")
            elif words and words[0].lower() in (b"quit", b"exit"):
                break
            elif words:
                code = yield from self._send(words)
                if words[0].lower() == b"select" and len(words) == 2 and words[1].isdigit():
                    self.db = words[1].decode()
                if code:
                    return code
            if not newline:
                break
        yield Close(self.fd)
        return 0

    def _prompt(self) -> str:
        return f"{self.host}:{self.port}{f'[{self.db}]' if self.db != '0' else ''}> "


def _everything() -> Generator[Any, Any, bytes]:
    data = b""
    while more := (yield Read(0)):
        data += more
    return data


def raw(reply: Any) -> bytes:
    """Return a reply as it is printed into a pipe."""
    if isinstance(reply, list):
        return b"\n".join(raw(item) for item in reply)
    if isinstance(reply, bytes):
        return reply
    return (
        b""
        if reply is None
        else str(reply.text if isinstance(reply, Simple) else reply).encode("utf-8", "surrogateescape")
    )


def shown(reply: Any, prefix: str = "") -> bytes:
    """Return a reply as it is printed on a terminal, its newline included."""
    if isinstance(reply, list):
        if not reply:
            return b"(empty array)\n"
        width = len(str(len(reply)))
        inner = prefix + " " * (width + 2)
        lines = [
            f"{'' if at == 1 else prefix}{at:>{width}}) ".encode() + shown(item, inner)
            for at, item in enumerate(reply, 1)
        ]
        return b"".join(lines)
    return _scalar(reply) + b"\n"


def _scalar(reply: Any) -> bytes:
    if reply is None:
        return b"(nil)"
    if isinstance(reply, RedisError):
        return b"(error) " + str(reply).encode("utf-8", "surrogateescape")
    if isinstance(reply, int):
        return b"(integer) %d" % reply
    return quoted(reply) if isinstance(reply, bytes) else str(reply.text).encode()


def quoted(text: bytes) -> bytes:
    """Return bytes between quotes, the unprintable escaped. Models sdscatrepr."""
    names = {34: '\\"', 92: "\\\\", 10: "\\n", 13: "\\r", 9: "\\t", 7: "\\a", 8: "\\b"}
    return (
        '"' + "".join(names.get(byte) or (chr(byte) if 32 <= byte < 127 else f"\\x{byte:02x}") for byte in text) + '"'
    ).encode()
