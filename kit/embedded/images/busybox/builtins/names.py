"""Builtins about names: alias, command, type, hash, help."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from kit.embedded.core.program import Errno
from kit.embedded.images.busybox.parser import RESERVED
from kit.embedded.images.busybox.words import quoted

if TYPE_CHECKING:
    from kit.embedded.images.busybox.executor import Shell

Steps = Generator[Any, Any, int]


def alias(shell: Shell, argv: list[str]) -> Steps:
    """Show or set aliases."""
    aliases = shell.state.aliases
    status = 0
    lines = [f"{name}={quoted(value)}\n" for name, value in sorted(aliases.items())] if len(argv) == 1 else []
    for word in argv[1:]:
        name, equals, value = word.partition("=")
        if equals:
            if len(aliases) < 500:
                aliases[name] = value
        elif name in aliases:
            lines.append(f"{name}={quoted(aliases[name])}\n")
        else:
            yield from shell.write(2, f"sh: alias: {name} not found\n")
            status = 1
    yield from shell.write(1, "".join(lines))
    return status


def unalias(shell: Shell, argv: list[str]) -> Steps:
    """Forget aliases; `-a` all."""
    if argv[1:2] == ["-a"]:
        shell.state.aliases.clear()
        return 0
    status = 0
    for name in argv[1:]:
        if shell.state.aliases.pop(name, None) is None:
            yield from shell.write(2, f"sh: unalias: {name} not found\n")
            status = 1
    return status


def describe(shell: Shell, name: str, *, verbose: bool) -> str | None:
    """Return what `type` (verbose) or `command -v` says of a name, None when there is no such command."""
    from kit.embedded.images.busybox.builtins import BUILTINS, SPECIAL

    state = shell.state
    if name in RESERVED:
        return f"{name} is a shell keyword" if verbose else name
    if name in state.aliases:
        return (
            f"{name} is an alias for {state.aliases[name]}"
            if verbose
            else f"alias {name}={quoted(state.aliases[name])}"
        )
    if name in state.functions:
        return f"{name} is a function" if verbose else name
    if name in BUILTINS:
        kind = "special shell" if name in SPECIAL and name != "local" else "shell"
        return f"{name} is a {kind} builtin" if verbose else name
    try:
        path, program = shell.commands.find(name)
        if program is not None:
            return f"{name} is {name}" if verbose else name
        shell.ctx.fs.lookup(path, state.cwd)
    except Errno:
        return None
    return f"{name} is {path}" if verbose else path


def kind(shell: Shell, argv: list[str]) -> Steps:
    """`type`: say what each name is."""
    status = 0
    for name in argv[1:]:
        found = describe(shell, name, verbose=True)
        yield from shell.write(1, f"{found or name + ': not found'}\n")
        status = status if found else 127
    return status


def command(shell: Shell, argv: list[str]) -> Steps:
    """`command`: run a command without functions; `-v` and `-V` say what it is."""
    words = argv[1:]
    if words and words[0] in ("-v", "-V"):
        verbose = words[0] == "-V"
        status = 0
        for name in words[1:]:
            found = describe(shell, name, verbose=verbose)
            if found is None:
                if verbose:
                    yield from shell.write(2, f"{name}: not found\n")
                status = 127
            else:
                yield from shell.write(1, found + "\n")
        return status
    if words and words[0] in ("-p", "--"):
        words = words[1:]
    if not words:
        return 0
    return (yield from shell.commands.dispatch(words, {}, False, functions=False))


def hash_names(shell: Shell, argv: list[str]) -> Steps:
    """`hash`: paths aren't remembered here, so only say which names there aren't."""
    status = 0
    for name in argv[1:]:
        if not name.startswith("-") and describe(shell, name, verbose=False) is None:
            yield from shell.complain(f"{name}: not found", "hash")
            status = 1
    return status


def help_text(shell: Shell, argv: list[str]) -> Steps:
    """`help`: list the builtins."""
    from kit.embedded.images.busybox.builtins import BUILTINS

    lines = ["Built-in commands:", "------------------"]
    line = "\t"
    for name in sorted(BUILTINS):
        if len(line) + len(name) > 60:
            lines.append(line.rstrip())
            line = "\t"
        line += name + " "
    yield from shell.write(1, "\n".join([*lines, line.rstrip()]) + "\n")
    return 0


BUILTINS: dict[str, Any] = {
    "alias": alias,
    "unalias": unalias,
    "type": kind,
    "command": command,
    "hash": hash_names,
    "help": help_text,
}
