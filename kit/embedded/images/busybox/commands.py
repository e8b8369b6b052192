"""Simple commands: assignments, then a function, a builtin, an applet or a file (POSIX 2.9.1)."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kit.embedded.core.inodes import File
from kit.embedded.core.program import COMMAND_US, Allocate, Burn, Context, Errno, Exec, Program, Spawn
from kit.embedded.images.busybox.builtins import BUILTINS, SPECIAL
from kit.embedded.images.busybox.state import Exit, Failure
from kit.embedded.images.busybox.syntax import AndOr, Node, Sequence, Simple
from kit.embedded.images.busybox.words import single_quoted

if TYPE_CHECKING:
    from kit.embedded.images.busybox.executor import Shell

Steps = Generator[Any, Any, int]
BURN = Burn(COMMAND_US)
DEFAULT_PATH = "/sbin:/usr/sbin:/bin:/usr/bin"
LARGE = 1 << 20


class Commands:
    """Runs simple commands for one shell."""

    def __init__(self, shell: Shell) -> None:
        self.shell = shell
        self.allocated = 0

    def simple(self, node: Simple, *, tail: bool = False) -> Steps:
        """Run a simple command; with `tail` it is the last of this process and may replace it."""
        shell = self.shell
        state = shell.state
        shell.line = node.line
        if node.literals is not None:
            fields = list(node.literals)
        else:
            shell.substituted = None
            fields = yield from shell.expander.words(node.words)
        yield BURN
        if not node.redirects:
            status = yield from self._run(node, fields, tail)
        else:
            status = yield from self._redirected(node, fields, tail)
        state.status = status
        if state.memory > LARGE and state.memory != self.allocated:
            self.allocated = state.memory
            yield Allocate(state.memory)
        if status and not shell.untested and "errexit" in state.options:
            shell.fell(status)
        if shell.signals.pending:
            yield shell.jobs.traps()
        return status

    def _redirected(self, node: Simple, fields: list[str], tail: bool) -> Steps:
        shell = self.shell
        held = shell.io
        opened: list[int] = []
        try:
            problem = yield from shell.redirector.apply(node.redirects, opened)
            if problem:
                if fields and fields[0] in SPECIAL:
                    raise Failure(problem, 1)
                yield from shell.complain(problem)
                status = 1
            else:
                status = yield from self._run(node, fields, tail)
        except Exception:  # not `finally`: a killed process may not yield
            shell.io = held
            yield from shell.redirector.close(opened)
            raise
        if fields[:1] == ["exec"] and not problem:
            yield from shell.redirector.keep(opened)
            return status
        shell.io = held
        yield from shell.redirector.close(opened)
        return status

    def _run(self, node: Simple, fields: list[str], tail: bool) -> Steps:
        shell, state = self.shell, self.shell.state
        if not fields:
            yield from self._assign(node, fields)
            return shell.substituted or 0
        if node.assignments:
            return (yield from self._with_assignments(node, fields, tail))
        if "xtrace" in state.options:
            yield from self._trace(fields)
        return (yield from self.dispatch(fields, {}, tail))

    def _with_assignments(self, node: Simple, fields: list[str], tail: bool) -> Steps:
        """Run a command whose assignments last as long as it does (for special builtins: for ever)."""
        state = self.shell.state
        if fields[0] in SPECIAL:
            yield from self._assign(node, fields)
            return (yield from self.dispatch(fields, {}, tail))
        before = {each.name: (state.variables.get(each.name), each.name in state.exported) for each in node.assignments}
        yield from self._assign(node, fields)
        extra = {name: state.variables[name] for name in before}
        state.exported.update(extra)
        try:
            return (yield from self.dispatch(fields, extra, tail))
        finally:
            for name, (value, exported) in before.items():
                if value is None:
                    state.unset(name)
                else:
                    state.set(name, value)
                if not exported:
                    state.exported.discard(name)

    def _assign(self, node: Simple, fields: list[str]) -> Generator[Any, Any, None]:
        state = self.shell.state
        if not fields:
            self.shell.substituted = None
        traced: list[str] = []
        for assignment in node.assignments:
            value = yield from self.shell.expander.text(assignment.value)
            if assignment.append:
                value = state.variables.get(assignment.name, "") + value
            state.set(assignment.name, value)
            traced.append(f"{assignment.name}={single_quoted(value)}")
        if "xtrace" in state.options and (traced or fields):
            yield from self._trace(fields, traced)

    def _trace(self, fields: list[str], assigned: list[str] | None = None) -> Generator[Any, Any, None]:
        prompt = self.shell.state.variables.get("PS4", "+ ")
        yield from self.shell.write(2, prompt + " ".join([*(assigned or []), *map(single_quoted, fields)]) + "\n")

    # --- which command ---

    def dispatch(self, fields: list[str], extra: dict[str, str], tail: bool, *, functions: bool = True) -> Steps:
        """Run the function, builtin, applet or file that `fields[0]` names."""
        name = fields[0]
        shell = self.shell
        if functions and name in shell.state.functions and name not in SPECIAL:
            status: int = yield shell.call(shell.state.functions[name], fields[1:])
            return status
        builtin = BUILTINS.get(name)
        if builtin is not None:
            return (yield from self.builtin(builtin, fields))
        return (yield from self.external(fields, tail=tail))

    def builtin(self, builtin: Callable[[Shell, list[str]], Steps | int], fields: list[str]) -> Steps:
        """Run a builtin (one that needs no call gives its status at once); an error in a special one ends the shell."""
        try:
            work = builtin(self.shell, fields)
            status: int = work if isinstance(work, int) else (yield work)
        except Failure as error:
            if fields[0] in SPECIAL:
                error.command = error.command or fields[0]
                raise
            yield from self.shell.complain(str(error), error.command or fields[0])
            return error.status
        return status

    def find(self, name: str) -> tuple[str, Program | None]:
        """Return (path, program of an applet) of a command; Errno ENOENT when there is none."""
        if "/" in name:
            return name, None
        if name in self.shell.applets:
            return f"/bin/{name}", self.shell.applets[name]
        fs, state = self.shell.ctx.fs, self.shell.state
        denied = False
        for directory in state.variables.get("PATH", DEFAULT_PATH).split(":"):
            path = f"{directory.rstrip('/') if directory else '.'}/{name}"
            try:
                node = fs.lookup(path, state.cwd)
            except Errno:
                continue
            if isinstance(node, File):
                if node.mode & 0o111:
                    return path, None
                denied = True
        raise Errno("EACCES" if denied else "ENOENT", name)

    def external(self, fields: list[str], *, tail: bool, replacing: bool = False) -> Steps:
        """Run an applet or a file as a child, or in place of this shell."""
        shell = self.shell
        env = shell.state.environment()
        try:
            path, program = self.find(fields[0])
            in_place = replacing or (tail and not any(shell.state.traps.values()))
            if in_place:
                return (yield from self._in_place(path, program, fields, env))
            pid: int = yield Spawn(path, tuple(fields), env, shell.state.cwd, dict(shell.io), program)
        except Errno as error:
            if error.name == "ENOEXEC":
                return (yield from self._script(fields, env))
            if error.name == "EAGAIN":
                raise Failure("can't fork: Resource temporarily unavailable") from None
            status = 127 if error.name in ("ENOENT", "ENOTDIR") else 126
            reason = f"{fields[0]}: {'not found' if status == 127 else error}"
            if replacing:
                raise Failure(reason, status, "exec") from None
            yield from shell.complain(reason)
            return status
        return (yield from shell.jobs.foreground([pid]))

    def _in_place(self, path: str, program: Program | None, fields: list[str], env: dict[str, str]) -> Steps:
        shell = self.shell
        held = dict(shell.io)
        yield from shell.redirector.settle()
        if program is None:
            try:
                yield Exec(path, tuple(fields), env)
            except Errno:
                shell.io = {number: number for number in held}
                raise
            return 0
        ctx = replace(shell.ctx, argv=fields, env=env, cwd=shell.state.cwd)
        shell.state.traps.clear()
        status: int = yield program(ctx)
        raise Exit(status)

    def _script(self, fields: list[str], env: dict[str, str]) -> Steps:
        """Run a file without `#!` as a script, as POSIX asks."""
        shell = self.shell
        from kit.embedded.images.busybox.shell import shell_program

        def program(ctx: Context) -> Steps:
            return shell_program(shell.applets)(replace(ctx, argv=["sh", *fields]))

        path = self.find(fields[0])[0]
        pid: int = yield Spawn(path, ("sh", *fields), env, shell.state.cwd, dict(shell.io), program)
        return (yield from shell.jobs.foreground([pid]))

    # --- the last command of a process ---

    def last(self, node: Node) -> Steps:
        """Run a node as the last of this process: its last simple command may replace the shell."""
        shell = self.shell
        status = 0
        if isinstance(node, Simple):
            status = yield self.simple(node, tail=not shell.untested)
        elif isinstance(node, Sequence) and node.commands:
            if len(node.commands) > 1:
                yield shell.node(Sequence(node.commands[:-1]))
            status = yield self.last(node.commands[-1])
        elif isinstance(node, AndOr):
            status = yield from self._last_of(node)
        else:
            status = yield shell.node(node)
        return status

    def _last_of(self, node: AndOr) -> Steps:
        op, final = node.rest[-1]
        head = AndOr(node.first, node.rest[:-1]) if len(node.rest) > 1 else node.first
        status: int = yield self.shell.checked(head)
        if (status == 0) == (op == "&&"):
            status = yield self.last(final)
        return status
