"""Commands on keys of any type. Models src/db.c, src/expire.c, src/object.c."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from kit.embedded.images.busybox.pattern import matches
from kit.embedded.images.redis.keyspace import DATABASES, integer
from kit.embedded.images.redis.resp import OK, RedisError, Simple
from kit.embedded.images.redis.session import Args, Command, Session

SYNTAX = "ERR syntax error"


def glob(pattern: bytes, keys: list[bytes]) -> list[bytes]:
    """Return the keys that match a pattern of `*`, `?`, `[...]`."""
    if pattern == b"*":
        return keys
    text = pattern.decode("latin-1")
    return [key for key in keys if matches(text, key.decode("latin-1"))]


def delete(session: Session, args: Args) -> Any:
    """DEL key..."""
    space = session.space
    return sum(space.entry(key) is not None and space.drop(key) for key in args[1:])


def exists(session: Session, args: Args) -> Any:
    """EXISTS key..."""
    return sum(session.space.entry(key) is not None for key in args[1:])


def type_(session: Session, args: Args) -> Any:
    """TYPE key."""
    entry = session.space.entry(args[1])
    return Simple(entry[0] if entry else "none")


def _expire(factor: int, absolute: bool, name: str) -> Any:
    def run(session: Session, args: Args) -> Any:
        value = integer(args[2])
        flags = {arg.decode("latin-1").upper() for arg in args[3:]}
        if wrong := sorted(flags - {"NX", "XX", "GT", "LT"}):
            raise RedisError(f"ERR Unsupported option {wrong[0]}")
        if "NX" in flags and len(flags) > 1:
            raise RedisError("ERR NX and XX, GT or LT options at the same time are not compatible")
        if {"GT", "LT"} <= flags:
            raise RedisError("ERR GT and LT options at the same time are not compatible")
        if abs(value) * factor >= 1 << 62:
            raise RedisError(f"ERR invalid expire time in '{name}' command")
        when = value * factor + (0 if absolute else session.engine.now)
        space, key = session.space, args[1]
        session.kept = []
        if space.entry(key) is None or not _wanted(flags, space.expires.get(key), when):
            return 0
        if when <= session.engine.now:
            space.drop(key)
            session.kept = [[b"DEL", key]]
        else:
            space.expires[key] = when
            session.kept = [[b"PEXPIREAT", key, str(when).encode()]]
        return 1

    return run


def _wanted(flags: set[str], old: int | None, new: int) -> bool:
    if ("NX" in flags and old is not None) or ("XX" in flags and old is None):
        return False
    if "GT" in flags and (old is None or new <= old):
        return False
    return not ("LT" in flags and old is not None and new >= old)


def _left(factor: int, absolute: bool) -> Any:
    def run(session: Session, args: Args) -> Any:
        if session.space.entry(args[1]) is None:
            return -2
        when = session.space.expires.get(args[1])
        if when is None:
            return -1
        left = when if absolute else when - session.engine.now
        return left // factor if absolute else (left + factor // 2) // factor

    return run


def persist(session: Session, args: Args) -> Any:
    """PERSIST key."""
    there = session.space.entry(args[1]) is not None
    return int(there and session.space.expires.pop(args[1], None) is not None)


def keys(session: Session, args: Args) -> Any:
    """KEYS pattern."""
    return glob(args[1], session.space.keys())


def scan(session: Session, args: Args) -> Any:
    """SCAN cursor [MATCH pattern] [COUNT n] [TYPE t]; all in one go, as redis does it for a handful of keys."""
    if not args[1].isdigit():
        raise RedisError("ERR invalid cursor")
    found = session.space.keys()
    rest = args[2:]
    if len(rest) % 2:
        raise RedisError(SYNTAX)
    for option, value in zip(rest[::2], rest[1::2], strict=True):
        word = option.upper()
        if word == b"MATCH":
            found = glob(value, found)
        elif word == b"TYPE":
            found = [key for key in found if session.space.values[key][0].encode() == value.lower()]
        elif word != b"COUNT" or integer(value) < 1:
            raise RedisError(SYNTAX)
    return [b"0", found if args[1] == b"0" else []]


def randomkey(session: Session, args: Args) -> Any:
    """RANDOMKEY: the machine has no chance of its own, so the draw comes from the number of commands so far."""
    found = session.space.keys()
    return found[session.engine.commands % len(found)] if found else None


def rename(session: Session, args: Args) -> Any:
    """RENAME key new."""
    space = session.space
    entry = space.entry(args[1])
    if entry is None:
        raise RedisError("ERR no such key")
    expires = space.expires.get(args[1])
    space.drop(args[1])
    space.put(args[2], entry[0], entry[1])
    if expires is not None:
        space.expires[args[2]] = expires
    return OK


def renamenx(session: Session, args: Args) -> Any:
    """RENAMENX key new."""
    if session.space.entry(args[1]) is None:
        raise RedisError("ERR no such key")
    if session.space.entry(args[2]) is not None:
        return 0
    rename(session, args)
    return 1


def copy(session: Session, args: Args) -> Any:
    """COPY source target [DB n] [REPLACE]."""
    rest = [arg.upper() for arg in args[3:]]
    target = session.space
    if rest[:1] == [b"DB"] and len(rest) > 1:
        index = integer(rest[1])
        if not 0 <= index < DATABASES:
            raise RedisError("ERR DB index is out of range")
        target, rest = session.engine.space(index), rest[2:]
    if rest not in ([], [b"REPLACE"]):
        raise RedisError(SYNTAX)
    entry = session.space.entry(args[1])
    if entry is None or (target.entry(args[2]) is not None and not rest):
        return 0
    target.put(args[2], entry[0], deepcopy(entry[1]))
    return 1


def object_(session: Session, args: Args) -> Any:
    """OBJECT ENCODING|REFCOUNT|IDLETIME|FREQ key."""
    what = args[1].decode("latin-1").lower()
    if what not in ("encoding", "refcount", "idletime", "freq"):
        raise RedisError(f"ERR unknown subcommand '{args[1].decode('latin-1')}'. Try OBJECT HELP.")
    if len(args) != 3:
        raise RedisError(f"ERR wrong number of arguments for 'object|{what}' command")
    entry = session.space.entry(args[2])
    if entry is None:
        return None
    if what == "freq":
        raise RedisError("ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching "
                         "between policies at runtime LRU and LFU data will take some time to adjust.")  # fmt: skip
    return _encoding(entry) if what == "encoding" else 1 if what == "refcount" else 0


def _encoding(entry: list[Any]) -> str:
    kind, content = entry
    if kind == "string":
        try:
            integer(content)
        except RedisError:
            return "embstr" if len(content) <= 44 else "raw"
        return "int"
    large = len(content) > 128 or any(len(item) > 64 for item in content)
    if kind == "set" and all(item.isdigit() for item in content):
        return "intset" if len(content) <= 512 else "hashtable"
    return (
        {"list": "quicklist", "hash": "hashtable", "set": "hashtable", "zset": "skiplist"}[kind]
        if large
        else "listpack"
    )


def flush(every: bool) -> Any:
    """Return FLUSHDB or FLUSHALL."""

    def run(session: Session, args: Args) -> Any:
        if [arg.upper() for arg in args[1:]] not in ([], [b"SYNC"], [b"ASYNC"]):
            raise RedisError(SYNTAX)
        for index in session.engine.used_databases if every else [session.db]:
            session.engine.space(index).clear()
        return OK

    return run


COMMANDS = {
    "del": Command(delete, -2, True),
    "unlink": Command(delete, -2, True),
    "exists": Command(exists, -2),
    "touch": Command(exists, -2),
    "type": Command(type_, 2),
    "expire": Command(_expire(1000, False, "expire"), -3, True),
    "pexpire": Command(_expire(1, False, "pexpire"), -3, True),
    "expireat": Command(_expire(1000, True, "expireat"), -3, True),
    "pexpireat": Command(_expire(1, True, "pexpireat"), -3, True),
    "ttl": Command(_left(1000, False), 2),
    "pttl": Command(_left(1, False), 2),
    "expiretime": Command(_left(1000, True), 2),
    "pexpiretime": Command(_left(1, True), 2),
    "persist": Command(persist, 2, True),
    "keys": Command(keys, 2),
    "scan": Command(scan, -2),
    "randomkey": Command(randomkey, 1),
    "rename": Command(rename, 3, True),
    "renamenx": Command(renamenx, 3, True),
    "copy": Command(copy, -3, True),
    "object": Command(object_, -2),
    "dbsize": Command(lambda session, args: len(session.space.keys()), 1),
    "flushdb": Command(flush(False), -1, True),
    "flushall": Command(flush(True), -1, True),
}
