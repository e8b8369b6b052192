"""Applets on mounts: df, mount, umount."""

from __future__ import annotations

from typing import Any

from kit.embedded.core.filesystem import Tree
from kit.embedded.core.inodes import Dir, File
from kit.embedded.core.program import Errno
from kit.embedded.images.busybox.applets.command import Command, Fail, Steps, table
from kit.embedded.images.busybox.applets.listing import human


def _mounts(command: Command) -> list[tuple[str, str, str, str]]:
    """Return (device, path, type, options) of /proc/mounts, or of the tree when there is no such file."""
    try:
        lines = command.fs.read("/proc/mounts").decode("utf-8", "replace").splitlines()
        rows = [line.split() for line in lines]
        found = [(row[0], row[1], row[2], row[3]) for row in rows if len(row) > 3]
    except Errno:
        found = []
    if found:
        return found
    rows_of_tree = [("overlay", "/", "overlay", "ro,relatime" if command.fs.readonly else "rw,relatime")]
    for path, mount in command.fs.mounts.items():
        device = "tmpfs" if mount.kind == "tmpfs" else "/dev/vda"
        rows_of_tree.append((device, path, mount.kind, f"{'ro' if mount.readonly else 'rw'},relatime{mount.options}"))
    return rows_of_tree


def mount(command: Command) -> Steps:
    """Show what is mounted; mounting is refused, as in a container without privileges."""
    words = command.parse("alrwnvo:t:O:fi")
    if not words:
        for device, path, kind, flags in _mounts(command):
            command.out(f"{device} on {path} type {kind} ({flags})\n")
        return 0
    target = words[-1]
    if len(words) < 2:
        raise Fail(f"can't find {target} in /etc/fstab")
    if command.fs.exists(target, command.ctx.cwd):
        raise Fail("permission denied (are you root?)")
    raise Fail(f"mounting {words[0]} on {target} failed: No such file or directory")
    yield


def umount(command: Command) -> Steps:
    """Unmounting is refused."""
    words = command.parse("alrfdnt:")
    for path in words:
        there = command.fs.exists(path, command.ctx.cwd)
        mounted = there and command.fs.resolve(path, command.ctx.cwd) in command.fs.mounts
        reason = "Operation not permitted" if mounted else "Invalid argument" if there else "No such file or directory"
        yield from command.say(f"can't unmount {path}: {reason}")
    return 0


def _used(tree: Tree, path: str) -> int:
    """Return the bytes that the files of a volume hold."""
    volume = tree.mounts.get(path)
    if volume is None:
        return tree.used
    stack: list[Any] = [volume.root]
    total = 0
    while stack:
        node = stack.pop()
        if isinstance(node, File):
            total += node.size
        elif isinstance(node, Dir):
            stack += node.children.values()
    return total


def _size(flags: str, limit: int) -> int:
    for flag in flags.split(","):
        name, _, value = flag.partition("=")
        if name == "size" and value[:-1].isdigit() and value.endswith("k"):
            return int(value[:-1])
    return limit // 1024


def df(command: Command) -> Steps:
    """Show how full the mounts are."""
    words = command.parse("PkmhTait:B:")
    title = {"h": "     Size      Used Available Use% Mounted on", "m": "1M-blocks      Used Available Use% Mounted on"}
    letter = next((each for each in "hm" if command.has(each)), "k")
    head = "Filesystem           " + ("Type       " if command.has("T") else "")
    command.out(head + title.get(letter, "1K-blocks      Used Available Use% Mounted on") + "\n")
    rows = _mounts(command)
    if not words:
        rows = [row for row in rows if row[2] not in ("proc", "sysfs", "cgroup", "cgroup2", "devpts", "mqueue")]
    for path in words:
        if not command.fs.exists(path, command.ctx.cwd):
            yield from command.say(f"{path}: can't find mount point")
    if words:
        real = [command.fs.resolve(path, command.ctx.cwd) for path in words if command.fs.exists(path, command.ctx.cwd)]
        rows = [_row_of(rows, path) for path in real]
    for device, path, kind, flags in rows:
        total = _size(flags, command.fs.limit)
        used = -(-_used(command.fs, path) // 1024)
        free = max(0, total - used)
        shown = [
            human(value * 1024) if letter == "h" and value else str(value // 1024 if letter == "m" else value)
            for value in (total, used, free)
        ]
        percent = -(-used * 100 // total) if total else 0
        extra = f"{kind:<10} " if command.has("T") else ""
        name = device if len(device) <= 20 else f"{device}\n{' ' * 20}"
        command.out(f"{name:<20} {extra}{shown[0]:>9} {shown[1]:>9} {shown[2]:>9} {percent:3d}% {path}\n")
    return 0


def _row_of(rows: list[tuple[str, str, str, str]], path: str) -> tuple[str, str, str, str]:
    fitting = [row for row in rows if path == row[1] or path.startswith(row[1].rstrip("/") + "/")]
    return max(fitting, key=lambda row: len(row[1])) if fitting else rows[0]


APPLETS: dict[str, Any] = table((
    ("df", df, "df [-PkmhTai] [-B SIZE] [-t TYPE] [FILESYSTEM]..."),
    ("mount", mount, "mount [OPTIONS] [-o OPT] DEVICE NODE"),
    ("umount", umount, "umount [-rlfda] [-t FSTYPE] FILESYSTEM|DIRECTORY"),
))  # fmt: skip
