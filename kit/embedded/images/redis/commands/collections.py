"""Hashes, sets and sorted sets. Models src/t_hash.c, src/t_set.c, src/t_zset.c."""

from __future__ import annotations

from typing import Any

from kit.embedded.images.redis.commands.strings import bounds
from kit.embedded.images.redis.keyspace import integer, real
from kit.embedded.images.redis.resp import OK, RedisError, number
from kit.embedded.images.redis.session import Args, Command, Session

SYNTAX = "ERR syntax error"


# --- hashes ----------------------------------------------------------------------------------------------------------------


def _hash(session: Session, key: bytes) -> dict[bytes, bytes]:
    return session.space.find(key, "hash") or {}


def _hset(name: str, plain: bool) -> Any:
    def run(session: Session, args: Args) -> Any:
        if len(args) % 2:
            raise RedisError(f"ERR wrong number of arguments for '{name}' command")
        fields = session.space.make(args[1], "hash")
        before = len(fields)
        fields.update(zip(args[2::2], args[3::2], strict=True))
        session.space.touch(args[1])
        return OK if plain else len(fields) - before

    return run


def hsetnx(session: Session, args: Args) -> Any:
    """HSETNX key field value."""
    if args[2] in _hash(session, args[1]):
        return 0
    session.space.make(args[1], "hash")[args[2]] = args[3]
    session.space.touch(args[1])
    return 1


def hdel(session: Session, args: Args) -> Any:
    """HDEL key field..."""
    fields = _hash(session, args[1])
    gone = [fields.pop(field, None) is not None for field in args[2:]]
    session.space.touch(args[1])
    return sum(gone)


def hincrby(session: Session, args: Args) -> Any:
    """HINCRBY key field by."""
    by = integer(args[3])
    old = integer(_hash(session, args[1]).get(args[2], b"0"), "ERR hash value is not an integer")
    if not -(1 << 63) <= old + by < 1 << 63:
        raise RedisError("ERR increment or decrement would overflow")
    session.space.make(args[1], "hash")[args[2]] = str(old + by).encode()
    session.space.touch(args[1])
    return old + by


def hincrbyfloat(session: Session, args: Args) -> Any:
    """HINCRBYFLOAT key field by."""
    value = real(_hash(session, args[1]).get(args[2], b"0"), "ERR hash value is not a float") + real(args[3])
    text = number(value).encode()
    session.space.make(args[1], "hash")[args[2]] = text
    session.space.touch(args[1])
    return text


HASHES = {
    "hset": Command(_hset("hset", False), -4, True),
    "hmset": Command(_hset("hmset", True), -4, True),
    "hsetnx": Command(hsetnx, 4, True),
    "hget": Command(lambda session, args: _hash(session, args[1]).get(args[2]), 3),
    "hmget": Command(lambda session, args: [_hash(session, args[1]).get(field) for field in args[2:]], -3),
    "hgetall": Command(lambda session, args: dict(_hash(session, args[1])), 2),
    "hdel": Command(hdel, -3, True),
    "hexists": Command(lambda session, args: int(args[2] in _hash(session, args[1])), 3),
    "hlen": Command(lambda session, args: len(_hash(session, args[1])), 2),
    "hkeys": Command(lambda session, args: list(_hash(session, args[1])), 2),
    "hvals": Command(lambda session, args: list(_hash(session, args[1]).values()), 2),
    "hstrlen": Command(lambda session, args: len(_hash(session, args[1]).get(args[2], b"")), 3),
    "hincrby": Command(hincrby, 4, True),
    "hincrbyfloat": Command(hincrbyfloat, 4, True),
}


# --- sets ------------------------------------------------------------------------------------------------------------------


def _set(session: Session, key: bytes) -> dict[bytes, None]:
    return session.space.find(key, "set") or {}


def sadd(session: Session, args: Args) -> Any:
    """SADD key member..."""
    members = session.space.make(args[1], "set")
    before = len(members)
    members.update(dict.fromkeys(args[2:]))
    session.space.touch(args[1])
    return len(members) - before


def srem(session: Session, args: Args) -> Any:
    """SREM key member..."""
    members = _set(session, args[1])
    before = len(members)
    for member in args[2:]:
        members.pop(member, None)
    session.space.touch(args[1])
    return before - len(members)


def _members(members: dict[bytes, None]) -> list[bytes]:
    """Return members in the order redis shows a small set: numbers by size (an intset), others as they came."""
    return sorted(members, key=int) if all(member.isdigit() for member in members) else list(members)


def _drawn(take: bool) -> Any:
    def run(session: Session, args: Args) -> Any:
        count = integer(args[2]) if len(args) > 2 else None
        if count is not None and count < 0 and take:
            raise RedisError("ERR value is out of range, must be positive")
        members = _members(_set(session, args[1]))
        first = session.engine.commands % len(members) if members else 0
        drawn = (members[first:] + members[:first])[: 1 if count is None else abs(count)]
        if take and drawn:
            srem(session, [b"SREM", args[1], *drawn])
            session.kept = [[b"SREM", args[1], *drawn]]
        return drawn if count is not None else drawn[0] if drawn else None

    return run


def _combined(kind: str) -> Any:
    def run(session: Session, args: Args) -> Any:
        first, *others = [_set(session, key) for key in args[1:]]
        if kind == "union":
            return _members(dict.fromkeys(member for one in (first, *others) for member in one))
        wanted = len(others) if kind == "inter" else 0
        found = {member: sum(member in one for one in others) for member in first}
        return _members(dict.fromkeys(member for member, count in found.items() if count == wanted))

    return run


SETS = {
    "sadd": Command(sadd, -3, True),
    "srem": Command(srem, -3, True),
    "smembers": Command(lambda session, args: frozen(_members(_set(session, args[1])), session), 2),
    "sismember": Command(lambda session, args: int(args[2] in _set(session, args[1])), 3),
    "smismember": Command(lambda session, args: [int(member in _set(session, args[1])) for member in args[2:]], -3),
    "scard": Command(lambda session, args: len(_set(session, args[1])), 2),
    "spop": Command(_drawn(True), -2, True),
    "srandmember": Command(_drawn(False), -2),
    "sunion": Command(_combined("union"), -2),
    "sinter": Command(_combined("inter"), -2),
    "sdiff": Command(_combined("diff"), -2),
}


def frozen(members: list[bytes], session: Session) -> Any:
    """Return members as a set for RESP3 and in their order for RESP2."""
    return frozenset(members) if session.proto == 3 else members


# --- sorted sets -----------------------------------------------------------------------------------------------------------


def _zset(session: Session, key: bytes) -> dict[bytes, float]:
    return session.space.find(key, "zset") or {}


def _ordered(scores: dict[bytes, float]) -> list[bytes]:
    return sorted(scores, key=lambda member: (scores[member], member))


def zadd(session: Session, args: Args) -> Any:
    """ZADD key [NX|XX] [GT|LT] [CH] [INCR] score member..."""
    at, flags = 2, set()
    while at < len(args) and args[at].upper() in (b"NX", b"XX", b"GT", b"LT", b"CH", b"INCR"):
        flags.add(args[at].upper().decode())
        at += 1
    pairs = args[at:]
    if not pairs or len(pairs) % 2:
        raise RedisError(SYNTAX)
    if {"NX", "XX"} <= flags:
        raise RedisError("ERR XX and NX options at the same time are not compatible")
    if len(flags & {"GT", "LT", "NX"}) > 1:
        raise RedisError("ERR GT, LT, and/or NX options at the same time are not compatible")
    if "INCR" in flags and len(pairs) > 2:
        raise RedisError("ERR INCR option supports a single increment-element pair")
    wanted = [(real(score), member) for score, member in zip(pairs[::2], pairs[1::2], strict=True)]
    scores = session.space.make(args[1], "zset")
    added, changed, last = 0, 0, None
    for given, member in wanted:
        old = scores.get(member)
        new = given + (old or 0.0) if "INCR" in flags else given
        if (old is None and "XX" in flags) or (old is not None and (
                "NX" in flags or ("GT" in flags and new <= old) or ("LT" in flags and new >= old))):  # fmt: skip
            continue
        added += old is None
        changed += old is not None and old != new
        scores[member] = last = new
    session.space.touch(args[1])
    if "INCR" in flags:
        return last
    return added + changed if "CH" in flags else added


def zincrby(session: Session, args: Args) -> Any:
    """ZINCRBY key by member."""
    by = real(args[2])
    scores = session.space.make(args[1], "zset")
    scores[args[3]] = scores.get(args[3], 0.0) + by
    session.space.touch(args[1])
    return scores[args[3]]


def zrem(session: Session, args: Args) -> Any:
    """ZREM key member..."""
    scores = _zset(session, args[1])
    gone = sum(scores.pop(member, None) is not None for member in args[2:])
    session.space.touch(args[1])
    return gone


def _limit(text: bytes) -> tuple[float, bool]:
    open_ = text[:1] == b"("
    return real(text[1:] if open_ else text, "ERR min or max is not a float"), open_


def _within(scores: dict[bytes, float], low: bytes, high: bytes) -> list[bytes]:
    (least, above), (most, below) = _limit(low), _limit(high)
    return [
        member
        for member in _ordered(scores)
        if (scores[member] > least if above else scores[member] >= least)
        and (scores[member] < most if below else scores[member] <= most)
    ]


def _shown(scores: dict[bytes, float], members: list[bytes], with_scores: bool, proto: int) -> list[Any]:
    if not with_scores:
        return list(members)
    if proto == 3:
        return [[member, scores[member]] for member in members]
    return [part for member in members for part in (member, scores[member])]


def _zrange(reverse: bool, by_score: bool) -> Any:
    def run(session: Session, args: Args) -> Any:
        words = [arg.upper() for arg in args[4:]]
        backwards, by, with_scores, at = reverse, by_score, False, 0
        start, count = 0, -1
        while at < len(words):
            if words[at] == b"WITHSCORES":
                with_scores = True
            elif words[at] == b"REV" and not reverse and not by_score:
                backwards = True
            elif words[at] == b"BYSCORE" and not reverse:
                by = True
            elif words[at] == b"LIMIT" and at + 2 < len(words):
                start, count = integer(words[at + 1]), integer(words[at + 2])
                at += 2
            else:
                raise RedisError(SYNTAX)
            at += 1
        scores = _zset(session, args[1])
        if by:
            low, high = (args[3], args[2]) if backwards else (args[2], args[3])
            members = _within(scores, low, high)
            members = members[::-1] if backwards else members
            members = members[start:] if count < 0 else members[start : start + count]
        else:
            ordered = _ordered(scores)[::-1] if backwards else _ordered(scores)
            first, last = bounds(integer(args[2]), integer(args[3]), len(ordered))
            members = ordered[first : last + 1]
        return _shown(scores, members, with_scores, session.proto)

    return run


def _rank(reverse: bool) -> Any:
    def run(session: Session, args: Args) -> Any:
        ordered = _ordered(_zset(session, args[1]))
        if args[2] not in ordered:
            return None
        index = ordered.index(args[2])
        return len(ordered) - 1 - index if reverse else index

    return run


ZSETS = {
    "zadd": Command(zadd, -4, True),
    "zincrby": Command(zincrby, 4, True),
    "zrem": Command(zrem, -3, True),
    "zscore": Command(lambda session, args: _zset(session, args[1]).get(args[2]), 3),
    "zcard": Command(lambda session, args: len(_zset(session, args[1])), 2),
    "zcount": Command(lambda session, args: len(_within(_zset(session, args[1]), args[2], args[3])), 4),
    "zrange": Command(_zrange(False, False), -4),
    "zrevrange": Command(_zrange(True, False), -4),
    "zrangebyscore": Command(_zrange(False, True), -4),
    "zrevrangebyscore": Command(_zrange(True, True), -4),
    "zrank": Command(_rank(False), 3),
    "zrevrank": Command(_rank(True), 3),
}
COMMANDS = {**HASHES, **SETS, **ZSETS}
