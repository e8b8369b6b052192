"""Walks the syntax tree: lists, loops, functions, subshells, pipelines (POSIX 2.9)."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from typing import Any

from kit.embedded.core.program import COMMAND_US, Burn, Close, Context, Errno, Pipe, Program, Read, Spawn, Write
from kit.embedded.images.busybox.commands import Commands
from kit.embedded.images.busybox.expansion import Expander
from kit.embedded.images.busybox.jobs import Jobs
from kit.embedded.images.busybox.pattern import matches
from kit.embedded.images.busybox.redirection import Redirector
from kit.embedded.images.busybox.state import Exit, Failure, Jump, State
from kit.embedded.images.busybox.syntax import (
    AndOr,
    Background,
    Case,
    For,
    Function,
    If,
    Loop,
    Node,
    Pipeline,
    ProcessPipe,
    Redirected,
    Sequence,
    Simple,
    Subshell,
)
from kit.embedded.images.busybox.trampoline import Signals, TooDeep, run

Steps = Generator[Any, Any, int]
MAX_OUTPUT = 4 << 20
MAX_FRAMES = 500
BURN = Burn(COMMAND_US)


class Shell:
    """One running shell (or subshell): its state, its descriptors and the methods that run each kind of node."""

    def __init__(
        self, ctx: Context, state: State, applets: Mapping[str, Program], io: dict[int, int] | None = None
    ) -> None:
        self.ctx = ctx
        self.state = state
        self.applets = applets
        self.io = io if io is not None else {0: 0, 1: 1, 2: 2}
        self.signals = Signals()
        self.line = 0
        self.untested = 0  # >0: a failing command does not end a `set -e` shell
        self.substituted: int | None = None
        self.expander = Expander(self)
        self.redirector = Redirector(self)
        self.jobs = Jobs(self)
        self.commands = Commands(self)
        self.table: dict[type, Callable[[Any], Steps]] = {
            Simple: self.commands.simple,
            Sequence: self._sequence,
            AndOr: self._and_or,
            Pipeline: self._pipeline,
            Background: self._background,
            Subshell: self._subshell,
            If: self._if,
            Loop: self._loop,
            For: self._for,
            Case: self._case,
            Function: self._function,
            Redirected: self._redirected,
        }

    # --- messages ---

    def complain(self, message: str, command: str = "") -> Generator[Any, Any, None]:
        """Write an error as ash words it: `sh: cd: line 0: message`."""
        state = self.state
        name = command or state.script
        prefix = f"{state.arg0}: "
        if name:
            if name != state.arg0:
                prefix += f"{name}: "
            if "interactive" not in state.options:
                prefix += f"line {self.line}: "
        yield from self.write(2, prefix + message + "\n")

    def write(self, fd: int, text: str | bytes) -> Generator[Any, Any, bool]:
        """Write to one of the shell's descriptors; False when that is not possible."""
        data = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
        real = self.io.get(fd)
        if real is None:
            return False
        try:
            yield Write(real, data)
        except Errno as error:
            if error.name == "EPIPE":
                raise Exit(141) from None
            return False
        return True

    # --- nodes ---

    def node(self, node: Node) -> Steps:
        """Return the generator that runs a node and gives its exit status."""
        return self.table[type(node)](node)

    def checked(self, node: Node) -> Steps:
        """Run a node whose failure is looked at (a condition), so that `set -e` does not apply."""
        self.untested += 1
        try:
            status: int = yield self.node(node)
        finally:
            self.untested -= 1
        return status

    def fell(self, status: int) -> None:
        """Leave a `set -e` shell when a command failed that nobody tests."""
        if status and not self.untested and "errexit" in self.state.options:
            raise Exit(status)

    def _sequence(self, node: Sequence) -> Steps:
        status = 0
        for command in node.commands:
            status = yield self.table[type(command)](command)
            if self.signals.pending:
                yield self.jobs.traps()
        return status

    def _and_or(self, node: AndOr) -> Steps:
        status: int = yield self.checked(node.first)
        for index, (op, command) in enumerate(node.rest):
            if (status == 0) != (op == "&&"):
                continue
            if index == len(node.rest) - 1:
                status = yield self.node(command)
            else:
                status = yield self.checked(command)
        self.state.status = status
        return status

    def _background(self, node: Background) -> Steps:
        fds = dict(self.io)
        if "interactive" not in self.state.options:
            fds[0] = yield from self.redirector.null()
        pid = yield from self.fork(node.command, fds)
        if "interactive" not in self.state.options:
            yield Close(fds[0])
        self.jobs.start(pid, node.command)
        self.state.status = 0
        return 0

    def _subshell(self, node: Subshell) -> Steps:
        yield BURN
        pid = yield from self.fork(node.body, self.io)
        status = yield from self.jobs.foreground([pid])
        self.state.status = status
        self.fell(status)
        return status

    def _pipeline(self, node: Pipeline) -> Steps:
        if len(node.commands) == 1:
            status: int = yield self.checked(node.commands[0])
        else:
            pids = yield from self._piped(node)
            status = yield from self.jobs.foreground(pids)
        if node.negated:
            status = int(not status)
        self.state.status = status
        if not node.negated:
            self.fell(status)
        return status

    def _piped(self, node: Pipeline) -> Generator[Any, Any, list[int]]:
        pids: list[int] = []
        source = self.io.get(0, 0)
        last = len(node.commands) - 1
        for index, command in enumerate(node.commands):
            reader, writer = (yield Pipe()) if index < last else (-1, self.io.get(1, 1))
            pids.append((yield from self.fork(command, {**self.io, 0: source, 1: writer})))
            if index:
                yield Close(source)
            if index < last:
                yield Close(writer)
            source = reader
        return pids

    def _if(self, node: If) -> Steps:
        for condition, body in node.branches:
            status: int = yield self.checked(condition)
            if status == 0:
                status = yield self.node(body)
                return status
        if node.otherwise is not None:
            status = yield self.node(node.otherwise)
            return status
        self.state.status = 0
        return 0

    def _loop(self, node: Loop) -> Steps:
        def holds() -> Steps:
            yield BURN
            tested: int = yield self.checked(node.condition)
            return (tested == 0) != node.until

        return self._repeat(holds, node.body)

    def _for(self, node: For) -> Steps:
        values = list(self.state.params) if node.words is None else (yield from self.expander.words(node.words))
        rest = iter(values)

        def holds() -> Steps:
            if (value := next(rest, None)) is None:
                return False
            self.state.set(node.name, value)
            yield BURN
            return True

        return (yield from self._repeat(holds, node.body))

    def _repeat(self, holds: Callable[[], Steps], body: Node) -> Steps:
        """Run `body` while `holds`, whose jumps belong to the loop as the body's do."""
        status = 0
        state = self.state
        state.loops += 1
        try:
            while True:
                try:
                    if not (yield from holds()):
                        break
                    status = yield self.node(body)
                    if self.signals.pending:
                        yield self.jobs.traps()
                except Jump as jump:
                    if self._leaves(jump):
                        status = 0
                        break
        finally:
            state.loops -= 1
        state.status = status
        return status

    def _leaves(self, jump: Jump) -> bool:
        """Say whether a jump ends this loop; one that goes further up is raised again."""
        if jump.kind == "return":
            raise jump
        if jump.count > 1:
            raise Jump(jump.kind, jump.count - 1)
        return jump.kind == "break"

    def _case(self, node: Case) -> Steps:
        value = yield from self.expander.text(node.word)
        yield BURN
        for patterns, body in node.items:
            for word in patterns:
                pattern = yield from self.expander.pattern(word)
                if matches(pattern, value):
                    self.state.status = 0
                    status: int = yield self.node(body)
                    return status
        self.state.status = 0
        return 0

    def _function(self, node: Function) -> Steps:
        yield BURN
        if len(self.state.functions) >= 1000:
            raise Failure("out of memory", 1)
        self.state.functions[node.name] = node.body
        self.state.status = 0
        return 0

    def _redirected(self, node: Redirected) -> Steps:
        held = self.io
        opened: list[int] = []
        try:
            problem = yield from self.redirector.apply(node.redirects, opened)
            if problem:
                yield from self.complain(problem)
                status = self.state.status = 1
                self.fell(1)
            else:
                status = yield self.node(node.body)
        except Exception:  # not `finally`: a killed process may not yield
            self.io = held
            yield from self.redirector.close(opened)
            raise
        self.io = held
        yield from self.redirector.close(opened)
        return status

    def call(self, body: Node, arguments: list[str]) -> Steps:
        """Run a function."""
        state = self.state
        if len(state.frames) >= MAX_FRAMES:
            raise Failure(f"functions nested deeper than {MAX_FRAMES} levels (not simulated)")
        params, loops = state.params, state.loops
        state.params, state.loops = arguments, 0
        state.frames.append({})
        try:
            status: int = yield self.node(body)
        except Jump as jump:
            if jump.kind != "return":
                raise
            status = state.status
        finally:
            state.params, state.loops = params, loops
            state.leave()
        state.status = status
        return status

    # --- other processes ---

    def fork(
        self, node: Node | None, fds: Mapping[int, int], *, argv: tuple[str, ...] = ()
    ) -> Generator[Any, Any, int]:
        """Start a subshell that runs `node` and ends; returns its pid."""
        state = self.state.copy()
        applets, line = self.applets, self.line

        def program(ctx: Context) -> Steps:
            child = Shell(ctx, state, applets, {fd: fd for fd in fds})
            child.line = line
            child.untested = 0
            return run(child.alone(node), child.signals)

        env = self.state.environment()
        try:
            pid: int = yield Spawn("sh", argv or tuple(self.ctx.argv), env, self.state.cwd, dict(fds), program)
        except Errno as error:
            raise Failure(f"can't fork: {error}") from None
        return pid

    def alone(self, node: Node | None) -> Steps:
        """Run a node as the whole of a subshell."""
        yield from self.jobs.inherit()
        return (yield from self.finish(self.commands.last(node) if node is not None else None))

    def finish(self, work: Generator[Any, Any, int] | None) -> Steps:
        """Run the shell's work to its end and then its EXIT trap; what goes wrong becomes a message and a status."""
        status = 0
        try:
            if work is not None:
                status = yield work
        except Exit as leaving:
            status = leaving.status
        except Failure as error:
            yield from self.complain(str(error), error.command)
            status = error.status
        except Jump:
            status = self.state.status
        except TooDeep:
            yield from self.complain("commands nested too deeply (not simulated)")
            status = 2
        return (yield from self.jobs.farewell(status))

    def substitute(self, node: Node | None) -> Generator[Any, Any, str]:
        """Run `$( )`: what the commands wrote, without the newlines at the end."""
        reader, writer = yield Pipe()
        pid = yield from self.fork(node, {**self.io, 1: writer})
        yield Close(writer)
        chunks: list[bytes] = []
        size = 0
        while chunk := (yield Read(reader)):
            size += len(chunk)
            if size > MAX_OUTPUT:
                yield Close(reader)
                raise Failure("out of memory", 1)
            chunks.append(chunk)
        yield Close(reader)
        self.substituted = self.state.status = yield from self.jobs.foreground([pid])
        data = b"".join(chunks).replace(b"\0", b"")
        return data.decode("utf-8", "surrogateescape").rstrip("\n")

    def process_pipe(self, part: ProcessPipe) -> Generator[Any, Any, str]:
        """Start `<( )` or `>( )` and return the name of its pipe."""
        reader, writer = yield Pipe()
        ours, theirs = (reader, writer) if part.reads else (writer, reader)
        yield from self.fork(part.body, {**self.io, int(part.reads): theirs})
        yield Close(theirs)
        number = 64
        while number in self.io:
            number += 1
        self.io = {**self.io, number: ours}
        return f"/dev/fd/{number}"
