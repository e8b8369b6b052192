"""Builtins that steer the shell: break, return, exit, eval, exec, `.`, trap."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from kit.embedded.core.program import SIGNALS, Errno
from kit.embedded.images.busybox.state import Exit, Failure, Jump
from kit.embedded.images.busybox.words import natural, quoted

if TYPE_CHECKING:
    from kit.embedded.images.busybox.executor import Shell

Steps = Generator[Any, Any, int]
NAMES = {number: name for name, number in SIGNALS.items()}


def _nothing(status: int) -> Any:
    def run(shell: Shell, argv: list[str]) -> int:
        return status

    return run


def jump(shell: Shell, argv: list[str]) -> Steps:
    """`break` and `continue`."""
    count = natural(argv[1]) if len(argv) > 1 else 1
    if not count:
        raise Failure(f"Illegal number: {argv[1]}")
    if shell.state.loops:
        raise Jump(argv[0], min(count, shell.state.loops))
    return 0
    yield


def leave(shell: Shell, argv: list[str]) -> Steps:
    """`return` and `exit`."""
    status = shell.state.status
    if len(argv) > 1:
        given = natural(argv[1])
        if given is None:
            raise Failure(f"Illegal number: {argv[1]}")
        status = given & 255
    shell.state.status = status
    if argv[0] == "return":
        raise Jump("return")
    raise Exit(status)
    yield


def evaluate(shell: Shell, argv: list[str]) -> Steps:
    """`eval`."""
    status: int = yield shell.jobs.script(" ".join(argv[1:]))
    return status


def dot(shell: Shell, argv: list[str]) -> Steps:
    """`.` and `source`: run a file in this shell."""
    from kit.embedded.images.busybox.shell import load, source

    if len(argv) < 2:
        raise Failure("filename argument required")
    state = shell.state
    path = argv[1]
    try:
        text = yield from load(path if "/" in path else _search(shell, path))
    except Errno as error:
        raise Failure(f"can't open '{path}': {error}") from None
    held, line, loops = state.params, shell.line, state.loops
    if len(argv) > 2:
        state.params = argv[2:]
    try:
        status: int = yield source(shell, text, 1)
    except Jump as jumped:
        if jumped.kind != "return":
            raise
        status = state.status
    finally:
        if len(argv) > 2:
            state.params = held
        shell.line, state.loops = line, loops
    return status


def _search(shell: Shell, name: str) -> str:
    for directory in shell.state.variables.get("PATH", "").split(":"):
        path = f"{directory or '.'}/{name}"
        if shell.ctx.fs.exists(path, shell.state.cwd):
            return path
    return name


def execute(shell: Shell, argv: list[str]) -> Steps:
    """`exec`: replace the shell, or (alone) keep the redirections."""
    if len(argv) < 2:
        return 0
    return (yield from shell.commands.external(argv[1:], tail=True, replacing=True))


def signal_number(word: str) -> int | None:
    """Return the number of a signal given by name or number; 0 is EXIT."""
    if word.isdigit():
        number = int(word) if len(word) < 4 else 1000
        return number if number == 0 or number < 65 else None
    name = word.upper().removeprefix("SIG")
    return 0 if name == "EXIT" else SIGNALS.get(name)


def trap(shell: Shell, argv: list[str]) -> Steps:
    """`trap`: show or set what signals do."""
    words = argv[1:]
    if words and words[0] == "--":
        words = words[1:]
    if not words:
        lines = [
            f"trap -- {quoted(action)} {NAMES.get(number, number) if number else 'EXIT'}\n"
            for number, action in sorted(shell.state.traps.items())
        ]
        yield from shell.write(1, "".join(lines))
        return 0
    action: str | None = None
    if (len(words) > 1 and signal_number(words[0]) is None) or (len(words) == 1 and signal_number(words[0]) is None):
        action = words.pop(0)
        if action == "-":
            action = None
    elif len(words) > 1:
        words.pop(0) if words[0] == "-" else None
    status = 0
    for word in words:
        number = signal_number(word)
        if number is None:
            yield from shell.complain(f"{word}: invalid signal specification", "trap")
            status = 1
            continue
        yield from shell.jobs.set_trap(number, action)
    return status


BUILTINS: dict[str, Any] = {
    ":": _nothing(0),
    "true": _nothing(0),
    "false": _nothing(1),
    "break": jump,
    "continue": jump,
    "return": leave,
    "exit": leave,
    "eval": evaluate,
    ".": dot,
    "source": dot,
    "exec": execute,
    "trap": trap,
}
