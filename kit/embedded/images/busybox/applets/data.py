"""Applets on bytes: dd, od, hexdump, md5sum and its kin, base64, cmp, diff (refused)."""

from __future__ import annotations

import hashlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Generator
from typing import Any

from kit.embedded.core.program import Allocate, Errno, Open, Read, Write
from kit.embedded.images.busybox.applets.command import Command, Fail, Steps, Usage, table
from kit.embedded.images.busybox.words import natural

UNITS = {
    "c": 1,
    "w": 2,
    "b": 512,
    "k": 1024,
    "K": 1024,
    "kB": 1000,
    "M": 1 << 20,
    "MB": 10**6,
    "G": 1 << 30,
    "GB": 10**9,
}
MAX_BLOCK = 64 << 20
PIECE = 1 << 20  # what one step reads or writes at most
CONTROL = {0: "\\0", 7: "\\a", 8: "\\b", 9: "\\t", 10: "\\n", 11: "\\v", 12: "\\f", 13: "\\r"}


def size_of(text: str) -> int:
    """Return a size with its suffix; `Fail` when it is none."""
    digits = "".join(char for char in text if char.isdigit())
    unit = text[len(digits) :]
    if not text.startswith(digits) or not digits or (unit and unit not in UNITS) or len(digits) > 12:
        raise Fail(f"invalid number '{text}'")
    return int(digits) * UNITS.get(unit, 1)


def dd(command: Command) -> Steps:
    """Copy blocks."""
    options: dict[str, str] = {}
    for word in command.args:
        name, equals, value = word.partition("=")
        if not equals or name not in (
            "if",
            "of",
            "bs",
            "ibs",
            "obs",
            "count",
            "skip",
            "seek",
            "conv",
            "status",
            "iflag",
            "oflag",
        ):
            raise Usage
        options[name] = value
    block = size_of(options.get("bs", options.get("ibs", "512")))
    if not 0 < block <= MAX_BLOCK:
        raise Fail("out of memory" if block else "invalid number '0'")
    count = size_of(options["count"]) if "count" in options else None
    if block > 1 << 20:
        yield Allocate(block)
    source, target = yield from _open_both(command, options)
    for _ in range(size_of(options.get("skip", "0"))):
        yield from _block(source, block)
    full = partial = full_out = partial_out = 0
    status = 0
    while count is None or full + partial < count:
        data = yield from _block(source, block)
        if not data:
            break
        full, partial = (full + 1, partial) if len(data) == block else (full, partial + 1)
        try:
            for at in range(0, len(data), PIECE):
                yield Write(target, data[at : at + PIECE])
        except Errno as error:
            if error.name == "EPIPE":
                raise
            yield from command.say(f"error writing '{options.get('of', 'standard output')}': {error}")
            status = 1
            break
        full_out, partial_out = (full_out + 1, partial_out) if len(data) == block else (full_out, partial_out + 1)
    for fd in (source, target):
        yield from command.close(fd)
    if options.get("status") != "none":
        yield from command.raw_error(f"{full}+{partial} records in\n{full_out}+{partial_out} records out\n")
    return status


def _open_both(command: Command, options: dict[str, str]) -> Generator[Any, Any, tuple[int, int]]:
    if int(size_of(options.get("seek", "0"))):
        raise Fail("seek= is not simulated")
    source, target = 0, 1
    try:
        if "if" in options:
            source = yield Open(options["if"], "r")
        if "of" in options:
            target = yield Open(options["of"], "rw" if "notrunc" in options.get("conv", "") else "w")
    except Errno as error:
        raise Fail(f"can't open '{error.path or options.get('of', options.get('if', ''))}': {error}") from None
    return source, target


def _block(fd: int, size: int) -> Generator[Any, Any, bytes]:
    """Read one block; from a pipe it may be short, as with the real one."""
    pieces: list[bytes] = []
    got = 0
    while got < size:
        chunk = yield Read(fd, min(size - got, PIECE))
        if not chunk:
            break
        pieces.append(chunk)
        got += len(chunk)
        if len(chunk) < min(size, 65536):
            break
    return b"".join(pieces)


# --- showing bytes ---


def hexdump(command: Command) -> Steps:
    """Show bytes as hexadecimal numbers."""
    words = command.parse("bcdoxCvn:s:e:f:")
    if any(command.has(letter) for letter in "bdoxef"):
        raise Fail("only -C, -c, -n and -s are simulated")
    data = yield from _joined(command, words)
    skip = size_of(str(command.options.get("s", "0")))
    data = data[skip : skip + size_of(str(command.options["n"]))] if command.has("n") else data[skip:]
    canonical = command.has("C") or command.name == "hd"
    last = b""
    starred = False
    for at in range(0, len(data), 16):
        row = data[at : at + 16]
        if row == last and not command.has("v"):
            command.out("" if starred else "*\n")
            starred = True
            continue
        last, starred = row, False
        command.out(_canonical(at + skip, row) if canonical else _words(at + skip, row))
        if command.full():
            yield from command.flush()
    if data:
        command.out(f"{len(data) + skip:0{8 if canonical else 7}x}\n")
    return 0


def _canonical(at: int, row: bytes) -> str:
    left = " ".join(f"{byte:02x}" for byte in row[:8])
    right = " ".join(f"{byte:02x}" for byte in row[8:])
    text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
    return f"{at:08x}  {left:<23}  {right:<23}  |{text}|\n"


def _words(at: int, row: bytes) -> str:
    padded = row + b"\0" * (len(row) % 2)
    return f"{at:07x} " + " ".join(f"{padded[i] | padded[i + 1] << 8:04x}" for i in range(0, len(padded), 2)) + "\n"


def od(command: Command) -> Steps:
    """Show bytes as octal numbers, or as -t and -c say."""
    words = command.parse("abcdoxvt:A:N:j:")
    base = str(command.options.get("A", "o"))
    shape = str(
        command.options.get(
            "t", "c" if command.has("c") else "x2" if command.has("x") else "o1" if command.has("b") else "o2"
        )
    )
    makers: dict[str, tuple[int, Callable[[int], str]]] = {
        "c": (1, lambda value: f"{CONTROL.get(value) or (chr(value) if 32 <= value < 127 else f'{value:03o}'):>3}"),
        "x1": (1, lambda value: f"{value:02x}"),
        "o1": (1, lambda value: f"{value:03o}"),
        "u1": (1, lambda value: f"{value:3d}"),
        "d1": (1, lambda value: f"{value - 256 if value > 127 else value:4d}"),
        "x2": (2, lambda value: f"{value:04x}"),
        "o2": (2, lambda value: f"{value:06o}"),
        "x4": (4, lambda value: f"{value:08x}"),
    }
    shape = {"x": "x4", "o": "o2"}.get(shape, shape)
    if shape not in makers or base not in "odxn":
        raise Fail(f"format -t {shape} -A {base} is not simulated")
    width, make = makers[shape]
    data = yield from _joined(command, words)
    data = data[: size_of(str(command.options["N"]))] if command.has("N") else data
    addresses: dict[str, Callable[[int], str]] = {
        "o": lambda at: f"{at:07o}",
        "d": lambda at: f"{at:07d}",
        "x": lambda at: f"{at:06x}",
        "n": lambda at: "",
    }
    for at in range(0, len(data), 16):
        row = data[at : at + 16].ljust(-(-len(data[at : at + 16]) // width) * width, b"\0")
        values = [make(int.from_bytes(row[i : i + width], "little")) for i in range(0, len(row), width)]
        command.out(f"{addresses[base](at)} {' '.join(values)}\n")
    command.out(addresses[base](len(data)) + "\n" if base != "n" else "")
    return 0


def _joined(command: Command, words: list[str]) -> Generator[Any, Any, bytes]:
    found: list[bytes] = []
    for path in words or ["-"]:
        data = yield from command.whole(path)
        found.append(data or b"")
    return b"".join(found)


# --- sums ---

SUMS: dict[str, Callable[[], Any]] = {
    "md5sum": lambda: hashlib.md5(usedforsecurity=False),
    "sha1sum": lambda: hashlib.sha1(usedforsecurity=False),
    "sha256sum": hashlib.sha256,
    "sha512sum": hashlib.sha512,
}


def checksum(command: Command) -> Steps:
    """Print (or with -c check) the sums of files."""
    words = command.parse("bcstw")
    if command.has("c"):
        return (yield from _check_sums(command, words))
    for path in words or ["-"]:
        digest = SUMS[command.name]()
        if (yield from command.chunks(path, digest.update)):
            command.out(f"{digest.hexdigest()}  {path}\n")
    return 0


def _check_sums(command: Command, words: list[str]) -> Steps:
    failed = 0
    total = 0
    for listing in words or ["-"]:
        data = yield from command.whole(listing)
        for line in (data or b"").decode("utf-8", "surrogateescape").splitlines():
            wanted, _, path = line.partition(" ")
            digest = SUMS[command.name]()
            good = (
                yield from command.chunks(path.lstrip(" *"), digest.update)
            ) and digest.hexdigest() == wanted.lower()
            total += 1
            failed += not good
            if not command.has("s"):
                command.out(f"{path.lstrip(' *')}: {'OK' if good else 'FAILED'}\n")
    if failed and not command.has("s"):
        yield from command.say(f"WARNING: {failed} of {total} computed checksums did NOT match")
    return int(failed > 0)


def base64(command: Command) -> Steps:
    """Encode or decode base64."""
    words = command.parse("dw:", {"decode": "d", "wrap": "w:"})
    data = yield from command.whole(words[0] if words else "-")
    if data is None:
        return 1
    if command.has("d"):
        command.out(_decode(data))
        return 0
    width = natural(str(command.options.get("w", 76)))
    if width is None:
        raise Fail(f"invalid number '{command.options['w']}'")
    text = b64encode(data)
    if not width:
        command.out(text)
    else:
        command.out(b"".join(text[at : at + width] + b"\n" for at in range(0, len(text), width)))
    return 0


def _decode(data: bytes) -> bytes:
    alphabet = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
    kept = bytes(byte for byte in data.split(b"=")[0] if byte in alphabet)
    kept = kept[: len(kept) - (len(kept) % 4 == 1)]
    return b64decode(kept + b"=" * (-len(kept) % 4))


def cmp(command: Command) -> Steps:
    """Compare two files byte by byte."""
    words = command.parse("ls")
    if len(words) != 2:
        raise Usage
    left = yield from command.whole(words[0])
    right = yield from command.whole(words[1])
    if left is None or right is None:
        return 2
    for at, (one, two) in enumerate(zip(left, right, strict=False)):
        if one != two:
            line = left[:at].count(b"\n") + 1
            command.out("" if command.has("s") else f"{words[0]} {words[1]} differ: byte {at + 1}, line {line}\n")
            return 1
    if len(left) != len(right):
        if not command.has("s"):
            yield from command.say(f"EOF on {words[0] if len(left) < len(right) else words[1]}")
        return 1
    return 0


APPLETS: dict[str, Any] = table((
    ("dd", dd, "dd [if=FILE] [of=FILE] [ibs=N obs=N/bs=N] [count=N] [skip=N] [seek=N] [conv=notrunc]"),
    ("hexdump", hexdump, "hexdump [-bcdoxCv] [-e FMT] [-f FMT_FILE] [-n LEN] [-s OFS] [FILE]..."),
    ("hd", hexdump, "hd FILE..."),
    ("od", od, "od [-abcdeFfhiloxsv] [-A BASE] [-j SKIP] [-N LEN] [-t TYPE] [FILE]..."),
    ("md5sum", checksum, "md5sum [-c[sw]] [FILE]..."),
    ("sha1sum", checksum, "sha1sum [-c[sw]] [FILE]..."),
    ("sha256sum", checksum, "sha256sum [-c[sw]] [FILE]..."),
    ("sha512sum", checksum, "sha512sum [-c[sw]] [FILE]..."),
    ("base64", base64, "base64 [-d] [-w COL] [FILE]"),
    ("cmp", cmp, "cmp [-ls] FILE1 FILE2"),
))  # fmt: skip
