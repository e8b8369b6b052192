"""What a container's program may ask of its node: the system calls of the simulated machine.

A program is a generator function: it yields one of the calls below and is sent the answer, and returns its exit code.
A call that fails throws `Errno` into the generator, a caught signal throws `Signal`. Programs never touch the host.

    def echo(ctx):
        listener = yield Listen(7)
        connection = yield Accept(listener)
        data = yield Read(connection)
        yield Write(connection, data)
        return 0

What must survive a checkpoint is plain data in `ctx.state`; locals of a generator do not. Every yield costs cluster time
(`STEP_US`), charged to the container's CPU; a program may yield `Burn` for work that costs more.
Not simulated: threads, shared memory, mmap, ioctl, users beyond a uid number.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kit.embedded.core import capabilities

if TYPE_CHECKING:
    from kit.embedded.core.filesystem import Tree
    from kit.embedded.core.ports import Pair

STEP_US = 50
COMMAND_US = 1000  # one command of a shell (design §7)

Steps = Generator[Any, Any, int]
Program = Callable[["Context"], Steps]

SIGNALS = {"HUP": 1, "INT": 2, "QUIT": 3, "ILL": 4, "ABRT": 6, "FPE": 8, "KILL": 9, "USR1": 10, "SEGV": 11, "USR2": 12, "PIPE": 13,
           "ALRM": 14, "TERM": 15, "CHLD": 17, "CONT": 18, "STOP": 19, "TSTP": 20, "TTIN": 21, "TTOU": 22, "WINCH": 28}  # fmt: skip

ERRORS = {
    "EPERM": "Operation not permitted",
    "ENOENT": "No such file or directory",
    "ESRCH": "No such process",
    "EIO": "I/O error",
    "ENOEXEC": "Exec format error",
    "EBADF": "Bad file descriptor",
    "ECHILD": "No child processes",
    "EAGAIN": "Resource temporarily unavailable",
    "ENOMEM": "Cannot allocate memory",
    "EACCES": "Permission denied",
    "EBUSY": "Resource busy",
    "EEXIST": "File exists",
    "EXDEV": "Invalid cross-device link",
    "ENOTDIR": "Not a directory",
    "EISDIR": "Is a directory",
    "EINVAL": "Invalid argument",
    "ENOSYS": "Function not implemented",
    "ENFILE": "Too many open files in system",
    "EMFILE": "Too many open files",
    "EFBIG": "File too large",
    "ENOSPC": "No space left on device",
    "EROFS": "Read-only file system",
    "EPIPE": "Broken pipe",
    "ELOOP": "Too many levels of symbolic links",
    "ENOTEMPTY": "Directory not empty",
    "ENAMETOOLONG": "File name too long",
    "EADDRINUSE": "Address already in use",
    "ENETUNREACH": "Network is unreachable",
    "EHOSTUNREACH": "No route to host",
    "ECONNREFUSED": "Connection refused",
    "ECONNRESET": "Connection reset by peer",
    "ETIMEDOUT": "Connection timed out",
    "ENXDOMAIN": "Name does not resolve",
}


class Errno(Exception):
    """A failed call; `name` is its errno symbol, `str()` the C library's sentence. `path` says what it was about."""

    def __init__(self, name: str, path: str = "") -> None:
        super().__init__(ERRORS.get(name, name))
        self.name = name
        self.path = path


class Signal(Exception):
    """A signal the program catches (see `Trap`), thrown at the call it waits in; the call is not done."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class Killed(int):
    """The status of a process that a signal ended: 128 + signal as a number, yet not the same as `exit 137`."""

    @property
    def signal(self) -> int:
        """The signal's number."""
        return int(self) - 128


@dataclass(slots=True)
class Context:
    """What a process is born with. `fds` 0, 1, 2 are open; `fs` is the container's own tree with its mounts."""

    argv: list[str]
    env: dict[str, str]
    cwd: str
    fs: Tree
    pid: int
    ppid: int = 0
    uid: int = 0
    gid: int = 0
    hostname: str = ""
    tty: bool = False
    state: dict[str, Any] = field(default_factory=dict)
    capabilities: int = capabilities.USUAL

    def may(self, name: str) -> bool:
        """Say whether the process has a capability (CHOWN, FOWNER ...)."""
        return capabilities.held(self.capabilities, self.uid, name)


# --- files and pipes ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Open:
    """Open `path` (relative to the process's cwd) -> fd.

    `mode`: r, w (truncate, create), a (append, create), rw (create), x (create new).
    """

    path: str
    mode: str = "r"


@dataclass(frozen=True, slots=True)
class Read:
    """Read up to `size` bytes -> bytes; waits; b"" at the end."""

    fd: int
    size: int = 65536


@dataclass(frozen=True, slots=True)
class Write:
    """Write all of `data` -> number of bytes; waits while a pipe or a connection is full. EPIPE when nobody reads."""

    fd: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Close:
    """Close `fd` -> None."""

    fd: int


@dataclass(frozen=True, slots=True)
class Shutdown:
    """Half-close a connection: no more writes -> None."""

    fd: int


@dataclass(frozen=True, slots=True)
class Dup:
    """Duplicate `fd` to `to` (the lowest free one when None), closing what was there -> new fd."""

    fd: int
    to: int | None = None


@dataclass(frozen=True, slots=True)
class Pipe:
    """Make a pipe -> (read fd, write fd)."""


@dataclass(frozen=True, slots=True)
class Poll:
    """Wait until one of `fds` can be read (or accepted) or `timeout_ms` has passed -> tuple of ready fds."""

    fds: tuple[int, ...]
    timeout_ms: int | None = None


@dataclass(frozen=True, slots=True)
class IsTty:
    """Ask whether `fd` is a terminal -> bool."""

    fd: int


# --- processes -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Spawn:
    """Start the executable at `path` as a child -> pid. `fds` maps the child's descriptors to ours (others are not inherited).

    ENOENT, EACCES, ENOEXEC, EAGAIN (too many processes). A file that starts with `#!` runs its interpreter.
    `program` starts that generator instead of a file's (a subshell: `path` is then only its name in `ps`).
    """

    path: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: str = "/"
    fds: Mapping[int, int] = field(default_factory=lambda: {0: 0, 1: 1, 2: 2})
    program: Program | None = None


@dataclass(frozen=True, slots=True)
class Exec:
    """Replace this process by the executable at `path`, same pid and descriptors; does not return unless it fails."""

    path: str
    argv: tuple[str, ...]
    env: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Wait:
    """Wait for child `pid` (any when None) -> (pid, status); status is the exit code, or `Killed(128 + signal)`. ECHILD when none.

    With `block=False` the answer is None when none has ended.
    """

    pid: int | None = None
    block: bool = True


@dataclass(frozen=True, slots=True)
class Kill:
    """Send `signal` to `pid` (0 and negative: the process group, -1: all but pid 1) -> None. ESRCH, EPERM."""

    pid: int
    signal: int = 15


@dataclass(frozen=True, slots=True)
class Trap:
    """Say what `signal` does: "default", "ignore" or "catch" (thrown as `Signal`) -> None. Pid 1 ignores what it does not catch."""

    signal: int
    action: str


@dataclass(frozen=True, slots=True)
class Processes:
    """List the container's processes -> list of (pid, ppid, uid, argv, state letter, cpu ms)."""


@dataclass(frozen=True, slots=True)
class Chdir:
    """Change the process's working directory -> None."""

    path: str


# --- time and work ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sleep:
    """Sleep `ms` of cluster time -> None."""

    ms: int


@dataclass(frozen=True, slots=True)
class Now:
    """Ask the time -> milliseconds since 1970 as the cluster's clients see it."""


@dataclass(frozen=True, slots=True)
class Burn:
    """Use `us` microseconds of CPU -> None; at the container's limit this takes longer than it costs."""

    us: int = COMMAND_US


@dataclass(frozen=True, slots=True)
class Allocate:
    """Hold `bytes` of memory in all for this process -> None; over the container's limit it is OOMKilled."""

    bytes: int


# --- network ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Listen:
    """Listen on a TCP `port` of the Pod's address -> fd. EADDRINUSE, EACCES."""

    port: int
    address: str = "0.0.0.0"


@dataclass(frozen=True, slots=True)
class Accept:
    """Wait for a connection -> its fd."""

    fd: int


@dataclass(frozen=True, slots=True)
class Connect:
    """Connect to a TCP address (an IP, never a name) -> fd. ECONNREFUSED, ETIMEDOUT, EHOSTUNREACH, ENETUNREACH."""

    address: str
    port: int
    timeout_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Secure:
    """Speak TLS on a connection from now on -> "" when it holds, else why not ("EOF", Go's or OpenSSL's words).

    A server gives `pick`: name the client asks for -> its `Pair`; "plain" then says that the client speaks none, and all stays as it was.
    A client gives `name`, and as `authority` (PEM) whom it trusts to have signed the certificate; without it does not look at that.
    """

    fd: int
    name: str = ""
    pick: Callable[[str], Pair] | None = None
    authority: bytes | None = None


@dataclass(frozen=True, slots=True)
class Flaw:
    """Ask what is wrong with a certificate and its key (see `core.ports.Tls.flaw`) -> "" when nothing is."""

    pair: Pair


@dataclass(frozen=True, slots=True)
class Peer:
    """Ask who is at the other end of a connection -> (address, port)."""

    fd: int


@dataclass(frozen=True, slots=True)
class Local:
    """Ask our end of a connection -> (address, port); with fd None the Pod's own address and 0."""

    fd: int | None = None


@dataclass(frozen=True, slots=True)
class Resolve:
    """Look a name up as the C library does (hosts file, search list, ndots) -> list of addresses. ENXDOMAIN, ETIMEDOUT."""

    name: str


@dataclass(frozen=True, slots=True)
class Query:
    """Ask the DNS server one exact question -> `Answer`; `server` None is the one of resolv.conf. ETIMEDOUT."""

    name: str
    kind: str = "A"
    server: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A DNS answer: `code` NOERROR, NXDOMAIN, SERVFAIL; records are (name, type, ttl s, value)."""

    code: str
    records: tuple[tuple[str, str, int, str], ...] = ()
    server: str = ""


@dataclass(frozen=True, slots=True)
class Ping:
    """Send one ICMP echo, wait for the answer -> round trip in ms, or None after `timeout_ms`."""

    address: str
    timeout_ms: int = 1000
