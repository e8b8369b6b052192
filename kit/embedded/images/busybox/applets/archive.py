"""`tar` (models busybox archival/tar.c)."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from kit.embedded.core.inodes import Device, Dir, File, Link, Node
from kit.embedded.core.program import Errno, Open, Read, Write
from kit.embedded.images.busybox.applets.command import Command, Fail, Steps, Usage, table
from kit.embedded.images.busybox.applets.dates import moment, strftime
from kit.embedded.images.busybox.applets.gzip import MAX_INFLATED, deflate, inflate
from kit.embedded.images.busybox.applets.modes import mode_text
from kit.embedded.images.busybox.pattern import matches

BLOCK = 512
KINDS = {"0": "file", "\0": "file", "7": "file", "5": "dir", "2": "link", "1": "hard"}
OPTIONS = "ctxjzvOmhkof:C:X:T:pa"
LONG = {"exclude": "e::", "strip-components": "s:", "no-same-owner": "o", "no-same-permissions": "q", "to-stdout": "O",
        "overwrite": "w", "file": "f:", "directory": "C:", "extract": "x", "create": "c", "list": "t", "gzip": "z", "verbose": "v",
        "warning=no-unknown-keyword": "q", "numeric-owner": "q", "touch": "m"}  # fmt: skip


@dataclass
class Entry:
    """One member of an archive."""

    name: str
    kind: str
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    mtime: int = 0
    target: str = ""
    data: bytes = b""


def _octal(field: bytes) -> int:
    text = field.strip(b"\0 ")
    if field[:1] == b"\x80":
        return int.from_bytes(field[1:], "big")
    try:
        return int(text or b"0", 8)
    except ValueError:
        raise Fail("invalid tar header checksum") from None


def _text(field: bytes) -> str:
    return field.split(b"\0")[0].decode("utf-8", "surrogateescape")


class Archive:
    """Reads members from a descriptor."""

    def __init__(self, fd: int, data: bytes | None) -> None:
        self.fd = fd
        self.held = data if data is not None else b""
        self.ended = data is not None
        self.long = self.long_target = ""
        self.pax: dict[str, str] = {}

    def take(self, size: int) -> Generator[Any, Any, bytes]:
        """Return just so many bytes, fewer at the end."""
        pieces = [self.held]
        got = len(self.held)
        while got < size and not self.ended:
            chunk = yield Read(self.fd)
            self.ended = not chunk
            pieces.append(chunk)
            got += len(chunk)
            if got > MAX_INFLATED * 4:
                raise Fail("out of memory")
        whole = b"".join(pieces)
        self.held = whole[size:]
        return whole[:size]

    def entry(self) -> Generator[Any, Any, Entry | None]:
        """Return the next member, None at the end."""
        while True:
            head = yield from self.take(BLOCK)
            if not head or head == b"\0" * BLOCK:
                return None
            if len(head) < BLOCK:
                raise Fail("short read")
            if head[257:262] != b"ustar" and _octal(head[148:156]) != sum(head[:148]) + 256 + sum(head[156:]):
                raise Fail("invalid tar magic")
            size = _octal(head[124:136])
            size = int(self.pax.get("size", size))
            if size > MAX_INFLATED:
                raise Fail("out of memory")
            body = yield from self.take(-(-size // BLOCK) * BLOCK)
            if len(body) < size:
                raise Fail("short read")
            kind = head[156:157].decode("latin-1")
            if not self._special(kind, body[:size]):
                return self._entry(head, kind, body[:size])

    def _special(self, kind: str, body: bytes) -> bool:
        """Keep what a GNU or pax header says of the next member."""
        if kind == "L":
            self.long = _text(body)
        elif kind == "K":
            self.long_target = _text(body)
        elif kind in "xg":
            while body:
                length, _, _ = body.partition(b" ")
                if not length.isdigit() or not 0 < int(length) <= len(body):
                    break
                key, _, value = (
                    body[len(length) + 1 : int(length) - 1].decode("utf-8", "surrogateescape").partition("=")
                )
                if kind == "x":
                    self.pax[key] = value
                body = body[int(length) :]
        else:
            return False
        return True

    def _entry(self, head: bytes, kind: str, body: bytes) -> Entry:
        name = _text(head[0:100])
        prefix = _text(head[345:500]) if head[257:263] == b"ustar\0" else ""
        name = self.pax.get("path") or self.long or (f"{prefix}/{name}" if prefix else name)
        target = self.pax.get("linkpath") or self.long_target or _text(head[157:257])
        self.long = self.long_target = ""
        self.pax = {}
        what = "dir" if KINDS.get(kind) == "file" and name.endswith("/") else KINDS.get(kind, kind)
        return Entry(name, what, _octal(head[100:108]) & 0o7777, _octal(head[108:116]), _octal(head[116:124]),
                     _octal(head[136:148]) * 1000, target, body)  # fmt: skip


def header(entry: Entry) -> bytes:
    """Return a member's header block(s), with a GNU long name where it is too long."""
    name = entry.name.encode("utf-8", "surrogateescape")
    target = entry.target.encode("utf-8", "surrogateescape")
    before = b""
    for kind, text in ((b"K", target), (b"L", name)):
        if len(text) > 99:
            before += _header_block(b"././@LongLink", kind, len(text) + 1, Entry("", "", 0)) + text + b"\0"
            before += b"\0" * (-(len(text) + 1) % BLOCK)
    kind = {"dir": b"5", "link": b"2"}.get(entry.kind, b"0")
    return before + _header_block(name[:99], kind, len(entry.data), entry, target[:99])


def _header_block(name: bytes, kind: bytes, size: int, entry: Entry, target: bytes = b"") -> bytes:
    fields = [name.ljust(100, b"\0"), b"%07o\0" % entry.mode, b"%07o\0" % entry.uid, b"%07o\0" % entry.gid, b"%011o\0" % size,
              b"%011o\0" % (entry.mtime // 1000), b" " * 8, kind, target.ljust(100, b"\0"), b"ustar  \0"]  # fmt: skip
    block = b"".join(fields).ljust(BLOCK, b"\0")
    return block[:148] + b"%06o\0 " % sum(block) + block[156:]


def tar(command: Command) -> Steps:
    """Make, list or unpack an archive."""
    if command.args and not command.args[0].startswith("-"):
        command.args = _old_style(command.args)
    words = command.parse(OPTIONS, LONG)
    modes = [letter for letter in "ctx" if command.has(letter)]
    if len(modes) != 1:
        raise Usage
    for letter in "jXT":
        if command.has(letter):
            raise Fail(f"-{letter} is not simulated")
    if command.has("C"):
        directory = str(command.options["C"])
        if not command.fs.exists(directory, command.ctx.cwd):
            raise Fail(f"can't change directory to '{directory}': No such file or directory")
        command.options["base"] = command.fs.resolve(directory, command.ctx.cwd)
    if modes[0] == "c":
        return (yield from _create(command, words))
    return (yield from _extract(command, words, listing=modes[0] == "t"))


def _old_style(args: list[str]) -> list[str]:
    """Turn `xf FILE -C DIR` into getopt's form."""
    letters, rest = args[0], list(args[1:])
    out: list[str] = []
    for letter in letters:
        out.append("-" + letter)
        if letter in "fCXT" and rest:
            out.append(rest.pop(0))
    return out + rest


def _opened(command: Command, mode: str, standard: int) -> Steps:
    """Open the archive that `-f` names; without one, or with `-`, it is the standard stream."""
    path = str(command.options.get("f", "-"))
    if path == "-":
        return standard
    try:
        fd: int = yield Open(path, mode)
    except Errno as error:
        raise Fail(f"can't open '{path}': {error}") from None
    return fd


def _create(command: Command, words: list[str]) -> Steps:
    if not words:
        raise Fail("empty archive")
    base = str(command.options.get("base", command.ctx.cwd))
    fd = yield from _opened(command, "w", 1)
    pieces: list[bytes] = []
    for path in words:
        stored = path.lstrip("/")
        if stored != path:
            yield from command.raw_error("tar: removing leading '/' from member names\n")
        yield from _add(command, base, path, stored or ".", pieces, 0, verbose_to=1 if fd != 1 else 2)
    pieces.append(b"\0" * BLOCK * 2)
    data = b"".join(pieces)
    if command.has("z"):
        data = deflate(data)
    for at in range(0, len(data), 65536):
        yield Write(fd, data[at : at + 65536])
    return 0


def _add(
    command: Command, base: str, path: str, stored: str, pieces: list[bytes], depth: int, verbose_to: int
) -> Generator[Any, Any, None]:
    if any(matches(str(pattern), stored) for pattern in command.options.get("e", [])):
        return
    try:
        node = command.fs.lookup(path, base, follow=command.has("h"))
    except Errno as error:
        yield from command.say(f"{path}: {error}")
        return
    if isinstance(node, Device) or depth > 100:
        return
    entry = _entry_of(node, stored)
    pieces += [header(entry), entry.data, b"\0" * (-len(entry.data) % BLOCK)]
    if sum(map(len, pieces[-3:])) > MAX_INFLATED:
        raise Fail("out of memory")
    if command.has("v"):
        yield Write(verbose_to, (entry.name + "\n").encode("utf-8", "surrogateescape"))
    if isinstance(node, Dir):
        for name in list(node.children):
            yield from _add(
                command,
                base,
                f"{path.rstrip('/')}/{name}",
                f"{stored.rstrip('/')}/{name}",
                pieces,
                depth + 1,
                verbose_to,
            )


def _entry_of(node: Node, stored: str) -> Entry:
    if isinstance(node, Link):
        return Entry(stored, "link", 0o777, 0, 0, node.mtime, node.target)
    if isinstance(node, Dir):
        return Entry(stored.rstrip("/") + "/", "dir", node.mode, node.uid, node.gid, node.mtime)
    owner = (getattr(node, "uid", 0), getattr(node, "gid", 0), getattr(node, "mtime", 0))
    return Entry(stored, "file", node.mode, *owner, "", _content(node))


def _content(node: Node) -> bytes:
    if not isinstance(node, File):
        return b""
    return node.dynamic() if node.dynamic else bytes(node.data)


def _extract(command: Command, words: list[str], *, listing: bool) -> Steps:
    fd = yield from _opened(command, "r", 0)
    archive = Archive(fd, None)
    start = yield from archive.take(2)
    archive.held = start + archive.held
    if start == b"\x1f\x8b":
        data = yield from archive.take(MAX_INFLATED)
        archive = Archive(fd, inflate(data))
    elif not start:
        raise Fail("short read")
    now = yield from command.now()
    while (entry := (yield from archive.entry())) is not None:
        wanted = not words or any(
            entry.name.rstrip("/") == word.rstrip("/") or entry.name.startswith(word.rstrip("/") + "/")
            for word in words
        )
        if not wanted or any(matches(str(pattern), entry.name) for pattern in command.options.get("e", [])):
            continue
        if listing:
            command.out(_long(entry) if command.has("v") else entry.name + "\n")
            continue
        if command.has("v"):
            command.out(entry.name + "\n")
        yield from _unpack(command, entry, now)
    return 0


def _long(entry: Entry) -> str:
    kinds: dict[str, Node] = {"dir": Dir(mode=entry.mode), "link": Link(entry.target)}
    node = kinds.get(entry.kind, File(mode=entry.mode))
    arrow = f" -> {entry.target}" if entry.kind == "link" else ""
    date = strftime("%Y-%m-%d %H:%M:%S", moment(entry.mtime))
    return f"{mode_text(node)} {entry.uid}/{entry.gid} {len(entry.data):9d} {date} {entry.name}{arrow}\n"


def _unpack(command: Command, entry: Entry, now: int) -> Generator[Any, Any, None]:
    base = str(command.options.get("base", command.ctx.cwd))
    parts = [part for part in entry.name.split("/") if part not in ("", ".")][int(str(command.options.get("s", 0))) :]
    if ".." in parts:
        raise Fail(f"'{entry.name}': path contains '..'")
    if command.has("O"):
        command.out(entry.data)
        return
    if not parts:
        return
    name = "/".join(parts)
    time = now if command.has("m") else entry.mtime
    try:
        command.allowed(f"{base.rstrip('/')}/{parts[0]}")
        if len(parts) > 1:
            command.fs.mkdir("/".join(parts[:-1]), base, parents=True, now=now)
        if entry.kind == "dir":
            command.fs.mkdir(name, base, parents=True, now=time)
            command.fs.change(name, base, mode=entry.mode, mtime=time)
        elif entry.kind == "link":
            if _exists(command, name, base):
                command.fs.remove(name, base)
            command.fs.symlink(entry.target, name, base, now=time)
        elif entry.kind == "file":
            file = command.fs.write(name, entry.data, base, mode=entry.mode, now=time)
            file.mode = entry.mode
            file.uid, file.gid = (
                (command.ctx.uid, command.ctx.gid) if command.ctx.uid or command.has("o") else (entry.uid, entry.gid)
            )
        else:
            yield from command.say(f"{entry.name}: this kind of member is not simulated")
    except Errno as error:
        raise Fail(
            f"can't open '{name}': {error}" if entry.kind != "dir" else f"can't make dir {name}: {error}"
        ) from None


def _exists(command: Command, name: str, base: str) -> bool:
    try:
        command.fs.lookup(name, base, follow=False)
    except Errno:
        return False
    return True


APPLETS: dict[str, Any] = table((("tar", tar, "tar c|x|t [-zahvokO] [-f TARFILE] [-C DIR] [FILE]..."),))
