"""Applets that write: echo, printf, yes, true, false, test, expr, seq, clear, tty, sync."""

from __future__ import annotations

from typing import Any

from kit.embedded.core.program import IsTty, Write
from kit.embedded.images.busybox.applets.command import Command, Fail, Steps, Usage, table
from kit.embedded.images.busybox.conditions import Test, TestFailure
from kit.embedded.images.busybox.formats import echo_text, printf_text
from kit.embedded.images.busybox.words import natural


def echo(command: Command) -> Steps:
    """Write the arguments."""
    command.out(echo_text(command.args))
    return 0
    yield


def printf(command: Command) -> Steps:
    """Write formatted."""
    if not command.args:
        raise Usage
    data, errors = printf_text(command.args[0], command.args[1:])
    command.out(data)
    for error in errors:
        yield from command.say(error)
    return 0


def yes(command: Command) -> Steps:
    """Write a line for ever."""
    line = " ".join(command.args or ["y"]).encode("utf-8", "surrogateescape") + b"\n"
    block = line * max(1, 4096 // len(line))
    while True:
        yield Write(1, block)


def test(command: Command) -> Steps:
    """Evaluate an expression."""
    words = command.args
    if command.name == "[":
        if not words or words[-1] != "]":
            raise Fail("missing ]", 2)
        words = words[:-1]
    try:
        return (yield from Test(command.ctx, command.ctx.cwd, {0: 0, 1: 1, 2: 2}, words).run())
    except TestFailure as error:
        raise Fail(str(error), 2) from None


def true(command: Command) -> Steps:
    """Succeed."""
    return 0
    yield


def false(command: Command) -> Steps:
    """Fail."""
    return 1
    yield


def seq(command: Command) -> Steps:
    """Count."""
    words, separator, wide = list(command.args), "\n", False
    while words and words[0][:2] in ("-s", "-w"):
        flag = words.pop(0)
        if flag[1] == "w":
            wide = True
        elif words:
            separator = flag[2:] or words.pop(0)
    if not 1 <= len(words) <= 3:
        raise Usage
    numbers = [_real(word) for word in words]
    first, step, last = {1: (1.0, 1.0, numbers[-1]), 2: (numbers[0], 1.0, numbers[-1])}.get(len(words), tuple(numbers))
    if step == 0:
        raise Fail("invalid increment '0'")
    places = max(len(word.partition(".")[2]) for word in words)
    width = max(len(f"{first:.{places}f}"), len(f"{last:.{places}f}")) if wide else 0
    count = int((last - first) / step + 1e-9) + 1 if (last - first) / step > -1e-9 else 0
    for index in range(count):
        command.out((separator if index else "") + f"{first + index * step:0{width}.{places}f}")
        if command.full():
            yield from command.flush()
    command.out("\n" if count > 0 else "")
    return 0


def _real(word: str) -> float:
    try:
        value = float(word)
    except ValueError:
        raise Fail(f"invalid number '{word}'") from None
    if abs(value) > 1e15:
        raise Fail(f"invalid number '{word}'")
    return value


def expr(command: Command) -> Steps:
    """Compute an expression."""
    from kit.embedded.images.busybox.applets.expression import evaluate

    if not command.args:
        raise Fail("too few arguments", 2)
    value = evaluate(command.args)
    command.out(f"{value}\n")
    return int(value in (0, "", "0"))
    yield


def clear(command: Command) -> Steps:
    """Clear the screen."""
    command.out("\x1b[H\x1b[J")
    return 0
    yield


def tty(command: Command) -> Steps:
    """Print the terminal's name."""
    terminal = yield IsTty(0)
    if "-s" not in command.args:
        command.out("/dev/pts/0\n" if terminal else "not a tty\n")
    return int(not terminal)


def usleep(command: Command) -> Steps:
    """Sleep microseconds."""
    from kit.embedded.core.program import Sleep

    count = natural(command.args[0]) if command.args else None
    if count is None:
        raise Usage
    yield Sleep(count // 1000)
    return 0


APPLETS: dict[str, Any] = table((
    ("echo", echo, "echo [-neE] [ARG]..."),
    ("printf", printf, "printf FORMAT [ARG]..."),
    ("yes", yes, "yes [STRING]"),
    ("test", test, "test EXPRESSION"),
    ("[", test, "[ EXPRESSION ]"),
    ("true", true, "true"),
    ("false", false, "false"),
    ("seq", seq, "seq [-w] [-s SEP] [FIRST [INC]] LAST"),
    ("expr", expr, "expr EXPRESSION"),
    ("clear", clear, "clear"),
    ("tty", tty, "tty [-s]"),
    ("sync", true, "sync"),
    ("usleep", usleep, "usleep N"),
))  # fmt: skip
