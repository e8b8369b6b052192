"""`cd` and `pwd`."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from kit.embedded.core.filesystem import normal
from kit.embedded.core.inodes import Dir
from kit.embedded.core.program import Chdir, Errno
from kit.embedded.images.busybox.state import Failure

if TYPE_CHECKING:
    from kit.embedded.images.busybox.executor import Shell

Steps = Generator[Any, Any, int]


def cd(shell: Shell, argv: list[str]) -> Steps:
    """Change the directory; `-` is the one before, nothing is HOME; `-P` follows links."""
    state = shell.state
    words = argv[1:]
    physical = False
    while words and words[0] in ("-P", "-L", "--"):
        flag = words.pop(0)
        physical = flag == "-P"
        if flag == "--":
            break
    target = words[0] if words else state.variables.get("HOME", "")
    show = target == "-"
    if show:
        target = state.variables.get("OLDPWD", "")
    path = normal(target, state.cwd) if target else state.cwd
    try:
        node = shell.ctx.fs.lookup(path)
        if not isinstance(node, Dir):
            raise Errno("ENOTDIR", path)
        if shell.ctx.uid and not node.mode & 0o111:
            raise Errno("EACCES", path)
        if physical:
            path = shell.ctx.fs.resolve(path)
        yield Chdir(path)
    except Errno as error:
        raise Failure(f"can't cd to {target}: {error}") from None
    state.set("OLDPWD", state.cwd)
    state.cwd = path
    state.set("PWD", path)
    if show:
        yield from shell.write(1, path + "\n")
    return 0


def pwd(shell: Shell, argv: list[str]) -> Steps:
    """Print the directory."""
    path = shell.state.cwd
    if "-P" in argv[1:]:
        try:
            path = shell.ctx.fs.resolve(path)
        except Errno:
            path = shell.state.cwd
    yield from shell.write(1, path + "\n")
    return 0


BUILTINS: dict[str, Any] = {"cd": cd, "chdir": cd, "pwd": pwd}
