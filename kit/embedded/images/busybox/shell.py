"""The program `sh`: its arguments, where its commands come from, the prompt."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any

from kit.embedded.core.program import Burn, Close, Context, Errno, IsTty, Open, Program, Read, Trap
from kit.embedded.images.busybox.commands import DEFAULT_PATH
from kit.embedded.images.busybox.executor import Shell
from kit.embedded.images.busybox.lexer import Lexer
from kit.embedded.images.busybox.parser import Parser
from kit.embedded.images.busybox.state import LONG_OPTIONS, OPTION_LETTERS, Exit, Failure, Jump, State
from kit.embedded.images.busybox.syntax import SyntaxFailure
from kit.embedded.images.busybox.trampoline import TooDeep, run
from kit.embedded.images.busybox.words import integer, is_name

Steps = Generator[Any, Any, int]
MAX_SCRIPT = 4 << 20


class Arguments:
    """The command line of `sh`, taken apart."""

    def __init__(self, argv: list[str]) -> None:
        self.options: set[str] = set()
        self.command: str | None = None
        self.file: str | None = None
        self.rest: list[str] = []
        self.problem = ""
        words = argv[1:]
        takes_command = False
        while words and words[0][:1] in ("-", "+") and len(words[0]) > 1:
            word = words.pop(0)
            if word == "--":
                break
            for letter in word[1:]:
                if letter == "c":
                    takes_command = True
                elif letter == "o" and words and words[0] in LONG_OPTIONS:
                    self.options.add(words.pop(0))
                elif letter in OPTION_LETTERS:
                    (self.options.add if word[0] == "-" else self.options.discard)(OPTION_LETTERS[letter])
                elif letter != "l":
                    self.problem = f"invalid option -- '{letter}'" if letter != "o" else "illegal option -o"
        if takes_command:
            if not words:
                self.problem = self.problem or "-c requires an argument"
            else:
                self.command = words.pop(0)
        elif words and "stdin" not in self.options:
            self.file = words[0]
        self.rest = words


def shell_program(applets: Mapping[str, Program]) -> Program:
    """Return `sh`; the `applets` it runs without looking for a file (as a stand-alone busybox does)."""

    def sh(ctx: Context) -> Steps:
        shell = Shell(ctx, State(), applets)
        return run(_main(shell, Arguments(ctx.argv)), shell.signals)

    return sh


def _main(shell: Shell, arguments: Arguments) -> Steps:
    ctx, state = shell.ctx, shell.state
    state.arg0 = ctx.argv[0] if ctx.argv else "sh"
    state.pid, state.cwd, state.options = ctx.pid, ctx.cwd, arguments.options
    for name, value in ctx.env.items():
        state.variables[name] = value
        if is_name(name):
            state.exported.add(name)
    state.variables.setdefault("PATH", DEFAULT_PATH)
    state.variables.update({"IFS": " \t\n", "PPID": str(ctx.ppid), "PWD": ctx.cwd, "OPTIND": "1"})
    state.variables.setdefault("PS1", "\\w \\$ ")
    state.variables.setdefault("PS2", "> ")
    state.variables.setdefault("PS4", "+ ")
    level = integer(state.variables.get("SHLVL", "0")) or 0
    state.variables["SHLVL"] = str(max(0, min(level, 999)) + 1)
    state.exported.update(("PWD", "SHLVL"))
    if arguments.problem:
        yield from shell.write(2, f"sh: {arguments.problem}\n")
        return 2
    if arguments.command is not None:
        if arguments.rest:
            state.arg0, state.params = arguments.rest[0], arguments.rest[1:]
        return (yield from shell.finish(source(shell, arguments.command, 0, whole=True)))
    if arguments.file is not None:
        return (yield from _file(shell, arguments))
    state.params = arguments.rest
    if "interactive" not in state.options and (yield IsTty(0)) and (yield IsTty(2)):
        state.options.add("interactive")
    if "interactive" in state.options:
        yield Trap(2, "catch")
        yield Trap(15, "ignore")
        return (yield from shell.finish(Interactive(shell).loop()))
    return (yield from shell.finish(_stdin(shell)))


def _file(shell: Shell, arguments: Arguments) -> Steps:
    state = shell.state
    path = arguments.file or ""
    try:
        text = yield from load(path)
    except Errno as error:
        yield from shell.write(2, f"{state.arg0}: can't open '{path}': {error}\n")
        return 2
    state.arg0, state.params = path, arguments.rest[1:]
    state.script = path
    return (yield from shell.finish(source(shell, text, 1, whole=True)))


def load(path: str) -> Generator[Any, Any, str]:
    """Read a script file."""
    fd = yield Open(path, "r")
    chunks: list[bytes] = []
    size = 0
    try:
        while chunk := (yield Read(fd)):
            chunks.append(chunk)
            size += len(chunk)
            if size > MAX_SCRIPT:
                raise Errno("EFBIG", path)
    except Errno:
        yield Close(fd)
        raise
    yield Close(fd)
    return b"".join(chunks).decode("utf-8", "surrogateescape")


def source(shell: Shell, text: str, line: int, *, whole: bool = False) -> Steps:
    """Run a script's text, command by command; with `whole` its last command may replace the shell."""
    parser = Parser(Lexer(text, line), shell.state.aliases)
    status = 0
    if len(text) > 10_000:
        yield Burn(len(text) // 10)
    while True:
        try:
            node = parser.command()
            ends = whole and node is not None and parser.at_end()
        except SyntaxFailure as error:
            shell.line = error.line
            raise Failure(f"syntax error: {error}") from None
        if node is None:
            return status
        if "noexec" in shell.state.options:
            continue
        status = yield (shell.commands.last(node) if ends else shell.node(node))
        if shell.signals.pending:
            yield shell.jobs.traps()


def _stdin(shell: Shell) -> Steps:
    """Run commands from standard input as they come, a line at a time."""
    text = ""
    line = 0
    status = 0
    ended = False
    while True:
        if not ended:
            chunk: bytes = yield Read(shell.io[0], 1024)
            ended = not chunk
            text += chunk.decode("utf-8", "surrogateescape")
            if len(text) > MAX_SCRIPT:
                raise Failure("out of memory", 1)
        while text:
            lexer = Lexer(text, line, partial=not ended)
            if not ended and "\n" not in text:
                break
            try:
                node = Parser(lexer, shell.state.aliases).command()
            except SyntaxFailure as error:
                if error.incomplete and not ended:
                    break
                shell.line = error.line
                raise Failure(f"syntax error: {error}") from None
            if lexer.pos >= len(text) and not ended and not text.endswith("\n"):
                break
            text, line = lexer.text[lexer.pos :], lexer.line
            if node is not None:
                status = yield shell.node(node)
        if ended and not text:
            return status


class Interactive:
    """A shell at a terminal: prompts, reads a line, runs it, goes on after errors."""

    def __init__(self, shell: Shell) -> None:
        self.shell = shell
        self.text = ""
        self.ahead = b""  # lines that came with the one before (a terminal gives one at a time)

    def loop(self) -> Steps:
        """Read and run until the end of the input or `exit`."""
        shell, state = self.shell, self.shell.state
        while True:
            self.text = ""
            try:
                yield from shell.jobs.reap()
                node = yield from self._command()
                if node is False:
                    yield from shell.write(2, "\n" if shell.ctx.tty else "")
                    return state.status
                if node is not None:
                    yield shell.node(node)
            except Failure as error:
                if str(error):
                    yield from shell.complain(str(error), error.command)
                else:
                    shell.signals.pending.clear()  # the interrupt that brought us here is dealt with
                    yield from shell.write(1, "\n")
                state.status = error.status
            except TooDeep:
                yield from shell.complain("commands nested too deeply (not simulated)")
                state.status = 2
            except Jump:
                state.status = 0
            shell.untested = state.loops = 0

    def _command(self) -> Generator[Any, Any, Any]:
        """Return the next command; None for an empty line, False at the end of the input."""
        shell, state = self.shell, self.shell.state
        prompt = state.variables.get("PS1", "")
        while True:
            yield from shell.write(2, expand_prompt(prompt, shell))
            line: bytes = yield from self._line()
            if not line and not self.text:
                return False
            self.text += line.decode("utf-8", "surrogateescape")
            try:
                return Parser(Lexer(self.text, 1, partial=bool(line)), state.aliases).command()
            except SyntaxFailure as error:
                if not error.incomplete or not line or len(self.text) > MAX_SCRIPT:
                    raise Failure(f"syntax error: {error}") from None
            prompt = state.variables.get("PS2", "")

    def _line(self) -> Generator[Any, Any, bytes]:
        signals = self.shell.signals
        signals.breakable = True
        try:
            while b"\n" not in self.ahead:
                chunk: bytes = yield Read(self.shell.io[0], 4096)
                if not chunk:
                    break
                self.ahead += chunk
            line, newline, self.ahead = self.ahead.partition(b"\n")
            return line + newline
        except Exception as error:
            signals.breakable = False
            if signals.pending:
                signals.pending.clear()
                raise Failure("", 130) from None
            if isinstance(error, Errno):
                raise Exit(1) from None
            raise
        finally:
            signals.breakable = False


def expand_prompt(prompt: str, shell: Shell) -> str:
    """Expand `\\w`, `\\$`, `\\h`, `\\u` in a prompt."""
    if "\\" not in prompt:
        return prompt
    state = shell.state
    home = state.variables.get("HOME", "")
    where = state.cwd
    if home not in ("", "/") and (where == home or where.startswith(home + "/")):
        where = "~" + where[len(home) :]
    root = shell.ctx.uid == 0
    table = {"\\w": where, "\\W": where.rsplit("/", 1)[-1] or "/", "\\$": "#" if root else "$", "\\h": shell.ctx.hostname,
             "\\u": "root" if root else str(shell.ctx.uid), "\\n": "\n", "\\e": "\x1b"}  # fmt: skip
    for code, text in table.items():
        prompt = prompt.replace(code, text)
    return prompt.replace("\\[", "").replace("\\]", "")
