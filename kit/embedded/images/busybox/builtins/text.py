"""Builtins that write and compare: echo, printf, test. The applets of the same names share these functions."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from kit.embedded.images.busybox.conditions import Test, TestFailure, compare
from kit.embedded.images.busybox.formats import echo_text, printf_text

if TYPE_CHECKING:
    from kit.embedded.images.busybox.executor import Shell

Steps = Generator[Any, Any, int]


def echo(shell: Shell, argv: list[str]) -> Steps:
    """Write the arguments."""
    if (yield from shell.write(1, echo_text(argv[1:]))):
        return 0
    yield from shell.write(2, "sh: write error: Bad file descriptor\n")
    return 1


def printf(shell: Shell, argv: list[str]) -> Steps:
    """Write formatted."""
    words = argv[2:] if argv[1:2] == ["--"] else argv[1:]
    if not words:
        yield from shell.write(2, "sh: usage: printf FORMAT [ARG...]\n")
        return 2
    data, errors = printf_text(words[0], words[1:])
    yield from shell.write(1, data)
    for error in errors:
        yield from shell.write(2, f"sh: {error}\n")
    return int(bool(errors))


def test(shell: Shell, argv: list[str]) -> Steps | int:
    """`test`, `[`, `[[`; the commonest forms are decided at once."""
    if argv[0] == "[" and len(argv) == 5 and argv[4] == "]":
        quick = compare(argv[1], argv[2], argv[3])
        if quick is not None:
            return int(not quick)
    return _test(shell, argv)


def _test(shell: Shell, argv: list[str]) -> Steps:
    words = argv[1:]
    closing = {"[": "]", "[[": "]]"}.get(argv[0])
    if closing:
        if not words or words[-1] != closing:
            yield from shell.write(2, f"sh: missing {closing}\n")
            return 2
        words = words[:-1]
    try:
        return (yield from Test(shell.ctx, shell.state.cwd, shell.io, words).run())
    except TestFailure as error:
        yield from shell.write(2, f"sh: {error}\n")
        return 2


BUILTINS: dict[str, Any] = {"echo": echo, "printf": printf, "test": test, "[": test, "[[": test}
