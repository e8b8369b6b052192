"""Commands about the connection, transactions and publish/subscribe. Models src/networking.c, src/multi.c, src/pubsub.c, src/acl.c."""

from __future__ import annotations

from typing import Any

from kit.embedded.images.redis.commands.keys import glob
from kit.embedded.images.redis.keyspace import DATABASES, integer
from kit.embedded.images.redis.resp import OK, Push, RedisError, Simple, encode
from kit.embedded.images.redis.session import NOTHING, Args, Command, Session

WRONGPASS = "WRONGPASS invalid username-password pair or user is disabled."
MODULES = [{"name": "vectorset", "ver": 1, "path": "", "args": []}]


def ping(session: Session, args: Args) -> Any:
    """PING [message]."""
    if len(args) > 2:
        raise RedisError("ERR wrong number of arguments for 'ping' command")
    if (session.channels or session.patterns) and session.proto == 2:
        return [b"pong", args[1] if len(args) == 2 else b""]
    return args[1] if len(args) == 2 else Simple("PONG")


def auth(session: Session, args: Args) -> Any:
    """AUTH [user] password."""
    if len(args) > 3:
        raise RedisError("ERR syntax error")
    password = session.engine.config["requirepass"]
    if len(args) == 2 and not password:
        raise RedisError("ERR AUTH <password> called without any password configured for the default user. "
                         "Are you sure your configuration is correct?")  # fmt: skip
    _login(session, args[1] if len(args) == 3 else b"default", args[-1])
    return OK


def _login(session: Session, user: bytes, given: bytes) -> None:
    password = session.engine.config["requirepass"]
    if user != b"default" or (password and given != password.encode("utf-8", "surrogateescape")):
        raise RedisError(WRONGPASS)
    session.authenticated = True


def hello(session: Session, args: Args) -> Any:
    """HELLO [protover [AUTH user password] [SETNAME name]]."""
    proto = session.proto
    if len(args) > 1:
        proto = integer(args[1], "ERR Protocol version is not an integer or out of range")
        if proto not in (2, 3):
            raise RedisError("NOPROTO unsupported protocol version")
    at, name = 2, None
    while at < len(args):
        word = args[at].upper()
        if word == b"AUTH" and at + 2 < len(args):
            _login(session, args[at + 1], args[at + 2])
            at += 3
        elif word == b"SETNAME" and at + 1 < len(args):
            name = args[at + 1]
            at += 2
        else:
            raise RedisError(f"ERR Syntax error in HELLO option '{args[at].decode('latin-1')}'")
    if session.engine.config["requirepass"] and not session.authenticated:
        raise RedisError("NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> "
                         "<pass> option can be used to authenticate the client and select the "
                         "RESP protocol version at the same time")  # fmt: skip
    session.proto = proto
    session.name = session.name if name is None else name.decode("latin-1")
    return {"server": "redis", "version": session.engine.version, "proto": proto, "id": session.number, "mode": "standalone",
            "role": "master", "modules": MODULES}  # fmt: skip


def select(session: Session, args: Args) -> Any:
    """SELECT index."""
    index = integer(args[1])
    if not 0 <= index < DATABASES:
        raise RedisError("ERR DB index is out of range")
    session.db = index
    return OK


def quit_(session: Session, args: Args) -> Any:
    """QUIT."""
    session.closing = True
    return OK


def reset(session: Session, args: Args) -> Any:
    """RESET."""
    session.reset()
    session.channels.clear()
    session.patterns.clear()
    session.db, session.proto, session.name = 0, 2, ""
    session.authenticated = False
    return Simple("RESET")


# --- clients ---------------------------------------------------------------------------------------------------------------

CLIENT_ARITY = {"setname": 3, "getname": 2, "id": 2, "list": -2, "info": 2, "setinfo": 4, "kill": -3, "reply": 3, "no-evict": 3,
                "no-touch": 3, "unpause": 2}  # fmt: skip


def client(session: Session, args: Args) -> Any:
    """CLIENT SETNAME|GETNAME|ID|LIST|INFO|SETINFO|KILL|NO-EVICT|NO-TOUCH."""
    what = subcommand(args, "client", CLIENT_ARITY)
    if what == "setname":
        name = args[2].decode("latin-1")
        if any(not "!" <= char <= "~" for char in name):
            raise RedisError("ERR Client names cannot contain spaces, newlines or special characters.")
        session.name = name
    elif what == "getname":
        return session.name.encode() or None
    elif what == "id":
        return session.number
    elif what in ("list", "info"):
        shown = session.engine.sessions if what == "list" else [session]
        return "".join(_described(one) + "\n" for one in shown)
    elif what == "kill":
        return _kill(session, args)
    elif what == "reply":
        raise RedisError("ERR CLIENT REPLY is not simulated by the embedded cluster")
    return OK


def subcommand(args: Args, command: str, arities: dict[str, int]) -> str:
    """Return the subcommand's name in lower case after a look at its arity. RedisError."""
    what = args[1].decode("latin-1").lower()
    arity = arities.get(what)
    if arity is None:
        raise RedisError(f"ERR unknown subcommand '{args[1].decode('latin-1')}'. Try {command.upper()} HELP.")
    if len(args) != arity if arity > 0 else len(args) < -arity:
        raise RedisError(f"ERR wrong number of arguments for '{command}|{what}' command")
    return what


def _described(one: Session) -> str:
    age = max(0, one.engine.now - one.born) // 1000
    queued = len(one.queue) if one.queue is not None else -1
    return (f"id={one.number} addr={one.address} laddr={one.engine.facts.get('address', '')} fd={one.number + 7} name={one.name} age={age} "
            f"idle=0 flags=N db={one.db} sub={len(one.channels)} psub={len(one.patterns)} ssub=0 multi={queued} "
            f"watch={len(one.watched)} user=default resp={one.proto}")  # fmt: skip


def _kill(session: Session, args: Args) -> Any:
    old = len(args) == 3
    wanted = args[2] if old else args[3] if len(args) == 4 else b""
    field = "addr" if old else args[2].decode("latin-1").lower()
    if field not in ("addr", "id"):
        raise RedisError("ERR syntax error")
    found = [
        one
        for one in session.engine.sessions
        if (one.address if field == "addr" else str(one.number)).encode() == wanted
    ]
    for one in found:
        one.closing = True
    if old and not found:
        raise RedisError("ERR No such client")
    return OK if old else len(found)


# --- transactions ----------------------------------------------------------------------------------------------------------


def multi(session: Session, args: Args) -> Any:
    """MULTI."""
    if session.queue is not None:
        raise RedisError("ERR MULTI calls can not be nested")
    session.queue, session.spoiled = [], False
    return OK


def exec_(session: Session, args: Args) -> Any:
    """EXEC."""
    if session.queue is None:
        raise RedisError("ERR EXEC without MULTI")
    queue, spoiled, watched = session.queue, session.spoiled, dict(session.watched)
    session.reset()
    if spoiled:
        raise RedisError("EXECABORT Transaction discarded because of previous errors.")
    for (index, key), version in watched.items():
        space = session.engine.space(index)
        space.entry(key)
        if space.versions.get(key, 0) != version:
            return [] if session.proto == 3 else _nil_array(session)
    table = session.engine.table
    return [session.run(table[one[0].decode("latin-1").lower()], one) for one in queue]


def _nil_array(session: Session) -> Any:
    """Reply with the null array of RESP2."""
    session.outbox += b"*-1\r\n"
    return NOTHING


def discard(session: Session, args: Args) -> Any:
    """DISCARD."""
    if session.queue is None:
        raise RedisError("ERR DISCARD without MULTI")
    session.reset()
    return OK


def watch(session: Session, args: Args) -> Any:
    """WATCH key..."""
    if session.queue is not None:
        raise RedisError("ERR WATCH inside MULTI is not allowed")
    for key in args[1:]:
        session.space.entry(key)
        session.watched[(session.db, key)] = session.space.versions.get(key, 0)
    return OK


def unwatch(session: Session, args: Args) -> Any:
    """UNWATCH."""
    session.watched.clear()
    return OK


# --- publish/subscribe -----------------------------------------------------------------------------------------------------


def _subscribe(kind: str) -> Any:
    def run(session: Session, args: Args) -> Any:
        held = session.patterns if kind == "psubscribe" else session.channels
        for channel in args[1:]:
            held[channel] = None
            count = len(session.channels) + len(session.patterns)
            session.outbox += encode(Push((kind, channel, count)), session.proto)
        return NOTHING

    return run


def _unsubscribe(kind: str) -> Any:
    def run(session: Session, args: Args) -> Any:
        held = session.patterns if kind == "punsubscribe" else session.channels
        named: list[bytes | None] = [*(args[1:] or held)]
        for channel in named or [None]:
            if channel is not None:
                held.pop(channel, None)
            count = len(session.channels) + len(session.patterns)
            session.outbox += encode(Push((kind, channel, count)), session.proto)
        return NOTHING

    return run


def publish(session: Session, args: Args) -> Any:
    """PUBLISH channel message."""
    count = 0
    for one in session.engine.sessions:
        if args[1] in one.channels:
            one.outbox += encode(Push((b"message", args[1], args[2])), one.proto)
            count += 1
        for pattern in one.patterns:
            if glob(pattern, [args[1]]):
                one.outbox += encode(Push((b"pmessage", pattern, args[1], args[2])), one.proto)
                count += 1
    return count


def pubsub(session: Session, args: Args) -> Any:
    """PUBSUB CHANNELS|NUMSUB|NUMPAT."""
    what = subcommand(args, "pubsub", {"channels": -2, "numsub": -2, "numpat": 2})
    everyone = session.engine.sessions
    if what == "numpat":
        return len({pattern for one in everyone for pattern in one.patterns})
    if what == "numsub":
        return [part for name in args[2:] for part in (name, sum(name in one.channels for one in everyone))]
    names = list(dict.fromkeys(name for one in everyone for name in one.channels))
    return glob(args[2], names) if len(args) > 2 else names


COMMANDS = {
    "ping": Command(ping, -1),
    "echo": Command(lambda session, args: args[1], 2),
    "auth": Command(auth, -2),
    "hello": Command(hello, -1),
    "select": Command(select, 2),
    "quit": Command(quit_, -1, queued=False),
    "reset": Command(reset, 1, queued=False),
    "client": Command(client, -2),
    "multi": Command(multi, 1, queued=False),
    "exec": Command(exec_, 1, queued=False),
    "discard": Command(discard, 1, queued=False),
    "watch": Command(watch, -2, queued=False),
    "unwatch": Command(unwatch, 1),
    "subscribe": Command(_subscribe("subscribe"), -2),
    "psubscribe": Command(_subscribe("psubscribe"), -2),
    "unsubscribe": Command(_unsubscribe("unsubscribe"), -1),
    "punsubscribe": Command(_unsubscribe("punsubscribe"), -1),
    "publish": Command(publish, 3),
    "pubsub": Command(pubsub, -2),
}
