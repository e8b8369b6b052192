"""List commands. Models src/t_list.c."""

from __future__ import annotations

from typing import Any

from kit.embedded.images.redis.commands.strings import bounds
from kit.embedded.images.redis.keyspace import integer
from kit.embedded.images.redis.resp import OK, RedisError
from kit.embedded.images.redis.session import Args, Command, Session


def _push(left: bool, only_existing: bool) -> Any:
    def run(session: Session, args: Args) -> Any:
        space = session.space
        if only_existing and space.find(args[1], "list") is None:
            return 0
        items = space.make(args[1], "list")
        if left:
            items[:0] = reversed(args[2:])
        else:
            items.extend(args[2:])
        space.touch(args[1])
        return len(items)

    return run


def _pop(left: bool) -> Any:
    def run(session: Session, args: Args) -> Any:
        count = integer(args[2]) if len(args) == 3 else None
        if (count is not None and count < 0) or len(args) > 3:
            raise RedisError("ERR value is out of range, must be positive")
        items = session.space.find(args[1], "list")
        if items is None:
            return None
        taken = [items.pop(0 if left else -1) for _ in range(min(1 if count is None else count, len(items)))]
        session.space.touch(args[1])
        return taken if count is not None else taken[0]

    return run


def lrange(session: Session, args: Args) -> Any:
    """LRANGE key start stop."""
    items = session.space.find(args[1], "list") or []
    start, end = bounds(integer(args[2]), integer(args[3]), len(items))
    return items[start : end + 1]


def llen(session: Session, args: Args) -> Any:
    """LLEN key."""
    return len(session.space.find(args[1], "list") or [])


def lindex(session: Session, args: Args) -> Any:
    """LINDEX key index."""
    items, index = session.space.find(args[1], "list") or [], integer(args[2])
    return items[index] if -len(items) <= index < len(items) else None


def lset(session: Session, args: Args) -> Any:
    """LSET key index value."""
    items = session.space.find(args[1], "list")
    if items is None:
        raise RedisError("ERR no such key")
    index = integer(args[2])
    if not -len(items) <= index < len(items):
        raise RedisError("ERR index out of range")
    items[index] = args[3]
    session.space.touch(args[1])
    return OK


def lrem(session: Session, args: Args) -> Any:
    """LREM key count value."""
    count, items = integer(args[2]), session.space.find(args[1], "list")
    if items is None:
        return 0
    order = range(len(items)) if count >= 0 else range(len(items) - 1, -1, -1)
    gone = [index for index in order if items[index] == args[3]][: abs(count) or None]
    for index in sorted(gone, reverse=True):
        del items[index]
    session.space.touch(args[1])
    return len(gone)


def ltrim(session: Session, args: Args) -> Any:
    """LTRIM key start stop."""
    start, stop, items = integer(args[2]), integer(args[3]), session.space.find(args[1], "list")
    if items is not None:
        first, last = bounds(start, stop, len(items))
        items[:] = items[first : last + 1]
        session.space.touch(args[1])
    return OK


def linsert(session: Session, args: Args) -> Any:
    """LINSERT key BEFORE|AFTER pivot value."""
    where = args[2].upper()
    if where not in (b"BEFORE", b"AFTER"):
        raise RedisError("ERR syntax error")
    items = session.space.find(args[1], "list")
    if items is None:
        return 0
    if args[3] not in items:
        return -1
    items.insert(items.index(args[3]) + (where == b"AFTER"), args[4])
    session.space.touch(args[1])
    return len(items)


def _move(session: Session, source: bytes, target: bytes, left: bool, to_left: bool) -> Any:
    items = session.space.find(source, "list")
    if items is None:
        return None
    session.space.find(target, "list")
    item = items.pop(0 if left else -1)
    goal = session.space.make(target, "list")
    goal.insert(0 if to_left else len(goal), item)
    session.space.touch(source)
    session.space.touch(target)
    return item


def lmove(session: Session, args: Args) -> Any:
    """LMOVE source target LEFT|RIGHT LEFT|RIGHT."""
    ways = [arg.upper() for arg in args[3:]]
    if any(way not in (b"LEFT", b"RIGHT") for way in ways):
        raise RedisError("ERR syntax error")
    return _move(session, args[1], args[2], ways[0] == b"LEFT", ways[1] == b"LEFT")


def sort(session: Session, args: Args) -> Any:
    """SORT key [ALPHA] [ASC|DESC] [LIMIT offset count]."""
    entry = session.space.entry(args[1])
    items = list(entry[1]) if entry is not None else []
    words, at = [arg.upper() for arg in args[2:]], 0
    alpha = reverse = False
    start, count = 0, -1
    while at < len(words):
        if words[at] == b"LIMIT" and at + 2 < len(words):
            start, count = integer(words[at + 1]), integer(words[at + 2])
            at += 2
        elif words[at] == b"ALPHA":
            alpha = True
        elif words[at] in (b"ASC", b"DESC"):
            reverse = words[at] == b"DESC"
        else:
            raise RedisError("ERR syntax error")
        at += 1
    try:
        items.sort(key=None if alpha else float, reverse=reverse)
    except ValueError:
        raise RedisError("ERR One or more scores can't be converted into double") from None
    return items[start:] if count < 0 else items[start : start + count]


COMMANDS = {
    "lpush": Command(_push(True, False), -3, True),
    "rpush": Command(_push(False, False), -3, True),
    "lpushx": Command(_push(True, True), -3, True),
    "rpushx": Command(_push(False, True), -3, True),
    "lpop": Command(_pop(True), -2, True),
    "rpop": Command(_pop(False), -2, True),
    "lrange": Command(lrange, 4),
    "llen": Command(llen, 2),
    "lindex": Command(lindex, 3),
    "lset": Command(lset, 4, True),
    "lrem": Command(lrem, 4, True),
    "ltrim": Command(ltrim, 4, True),
    "linsert": Command(linsert, 5, True),
    "lmove": Command(lmove, 5, True),
    "rpoplpush": Command(lambda session, args: _move(session, args[1], args[2], False, True), 3, True),
    "sort": Command(sort, -2),
}
