"""`gzip`, `gunzip`, `zcat`: deflate through zlib, bounded."""

from __future__ import annotations

import zlib
from typing import Any

from kit.embedded.core.program import Errno
from kit.embedded.images.busybox.applets.command import Command, Fail, Steps, table

MAX_INFLATED = 64 << 20


def deflate(data: bytes) -> bytes:
    """Return the packed data."""
    packer = zlib.compressobj(6, zlib.DEFLATED, 31)
    return packer.compress(data) + packer.flush()


def inflate(data: bytes) -> bytes:
    """Return the inflated data, bounded."""
    out: list[bytes] = []
    size = 0
    while data:
        unpacker = zlib.decompressobj(31)
        try:
            piece = unpacker.decompress(data, MAX_INFLATED - size + 1)
        except zlib.error:
            raise Fail("corrupted data" if out or data[:2] == b"\x1f\x8b" else "invalid magic") from None
        size += len(piece)
        if size > MAX_INFLATED:
            raise Fail("out of memory")
        if not unpacker.eof:
            raise Fail("unexpected end of file")
        out.append(piece)
        data = unpacker.unused_data.lstrip(b"\0")
    return b"".join(out)


def gzip(command: Command) -> Steps:
    """Pack or unpack files."""
    words = command.parse("cdfk123456789tqv", {"stdout": "c", "decompress": "d", "force": "f", "keep": "k"})
    unpack = command.has("d") or command.name in ("gunzip", "zcat")
    to_stdout = command.has("c") or command.name == "zcat"
    now = yield from command.now()
    for path in words or ["-"]:
        data = yield from command.whole(path)
        if data is None:
            continue
        result = inflate(data) if unpack else deflate(data)
        if path == "-" or to_stdout:
            command.out(result)
            continue
        if unpack and not path.endswith((".gz", ".tgz")):
            yield from command.say(f"{path}: unknown suffix - ignored")
            continue
        target = (
            (path.removesuffix(".gz") if path.endswith(".gz") else path.removesuffix(".tgz") + ".tar")
            if unpack
            else path + ".gz"
        )
        try:
            command.allowed(target)
            command.fs.write(target, result, command.ctx.cwd, now=now)
            if not command.has("k"):
                command.fs.remove(path, command.ctx.cwd, now=now)
        except Errno as error:
            yield from command.say(f"can't create '{target}': {error}")
    return 0


APPLETS: dict[str, Any] = table((
    ("gzip", gzip, "gzip [-cfkdt123456789] [FILE]..."),
    ("gunzip", gzip, "gunzip [-cfkt] [FILE]..."),
    ("zcat", gzip, "zcat [FILE]..."),
))  # fmt: skip
