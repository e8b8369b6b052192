"""The program `nginx`: command line, master, worker. Models src/core/nginx.c and src/os/unix/ngx_process_cycle.c.

The master owns the sockets and one worker; the worker serves every connection in a child of its own.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from functools import lru_cache
from typing import Any

from kit.embedded.core.program import (
    Close,
    Context,
    Errno,
    Kill,
    Listen,
    Now,
    Open,
    Program,
    Resolve,
    Signal,
    Spawn,
    Steps,
    Trap,
    Wait,
    Write,
)  # fmt: skip
from kit.embedded.images.nginx.config import ConfigError, Directive, Source, load, source
from kit.embedded.images.nginx.folders import PID_FILE, failed, ignored_user, make_temporary, write_pid
from kit.embedded.images.nginx.proxy import passed_to, port_of, target_of
from kit.embedded.images.nginx.site import Site, address, read
from kit.embedded.images.nginx.tls import loaded
from kit.embedded.images.nginx.worker import Worker
from kit.embedded.images.stamps import error_date

HUP, QUIT, USR1, TERM, INT, CHLD = 1, 3, 10, 15, 2, 17
CONF = "/etc/nginx/nginx.conf"
ERROR_LOG = "/var/log/nginx/error.log"
SIGNALS = {"stop": TERM, "quit": QUIT, "reload": HUP, "reopen": USR1}
BUILT = "built by gcc 16.2.0 (Debian 16.2.0-3) "
USAGE = """Usage: nginx [-?hvVtTq] [-s signal] [-p prefix]
             [-e filename] [-c filename] [-g directives]

Options:
  -?,-h         : this help
  -v            : show version and exit
  -V            : show version and configure options then exit
  -t            : test configuration and exit
  -T            : test configuration, dump it and exit
  -q            : suppress non-error messages during configuration testing
  -s signal     : send signal to a master process: stop, quit, reopen, reload
  -p prefix     : set prefix path (default: /etc/nginx/)
  -e filename   : set error log file (default: /var/log/nginx/error.log)
  -c filename   : set configuration file (default: /etc/nginx/nginx.conf)
  -g directives : set global directives out of configuration file

"""


def nginx_program(version: str) -> Program:
    """Return the program of one version."""

    def run(ctx: Context) -> Steps:
        options, wrong = _options(ctx.argv[1:])
        if wrong:
            yield Write(2, f"nginx: {wrong}\n".encode())
            return 1
        if {"h", "?"} & set(options):
            yield Write(2, f"nginx version: nginx/{version}\n{USAGE}".encode())
            return 0
        if {"v", "V"} & set(options):
            more = f"{BUILT}\nconfigure arguments: --prefix=/etc/nginx\n" if "V" in options else ""
            yield Write(2, f"nginx version: nginx/{version}\n{more}".encode())
            return 0
        if "t" in options or "T" in options:
            return (yield from _test(ctx, options))
        if "s" in options:
            return (yield from _signal(ctx, options["s"]))
        return (yield from Master(ctx, version, options).run())

    return run


def _options(args: list[str]) -> tuple[dict[str, str], str]:
    found: dict[str, str] = {}
    rest = list(args)
    while rest:
        word = rest.pop(0)
        if not word.startswith("-") or len(word) < 2:
            return found, f'invalid option: "{word}"'
        for index, letter in enumerate(word[1:], 1):
            if letter in "spceg":
                value = word[index + 1 :] or (rest.pop(0) if rest else "")
                if not value:
                    return found, f'option "-{letter}" requires {"parameter" if letter != "c" else "file name"}'
                if letter == "s" and value not in SIGNALS:
                    return found, f'invalid option: "-s {value}"'
                found[letter] = value
                break
            if letter not in "?hvVtTq":
                return found, f'invalid option: "{letter}"'
            found[letter] = ""
    return found, ""


def _prepared(ctx: Context, options: dict[str, str]) -> Generator[Any, Any, tuple[Directive, Site]]:
    """Read the configuration and look up the names in it. ConfigError."""
    root, site = _read(ctx, options.get("c", CONF), options.get("g", ""))
    for rule in _passes(root):
        authority = target_of(rule)[0]
        if not rule.args[0].startswith(("http://", "https://")):
            raise ConfigError(f"invalid URL prefix in {rule.file}:{rule.line}")
        if "$" in authority or authority in site.upstreams:
            continue
        site.upstreams[passed_to(rule)] = yield from _looked_up(authority, rule)
    for name, peers in list(site.upstreams.items()):
        found = []
        for host, port in peers:
            addresses = yield from _addresses(host, f'in upstream "{name}"')
            found += [(one, port) for one in addresses]
        site.upstreams[name] = found
    site.pairs = yield from loaded(ctx.fs, site)
    return root, site


def _read(ctx: Context, path: str, extra: str) -> tuple[Directive, Site]:
    files = source(ctx.fs, path)
    if files is None:
        root = load(ctx.fs, path, extra)
        return root, read(root)
    root, site = _described(files, extra)
    return root, replace(site, upstreams=dict(site.upstreams), turns={}, pairs={})


@lru_cache(maxsize=16)  # most containers run one of a few configurations; what comes of it is only read
def _described(files: Source, extra: str) -> tuple[Directive, Site]:
    root = files.load(extra)
    return root, read(root)


def _passes(level: Directive) -> list[Directive]:
    found = [one for one in level.block or () if one.name == "proxy_pass"]
    return found + [deep for one in level.block or () if one.block is not None for deep in _passes(one)]


def _looked_up(authority: str, rule: Directive) -> Generator[Any, Any, list[tuple[str, int]]]:
    host, port = address(authority, port_of(rule))
    addresses = yield from _addresses(host, f"in {rule.file}:{rule.line}")
    return [(one, port) for one in addresses]


def _addresses(host: str, where: str) -> Generator[Any, Any, list[str]]:
    if host.replace(".", "").isdecimal():
        return [host]
    try:
        found: list[str] = yield Resolve(host)
    except Errno:
        raise ConfigError(f'host not found in upstream "{host}" {where}') from None
    return found


def _test(ctx: Context, options: dict[str, str]) -> Generator[Any, Any, int]:
    path = options.get("c", CONF)
    now = yield Now()
    try:
        root, _ = yield from _prepared(ctx, options)
        if warning := ignored_user(root, ctx.uid):
            yield Write(2, f"nginx: [warn] {warning}\n".encode())
        make_temporary(ctx, now)
    except ConfigError as error:
        text = f"{error_date(now)} [emerg] {ctx.pid}#{ctx.pid}: {error}\n"
        yield from _append(ctx, text)
        yield Write(2, f"nginx: [emerg] {error}\nnginx: configuration file {path} test failed\n".encode())
        return 1
    if "q" not in options:
        text = (
            f"nginx: the configuration file {path} syntax is ok\nnginx: configuration file {path} test is successful\n"
        )
        yield Write(2, text.encode())
    if "T" in options:
        yield Write(1, f"# configuration file {path}:\n".encode() + ctx.fs.read(path) + b"\n")
    return 0


def _append(ctx: Context, text: str) -> Generator[Any, Any, None]:
    """Write into the error log, unless that is where stderr goes anyway."""
    try:
        if ctx.fs.resolve(ERROR_LOG) != "/dev/stderr":
            fd = yield Open(ERROR_LOG, "a")
            yield Write(fd, text.encode())
            yield Close(fd)
    except Errno:
        return


def _signal(ctx: Context, name: str) -> Generator[Any, Any, int]:
    now = yield Now()
    notice = f"{error_date(now)} [notice] {ctx.pid}#{ctx.pid}: signal process started\n"
    try:
        pid = ctx.fs.read(PID_FILE).strip()
    except Errno:
        pid = None
    if not pid or not pid.isdigit():
        why = (
            f'open() "{PID_FILE}" failed (2: No such file or directory)'
            if pid is None
            else f'invalid PID number "" in "{PID_FILE}"'
        )
        yield Write(2, f"{notice}nginx: [error] {why}\n".encode())
        return 1
    yield Write(2, notice.encode())
    try:
        yield Kill(int(pid), SIGNALS[name])
    except Errno:
        yield Write(2, f"nginx: [alert] kill({int(pid)}, {SIGNALS[name]}) failed (3: No such process)\n".encode())
        return 1
    return 0


class Master:
    """The master process: reads the configuration, opens sockets and logs, keeps a worker."""

    def __init__(self, ctx: Context, version: str, options: dict[str, str]) -> None:
        self.ctx = ctx
        self.version = version
        self.options = options
        self.site = Site([], {}, {})
        self.listeners: dict[int, int] = {}  # port: fd
        self.logs: dict[str, int] = {}
        self.worker = 0
        self.connections = [0]  # shared by all workers: the number of the last connection

    def run(self) -> Generator[Any, Any, int]:
        """Run until told to stop."""
        try:
            yield from self._configure()
            write_pid(self.ctx, (yield Now()))
        except ConfigError as error:
            yield from self._aloud("emerg", str(error))
            return 1
        for number in (HUP, QUIT, TERM, INT, USR1, CHLD):
            yield Trap(number, "catch")
        for text in ('using the "epoll" event method', f"nginx/{self.version}", BUILT, "OS: Linux 6.18.44",
                     "getrlimit(RLIMIT_NOFILE): 1048576:1048576", "start worker processes"):  # fmt: skip
            yield from self._notice(text)
        yield from self._start_worker()
        while True:
            number = yield from self._wait()
            if number == HUP:
                yield from self._reload()
            elif number in (TERM, INT, QUIT):
                return (yield from self._stop(number))

    def _configure(self) -> Generator[Any, Any, None]:
        root, site = yield from _prepared(self.ctx, self.options)
        if warning := ignored_user(root, self.ctx.uid):
            yield from self._aloud("warn", warning)
        make_temporary(self.ctx, (yield Now()))
        yield from self._open_logs(root)
        for port in site.ports:
            if port not in self.listeners:
                try:
                    self.listeners[port] = yield Listen(port)
                except Errno as error:
                    raise ConfigError(f"bind() to 0.0.0.0:{port} failed (98: {error})") from None
        for port in [port for port in self.listeners if port not in site.ports]:
            yield Close(self.listeners.pop(port))
        self.site = site

    def _open_logs(self, root: Directive) -> Generator[Any, Any, None]:
        for path in [ERROR_LOG, *_log_paths(root)]:
            if path not in self.logs and path != "off" and not path.startswith("syslog:"):
                real = {"stderr": "/dev/stderr"}.get(path, path if path.startswith("/") else f"/etc/nginx/{path}")
                try:
                    self.logs[path] = yield Open(real, "a")
                except Errno as error:
                    raise failed("open", real, error) from None

    def _start_worker(self) -> Generator[Any, Any, None]:
        keep = {fd: fd for fd in (*self.listeners.values(), *self.logs.values())}
        argv = ("nginx: worker process",)
        site, listeners, logs = self.site, {fd: port for port, fd in self.listeners.items()}, dict(self.logs)
        shift = {fd: fd + 100 for fd in keep}  # away from the descriptor of a connection

        def work(ctx: Context) -> Steps:
            worker = Worker(ctx, self.version, site, {path: shift[fd] for path, fd in logs.items()}, self.connections)
            return (yield from worker.run({shift[fd]: port for fd, port in listeners.items()}))

        fds = {0: 0, 1: 1, 2: 2, **{shift[fd]: fd for fd in keep}}
        self.worker = yield from self._calmly(Spawn("/usr/sbin/nginx", argv, self.ctx.env, "/", fds, program=work))
        yield from self._notice(f"start worker process {self.worker}")

    def _wait(self) -> Generator[Any, Any, int]:
        """Wait for a signal or for a child's end; a worker that died is replaced."""
        while True:
            try:
                ended, status = yield Wait(None)
            except Signal as signal:
                if signal.number != CHLD:
                    yield from self._notice(
                        f"signal {signal.number} ({_name(signal.number)}) received{_SAID.get(signal.number, '')}"
                    )
                    return signal.number
                continue
            except Errno:
                yield from self._start_worker()
                continue
            if ended == self.worker:
                yield from self._notice(f"signal 17 (SIGCHLD) received from {ended}")
                yield from self._notice(f"worker process {ended} exited with code {status}")
                yield from self._start_worker()

    def _reload(self) -> Generator[Any, Any, None]:
        yield from self._notice("reconfiguring")
        try:
            yield from self._configure()
        except ConfigError as error:
            yield from self._line("emerg", str(error))
            return
        old = self.worker
        yield from self._start_worker()
        yield from self._end(old, QUIT)

    def _stop(self, number: int) -> Generator[Any, Any, int]:
        for fd in self.listeners.values():
            yield from self._calmly(Close(fd))
        yield from self._end(self.worker, number)
        try:
            ended, status = yield from self._calmly(Wait(self.worker))
            yield from self._notice(f"signal 17 (SIGCHLD) received from {ended}")
            yield from self._notice(f"worker process {ended} exited with code {int(status)}")
        except Errno:
            pass
        if self.ctx.fs.exists(PID_FILE):
            self.ctx.fs.remove(PID_FILE)
        yield from self._notice("exit")
        return 0

    def _end(self, pid: int, number: int) -> Generator[Any, Any, None]:
        try:
            yield from self._calmly(Kill(pid, number))
        except Errno:
            return

    def _aloud(self, level: str, message: str) -> Generator[Any, Any, None]:
        """Log what is wrong with the configuration, and say it on stderr too."""
        yield from _append(
            self.ctx, f"{error_date((yield Now()))} [{level}] {self.ctx.pid}#{self.ctx.pid}: {message}\n"
        )
        fd_is_log = self.ctx.fs.exists(ERROR_LOG) and self.ctx.fs.resolve(ERROR_LOG) == "/dev/stderr"
        if fd_is_log:
            yield from self._line(level, message, fd=2)
        yield Write(2, f"nginx: [{level}] {message}\n".encode())

    def _notice(self, text: str) -> Generator[Any, Any, None]:
        yield from self._line("notice", text)

    def _line(self, level: str, text: str, *, fd: int | None = None) -> Generator[Any, Any, None]:
        now = yield from self._calmly(Now())
        pid = self.ctx.pid
        yield from self._calmly(
            Write(
                self.logs.get(ERROR_LOG, 2) if fd is None else fd,
                f"{error_date(now)} [{level}] {pid}#{pid}: {text}\n".encode(),
            )
        )

    def _calmly(self, call: Any) -> Generator[Any, Any, Any]:
        """Make a call, again when a signal interrupts it."""
        while True:
            try:
                return (yield call)
            except Signal:
                continue


_SAID = {HUP: ", reconfiguring", QUIT: ", shutting down", TERM: ", exiting", INT: ", exiting", USR1: ", reopening logs"}


def _name(number: int) -> str:
    return {HUP: "SIGHUP", QUIT: "SIGQUIT", TERM: "SIGTERM", INT: "SIGINT", USR1: "SIGUSR1"}.get(number, str(number))


def _log_paths(level: Directive) -> list[str]:
    found = [one.args[0] for one in level.block or () if one.name in ("access_log", "error_log")]
    return found + [path for one in level.block or () if one.block is not None for path in _log_paths(one)]
