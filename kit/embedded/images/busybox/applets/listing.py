"""`ls`, `stat`, `find`, `du`: what lies in the file tree."""

from __future__ import annotations

from typing import Any

from kit.embedded.core.inodes import Device, Dir, File, Link, Node, R, permits
from kit.embedded.core.program import Errno
from kit.embedded.images.busybox.applets.command import Command, Steps, Usage, Work, table
from kit.embedded.images.busybox.applets.dates import ls_date, stat_date
from kit.embedded.images.busybox.applets.identity import names_of
from kit.embedded.images.busybox.applets.modes import mode_text

MAX_DEPTH = 60


def size_of(node: Node) -> int:
    """Return a node's size as `ls` shows it."""
    if isinstance(node, File):
        return node.size
    return len(node.target) if isinstance(node, Link) else 4096 if isinstance(node, Dir) else 0


def blocks(node: Node) -> int:
    """Return the kilobytes a node takes on the disk."""
    if isinstance(node, Dir):
        return 4
    return -(-size_of(node) // 4096) * 4 if isinstance(node, File) else 0


class Listing:
    """One run of `ls`."""

    def __init__(self, command: Command, now: int) -> None:
        self.command = command
        self.now = now
        self.long = any(command.has(letter) for letter in "lng")
        self.users, self.groups = names_of(command, "/etc/passwd"), names_of(command, "/etc/group")
        self.printed = 0

    def sorted(self, entries: list[tuple[str, Node]]) -> list[tuple[str, Node]]:
        """Sort entries by name, or as -t, -S, -U, -r say."""
        has = self.command.has
        if not has("U"):
            entries.sort(key=lambda entry: entry[0].encode("utf-8", "surrogateescape"))
        if has("t"):
            entries.sort(key=lambda entry: -int(getattr(entry[1], "mtime", 0)))
        if has("S"):
            entries.sort(key=lambda entry: -size_of(entry[1]))
        return entries[::-1] if has("r") else entries

    def show(self, entries: list[tuple[str, Node]]) -> None:
        """Print entries."""
        rows = [self.row(name, node) for name, node in self.sorted(entries)]
        self.command.out("".join(row + "\n" for row in rows))
        self.printed += 1

    def row(self, name: str, node: Node) -> str:
        """Return one line."""
        has = self.command.has
        mark = ""
        if has("F") or (has("p") and isinstance(node, Dir)):
            executable = isinstance(node, File) and node.mode & 0o111
            mark = (
                "/"
                if isinstance(node, Dir)
                else "@"
                if isinstance(node, Link) and not self.long
                else "*"
                if executable
                else ""
            )
        prefix = f"{id(node) % 1000000:7d} " if has("i") else ""
        if has("s"):
            prefix += f"{blocks(node):6d} "
        if not self.long:
            return prefix + name + mark
        uid, gid = getattr(node, "uid", 0), getattr(node, "gid", 0)
        links = 2 + sum(isinstance(child, Dir) for child in node.children.values()) if isinstance(node, Dir) else 1
        user = str(uid) if has("n") else self.users.get(uid, str(uid))
        group = str(gid) if has("n") else self.groups.get(gid, str(gid))
        size = "1,   3" if isinstance(node, Device) else human(size_of(node)) if has("h") else str(size_of(node))
        arrow = f" -> {node.target}" if isinstance(node, Link) else ""
        date = ls_date(getattr(node, "mtime", 0), self.now)
        return f"{prefix}{mode_text(node)} {links:4d} {user:<8.8} {group:<8.8} {size:>9} {date} {name}{mark}{arrow}"

    def directory(self, path: str, node: Dir, *, title: bool, depth: int = 0) -> Work:
        """Print what is in a directory, with -R also below it."""
        command = self.command
        if not permits(node, R, command.ctx.uid, command.ctx.gid):
            yield from command.say(f"can't open '{path}': Permission denied")
            return
        if title:
            command.out(("\n" if self.printed else "") + f"{path}:\n")
        entries = self._entries(path, node)
        if self.long or command.has("s"):
            command.out(f"total {sum(blocks(each) for _, each in entries)}\n")
        self.show(entries)
        yield from command.flush()
        if command.has("R") and depth < MAX_DEPTH:
            for name, each in self.sorted(entries):
                if isinstance(each, Dir) and name not in (".", ".."):
                    yield from self.directory(f"{path.rstrip('/')}/{name}", each, title=True, depth=depth + 1)

    def _entries(self, path: str, node: Dir) -> list[tuple[str, Node]]:
        command = self.command
        found: list[tuple[str, Node]] = []
        for name in node.children:
            if name.startswith(".") and not (command.has("a") or command.has("A")):
                continue
            try:
                child: Node = command.node(f"{path}/{name}", follow=command.has("L"))
            except Errno:
                child = node.children[name]
            found.append((name, child))
        if command.has("a"):
            found += [(".", node), ("..", command.node(f"{path}/.."))]
        return found


def human(size: int) -> str:
    """Return a size with K, M, G as busybox rounds it."""
    if size < 1024:
        return str(size)
    value = float(size)
    for unit in ("K", "M", "G", "T"):
        value /= 1024
        if value < 1023.95 or unit == "T":
            return f"{value:.1f}{unit}"
    return str(size)


def ls(command: Command) -> Steps:
    """List files."""
    words = command.parse(
        "1aACdFghHiklLnpqQrRsStTuUvwxXc", {"color": "1", "full-time": "l", "group-directories-first": "1"}
    )
    now = yield from command.now()
    listing = Listing(command, now)
    files: list[tuple[str, Node]] = []
    directories: list[tuple[str, Dir]] = []
    follow = not (listing.long or command.has("d") or command.has("F"))
    for path in words or ["."]:
        try:
            node = _look(command, path, follow=follow or command.has("L") or command.has("H"))
        except Errno as error:
            yield from command.say(f"{path}: {error}")
            continue
        if isinstance(node, Dir) and not command.has("d"):
            directories.append((path, node))
        else:
            files.append((path, node))
    if files:
        listing.show(files)
    title = len(words) > 1 or command.has("R")
    for path, directory in sorted(directories) if len(directories) > 1 else directories:
        yield from listing.directory(path, directory, title=title)
    return 0


def _look(command: Command, path: str, *, follow: bool) -> Node:
    if path.endswith("/"):
        return command.node(path)
    try:
        return command.node(path, follow=follow)
    except Errno as error:
        if error.name != "ENOENT" or not follow:
            raise
        return command.node(path, follow=False)


# --- stat ---


def stat(command: Command) -> Steps:
    """Show what is known of files."""
    words = command.parse("c:fLt", {"format": "c:"})
    if not words:
        raise Usage
    for path in words:
        try:
            node = command.node(path, follow=command.has("L"))
        except Errno as error:
            yield from command.say(f"can't stat '{path}': {error}")
            continue
        if command.has("c"):
            command.out(_stat_format(command, str(command.options["c"]), path, node) + "\n")
        else:
            command.out(_stat_text(command, path, node))
    return 0


def _stat_values(command: Command, path: str, node: Node) -> dict[str, str]:
    uid, gid = getattr(node, "uid", 0), getattr(node, "gid", 0)
    kinds: dict[type, str] = {Dir: "directory", Link: "symbolic link", Device: "character special file"}
    kind = kinds.get(type(node), "regular file" if size_of(node) else "regular empty file")
    mode = 0o777 if isinstance(node, Link) else node.mode
    time = getattr(node, "mtime", 0)
    users, groups = names_of(command, "/etc/passwd"), names_of(command, "/etc/group")
    arrow = f"'{path}' -> '{node.target}'" if isinstance(node, Link) else path
    values = {"a": f"{mode:o}", "A": mode_text(node), "n": path, "N": arrow, "s": str(size_of(node)), "u": str(uid), "g": str(gid),
              "U": users.get(uid, "UNKNOWN"), "G": groups.get(gid, "UNKNOWN"), "F": kind, "h": "1", "b": str(blocks(node) * 2),
              "B": "512", "o": "4096", "i": "0", "d": "0", "f": f"{mode:x}"}  # fmt: skip
    for letter in "xyz":
        values[letter] = stat_date(time)
        values[letter.upper()] = str(time // 1000)
    return values


def _stat_format(command: Command, template: str, path: str, node: Node) -> str:
    values = _stat_values(command, path, node)
    out: list[str] = []
    index = 0
    while index < len(template):
        if template[index] == "%" and index + 1 < len(template):
            index += 1
            out.append("%" if template[index] == "%" else values.get(template[index], "?"))
        else:
            out.append(template[index])
        index += 1
    return "".join(out)


def _stat_text(command: Command, path: str, node: Node) -> str:
    value = _stat_values(command, path, node)
    return (
        f"  File: {value['N']}\n"
        f"  Size: {value['s']:<10}\tBlocks: {value['b']:<10} IO Block: 4096   {value['F']}\n"
        f"Device: 0h/0d\tInode: {value['i']:<10}  Links: 1\n"
        f"Access: ({int(value['a'], 8):04o}/{value['A']})  Uid: ({value['u']:>5}/{value['U']:>8})   "
        f"Gid: ({value['g']:>5}/{value['G']:>8})\n"
        f"Access: {value['x']}\nModify: {value['y']}\nChange: {value['z']}\n"
    )


def du(command: Command) -> Steps:
    """Sum the sizes of trees."""
    words = command.parse("aHLdclshmkx")
    scale = 1024 if command.has("m") else 1
    total = 0

    def shown(kilobytes: int) -> str:
        return human(kilobytes * 1024) if command.has("h") else str(-(-kilobytes // scale))

    def measure(path: str, node: Node, depth: int) -> int:
        used = blocks(node)
        if isinstance(node, Dir) and depth < MAX_DEPTH:
            for name in node.children:
                used += measure(f"{path.rstrip('/')}/{name}", command.node(f"{path}/{name}", follow=False), depth + 1)
        if depth == 0 or (not command.has("s") and (isinstance(node, Dir) or command.has("a"))):
            command.out(f"{shown(used)}\t{path}\n")
        return used

    for path in words or ["."]:
        try:
            total += measure(path, command.node(path, follow=False), 0)
        except Errno as error:
            yield from command.say(f"{path}: {error}")
    if command.has("c"):
        command.out(f"{shown(total)}\ttotal\n")
    return 0


APPLETS: dict[str, Any] = table((
    ("ls", ls, "ls [-1AaCxdLHRFplinshrSXvctu] [-w WIDTH] [FILE]..."),
    ("stat", stat, "stat [-ltf] [-c FMT] FILE..."),
    ("du", du, "du [-aHLdclsxhmk] [FILE]..."),
))  # fmt: skip
