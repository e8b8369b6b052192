"""One process: a generator, its descriptors, what it waits for and which signals it heeds."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from kit.embedded.core.program import SIGNALS, Errno, Killed, Signal, Steps
from kit.embedded.core.queue import Entry
from kit.embedded.node.descriptors import Description

if TYPE_CHECKING:
    from kit.embedded.node.runtime import Container

MAX_FDS = 1024
IGNORED = {SIGNALS[name] for name in ("CHLD", "WINCH", "CONT")}
STOPPING = {SIGNALS[name] for name in ("STOP", "TSTP", "TTIN", "TTOU")}


class Process:
    """A row of the process table. `token` changes at each wake, so that a late timer or wake-up finds nobody."""

    __slots__ = ("argv", "call", "cancel", "children", "container", "cpu_us", "cwd", "dispositions", "env", "error", "exit_code", "fds",
                 "generator", "gid", "group", "memory", "on_exit", "parent", "pid", "progress", "queued", "signals", "stopped", "timer",
                 "token", "tty", "uid", "value")  # fmt: skip

    def __init__(
        self, container: Container, pid: int, parent: Process | None, argv: list[str], env: dict[str, str], cwd: str
    ) -> None:
        self.container = container
        self.pid = pid
        self.parent = parent
        self.argv = argv
        self.env = env
        self.cwd = cwd
        self.uid: int = parent.uid if parent else 0
        self.gid: int = parent.gid if parent else 0
        self.group: int = parent.group if parent else pid
        self.tty: Description | None = parent.tty if parent else None
        self.fds: dict[int, Description] = {}
        self.children: dict[int, Process] = {}
        self.generator: Steps
        self.dispositions: dict[int, str] = (
            {n: a for n, a in parent.dispositions.items() if a == "ignore"} if parent else {}
        )
        self.signals: deque[int] = deque()
        self.call: Any = None  # the call being waited in, tried again at each wake
        self.progress = 0
        self.value: Any = None
        self.error: Exception | None = None
        self.timer: Entry | None = None
        self.cancel: Callable[[], None] | None = None
        self.on_exit: Callable[[int], None] | None = None
        self.token = 0
        self.queued = False
        self.stopped = False
        self.exit_code: int | None = None
        self.memory = 0
        self.cpu_us = 0

    @property
    def ppid(self) -> int:
        """Pid of the parent, 0 for those the runtime started."""
        return self.parent.pid if self.parent else 0

    @property
    def state(self) -> str:
        """The letter of `ps`."""
        if self.exit_code is not None:
            return "Z"
        return "T" if self.stopped else "R" if self.queued or self.call is None else "S"

    # --- descriptors ---

    def open(self, description: Description, fd: int | None = None) -> int:
        """Give a description a descriptor, the lowest free one when `fd` is None. EMFILE."""
        if fd is None:
            fd = 0
            while fd in self.fds:
                fd += 1
        if fd >= MAX_FDS or fd < 0:
            raise Errno("EMFILE" if fd >= MAX_FDS else "EBADF")
        old = self.fds.get(fd)
        description.refs += 1
        self.fds[fd] = description
        if old is not None:
            old.release()
        return fd

    def at(self, fd: int) -> Description:
        """Return what `fd` stands for. EBADF."""
        description = self.fds.get(fd)
        if description is None:
            raise Errno("EBADF")
        return description

    def close(self, fd: int) -> None:
        """Close one descriptor. EBADF."""
        description = self.fds.pop(fd, None)
        if description is None:
            raise Errno("EBADF")
        description.release()

    # --- waking ---

    def retry(self, token: int) -> None:
        """Try the call again that the process waits in."""
        if token == self.token and self.exit_code is None:
            self._stir()

    def complete(self, token: int, value: Any) -> None:
        """Answer the call that the process waits in."""
        if token == self.token and self.exit_code is None:
            self.call, self.value, self.progress = None, value, 0
            self._stir()

    def fail(self, token: int, errno: str) -> None:
        """Fail the call that the process waits in."""
        if token == self.token and self.exit_code is None:
            self.call, self.error, self.progress = None, Errno(errno), 0
            self._stir()

    def _stir(self) -> None:
        self.token += 1
        self.clear()
        self.container.enqueue(self)

    def clear(self) -> None:
        """Drop timer and whatever is under way for the call that is over."""
        if self.timer is not None:
            self.container.queue.cancel(self.timer)
            self.timer = None
        if self.cancel is not None:
            cancel, self.cancel = self.cancel, None
            cancel()

    # --- signals ---

    def signal(self, number: int, *, outside: bool = False) -> None:
        """Receive a signal. Pid 1 ignores what it does not catch, and KILL and STOP unless they come from outside the container."""
        if self.exit_code is not None:
            return
        action = self.dispositions.get(number, "default")
        if number == SIGNALS["KILL"] or number == SIGNALS["STOP"]:
            action = "default"
        if number == SIGNALS["CONT"] and self.stopped:
            self.stopped = False
            self.container.enqueue(self)
        if action == "ignore" or (action == "default" and (number in IGNORED or not self._mortal(number, outside))):
            return
        if action == "catch":
            self._interrupt(number)
        elif number in STOPPING:
            self.stopped = True
        else:
            self.container.end(self, Killed(128 + number))

    def _mortal(self, number: int, outside: bool) -> bool:
        return self.pid != 1 or (outside and number == SIGNALS["KILL"])

    def _interrupt(self, number: int) -> None:
        """Throw a caught signal at the call the process waits in, or at the next one when it is running."""
        if self.call is None:
            self.signals.append(number)
            return
        self.token += 1
        self.clear()
        self.call, self.progress, self.error = None, 0, Signal(number)
        self.container.enqueue(self)
