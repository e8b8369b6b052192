"""Applets that change files: rm, mkdir, rmdir, touch, ln, cp, mv, chmod, chown, truncate."""

from __future__ import annotations

from typing import Any

from kit.embedded.core.inodes import Device, Dir, Link
from kit.embedded.core.program import Errno
from kit.embedded.images.busybox.applets.command import Command, Fail, Steps, Usage, Work, table
from kit.embedded.images.busybox.applets.modes import parse_mode

MAX_ENTRIES = 20_000


def rm(command: Command) -> Steps:
    """Remove files, with -r whole trees."""
    words = command.parse("fiRrv")
    if not words and not command.has("f"):
        raise Usage
    now = yield from command.now()
    for path in words:
        if path.rstrip("/").rsplit("/", 1)[-1] in (".", ".."):
            yield from command.say("can't remove '.' or '..'")
            continue
        yield from _remove(command, path, now)
    return 0


def _remove(command: Command, path: str, now: int) -> Work:
    recursive = command.has("r") or command.has("R")
    try:
        node = command.node(path.rstrip("/") or "/", follow=False)
    except Errno as error:
        if not command.has("f"):
            yield from command.say(f"can't remove '{path}': {error}")
        return
    if isinstance(node, Dir):
        if not recursive:
            yield from command.say(f"'{path}' is a directory")
            return
        for name in list(node.children):
            yield from _remove(command, f"{path.rstrip('/')}/{name}", now)
    try:
        command.allowed(path)
        command.fs.remove(path.rstrip("/") or "/", command.ctx.cwd, now=now)
    except Errno as error:
        yield from command.say(f"can't remove '{path}': {error}")


def mkdir(command: Command) -> Steps:
    """Make directories, with -p their parents too."""
    words = command.parse("m:p", {"parents": "p", "mode": "m:"})
    if not words:
        raise Usage
    now = yield from command.now()
    mode = parse_mode(command.options["m"], 0o777, directory=True) if command.has("m") else 0o755
    if mode is None:
        raise Fail(f"invalid mode '{command.options['m']}'")
    for path in words:
        try:
            if not command.has("p"):
                command.allowed(path)
            command.fs.mkdir(path, command.ctx.cwd, mode=mode, parents=command.has("p"), now=now)
            _own(command, path)
        except Errno as error:
            yield from command.say(f"can't create directory '{path}': {error}")
    return 0


def _own(command: Command, path: str) -> None:
    node = command.node(path, follow=False)
    if command.ctx.uid and isinstance(node, Dir) and not node.children:
        node.uid, node.gid = command.ctx.uid, command.ctx.gid


def rmdir(command: Command) -> Steps:
    """Remove empty directories."""
    words = command.parse("p")
    if not words:
        raise Usage
    now = yield from command.now()
    for path in words:
        try:
            if not isinstance(command.node(path, follow=False), Dir):
                raise Errno("ENOTDIR", path)
            command.allowed(path)
            command.fs.remove(path.rstrip("/") or "/", command.ctx.cwd, now=now)
        except Errno as error:
            yield from command.say(f"'{path}': {error}")
    return 0


def touch(command: Command) -> Steps:
    """Make files or set their times to now."""
    words = command.parse("cad:t:r:hm", {"no-create": "c", "date": "d:", "reference": "r:"})
    if not words:
        raise Usage
    if command.has("d") or command.has("t") or command.has("r"):
        raise Fail("-d, -t and -r are not simulated")
    now = yield from command.now()
    for path in words:
        try:
            if command.fs.exists(path, command.ctx.cwd):
                command.fs.change(path, command.ctx.cwd, mtime=now)
            elif not command.has("c"):
                command.allowed(path)
                if path.startswith("/proc/"):
                    raise Errno("ENOENT", path)
                file = command.fs.create(path, command.ctx.cwd, now=now)
                file.uid, file.gid = command.ctx.uid, command.ctx.gid
        except Errno as error:
            yield from command.say(f"{path}: {error}")
    return 0


def ln(command: Command) -> Steps:
    """Make links; only symbolic ones are simulated."""
    words = command.parse("sfnbTvS:")
    if not words:
        raise Usage
    now = yield from command.now()
    target_dir = words[-1] if len(words) > 1 else "."
    for source in words[:-1] or words:
        target = target_dir
        if (
            command.fs.exists(target_dir, command.ctx.cwd)
            and isinstance(command.node(target_dir), Dir)
            and not command.has("n")
        ):
            target = f"{target_dir.rstrip('/')}/{source.rstrip('/').rsplit('/', 1)[-1]}"
        try:
            if not command.has("s"):
                raise Fail("hard links are not simulated: use -s")
            command.allowed(target)
            if command.has("f") and _is_there(command, target):
                command.fs.remove(target, command.ctx.cwd, now=now)
            command.fs.symlink(source, target, command.ctx.cwd, now=now)
        except Errno as error:
            yield from command.say(f"{target}: {error}")
    return 0


def _is_there(command: Command, path: str) -> bool:
    try:
        command.node(path, follow=False)
    except Errno:
        return False
    return True


# --- cp and mv ---


def cp(command: Command) -> Steps:
    """Copy files, with -r trees."""
    words = command.parse("arRdpPLHflsuivT")
    return (yield from _each(command, words, _copy))


def mv(command: Command) -> Steps:
    """Move files."""
    words = command.parse("finTt:")
    return (yield from _each(command, words, _move))


def _each(command: Command, words: list[str], action: Any) -> Steps:
    if len(words) < 2:
        raise Usage
    now = yield from command.now()
    target = words[-1]
    into = command.fs.exists(target, command.ctx.cwd) and isinstance(command.node(target), Dir)
    if len(words) > 2 and not into:
        raise Fail(f"target '{target}': Not a directory")
    for source in words[:-1]:
        name = source.rstrip("/").rsplit("/", 1)[-1]
        to = f"{target.rstrip('/')}/{name}" if into and name not in (".", "..", "") else target
        yield from action(command, source, to, now)
    return 0


def _move(command: Command, source: str, target: str, now: int) -> Work:
    try:
        command.node(source, follow=False)
        command.allowed(source)
        command.allowed(target)
        try:
            command.fs.rename(source, target, command.ctx.cwd, now=now)
        except Errno as error:
            if error.name != "EXDEV":
                raise
            command.options["a"] = command.options["f"] = 1
            yield from _copy(command, source, target, now)
            if not command.status:
                yield from _remove(command, source, now)
    except Errno as error:
        yield from command.say(f"can't rename '{source}': {error}")


def _copy(command: Command, source: str, target: str, now: int) -> Work:
    recursive = any(command.has(letter) for letter in "arR")
    keep_links = recursive and not command.has("L")
    try:
        node = command.node(source, follow=not keep_links)
    except Errno as error:
        yield from command.say(f"can't stat '{source}': {error}")
        return
    if isinstance(node, Dir):
        if not recursive:
            yield from command.say(f"omitting directory '{source}'")
            return
        yield from _copy_tree(command, source, target, node, now)
        return
    try:
        command.allowed(target)
        if isinstance(node, Link):
            command.fs.symlink(node.target, target, command.ctx.cwd, now=now)
        elif isinstance(node, Device):
            yield from _copy_device(command, source, target, node)
        else:
            data = node.dynamic() if node.dynamic else bytes(node.data)
            made = command.fs.write(target, data, command.ctx.cwd, mode=node.mode, now=now)
            made.program = node.program
            if command.has("p") or command.has("a"):
                made.uid, made.gid, made.mtime, made.mode = node.uid, node.gid, node.mtime, node.mode
    except Errno as error:
        yield from command.say(f"can't create '{target}': {error}")


def _copy_device(command: Command, source: str, target: str, node: Device) -> Work:
    if node.name != "null":
        yield from command.say(f"'{source}': copying a device is not simulated")
        return
    command.fs.write(target, b"", command.ctx.cwd)


def _copy_tree(command: Command, source: str, target: str, node: Dir, now: int) -> Work:
    inside = command.fs.resolve(source, command.ctx.cwd)
    whole = target if target.startswith("/") else f"{command.ctx.cwd.rstrip('/')}/{target}"
    if (whole.rstrip("/") + "/").startswith(inside.rstrip("/") + "/"):
        yield from command.say(f"recursion detected, omitting directory '{source}'")
        return
    if not command.fs.exists(target, command.ctx.cwd):
        try:
            command.fs.mkdir(target, command.ctx.cwd, mode=node.mode, now=now)
        except Errno as error:
            yield from command.say(f"can't create directory '{target}': {error}")
            return
    for name in list(node.children)[:MAX_ENTRIES]:
        yield from _copy(command, f"{source.rstrip('/')}/{name}", f"{target.rstrip('/')}/{name}", now)


# --- modes and owners ---


def chmod(command: Command) -> Steps:
    """Change modes."""
    words = list(command.args)
    recursive = False
    while words and words[0] in ("-R", "-v", "-f", "-c", "--"):
        recursive = words.pop(0) == "-R" or recursive
    if len(words) < 2:
        raise Usage
    if parse_mode(words[0], 0o644, directory=False) is None:
        raise Fail(f"invalid mode '{words[0]}'")

    def change(path: str, node: Any) -> None:
        mode = parse_mode(words[0], node.mode, directory=isinstance(node, Dir))
        command.fs.change(path, command.ctx.cwd, mode=mode)

    yield from _changed(command, words[1:], change, recursive=recursive)
    return 0


def chown(command: Command) -> Steps:
    """Change owners."""
    words = command.parse("RhLHPcfv")
    if len(words) < 2:
        raise Usage
    separator = ":" if ":" in words[0] or command.name == "chgrp" else "."
    user, _, group = words[0].partition(separator) if command.name == "chown" else ("", "", words[0])
    uid = account(command, "/etc/passwd", user, "user") if user else None
    gid = account(command, "/etc/group", group, "group") if group else None

    def change(path: str, node: Any) -> None:
        command.fs.change(path, command.ctx.cwd, uid=uid, gid=gid)

    yield from _changed(command, words[1:], change, recursive=command.has("R"))
    return 0


def account(command: Command, table_path: str, name: str, what: str) -> int:
    """Return the number of a user or group."""
    if name.isdigit() and len(name) < 10:
        return int(name)
    try:
        lines = command.fs.read(table_path).decode("utf-8", "replace").splitlines()
    except Errno:
        lines = []
    for line in lines:
        entry = line.split(":")
        if entry[0] == name and len(entry) > 2 and entry[2].isdigit():
            return int(entry[2])
    raise Fail(f"unknown {what} {name}")


def _changed(command: Command, paths: list[str], change: Any, *, recursive: bool) -> Work:
    for path in paths:
        try:
            node: Any = command.node(path)
            owner = command.name == "chmod" and getattr(node, "uid", 0) == command.ctx.uid
            if not owner and not command.ctx.may("FOWNER" if command.name == "chmod" else "CHOWN"):
                raise Errno("EPERM", path)
            change(path, node)
            if recursive and isinstance(node, Dir):
                below = [
                    f"{path.rstrip('/')}/{name}" for name in node.children if not isinstance(node.children[name], Link)
                ]
                yield from _changed(command, below, change, recursive=True)
        except Errno as error:
            yield from command.say(f"{path}: {error}")


def truncate(command: Command) -> Steps:
    """Cut or stretch files to a size."""
    words = command.parse("cs:", {"size": "s:"})
    size = command.options.get("s", "")
    if not words or not size:
        raise Usage
    units = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
    scale = units.get(size[-1:].upper(), 1)
    digits = size[:-1] if scale > 1 else size
    if not digits.isdigit() or int(digits[:12]) * scale > 1 << 28:
        raise Fail(f"invalid number '{size}'")
    wanted = int(digits) * scale
    now = yield from command.now()
    for path in words:
        data = command.fs.read(path, command.ctx.cwd) if command.fs.exists(path, command.ctx.cwd) else b""
        command.allowed(path)
        command.fs.write(path, data[:wanted].ljust(wanted, b"\0"), command.ctx.cwd, now=now)
    return 0


APPLETS: dict[str, Any] = table((
    ("rm", rm, "rm [-irf] FILE..."),
    ("mkdir", mkdir, "mkdir [-m MODE] [-p] DIRECTORY..."),
    ("rmdir", rmdir, "rmdir [-p] DIRECTORY..."),
    ("touch", touch, "touch [-cham] [-d DATE] [-t DATE] [-r FILE] FILE..."),
    ("ln", ln, "ln [-sfnbtv] [-S SUF] TARGET... LINK|DIR"),
    ("cp", cp, "cp [-arPLHpfilsTu] SOURCE DEST\n   or: cp [-arPLHpfilsu] SOURCE... { -t DIRECTORY | DIRECTORY }"),
    ("mv", mv, "mv [-finT] SOURCE DEST\n   or: mv [-fin] SOURCE... { -t DIRECTORY | DIRECTORY }"),
    ("chmod", chmod, "chmod [-Rcvf] MODE[,MODE]... FILE..."),
    ("chown", chown, "chown [-Rhc]... USER[:[GRP]] FILE..."),
    ("chgrp", chown, "chgrp [-Rhc]... GROUP FILE..."),
    ("truncate", truncate, "truncate [-c] -s SIZE FILE..."),
))  # fmt: skip
