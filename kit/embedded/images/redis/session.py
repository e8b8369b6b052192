"""A redis server without its sockets, and one client's session; pure: commands in, replies and messages out. Models src/server.c."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from kit.embedded.images.redis.keyspace import DATABASES, Keyspace
from kit.embedded.images.redis.resp import OK, RedisError, Simple, encode

Args = list[bytes]
Run = Callable[["Session", Args], Any]
SUBSCRIBED = frozenset(
    ("subscribe", "unsubscribe", "psubscribe", "punsubscribe", "ssubscribe", "sunsubscribe", "ping", "quit", "reset")
)
NO_AUTH = frozenset(("auth", "hello", "quit", "reset"))


@dataclass(frozen=True, slots=True)
class Command:
    """A row of the command table; `arity` counts the name, negative: at least.

    `writes`: kept in the append-only file; `queued`: waits for EXEC in a transaction.
    """

    run: Run
    arity: int
    writes: bool = False
    queued: bool = True


@dataclass(slots=True)
class Engine:
    """What all clients share. `data` is the part that must survive; `config` the settings by name."""

    table: dict[str, Command]
    data: dict[str, Any]
    config: dict[str, str]
    version: str
    started: int = 0
    now: int = 0
    sessions: list[Session] = field(default_factory=list)
    spaces: dict[int, Keyspace] = field(default_factory=dict)
    log: list[Args] = field(default_factory=list)  # write commands that the driver has to keep
    last_db: int = 0
    dirty: int = 0
    commands: int = 0
    connections: int = 0
    ask: str = ""  # what the driver has to do: "save", "shutdown", "shutdown-nosave", "config:appendonly"
    last_save: int = 0
    facts: dict[str, Any] = field(default_factory=dict)  # pid, hostname

    def space(self, index: int) -> Keyspace:
        """Return a database."""
        if index not in self.spaces:
            self.spaces[index] = Keyspace(self.data.setdefault(str(index), {}))
        self.spaces[index].now = self.now
        return self.spaces[index]

    def keep(self, db: int, args: Args) -> None:
        """Note a write for the append-only file."""
        if db != self.last_db:
            self.log.append([b"SELECT", str(db).encode()])
            self.last_db = db
        self.log.append(args)
        self.dirty += 1

    @property
    def used_databases(self) -> list[int]:
        """The databases with keys in them."""
        return [index for index in range(DATABASES) if str(index) in self.data and self.space(index).keys()]


@dataclass(eq=False, slots=True)
class Session:
    """One client. `outbox` holds bytes to send besides the reply; `closing` ends the connection after them."""

    engine: Engine
    number: int
    address: str = "127.0.0.1:0"
    db: int = 0
    proto: int = 2
    name: str = ""
    authenticated: bool = False
    closing: bool = False
    queue: list[Args] | None = None
    spoiled: bool = False
    watched: dict[tuple[int, bytes], int] = field(default_factory=dict)
    channels: dict[bytes, None] = field(default_factory=dict)
    patterns: dict[bytes, None] = field(default_factory=dict)
    outbox: bytearray = field(default_factory=bytearray)
    kept: list[Args] | None = None  # what a command writes to the log in its own place
    born: int = 0
    silent: bool = False

    @property
    def space(self) -> Keyspace:
        """The database selected."""
        return self.engine.space(self.db)

    def handle(self, args: Args) -> None:
        """Run one command; its reply goes to the outbox."""
        self.engine.commands += 1
        reply = self._answer(args)
        if reply is not NOTHING:
            self.outbox += encode(reply, self.proto)

    def _answer(self, args: Args) -> Any:
        name = args[0].decode("latin-1").lower()
        command = self.engine.table.get(name)
        problem = _unknown(args) if command is None else self._refusal(name, command, args)
        if command is None or problem is not None:
            self.spoiled = self.spoiled or self.queue is not None
            return problem
        if self.queue is not None and command.queued:
            self.queue.append(args)
            return Simple("QUEUED")
        return self.run(command, args)

    def _refusal(self, name: str, command: Command, args: Args) -> RedisError | None:
        if len(args) != command.arity if command.arity > 0 else len(args) < -command.arity:
            return RedisError(f"ERR wrong number of arguments for '{name}' command")
        if self.engine.config["requirepass"] and not self.authenticated and name not in NO_AUTH:
            return RedisError("NOAUTH Authentication required.")
        if (self.channels or self.patterns) and self.proto == 2 and name not in SUBSCRIBED:
            return RedisError(
                f"ERR Can't execute '{name}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context"
            )
        return None

    def run(self, command: Command, args: Args) -> Any:
        """Run a command now -> its reply."""
        self.kept = None
        try:
            reply = command.run(self, args)
        except RedisError as error:
            return error
        if command.writes:
            for one in [args] if self.kept is None else self.kept:
                self.engine.keep(self.db, one)
        return reply

    def reset(self) -> None:
        """Forget a transaction."""
        self.queue, self.spoiled = None, False
        self.watched.clear()


def _unknown(args: Args) -> RedisError:
    shown = args[0][:128].decode("utf-8", "surrogateescape")
    rest = "".join(f"'{arg[:128].decode('utf-8', 'surrogateescape')}' " for arg in args[1:20])
    return RedisError(f"ERR unknown command '{shown}', with args beginning with: {rest}")


NOTHING = object()  # a command that has written its replies into the outbox itself
__all__ = ["NOTHING", "OK", "Command", "Engine", "Session"]
