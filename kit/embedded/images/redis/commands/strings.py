"""String commands. Models src/t_string.c and src/bitops.c."""

from __future__ import annotations

from typing import Any

from kit.embedded.images.redis.keyspace import NOT_FLOAT, integer, real
from kit.embedded.images.redis.resp import OK, RedisError, number
from kit.embedded.images.redis.session import Args, Command, Session

SYNTAX = "ERR syntax error"
UNITS = {"EX": (1000, False), "PX": (1, False), "EXAT": (1000, True), "PXAT": (1, True)}


def get(session: Session, args: Args) -> Any:
    """GET key."""
    return session.space.find(args[1], "string")


def due(session: Session, unit: str, text: bytes, name: str) -> int:
    """Return when a key expires that was set with `EX 10`; in ms."""
    factor, absolute = UNITS[unit]
    value = integer(text)
    if value <= 0 or value * factor >= 1 << 62:
        raise RedisError(f"ERR invalid expire time in '{name}' command")
    return value * factor + (0 if absolute else session.engine.now)


def _store(session: Session, key: bytes, value: bytes, expires: int | None, *, keep: bool = False) -> None:
    space = session.space
    space.put(key, "string", value, keep_ttl=keep)
    kept = [[b"SET", key, value, b"KEEPTTL"] if keep else [b"SET", key, value]]
    if expires is not None:
        space.expires[key] = expires
        kept.append([b"PEXPIREAT", key, str(expires).encode()])
    session.kept = kept


def set_(session: Session, args: Args) -> Any:
    """SET key value [NX|XX] [GET] [EX s|PX ms|EXAT|PXAT|KEEPTTL]."""
    key, value, rest = args[1], args[2], [arg.decode("latin-1").upper() for arg in args[3:]]
    when, expires, old, keep = "", None, False, False
    at = 0
    while at < len(rest):
        word = rest[at]
        if word in ("NX", "XX") and when in ("", word):
            when = word
        elif word == "GET":
            old = True
        elif word == "KEEPTTL" and expires is None:
            keep = True
        elif word in UNITS and expires is None and not keep and at + 1 < len(rest):
            at += 1
            expires = due(session, word, args[3 + at], "set")
        else:
            raise RedisError(SYNTAX)
        at += 1
    before = session.space.find(key, "string") if old else None
    there = session.space.entry(key) is not None
    if (when == "NX" and there) or (when == "XX" and not there):
        session.kept = []
        return before
    _store(session, key, value, expires, keep=keep)
    return before if old else OK


def setnx(session: Session, args: Args) -> Any:
    """SETNX key value."""
    if session.space.entry(args[1]) is not None:
        session.kept = []
        return 0
    _store(session, args[1], args[2], None)
    return 1


def _setex(unit: str, name: str) -> Any:
    def run(session: Session, args: Args) -> Any:
        _store(session, args[1], args[3], due(session, unit, args[2], name))
        return OK

    return run


def getset(session: Session, args: Args) -> Any:
    """GETSET key value."""
    before = session.space.find(args[1], "string")
    _store(session, args[1], args[2], None)
    return before


def getdel(session: Session, args: Args) -> Any:
    """GETDEL key."""
    before = session.space.find(args[1], "string")
    session.space.drop(args[1])
    return before


def getex(session: Session, args: Args) -> Any:
    """GETEX key [EX s|PX ms|EXAT|PXAT|PERSIST]."""
    found = session.space.find(args[1], "string")
    words = [arg.decode("latin-1").upper() for arg in args[2:]]
    session.kept = []
    if words == ["PERSIST"]:
        session.space.expires.pop(args[1], None)
        session.kept = [[b"PERSIST", args[1]]]
    elif len(words) == 2 and words[0] in UNITS:
        expires = due(session, words[0], args[3], "getex")
        if found is not None:
            session.space.expires[args[1]] = expires
            session.kept = [[b"PEXPIREAT", args[1], str(expires).encode()]]
    elif words:
        raise RedisError(SYNTAX)
    return found


def mget(session: Session, args: Args) -> Any:
    """MGET key..."""
    entries = [session.space.entry(key) for key in args[1:]]
    return [entry[1] if entry is not None and entry[0] == "string" else None for entry in entries]


def mset(session: Session, args: Args) -> Any:
    """MSET key value..."""
    if len(args) % 2 == 0:
        raise RedisError("ERR wrong number of arguments for 'mset' command")
    for key, value in zip(args[1::2], args[2::2], strict=True):
        session.space.put(key, "string", value)
    return OK


def msetnx(session: Session, args: Args) -> Any:
    """MSETNX key value..."""
    if len(args) % 2 == 0:
        raise RedisError("ERR wrong number of arguments for 'msetnx' command")
    if any(session.space.entry(key) is not None for key in args[1::2]):
        session.kept = []
        return 0
    mset(session, args)
    return 1


def append(session: Session, args: Args) -> Any:
    """APPEND key value."""
    whole = (session.space.find(args[1], "string") or b"") + args[2]
    session.space.put(args[1], "string", whole, keep_ttl=True)
    return len(whole)


def strlen(session: Session, args: Args) -> Any:
    """STRLEN key."""
    return len(session.space.find(args[1], "string") or b"")


def getrange(session: Session, args: Args) -> Any:
    """GETRANGE key start end."""
    text = session.space.find(args[1], "string") or b""
    start, end = bounds(integer(args[2]), integer(args[3]), len(text))
    return text[start : end + 1]


def bounds(start: int, end: int, length: int) -> tuple[int, int]:
    """Return first and last index of a range with negative ends; last < first when it is empty."""
    start = max(0, start + length if start < 0 else start)
    end = end + length if end < 0 else end
    return start, min(end, length - 1)


def setrange(session: Session, args: Args) -> Any:
    """SETRANGE key offset value."""
    offset = integer(args[2])
    if offset < 0:
        raise RedisError("ERR offset is out of range")
    text = session.space.find(args[1], "string") or b""
    if not args[3]:
        return len(text)
    if offset + len(args[3]) > 512 << 20:
        raise RedisError("ERR string exceeds maximum allowed size (proto-max-bulk-len)")
    whole = text.ljust(offset, b"\0")[:offset] + args[3] + text[offset + len(args[3]) :]
    session.space.put(args[1], "string", whole, keep_ttl=True)
    return len(whole)


def _step(session: Session, key: bytes, by: int) -> int:
    value = integer(session.space.find(key, "string") or b"0") + by
    if not -(1 << 63) <= value < 1 << 63:
        raise RedisError("ERR increment or decrement would overflow")
    session.space.put(key, "string", str(value).encode(), keep_ttl=True)
    return value


def incrbyfloat(session: Session, args: Args) -> Any:
    """INCRBYFLOAT key by."""
    value = real(session.space.find(args[1], "string") or b"0") + real(args[2], NOT_FLOAT)
    if value in (float("inf"), float("-inf")):
        raise RedisError("ERR increment would produce NaN or Infinity")
    text = number(value).encode()
    session.space.put(args[1], "string", text, keep_ttl=True)
    session.kept = [[b"SET", args[1], text, b"KEEPTTL"]]
    return text


def _decrby(session: Session, args: Args) -> Any:
    by = integer(args[2])
    if by == -(1 << 63):
        raise RedisError("ERR decrement would overflow")
    return _step(session, args[1], -by)


def setbit(session: Session, args: Args) -> Any:
    """SETBIT key offset 0|1."""
    offset = integer(args[2], "ERR bit offset is not an integer or out of range")
    if not 0 <= offset < 1 << 32:
        raise RedisError("ERR bit offset is not an integer or out of range")
    if args[3] not in (b"0", b"1"):
        raise RedisError("ERR bit is not an integer or out of range")
    data = bytearray((session.space.find(args[1], "string") or b"").ljust(offset // 8 + 1, b"\0"))
    mask = 0x80 >> offset % 8
    before = int(bool(data[offset // 8] & mask))
    data[offset // 8] = data[offset // 8] | mask if args[3] == b"1" else data[offset // 8] & ~mask
    session.space.put(args[1], "string", bytes(data), keep_ttl=True)
    return before


def getbit(session: Session, args: Args) -> Any:
    """GETBIT key offset."""
    offset = integer(args[2], "ERR bit offset is not an integer or out of range")
    if not 0 <= offset < 1 << 32:
        raise RedisError("ERR bit offset is not an integer or out of range")
    data = session.space.find(args[1], "string") or b""
    return int(bool(offset // 8 < len(data) and data[offset // 8] & 0x80 >> offset % 8))


def bitcount(session: Session, args: Args) -> Any:
    """BITCOUNT key [start end]."""
    data = session.space.find(args[1], "string") or b""
    if len(args) not in (2, 4):
        raise RedisError(SYNTAX)
    start, end = bounds(integer(args[2]), integer(args[3]), len(data)) if len(args) == 4 else (0, len(data) - 1)
    return sum(byte.bit_count() for byte in data[start : end + 1])


COMMANDS = {
    "get": Command(get, 2),
    "set": Command(set_, -3, True),
    "setnx": Command(setnx, 3, True),
    "setex": Command(_setex("EX", "setex"), 4, True),
    "psetex": Command(_setex("PX", "psetex"), 4, True),
    "getset": Command(getset, 3, True),
    "getdel": Command(getdel, 2, True),
    "getex": Command(getex, -2, True),
    "mget": Command(mget, -2),
    "mset": Command(mset, -3, True),
    "msetnx": Command(msetnx, -3, True),
    "append": Command(append, 3, True),
    "strlen": Command(strlen, 2),
    "getrange": Command(getrange, 4),
    "substr": Command(getrange, 4),
    "setrange": Command(setrange, 4, True),
    "incr": Command(lambda session, args: _step(session, args[1], 1), 2, True),
    "decr": Command(lambda session, args: _step(session, args[1], -1), 2, True),
    "incrby": Command(lambda session, args: _step(session, args[1], integer(args[2])), 3, True),
    "decrby": Command(_decrby, 3, True),
    "incrbyfloat": Command(incrbyfloat, 3, True),
    "setbit": Command(setbit, 4, True),
    "getbit": Command(getbit, 3),
    "bitcount": Command(bitcount, -2),
}
