"""Applets on names of files: basename, dirname, realpath, readlink, pwd, which, mktemp."""

from __future__ import annotations

from typing import Any

from kit.embedded.core.filesystem import normal
from kit.embedded.core.inodes import File, Link
from kit.embedded.core.program import Errno
from kit.embedded.images.busybox.applets.command import Command, Fail, Steps, Usage, table

_RANDOM = "X" * 6  # what of a template mktemp replaces
TEMPORARY = "/" + "tmp"  # in the container's own tree
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def basename(command: Command) -> Steps:
    """Print the last part of a path, without a suffix."""
    words = command.args
    if not 1 <= len(words) <= 2:
        raise Usage
    name = words[0].rstrip("/").rsplit("/", 1)[-1] or ("/" if words[0] else "")
    if len(words) == 2 and name != words[1]:
        name = name.removesuffix(words[1])
    command.out(name + "\n")
    return 0
    yield


def dirname(command: Command) -> Steps:
    """Print a path without its last part."""
    if len(command.args) != 1:
        raise Usage
    head, slash, _ = command.args[0].rstrip("/").rpartition("/")
    absolute = command.args[0].startswith("/")
    command.out((head.rstrip("/") or ("/" if slash or absolute else ".")) + "\n")
    return 0
    yield


def realpath(command: Command) -> Steps:
    """Print paths with all links followed; only the last part may be missing."""
    if not command.args:
        raise Usage
    for path in command.args:
        try:
            command.out(_real(command, path) + "\n")
        except Errno as error:
            yield from command.say(f"{path}: {error}")
    return 0


def _real(command: Command, path: str) -> str:
    try:
        return command.fs.resolve(path, command.ctx.cwd)
    except Errno as error:
        if error.name != "ENOENT":
            raise
    whole = normal(path, command.ctx.cwd)
    parent, _, name = whole.rpartition("/")
    return command.fs.resolve(parent or "/").rstrip("/") + "/" + name


def readlink(command: Command) -> Steps:
    """Print where a link leads; `-f` the whole way."""
    words = command.parse("fnv")
    if len(words) != 1:
        raise Usage
    end = "" if command.has("n") else "\n"
    try:
        if command.has("f"):
            command.out(_real(command, words[0]) + end)
            return 0
        node = command.node(words[0], follow=False)
    except Errno:
        return 1
    if not isinstance(node, Link):
        return 1
    command.out(node.target + end)
    return 0
    yield


def pwd(command: Command) -> Steps:
    """Print the working directory."""
    command.out(command.ctx.cwd + "\n")
    return 0
    yield


def which(command: Command) -> Steps:
    """Print where programs are."""
    words = command.parse("a")
    status = 0 if words else 1
    for name in words:
        heads = [""] if "/" in name else [f"{each or '.'}/" for each in command.ctx.env.get("PATH", "/bin").split(":")]
        found = [head + name for head in heads if _executable(command, head + name)]
        status = status if found else 1
        for path in found if command.has("a") else found[:1]:
            command.out(path + "\n")
    return status
    yield


def _executable(command: Command, path: str) -> bool:
    try:
        node = command.node(path)
    except Errno:
        return False
    return isinstance(node, File) and bool(node.mode & 0o111)


def mktemp(command: Command) -> Steps:
    """Make a file (or with -d a directory) with a name that nobody uses."""
    words = command.parse("dqtup:")
    template = words[0] if words else f"tmp.{_RANDOM}"
    if not words or command.has("p") or command.has("t"):
        template = f"{command.options.get('p', command.ctx.env.get('TMPDIR', TEMPORARY))}/{template}"
    if not template.endswith(_RANDOM):
        raise Fail(f"{template}: Invalid argument")
    now = yield from command.now()
    seed = now * 1000 + command.ctx.pid
    for attempt in range(100):
        name = template[:-6] + _letters(seed + attempt * 7919)
        if command.fs.exists(name, command.ctx.cwd):
            continue
        try:
            command.allowed(name)
            if command.has("d"):
                command.fs.mkdir(name, command.ctx.cwd, mode=0o700, now=now)
            elif not command.has("u"):
                command.fs.create(name, command.ctx.cwd, mode=0o600, exclusive=True, now=now)
        except Errno as error:
            raise Fail(f"{template}: {error}") from None
        command.out(name + "\n")
        return 0
    raise Fail(f"{template}: File exists")


def _letters(seed: int) -> str:
    value = seed * 6364136223846793005 + 1442695040888963407
    out = ""
    for _ in range(6):
        value = (value * 6364136223846793005 + 1442695040888963407) % (1 << 64)
        out += LETTERS[(value >> 33) % len(LETTERS)]
    return out


APPLETS: dict[str, Any] = table((
    ("basename", basename, "basename FILE [SUFFIX]"),
    ("dirname", dirname, "dirname FILENAME"),
    ("realpath", realpath, "realpath FILE..."),
    ("readlink", readlink, "readlink [-fnv] FILE"),
    ("pwd", pwd, "pwd"),
    ("which", which, "which [-a] COMMAND..."),
    ("mktemp", mktemp, "mktemp [-dt] [-p DIR] [TEMPLATE]"),
))  # fmt: skip
