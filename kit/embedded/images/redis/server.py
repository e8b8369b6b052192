"""The program `redis-server`: sockets, signals, log lines and the files in its folder. Models src/server.c, src/aof.c, src/rdb.c."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from kit.embedded.core.program import (
    Accept,
    Close,
    Context,
    Errno,
    Listen,
    Now,
    Open,
    Peer,
    Poll,
    Program,
    Read,
    Signal,
    Steps,
    Trap,
    Write,
)  # fmt: skip
from kit.embedded.images.redis import files
from kit.embedded.images.redis.commands import TABLE
from kit.embedded.images.redis.commands.admin import CONFIG
from kit.embedded.images.redis.options import Wrong, options
from kit.embedded.images.redis.resp import ProtocolError, RedisError, command, encode, parse
from kit.embedded.images.redis.session import Engine, Session
from kit.embedded.images.stamps import redis_date

TERM, INT = 15, 2
HTTP = frozenset((b"POST", b"HOST:"))  # src/server.c: a sign of a cross-protocol attack
Calls = Generator[Any, Any, Any]


def server_program(version: str) -> Program:
    """Return the program `redis-server` of one version."""

    def run(ctx: Context) -> Steps:
        if ctx.argv[1:2] in (["-v"], ["--version"]):
            text = f"Redis server v={version} sha=00000000:0 malloc=jemalloc-5.3.1 bits=64 build=5a5ba4ac2d7a1a7f\n"
            yield Write(1, text.encode())
            return 0
        return (yield from Redis(ctx, version).run())

    return run


class Redis:
    """One running server."""

    def __init__(self, ctx: Context, version: str) -> None:
        self.ctx = ctx
        self.engine = Engine(TABLE, ctx.state.setdefault("databases", {}), dict(CONFIG), version)
        self.sessions: dict[int, Session] = {}
        self.inputs: dict[int, bytearray] = {}
        self.listener = -1
        self.aof = -1
        self.end = ""

    def run(self) -> Generator[Any, Any, int]:
        """Run until told to stop."""
        engine, version = self.engine, self.engine.version
        yield from self._log("oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo", role="C")
        yield from self._log(
            f"Redis version={version}, bits=64, commit=00000000, modified=0, pid={self.ctx.pid}, just started", role="C"
        )
        try:
            engine.config |= options(self.ctx)
        except Wrong as wrong:
            return (yield from self._refuse(wrong))
        if len(self.ctx.argv) == 1:
            text = "Warning: no config file specified, using the default config. In order to specify a config file use "
            text += "redis-server /path/to/redis.conf"
            yield from self._log(text, role="C", level="#")
        else:
            yield from self._log("Configuration loaded", role="C")
        yield from self._log("monotonic clock: POSIX clock_gettime")
        try:
            self.listener = yield Listen(int(engine.config["port"]))
        except Errno as error:
            yield from self._log(
                f"Warning: Could not create server TCP listening socket *:{engine.config['port']}: bind: {error}",
                level="#",
            )
            yield from self._log("Failed listening on port " + engine.config["port"] + " (tcp), aborting.", level="#")
            return 1
        yield from self._log(f"Running mode=standalone, port={engine.config['port']}.")
        yield from self._log("Server initialized")
        yield from self._load()
        yield from self._log("Ready to accept connections tcp")
        for number in (TERM, INT):
            yield Trap(number, "catch")
        return (yield from self._serve())

    def _refuse(self, wrong: Wrong) -> Generator[Any, Any, int]:
        if wrong.config_file:
            yield Write(2, str(wrong).encode())
            return 1
        yield from self._log("monotonic clock: POSIX clock_gettime")
        yield from self._log(f"Running mode=standalone, port={self.engine.config['port']}.")
        yield from self._log("Unresolved Configuration(s) Detected:", level="#")
        yield from self._log(f">>> '{wrong}'", level="#")
        yield from self._log(
            "Module Configuration detected without loadmodule directive or no ApplyConfig call: aborting", level="#"
        )
        return 1

    def _log(self, text: str, *, role: str = "M", level: str = "*") -> Calls:
        self.engine.now = yield from self._calm(Now())
        line = f"{self.ctx.pid}:{role} {redis_date(self.engine.now)} {level} {text}\n"
        yield from self._calm(Write(1, line.encode("utf-8", "surrogateescape")))

    def _calm(self, call: Any) -> Calls:
        """Make a call, again when a signal interrupts it; the signal asks for a shutdown."""
        while True:
            try:
                return (yield call)
            except Signal as signal:
                self._stop(signal.number)

    def _stop(self, number: int) -> None:
        self.end = "SIGTERM" if number == TERM else "SIGINT"

    # --- serving ---

    def _serve(self) -> Generator[Any, Any, int]:
        while True:
            if self.end:
                yield from self._log(f"Received {self.end} scheduling shutdown...", role="signal-handler")
                return (yield from self._shutdown(save=self.engine.config["save"] != ""))
            try:
                ready = yield Poll((self.listener, *self.sessions))
            except Signal as signal:
                self._stop(signal.number)
                continue
            self.engine.now = yield from self._calm(Now())
            for fd in ready:
                yield from self._accept() if fd == self.listener else self._read(fd)
            yield from self._flush()
            if self.engine.ask.startswith("shutdown"):
                wanted = self.engine.ask
                yield from self._log("User requested shutdown...")
                return (
                    yield from self._shutdown(
                        save=wanted == "shutdown-save" or (wanted == "shutdown" and self.engine.config["save"] != ""),
                        said=True,
                    )
                )

    def _accept(self) -> Calls:
        fd = yield from self._calm(Accept(self.listener))
        address, port = yield from self._calm(Peer(fd))
        engine = self.engine
        engine.connections += 1
        session = Session(engine, engine.connections + 2, f"{address}:{port}", born=engine.now)
        self.sessions[fd], self.inputs[fd] = session, bytearray()
        engine.sessions.append(session)

    def _read(self, fd: int) -> Calls:
        session, data = self.sessions.get(fd), self.inputs.get(fd)
        if session is None or data is None:
            return
        try:
            more = yield from self._calm(Read(fd))
        except Errno:
            more = b""
        if not more:
            yield from self._close(fd)
            return
        data += more
        try:
            while not session.closing and (args := parse(data)) is not None:
                if args and args[0].upper() in HTTP:
                    session.closing = True
                    yield from self._log(
                        "Possible SECURITY ATTACK detected. It looks like somebody is sending POST or Host: commands to Redis. "
                        "This is likely due to an attacker attempting to use Cross Protocol Scripting to "
                        "compromise your Redis instance. Connection from "
                        f"{session.address} aborted.", level="#")  # fmt: skip
                elif args:
                    session.handle(args)
        except ProtocolError as error:
            session.outbox += encode(RedisError(f"ERR Protocol error: {error}"))
            session.closing = True

    def _flush(self) -> Calls:
        """Keep what was written, do what a command asked for, then answer."""
        engine = self.engine
        if engine.log:
            if self.aof >= 0:
                yield from self._calm(Write(self.aof, b"".join(command(args) for args in engine.log)))
            engine.log.clear()
        if engine.ask == "save":
            engine.ask = ""
            yield from self._save()
        elif engine.ask == "appendonly":
            engine.ask = ""
            yield from self._open_aof(rewrite=True)
        for fd, session in list(self.sessions.items()):
            if session.outbox:
                out = bytes(session.outbox)
                session.outbox.clear()
                try:
                    yield from self._calm(Write(fd, out))
                except Errno:
                    session.closing = True
            if session.closing:
                yield from self._close(fd)

    def _close(self, fd: int) -> Calls:
        session = self.sessions.pop(fd)
        del self.inputs[fd]
        self.engine.sessions.remove(session)
        yield from self._calm(Close(fd))

    # --- files ---

    def _load(self) -> Calls:
        """Read what an earlier server left in the folder: the append-only file when there is to be one, else the snapshot."""
        engine, fs = self.engine, self.ctx.fs
        appended = files.append_file(engine.config)
        engine.started = engine.now
        if engine.data:
            return  # brought back from a checkpoint
        source = appended if engine.config["appendonly"] == "yes" else files.snapshot(engine.config)
        if source == appended and not fs.exists(appended):
            source = files.snapshot(engine.config)
        if fs.exists(source):
            count = files.replay(engine, fs.read(source))
            if source == appended:
                yield from self._log(f"DB loaded from append only file: 0.000 seconds, {count} commands")
            else:
                yield from self._log(f"Loading RDB produced by version {engine.version}")
                yield from self._log(f"Done loading RDB, keys loaded: {count}, keys expired: 0.")
                yield from self._log("DB loaded from disk: 0.000 seconds")
        engine.last_save = engine.now
        if engine.config["appendonly"] == "yes":
            yield from self._open_aof(rewrite=source != appended)

    def _open_aof(self, *, rewrite: bool) -> Calls:
        """Open the append-only file (or close it), begun anew from the data with `rewrite`."""
        if self.aof >= 0:
            yield from self._calm(Close(self.aof))
            self.aof = -1
        config = self.engine.config
        if config["appendonly"] != "yes":
            return
        path, manifest = files.append_file(config), files.manifest(config)
        folder = path.rsplit("/", 1)[0]
        try:
            if not self.ctx.fs.exists(folder):
                self.ctx.fs.mkdir(folder, parents=True, now=self.engine.now)
            if rewrite or not self.ctx.fs.exists(path):
                self.ctx.fs.write(path, files.dumped(self.engine), now=self.engine.now)
                self.ctx.fs.write(manifest[0], manifest[1], now=self.engine.now)
            self.aof = yield from self._calm(Open(path, "a"))
        except Errno as error:
            yield from self._log(f"Can't open or create append-only file {path.rsplit('/', 1)[1]}: {error}", level="#")
        self.engine.last_db = 0
        self.engine.log.insert(0, [b"SELECT", b"0"])

    def _save(self) -> Calls:
        path = files.snapshot(self.engine.config)
        try:
            self.ctx.fs.write(path, files.HEADER + files.dumped(self.engine), now=self.engine.now)
        except Errno as error:
            yield from self._log(f"Failed opening the temp RDB file for saving: {error}", level="#")
            return
        self.engine.dirty, self.engine.last_save = 0, self.engine.now
        yield from self._log("DB saved on disk")

    def _shutdown(self, *, save: bool, said: bool = False) -> Generator[Any, Any, int]:
        if not said:
            yield from self._log("User requested shutdown...")
        if self.aof >= 0:
            yield from self._log("Calling fsync() on the AOF file.")
        if save:
            yield from self._log("Saving the final RDB snapshot before exiting.")
            yield from self._save()
        yield from self._log("Redis is now ready to exit, bye bye...", level="#")
        return 0
