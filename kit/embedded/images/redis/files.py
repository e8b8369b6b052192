"""What redis keeps in its folder. The snapshot holds, after redis' mark, the commands that make the data.

The real server does not read it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kit.embedded.images.redis.resp import command, number, parse
from kit.embedded.images.redis.session import Args, Engine, Session

HEADER = b"REDIS0012\n"


def snapshot(config: Mapping[str, str]) -> str:
    """Return the path of the snapshot."""
    return f"{config['dir'].rstrip('/')}/{config['dbfilename']}"


def append_file(config: Mapping[str, str]) -> str:
    """Return the path of the append-only file."""
    return f"{config['dir'].rstrip('/')}/{config['appenddirname']}/{config['appendfilename']}.1.incr.aof"


def manifest(config: Mapping[str, str]) -> tuple[str, bytes]:
    """Return path and content of the list of append-only files."""
    name = config["appendfilename"]
    return (
        f"{config['dir'].rstrip('/')}/{config['appenddirname']}/{name}.manifest",
        f"file {name}.1.incr.aof seq 1 type i\n".encode(),
    )


def dumped(engine: Engine) -> bytes:
    """Return all data as the commands that make it."""
    return b"".join(command(args) for args in _commands(engine))


def _commands(engine: Engine) -> Iterator[Args]:
    for index in engine.used_databases:
        yield [b"SELECT", str(index).encode()]
        space = engine.space(index)
        for key in space.keys():  # noqa: SIM118 -- a method of Keyspace
            kind, content = space.values[key]
            yield _making(key, kind, content)
            if key in space.expires:
                yield [b"PEXPIREAT", key, str(space.expires[key]).encode()]


def _making(key: bytes, kind: str, content: object) -> Args:
    if kind == "string" and isinstance(content, bytes):
        return [b"SET", key, content]
    if isinstance(content, list):
        return [b"RPUSH", key, *content]
    if not isinstance(content, dict):
        raise TypeError(kind)
    if kind == "hash":
        return [b"HSET", key, *(part for pair in content.items() for part in pair)]
    if kind == "set":
        return [b"SADD", key, *content]
    return [b"ZADD", key, *(part for member, score in content.items() for part in (number(score).encode(), member))]


def replay(engine: Engine, data: bytes) -> int:
    """Run the commands of a file; a torn end is ignored, as redis does. Return how many there were."""
    rest = bytearray(data.removeprefix(HEADER))
    session = Session(engine, 0, authenticated=True)
    count = 0
    while rest[:1] == b"*" and (args := parse(rest)):
        session.handle(args)
        count += args[0].upper() not in (b"SELECT", b"PEXPIREAT")
    engine.log.clear()
    engine.dirty = 0
    return count
