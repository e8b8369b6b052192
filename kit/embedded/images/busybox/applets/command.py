"""What all applets share: options, messages, buffered output, reading files by lines or whole."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from typing import Any

from kit.embedded.core.filesystem import Tree
from kit.embedded.core.inodes import Node, W, permits
from kit.embedded.core.program import Close, Context, Errno, Now, Open, Program, Read, Write

Steps = Generator[Any, Any, int]
Work = Generator[Any, Any, None]
Main = Callable[["Command"], Steps]
BANNER = "BusyBox v1.37.0 (Debian 1:1.37.0-6+b9) multi-call binary."
FLUSH = 32768
MAX_INPUT = 16 << 20
MAX_LINE = 1 << 20


class Usage(Exception):
    """A wrong command line; the applet's usage is printed after the message."""


class Fail(Exception):
    """The applet ends with a message and a status."""

    def __init__(self, message: str, status: int = 1) -> None:
        super().__init__(message)
        self.status = status


class Command:
    """One run of an applet: its arguments and its three streams."""

    def __init__(self, ctx: Context, name: str, usage: str) -> None:
        self.ctx = ctx
        self.name = name
        self.usage = usage
        self.args = list(ctx.argv[1:])
        self.options: dict[str, Any] = {}
        self.fs: Tree = ctx.fs
        self.status = 0
        self._out: list[bytes] = []
        self._size = 0

    # --- options ---

    def parse(self, spec: str, long: dict[str, str] | None = None, *, permute: bool = True) -> list[str]:
        """Take the options off the arguments (getopt's spec; `long` maps names to letters, `letter:` takes a value).

        Flags count up in `options`, values are kept as given (the last one), those of `letter::` as a list.
        """
        takes = {
            char for char, following in zip(spec, spec[1:] + " ", strict=False) if following == ":" and char != ":"
        }
        many = {char for index, char in enumerate(spec) if spec[index + 1 : index + 3] == "::"}
        words, rest = list(self.args), []
        while words:
            word = words.pop(0)
            if word == "--":
                rest += words
                break
            if word.startswith("--") and len(word) > 2:
                self._long(word, words, long or {})
            elif word.startswith("-") and len(word) > 1:
                self._short(word, words, spec, takes, many)
            elif permute:
                rest.append(word)
            else:
                rest += [word, *words]
                break
        return rest

    def _long(self, word: str, words: list[str], long: dict[str, str]) -> None:
        name, equals, value = word[2:].partition("=")
        if name == "help" and "help" not in long:
            raise Usage
        letter = long.get(name)
        if letter is None:
            raise Usage(f"unrecognized option '{word}'")
        if not letter.endswith(":"):
            self.options[letter] = self.options.get(letter, 0) + 1
            return
        if not equals:
            if not words:
                raise Usage(f"option '--{name}' requires an argument")
            value = words.pop(0)
        key = letter.rstrip(":")
        if letter.endswith("::"):
            self.options.setdefault(key, []).append(value)
        else:
            self.options[key] = value

    def _short(self, word: str, words: list[str], spec: str, takes: set[str], many: set[str]) -> None:
        for index, letter in enumerate(word[1:], 1):
            if letter == ":" or letter not in spec:
                raise Usage(f"invalid option -- '{letter}'")
            if letter not in takes:
                self.options[letter] = self.options.get(letter, 0) + 1
                continue
            value = word[index + 1 :]
            if not value:
                if not words:
                    raise Usage(f"option requires an argument -- '{letter}'")
                value = words.pop(0)
            if letter in many:
                self.options.setdefault(letter, []).append(value)
            else:
                self.options[letter] = value
            return

    def has(self, letter: str) -> bool:
        """Say whether an option was given."""
        return letter in self.options

    # --- output ---

    def out(self, text: str | bytes) -> None:
        """Keep output until the next `flush`."""
        data = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
        self._out.append(data)
        self._size += len(data)

    def flush(self) -> Work:
        """Write what was kept."""
        if self._out:
            data = b"".join(self._out)
            self._out.clear()
            self._size = 0
            yield Write(1, data)

    def full(self) -> bool:
        """Say whether it is time to flush."""
        return self._size >= FLUSH

    def say(self, message: str, status: int = 1) -> Work:
        """Write `name: message` to stderr and remember the status."""
        self.status = max(self.status, status)
        yield from self.raw_error(f"{self.name}: {message}\n")

    def raw_error(self, text: str) -> Work:
        """Write to stderr, after what was kept for stdout."""
        try:
            yield from self.flush()
            yield Write(2, text.encode("utf-8", "surrogateescape"))
        except Errno as error:
            if error.name == "EPIPE":
                raise

    # --- input ---

    def open(self, path: str) -> Generator[Any, Any, int]:
        """Open a file to read, `-` being standard input; -1 (after a message) when that fails."""
        if path == "-":
            return 0
        try:
            fd: int = yield Open(path, "r")
        except Errno as error:
            yield from self.say(f"can't open '{path}': {error}" if self.name not in WARNS else f"{path}: {error}")
            return -1
        return fd

    def close(self, fd: int) -> Work:
        """Close what `open` opened."""
        if fd > 2:
            yield Close(fd)

    def chunks(self, path: str, each: Callable[[bytes], None]) -> Generator[Any, Any, bool]:
        """Give a file to `each` piece by piece, flushing in between; False when it can't be read."""
        fd = yield from self.open(path)
        if fd < 0:
            return False
        try:
            while chunk := (yield Read(fd)):
                each(chunk)
                yield from self.flush()
        except Errno as error:
            if error.name == "EPIPE":
                raise
            yield from self.say(f"{path}: {error}" if self.name != "cat" else f"read error: {error}")
            yield from self.close(fd)
            return False
        yield from self.close(fd)
        return True

    def whole(self, path: str) -> Generator[Any, Any, bytes | None]:
        """Return a file's content, None (after a message) when it can't be read."""
        found: list[bytes] = []
        size = 0

        def keep(chunk: bytes) -> None:
            nonlocal size
            size += len(chunk)
            if size > MAX_INPUT:
                raise Fail("out of memory")
            found.append(chunk)

        good = yield from self.chunks(path, keep)
        return b"".join(found) if good else None

    def now(self) -> Generator[Any, Any, int]:
        """Ask the time in ms."""
        answer: int = yield Now()
        return answer

    # --- files ---

    def node(self, path: str, *, follow: bool = True) -> Node:
        """Return the node at a path relative to the working directory; Errno when there is none."""
        return self.fs.lookup(path, self.ctx.cwd, follow=follow)

    def allowed(self, path: str) -> None:
        """Raise EACCES when this process may not change the directory that holds `path`."""
        if self.ctx.uid == 0:
            return
        trimmed = path.rstrip("/")
        parent = trimmed.rpartition("/")[0] if "/" in trimmed else "."
        if not permits(self.node(parent or "/"), W, self.ctx.uid, self.ctx.gid):
            raise Errno("EACCES", path)


WARNS = frozenset(("grep", "head", "tail", "wc"))


class LineReader:
    """Reads lines from a descriptor."""

    def __init__(self, fd: int, command: Command | None = None) -> None:
        self.fd = fd
        self.command = command
        self.lines: list[bytes] = []
        self.rest: list[bytes] = []
        self.held = 0
        self.ended = False

    def line(self) -> Generator[Any, Any, bytes]:
        """Return the next line with its newline (the last may have none), b"" at the end."""
        while not self.lines:
            if self.ended:
                return b""
            if self.command is not None:
                yield from self.command.flush()
            chunk: bytes = yield Read(self.fd)
            if not chunk or self.held > MAX_LINE:
                self.ended = not chunk
                last = b"".join([*self.rest, chunk])
                self.rest, self.held = [], 0
                if last:
                    return last
                continue
            if b"\n" not in chunk:
                self.rest.append(chunk)
                self.held += len(chunk)
                continue
            pieces = b"".join([*self.rest, chunk]).split(b"\n")
            tail = pieces.pop()
            self.rest, self.held = [tail] if tail else [], len(tail)
            self.lines = [piece + b"\n" for piece in reversed(pieces)]
        return self.lines.pop()


def applet(name: str, main: Main, usage: str = "") -> Program:
    """Make a program of an applet's `main`; its usage, messages and a closed pipe are dealt with here."""

    def run(ctx: Context) -> Steps:
        command = Command(ctx, name, usage)
        try:
            try:
                status = yield from main(command)
                yield from command.flush()
                return max(status, command.status)
            except Usage as error:
                message = str(error)
                head = f"{name}: {message}\n" if message else ""
                yield from command.raw_error(head + usage_text(name, usage))
                return 1
            except Fail as error:
                yield from command.raw_error(f"{name}: {error}\n" if str(error) else "")
                return error.status
        except Errno as error:
            if error.name == "EPIPE":
                return 141
            return (yield from _failed(command, error))

    return run


def _failed(command: Command, error: Errno) -> Steps:
    try:
        yield Write(
            2, f"{command.name}: {error.path + ': ' if error.path else ''}{error}\n".encode("utf-8", "surrogateescape")
        )
    except Errno:
        return 141
    return 1


def usage_text(name: str, usage: str) -> str:
    """Return the text `--help` prints."""
    return f"{BANNER}\n\nUsage: {usage or name + ' [ARGS]'}\n"


def table(entries: Iterable[tuple[str, Main, str]]) -> dict[str, Program]:
    """Make programs of (name, main, usage)."""
    return {name: applet(name, main, usage) for name, main, usage in entries}
