"""Commands about the server. Models src/config.c, src/server.c (INFO), src/replication.c, src/rdb.c, src/acl.c."""

from __future__ import annotations

from hashlib import sha1, sha256
from typing import Any

from kit.embedded.images.redis.commands.connection import MODULES, subcommand
from kit.embedded.images.redis.commands.keys import glob
from kit.embedded.images.redis.keyspace import integer
from kit.embedded.images.redis.resp import OK, RedisError, Simple
from kit.embedded.images.redis.session import NOTHING, Args, Command, Engine, Session

COMMAND_COUNT = 265  # what the real server says
CONFIG = {
    "maxmemory": "0", "maxmemory-policy": "noeviction", "save": "3600 1 300 100 60 10000", "appendonly": "no", "appendfsync": "everysec",
    "appendfilename": "appendonly.aof", "appenddirname": "appendonlydir", "requirepass": "", "masterauth": "", "port": "6379",
    "bind": "* -::*", "dir": "/data", "dbfilename": "dump.rdb", "databases": "16", "timeout": "0", "tcp-keepalive": "300",
    "maxclients": "10000", "protected-mode": "no", "loglevel": "notice", "logfile": "", "daemonize": "no", "hz": "10",
    "slowlog-log-slower-than": "10000", "slowlog-max-len": "128", "notify-keyspace-events": "", "lazyfree-lazy-eviction": "no",
    "replica-read-only": "yes", "repl-backlog-size": "1048576", "tcp-backlog": "511", "io-threads": "1", "supervised": "no",
}  # fmt: skip
FIXED = frozenset(
    ("databases", "daemonize", "logfile", "supervised", "io-threads", "tcp-backlog", "appendfilename", "appenddirname")
)
MEMORY = frozenset(("maxmemory", "repl-backlog-size"))
NUMBERS = frozenset(
    ("timeout", "tcp-keepalive", "maxclients", "hz", "slowlog-log-slower-than", "slowlog-max-len", "port")
)
CHOICES = {"appendonly": ("yes", "no"), "protected-mode": ("yes", "no"), "replica-read-only": ("yes", "no"),
           "appendfsync": ("everysec", "always", "no"), "loglevel": ("debug", "verbose", "notice", "warning", "nothing"),
           "maxmemory-policy": ("volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl", "allkeys-lru", "allkeys-lfu",
                                "allkeys-random", "noeviction")}  # fmt: skip
DOCTOR = (
    "Hi Sam, this instance is empty or is using very little memory, my issue detector can't be used in these conditions. "
    "Please, leave for your mission on Earth and fill it with some data. The new Sam and I will be back to our programming as "
    "soon as I finished rebooting."
)
UNITS = {"": 1, "b": 1, "k": 1000, "kb": 1024, "m": 10**6, "mb": 1 << 20, "g": 10**9, "gb": 1 << 30}


def setting(name: str, value: str) -> str:
    """Return a setting's value as it is kept. ValueError with redis' reason."""
    if name in MEMORY:
        digits = value.lower().rstrip("bkmg")
        unit = value.lower()[len(digits) :]
        if not digits.isdecimal() or unit not in UNITS:
            raise ValueError("argument must be a memory value")
        return str(int(digits) * UNITS[unit])
    if name in NUMBERS and not value.removeprefix("-").isdecimal():
        raise ValueError("argument couldn't be parsed into an integer")
    if name in CHOICES and value.lower() not in CHOICES[name]:
        choices = CHOICES[name]
        if choices == ("yes", "no"):
            raise ValueError("argument must be 'yes' or 'no'")
        raise ValueError(f"argument(s) must be one of the following: {', '.join(choices)}")
    return value.lower() if name in CHOICES else value


def config(session: Session, args: Args) -> Any:
    """CONFIG GET|SET|RESETSTAT|REWRITE."""
    what = subcommand(args, "config", {"get": -3, "set": -4, "resetstat": 2, "rewrite": 2})
    known = session.engine.config
    if what == "get":
        patterns = [arg.lower() for arg in args[2:]]
        return {name: value for name, value in known.items() if any(glob(one, [name.encode()]) for one in patterns)}
    if what == "rewrite":
        raise RedisError("ERR The server is running without a config file")
    if what == "set":
        _config_set(session.engine, args)
    return OK


def _config_set(engine: Engine, args: Args) -> None:
    pairs = args[2:]
    if len(pairs) % 2:
        raise RedisError("ERR wrong number of arguments for 'config|set' command")
    wanted = {}
    for key, value in zip(pairs[::2], pairs[1::2], strict=True):
        name = key.decode("latin-1").lower()
        if name not in engine.config:
            raise RedisError(f"ERR Unknown option or number of arguments for CONFIG SET - '{key.decode('latin-1')}'")
        failed = f"ERR CONFIG SET failed (possibly related to argument '{name}') - "
        if name in FIXED:
            raise RedisError(failed + "can't set immutable config")
        try:
            wanted[name] = setting(name, value.decode("utf-8", "surrogateescape"))
        except ValueError as error:
            raise RedisError(failed + str(error)) from None
    if "port" in wanted and wanted["port"] != engine.config["port"]:
        raise RedisError(
            "ERR CONFIG SET failed (possibly related to argument 'port') - the embedded cluster does not simulate a changed port"
        )
    engine.config.update(wanted)
    if "appendonly" in wanted:
        engine.ask = "appendonly"


# --- INFO ------------------------------------------------------------------------------------------------------------------


def info(session: Session, args: Args) -> Any:
    """INFO [section...]."""
    engine = session.engine
    wanted = [arg.decode("latin-1").lower() for arg in args[1:]] or ["default"]
    every = {"all", "everything", "default"} & set(wanted)
    shown = [f"# {name}\r\n" + "".join(f"{key}:{value}\r\n" for key, value in section(engine).items())
             for name, section in SECTIONS.items() if every or name.lower() in wanted]  # fmt: skip
    return "\r\n".join(shown)


def _server(engine: Engine) -> dict[str, Any]:
    up = (engine.now - engine.started) // 1000
    return {"redis_version": engine.version, "redis_git_sha1": "00000000", "redis_git_dirty": 0, "redis_mode": "standalone",
            "os": "Linux 6.18.44 x86_64", "arch_bits": 64, "process_id": engine.facts.get("pid", 1), "run_id": replid(engine),
            "tcp_port": engine.config["port"], "uptime_in_seconds": up, "uptime_in_days": up // 86400, "hz": engine.config["hz"],
            "executable": "/data/redis-server", "config_file": ""}  # fmt: skip


def _clients(engine: Engine) -> dict[str, Any]:
    return {"connected_clients": len(engine.sessions), "maxclients": engine.config["maxclients"], "blocked_clients": 0,
            "pubsub_clients": sum(bool(one.channels or one.patterns) for one in engine.sessions)}  # fmt: skip


def _memory(engine: Engine) -> dict[str, Any]:
    used = 1_000_000 + sum(len(key) + 64 for index in engine.used_databases for key in engine.space(index).values)
    return {"used_memory": used, "used_memory_human": f"{used / 1024 / 1024:.2f}M", "maxmemory": engine.config["maxmemory"],
            "maxmemory_policy": engine.config["maxmemory-policy"]}  # fmt: skip


def _persistence(engine: Engine) -> dict[str, Any]:
    return {"loading": 0, "rdb_changes_since_last_save": engine.dirty, "rdb_bgsave_in_progress": 0,
            "rdb_last_save_time": engine.last_save // 1000, "rdb_last_bgsave_status": "ok",
            "aof_enabled": int(engine.config["appendonly"] == "yes"), "aof_last_write_status": "ok"}  # fmt: skip


def _stats(engine: Engine) -> dict[str, Any]:
    return {
        "total_connections_received": engine.connections,
        "total_commands_processed": engine.commands,
        "rejected_connections": 0,
    }


def _replication(engine: Engine) -> dict[str, Any]:
    return {"role": "master", "connected_slaves": 0, "master_failover_state": "no-failover", "master_replid": replid(engine),
            "master_replid2": "0" * 40, "master_repl_offset": 0, "second_repl_offset": -1, "repl_backlog_active": 0,
            "repl_backlog_size": engine.config["repl-backlog-size"], "repl_backlog_first_byte_offset": 0,
            "repl_backlog_histlen": 0}  # fmt: skip


def _keyspace(engine: Engine) -> dict[str, Any]:
    return {f"db{index}": f"keys={len(engine.space(index).keys())},expires={len(engine.space(index).expires)},avg_ttl=0,subexpiry=0"
            for index in engine.used_databases}  # fmt: skip


SECTIONS = {"Server": _server, "Clients": _clients, "Memory": _memory, "Persistence": _persistence, "Stats": _stats,
            "Replication": _replication, "Keyspace": _keyspace}  # fmt: skip


def replid(engine: Engine) -> str:
    """Return the 40 hex digits that name this run of the server."""
    return sha1(f"{engine.facts.get('hostname')}:{engine.started}".encode(), usedforsecurity=False).hexdigest()


# --- the rest --------------------------------------------------------------------------------------------------------------


def replicaof(session: Session, args: Args) -> Any:
    """REPLICAOF NO ONE; any other master is refused."""
    if [arg.upper() for arg in args[1:]] == [b"NO", b"ONE"]:
        return OK
    integer(args[2], "ERR Invalid master port")
    raise RedisError(unsimulated("replicaof with a master"))


def unsimulated(what: str) -> str:
    """Return the error of a command that redis has and this server does not."""
    return f"ERR {what} is not simulated by the embedded cluster (a kind cluster runs the real redis)"


def wait(session: Session, args: Args) -> Any:
    """WAIT replicas ms: there are no replicas to wait for."""
    integer(args[1])
    if integer(args[2], "ERR timeout is not an integer or out of range") < 0:
        raise RedisError("ERR timeout is negative")
    return 0


def time(session: Session, args: Args) -> Any:
    """TIME."""
    now = session.engine.now
    return [str(now // 1000), str(now % 1000 * 1000)]


def save(session: Session, args: Args) -> Any:
    """SAVE."""
    session.engine.ask = "save"
    return OK


def bgsave(session: Session, args: Args) -> Any:
    """BGSAVE [SCHEDULE]."""
    if [arg.upper() for arg in args[1:]] not in ([], [b"SCHEDULE"]):
        raise RedisError("ERR syntax error")
    session.engine.ask = "save"
    return Simple("Background saving started")


def bgrewriteaof(session: Session, args: Args) -> Any:
    """BGREWRITEAOF."""
    if session.engine.config["appendonly"] == "yes":
        session.engine.ask = "appendonly"
    return Simple("Background append only file rewriting started")


def shutdown(session: Session, args: Args) -> Any:
    """SHUTDOWN [NOSAVE|SAVE] [NOW] [FORCE]."""
    words = {arg.upper() for arg in args[1:]}
    if words - {b"NOSAVE", b"SAVE", b"NOW", b"FORCE"} or {b"NOSAVE", b"SAVE"} <= words:
        raise RedisError("ERR syntax error")
    session.engine.ask = (
        "shutdown-nosave" if b"NOSAVE" in words else "shutdown-save" if b"SAVE" in words else "shutdown"
    )
    return NOTHING


def command(session: Session, args: Args) -> Any:
    """COMMAND [COUNT|LIST|DOCS|INFO]."""
    if len(args) == 1:
        return []
    what = subcommand(args, "command", {"count": 2, "list": -2, "docs": -2, "info": -2, "getkeys": -3})
    return COMMAND_COUNT if what == "count" else sorted(session.engine.table) if what == "list" else []


def memory(session: Session, args: Args) -> Any:
    """MEMORY USAGE key [SAMPLES n]|DOCTOR."""
    what = subcommand(args, "memory", {"usage": -3, "doctor": 2, "purge": 2})
    if what == "doctor":
        return DOCTOR
    if what == "purge":
        return OK
    entry = session.space.entry(args[2])
    return None if entry is None else 56 + len(args[2]) + sum(len(str(part)) for part in entry)


def slowlog(session: Session, args: Args) -> Any:
    """SLOWLOG LEN|GET|RESET: no command of a simulated server is slow."""
    what = subcommand(args, "slowlog", {"len": 2, "get": -2, "reset": 2})
    return {"len": 0, "get": [], "reset": OK}[what]


def latency(session: Session, args: Args) -> Any:
    """LATENCY LATEST|RESET|HISTORY."""
    what = subcommand(args, "latency", {"latest": 2, "reset": -2, "history": 3})
    return 0 if what == "reset" else []


def acl(session: Session, args: Args) -> Any:
    """ACL LIST|WHOAMI|USERS|CAT."""
    what = subcommand(
        args, "acl", {"list": 2, "whoami": 2, "users": 2, "cat": -2, "setuser": -3, "getuser": 3, "deluser": -3}
    )
    password = session.engine.config["requirepass"]
    if what == "list":
        secret = f"#{sha256(password.encode('utf-8', 'surrogateescape')).hexdigest()}" if password else "nopass"
        return [f"user default on {secret} sanitize-payload ~* &* +@all"]
    if what in ("whoami", "users"):
        return "default" if what == "whoami" else ["default"]
    raise RedisError(unsimulated(f"acl {what}"))


def module(session: Session, args: Args) -> Any:
    """MODULE LIST."""
    what = subcommand(args, "module", {"list": 2, "load": -3, "unload": 3})
    if what == "list":
        return MODULES
    raise RedisError("ERR MODULE command not allowed. If the enable-module-command option is set to \"local\", you can run it from "
                     "a local connection, otherwise you need to set this option in the configuration file, "
                     "and then restart the server.")  # fmt: skip


def _refuse(name: str) -> Any:
    def run(session: Session, args: Args) -> Any:
        raise RedisError(unsimulated(f"'{name}'"))

    return run


UNSIMULATED = """
bitfield:-2 bitop:-4 bitpos:-3 blmove:6 blmpop:-5 blpop:-3 brpop:-3 brpoplpush:4 bzpopmax:-3 bzpopmin:-3 cluster:-2
debug:-2 dump:2 eval:-3 evalsha:-3 failover:-1 fcall:-3 function:-2 geoadd:-5 geodist:-4 geohash:-2 geopos:-2
geosearch:-7 hexpire:-6 hscan:-3 hrandfield:-2 lcs:-3 lmpop:-4 lpos:-3 migrate:-6 monitor:1 move:3 pfadd:-2 pfcount:-2
pfmerge:-2 psync:-3 replconf:-1 restore:-4 script:-2 sdiffstore:-3 sinterstore:-3 smove:4 sscan:-3 sunionstore:-3
swapdb:3 sync:1 xack:-4 xadd:-5 xdel:-3 xgroup:-2 xinfo:-2 xlen:2 xrange:-4 xread:-4 xreadgroup:-7 xrevrange:-4
xtrim:-4 zpopmax:-2 zpopmin:-2 zrangebylex:-4 zremrangebyscore:4 zscan:-3 zunionstore:-4
"""
COMMANDS = {
    "config": Command(config, -2),
    "info": Command(info, -1),
    "role": Command(lambda session, args: ["master", 0, []], 1),
    "replicaof": Command(replicaof, 3),
    "slaveof": Command(replicaof, 3),
    "wait": Command(wait, 3),
    "time": Command(time, 1),
    "lastsave": Command(lambda session, args: session.engine.last_save // 1000, 1),
    "save": Command(save, 1),
    "bgsave": Command(bgsave, -1),
    "bgrewriteaof": Command(bgrewriteaof, 1),
    "shutdown": Command(shutdown, -1),
    "command": Command(command, -1),
    "memory": Command(memory, -2),
    "slowlog": Command(slowlog, -2),
    "latency": Command(latency, -2),
    "acl": Command(acl, -2),
    "module": Command(module, -2),
    **{
        name: Command(_refuse(name), int(arity))
        for name, _, arity in (word.partition(":") for word in UNSIMULATED.split())
    },
}
