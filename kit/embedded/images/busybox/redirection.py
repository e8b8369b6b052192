"""Redirections: which of the process's descriptors stand behind the shell's numbers."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import TYPE_CHECKING, Any

from kit.embedded.core.inodes import File
from kit.embedded.core.program import Close, Context, Dup, Errno, Open, Pipe, Spawn, Write
from kit.embedded.images.busybox.state import Failure
from kit.embedded.images.busybox.syntax import Redirect

if TYPE_CHECKING:
    from kit.embedded.images.busybox.executor import Shell

MODES = {"<": "r", ">": "w", ">|": "w", ">>": "a", "<>": "rw", "&>": "w"}
PIPE_ROOM = 4096


class Redirector:
    """Applies redirections by mapping: `shell.io` says which real descriptor a number means; nothing is moved but by `exec`."""

    def __init__(self, shell: Shell) -> None:
        self.shell = shell

    def apply(self, redirects: Iterable[Redirect], opened: list[int]) -> Generator[Any, Any, str]:
        """Give the shell a new mapping; returns what went wrong, "" when nothing did. `opened` gets what has to be closed."""
        io = dict(self.shell.io)
        for redirect in redirects:
            if redirect.op in ("<<", "<<-"):
                real = yield from self._here((yield from self.shell.expander.text(redirect.target)))
            else:
                found = yield from self.shell.expander.words([redirect.target])
                if len(found) != 1:
                    return "ambiguous redirect"
                if redirect.op in ("<&", ">&") and (redirect.op == "<&" or found[0] == "-" or found[0].isdigit()):
                    problem = _duplicate(io, redirect.fd, found[0])
                    if problem:
                        return problem
                    continue
                try:
                    real = yield from self._open(redirect.op, found[0])
                except Errno as error:
                    return self._reason(redirect.op, found[0], error)
            opened.append(real)
            io[redirect.fd] = real
            if redirect.op == "&>" or (redirect.op == ">&"):
                io[2] = real
        self.shell.io = io
        return ""

    def _open(self, op: str, path: str) -> Generator[Any, Any, int]:
        if op == ">" and "noclobber" in self.shell.state.options:
            fs = self.shell.ctx.fs
            if fs.exists(path, self.shell.state.cwd) and isinstance(fs.lookup(path, self.shell.state.cwd), File):
                raise Errno("EEXIST", path)
        if path.startswith("/dev/fd/") and path[8:].isdigit() and int(path[8:]) in self.shell.io:
            real: int = yield Dup(self.shell.io[int(path[8:])])
            return real
        real = yield Open(path, MODES.get(op, "w"))
        return real

    def _reason(self, op: str, path: str, error: Errno) -> str:
        missing = error.name in ("ENOENT", "ENOTDIR")
        if op in ("<", "<>"):
            return f"can't open {path}: {'no such file' if missing else error}"
        return f"can't create {path}: {'nonexistent directory' if missing else error}"

    def _here(self, text: str) -> Generator[Any, Any, int]:
        """Return a descriptor that reads `text`; a long one is fed by a child, as a pipe takes only so much."""
        data = text.encode("utf-8", "surrogateescape")
        reader, writer = yield Pipe()
        if len(data) <= PIPE_ROOM:
            yield Write(writer, data)
        else:
            try:
                yield Spawn("sh", tuple(self.shell.ctx.argv), {}, "/", {1: writer}, _feeder(data))
            except Errno as error:
                raise Failure(f"can't fork: {error}") from None
        yield Close(writer)
        result: int = reader
        return result

    def null(self) -> Generator[Any, Any, int]:
        """Open /dev/null for a background job's input."""
        try:
            real: int = yield Open("/dev/null", "r")
        except Errno:
            real, writer = yield Pipe()
            yield Close(writer)
        return real

    def keep(self, opened: list[int]) -> Generator[Any, Any, None]:
        """Make the mapping the process's own (`exec >file`): 0, 1 and 2 are really moved, so that /proc shows them."""
        io = self.shell.io
        for number in (0, 1, 2):
            real = io.get(number)
            if real is None or real == number or number in [at for key, at in io.items() if key != number]:
                continue
            yield Dup(real, number)
            io[number] = number
        yield from self.close([real for real in opened if real not in io.values()])

    def settle(self) -> Generator[Any, Any, None]:
        """Move every descriptor to its number, since another program is about to run in this process."""
        io = self.shell.io
        wanted = {number: real for number, real in io.items() if number != real}
        safe: dict[int, int] = {}
        for number, real in wanted.items():
            safe[number] = yield Dup(real)
        for number, real in safe.items():
            yield Dup(real, number)
        yield from self.close([real for real in safe.values() if real not in wanted])
        self.shell.io = {number: number for number in io}
        for number in (0, 1, 2):
            if number not in io:
                yield from self.close([number])

    def close(self, opened: Iterable[int]) -> Generator[Any, Any, None]:
        """Close what redirections opened."""
        for real in opened:
            try:
                yield Close(real)
            except Errno:
                continue


def _duplicate(io: dict[int, int], fd: int, source: str) -> str:
    """Do `fd>&source`; returns what went wrong."""
    if source == "-":
        io.pop(fd, None)
        return ""
    if not source.isdigit() or int(source) not in io:
        return f"dup2({source},{fd}): Bad file descriptor" if source.isdigit() else "bad fd number"
    io[fd] = io[int(source)]
    return ""


def _feeder(data: bytes) -> Any:
    def program(ctx: Context) -> Generator[Any, Any, int]:
        try:
            yield Write(1, data)
        except Errno:
            return 1
        return 0

    return program
