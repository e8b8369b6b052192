"""RESP, the protocol of redis, both ways; pure. Models src/networking.c and src/resp_parser.c."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

MAX_BULK = 512 << 20
MAX_INLINE = 64 << 10


class ProtocolError(Exception):
    """What the server says before it closes the connection; "" closes it without a word."""


class RedisError(Exception):
    """An error reply, its code first: `ERR no such key`."""


@dataclass(frozen=True, slots=True)
class Simple:
    """A simple string."""

    text: str


@dataclass(frozen=True, slots=True)
class Push:
    """An out-of-band message (a list in RESP2)."""

    items: tuple[Any, ...]


OK = Simple("OK")


def parse(data: bytearray) -> list[bytes] | None:
    """Take one command off the front of `data`; None when it is not complete; [] for an empty line. ProtocolError."""
    if not data:
        return None
    return _array(data) if data[:1] == b"*" else _inline(data)


def _array(data: bytearray) -> list[bytes] | None:
    end = data.find(b"\r\n")
    if end < 0:
        if len(data) > MAX_INLINE:
            raise ProtocolError("too big mbulk count string")
        return None
    count = _number(bytes(data[1:end]))
    if count is None or count > 1 << 20:
        raise ProtocolError("invalid multibulk length")
    at, args = end + 2, []
    for _ in range(max(0, count)):
        end = data.find(b"\r\n", at)
        if end < 0:
            return None
        if data[at : at + 1] != b"$":
            raise ProtocolError(f"expected '$', got '{chr(data[at])}'")
        size = _number(bytes(data[at + 1 : end]))
        if size is None or not 0 <= size <= MAX_BULK:
            raise ProtocolError("invalid bulk length")
        if len(data) < end + 4 + size:
            return None
        args.append(bytes(data[end + 2 : end + 2 + size]))
        at = end + 4 + size
    del data[:at]
    return args


def _number(text: bytes) -> int | None:
    digits = text[1:] if text[:1] == b"-" else text
    return int(text) if digits.isdigit() and len(digits) < 20 else None


def _inline(data: bytearray) -> list[bytes] | None:
    end = data.find(b"\n")
    if end < 0:
        if len(data) > MAX_INLINE:
            raise ProtocolError("too big inline request")
        return None
    line = bytes(data[:end]).rstrip(b"\r")
    del data[: end + 1]
    words = split(line)
    if words is None:
        raise ProtocolError("unbalanced quotes in request")
    return words


ESCAPES = {"n": 10, "r": 13, "t": 9, "b": 8, "a": 7}


def split(line: bytes) -> list[bytes] | None:
    """Split a line into words with quotes, None when they are unbalanced. Models sdssplitargs."""
    words: list[bytes] = []
    at = 0
    while True:
        while at < len(line) and line[at : at + 1].isspace():
            at += 1
        if at >= len(line):
            return words
        word = bytearray()
        while at < len(line) and not line[at : at + 1].isspace():
            if line[at] in b"\"'":
                done = _quoted(line, at, word)
                if done is None:
                    return None
                at = done
                if at < len(line) and not line[at : at + 1].isspace():
                    return None
            else:
                word.append(line[at])
                at += 1
        words.append(bytes(word))


def _quoted(line: bytes, at: int, word: bytearray) -> int | None:
    quote = line[at]
    at += 1
    while at < len(line):
        if line[at] == 92 and at + 1 < len(line) and (quote == 34 or line[at + 1] == 39):
            digits = line[at + 2 : at + 4]
            if (
                quote == 34
                and line[at + 1] == 120
                and len(digits) == 2
                and not set(digits) - set(b"0123456789abcdefABCDEF")
            ):
                word.append(int(digits, 16))
                at += 4
                continue
            word.append(ESCAPES.get(chr(line[at + 1]), line[at + 1]))
            at += 2
        elif line[at] == quote:
            return at + 1
        else:
            word.append(line[at])
            at += 1
    return None


def encode(value: Any, proto: int = 2) -> bytes:
    """Return a reply as bytes: str and bytes bulk, int, float, None, list, dict (a map), set, `Simple`, `RedisError`, `Push`."""
    if isinstance(value, Simple):
        return b"+" + value.text.encode() + b"\r\n"
    if isinstance(value, RedisError):
        text = str(value).replace("\r", " ").replace("\n", " ")
        return b"-" + text.encode("utf-8", "surrogateescape") + b"\r\n"
    if value is None:
        return b"_\r\n" if proto == 3 else b"$-1\r\n"
    if isinstance(value, int):
        return b":%d\r\n" % value
    if isinstance(value, float):
        text = number(value)
        return f",{text}\r\n".encode() if proto == 3 else b"$%d\r\n%s\r\n" % (len(text), text.encode())
    if isinstance(value, str):
        value = value.encode("utf-8", "surrogateescape")
    if isinstance(value, bytes | bytearray):
        return b"$%d\r\n%s\r\n" % (len(value), value)
    return _aggregate(value, proto)


def _aggregate(value: Any, proto: int) -> bytes:
    if isinstance(value, dict):
        head = b"%%%d\r\n" % len(value) if proto == 3 else b"*%d\r\n" % (2 * len(value))
        return head + b"".join(encode(part, proto) for pair in value.items() for part in pair)
    if isinstance(value, Push):
        head, items = (b">" if proto == 3 else b"*"), list(value.items)
    else:
        head, items = (b"~" if proto == 3 and isinstance(value, set | frozenset) else b"*"), list(value)
    return head + b"%d\r\n" % len(items) + b"".join(encode(item, proto) for item in items)


def number(value: float) -> str:
    """Return a float as redis writes it: 3, 3.5, 1e+22, inf."""
    if value in (float("inf"), float("-inf")):
        return "inf" if value > 0 else "-inf"
    return (
        str(int(value))
        if value == int(value) and abs(value) < 1e17
        else f"{value:.17g}"
        if float(f"{value:.15g}") != value
        else f"{value:.15g}"
    )


def command(args: list[bytes]) -> bytes:
    """Return a command as a client sends it."""
    return b"*%d\r\n" % len(args) + b"".join(b"$%d\r\n%s\r\n" % (len(arg), arg) for arg in args)


class Replies:
    """Reads replies out of what a server sent."""

    def __init__(self) -> None:
        self.data = bytearray()

    def take(self) -> tuple[bool, Any]:
        """Return (True, reply) and drop it, or (False, None) when it is not complete."""
        found = _reply(self.data, 0)
        if found is None:
            return False, None
        value, end = found
        del self.data[:end]
        return True, value


def _reply(data: bytearray, at: int) -> tuple[Any, int] | None:
    end = data.find(b"\r\n", at)
    if end < 0:
        return None
    mark, text = bytes(data[at : at + 1]), bytes(data[at + 1 : end])
    at = end + 2
    if mark in (b"+", b"-", b":", b",", b"_", b"#"):
        return _scalar(mark, text), at
    size = int(text or b"0")
    if mark in (b"$", b"="):
        if size < 0:
            return None if len(data) < at else (None, at)
        return (bytes(data[at : at + size]), at + size + 2) if len(data) >= at + size + 2 else None
    if size < 0:
        return None, at
    items = []
    for _ in range(size * (2 if mark == b"%" else 1)):
        found = _reply(data, at)
        if found is None:
            return None
        items.append(found[0])
        at = found[1]
    return items, at


def _scalar(mark: bytes, text: bytes) -> Any:
    shown = text.decode("utf-8", "surrogateescape")
    if mark == b"-":
        return RedisError(shown)
    if mark == b":":
        return int(shown)
    return {b"_": None}.get(mark, Simple(shown))
