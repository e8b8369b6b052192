"""The kernel of one container: drives its programs in slices of CPU time. Models the Linux scheduler with a CFS quota, and containerd.

A container runs at most 1 ms of CPU per ms of cluster time (more cores are not simulated), less at its limit (a quota per 100 ms),
then its next slice is queued: an endless loop never freezes a turn. A process that waits holds nothing in the queue but its timer.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kit.embedded.core.capabilities import USUAL
from kit.embedded.core.clock import Clock
from kit.embedded.core.filesystem import Tree
from kit.embedded.core.ids import Ids
from kit.embedded.core.inodes import File
from kit.embedded.core.program import SIGNALS, STEP_US, Context, Errno, Killed, Program, Signal, Steps
from kit.embedded.core.queue import Entry, Queue
from kit.embedded.core.trace import Trace
from kit.embedded.net.dns import Resolver, parse_hosts, parse_resolv
from kit.embedded.net.hosts import Host
from kit.embedded.net.wiring import Wiring
from kit.embedded.node import calls
from kit.embedded.node.descriptors import BLOCKED, Description
from kit.embedded.node.processes import Process
from kit.embedded.node.procfs import ProcFs

MAX_PROCESSES = 512
PERIOD_MS = 100
YOUNG_MS = 10_000  # what a container does in its first seconds is waited for; later it is the steady life of a program
KILLED = Killed(128 + SIGNALS["KILL"])


@dataclass(frozen=True, slots=True)
class Limits:
    """What bounds a container: CPU in µs per ms (None: a whole core), memory in bytes (None: the node's)."""

    cpu_us: int | None = None
    memory: int | None = None


@dataclass(slots=True)
class World:
    """What all containers share."""

    queue: Queue
    clock: Clock
    ids: Ids
    trace: Trace
    fabric: Wiring


@dataclass(slots=True)
class Setup:
    """How a container begins: files, network, name, limits, and who it runs as."""

    name: str
    tree: Tree
    host: Host
    hostname: str
    limits: Limits = field(default_factory=Limits)
    uid: int = 0
    gid: int = 0
    state: dict[str, Any] = field(default_factory=dict)
    capabilities: int = USUAL  # the bounding set
    transient: bool = False  # an init container: what it does is always waited for


class Container:
    """One running container: its process table and its share of CPU and memory. `on_exit(code)` hears of the end of pid 1."""

    def __init__(self, world: World, setup: Setup, on_exit: Callable[[int], None]) -> None:
        self.world = world
        self.queue = world.queue
        self.clock = world.clock
        self.setup = setup
        self.tree = setup.tree
        self.host = setup.host
        self.processes: dict[int, Process] = {}
        self.on_exit = on_exit
        self.exit_code: int | None = None
        self.oom = False
        self.lost = False  # its node went off: nobody hears how its processes ended
        self.memory = 0
        self.attended = 0  # processes that a person waits for (exec)
        self.began = world.clock.now
        self.cpu_us = 0  # used in all
        self._busy = 0  # until when (µs) this container's core is taken
        self._used = 0  # µs of the current period
        self._period = 0
        self._runnable: deque[Process] = deque()
        self._entry: Entry | None = None
        self._next_pid = 1
        self._names: tuple[bytes, bytes, dict[str, str], Resolver] | None = None
        self.proc = ProcFs(self)

    # --- starting ---

    def start(self, argv: list[str], env: Mapping[str, str], cwd: str, fds: Mapping[int, Description]) -> Process:
        """Start pid 1. Errno when the program can't be run."""
        process = self.launch(argv, env, cwd, fds)
        process.on_exit = None
        return process

    def launch(
        self,
        argv: list[str],
        env: Mapping[str, str],
        cwd: str,
        fds: Mapping[int, Description],
        tty: Description | None = None,
    ) -> Process:
        """Start a process that has no parent: pid 1, or one that `exec` brings in. Errno; `argv[0]` is looked up in PATH."""
        path = self.which(argv[0], env.get("PATH", ""), cwd)
        program, argv = self.program(path, cwd, argv)
        process = self._process(None, argv, dict(env), cwd)
        process.uid, process.gid, process.tty = self.setup.uid, self.setup.gid, tty
        for fd, description in fds.items():
            process.open(description, fd)
        self._begin(process, program, self.setup.state if process.pid == 1 else {})
        return process

    def which(self, name: str, path: str, cwd: str) -> str:
        """Find an executable as runc does. ENOENT with an empty path: not in PATH; EACCES: a folder, or no x bit."""
        if "/" in name:
            return name
        denied = False
        for directory in path.split(":"):
            try:
                node = self.tree.lookup(f"{directory or '.'}/{name}", cwd)
            except Errno:
                continue
            if isinstance(node, File) and node.mode & 0o111:
                return f"{directory or '.'}/{name}"
            denied = True
        raise Errno("EACCES" if denied else "ENOENT")

    def program(self, path: str, cwd: str, argv: list[str], depth: int = 0) -> tuple[Program, list[str]]:
        """Return the program behind `path` and its final argv (a script's interpreter first). ENOENT, EACCES, ENOEXEC, ELOOP."""
        node = self.tree.lookup(path, cwd)
        if not isinstance(node, File) or not node.mode & 0o111:
            raise Errno("EACCES", path)
        if node.program is not None:
            return node.program, argv
        if not node.data.startswith(b"#!"):
            raise Errno("ENOEXEC", path)
        if depth > 4:
            raise Errno("ELOOP", path)
        words = bytes(node.data[2:256]).split(b"\n", 1)[0].decode("utf-8", "replace").strip().split(None, 1)
        if not words:
            raise Errno("ENOEXEC", path)
        return self.program(words[0], cwd, [*words, path, *argv[1:]], depth + 1)

    def spawn(
        self, parent: Process, program: Program, argv: list[str], env: dict[str, str], cwd: str, fds: Mapping[int, int]
    ) -> Process:
        """Start a child. EAGAIN, EBADF."""
        inherited = {fd: parent.at(ours) for fd, ours in fds.items()}
        process = self._process(parent, argv, env, cwd)
        for fd, description in inherited.items():
            process.open(description, fd)
        parent.children[process.pid] = process
        self._begin(process, program, {})
        return process

    def _process(self, parent: Process | None, argv: list[str], env: dict[str, str], cwd: str) -> Process:
        if len(self.processes) >= MAX_PROCESSES or self.exit_code is not None:
            raise Errno("EAGAIN")
        process = Process(self, self._next_pid, parent, argv, env, cwd)
        self._next_pid += 1
        self.processes[process.pid] = process
        self.proc.add(process)
        return process

    def _begin(self, process: Process, program: Program, state: dict[str, Any]) -> None:
        process.generator = self.generator(process, program, state)
        self.enqueue(process)

    def generator(self, process: Process, program: Program, state: dict[str, Any]) -> Steps:
        """Return `program` made ready to run as `process`."""
        return program(
            Context(process.argv, process.env, process.cwd, self.tree, process.pid, process.ppid, process.uid, process.gid,
                    self.setup.hostname, process.tty is not None, state, self.setup.capabilities)
        )  # fmt: skip

    # --- running ---

    @property
    def housekeeping(self) -> bool:
        """Say whether what happens here now is the steady life of a program, which nobody waits for."""
        return self.steady(self.clock.now)

    def steady(self, due: int) -> bool:
        """Say whether what happens here at `due` is steady life: not an init container's, an exec's or a young container's."""
        return not (self.setup.transient or self.attended) and due - self.began > YOUNG_MS

    def enqueue(self, process: Process) -> None:
        """Let a process run in the next slice."""
        if not process.queued and process.exit_code is None:
            process.queued = True
            self._runnable.append(process)
            if self._entry is None:
                self._schedule(max(self.clock.now, self._busy // 1000))

    def _schedule(self, due: int) -> None:
        self._entry = self.queue.put(due, self._slice, housekeeping=self.housekeeping)

    def _slice(self) -> None:
        """Run what is runnable for at most the rest of this millisecond."""
        self._entry = None
        now = self.clock.now
        quota = self._quota(now)
        start = max(self._busy, now * 1000)
        end = min(now * 1000 + 1000, start + quota)
        self._busy = start
        while self._runnable and self._busy < end:
            process = self._runnable.popleft()
            process.queued = False
            if process.exit_code is None and not process.stopped:
                self._run(process, end)
        self._used += self._busy - start
        self.cpu_us += self._busy - start
        if self._runnable and self._entry is None:
            due = max(now, self._busy // 1000)
            self._schedule(max(due, now + 1) if self._quota(now) > 0 else (now // PERIOD_MS + 1) * PERIOD_MS)

    def _quota(self, now: int) -> int:
        """Return how many µs may still be used in this period."""
        limit = self.setup.limits.cpu_us
        if limit is None:
            return 1000
        period = now // PERIOD_MS
        if period != self._period:
            self._used = max(0, self._used - limit * PERIOD_MS * (period - self._period))
            self._period = period
        return max(0, limit * PERIOD_MS - self._used)

    def _run(self, process: Process, end: int) -> None:
        """Drive one process until it waits, ends, or the slice is over."""
        handlers = calls.HANDLERS
        while self._busy < end:
            call = process.call
            if call is None:
                call = self._advance(process)
                if call is None:
                    return
            process.call = call
            try:
                value = handlers[type(call)](process, call)
            except Errno as error:
                process.call, process.error, process.progress = None, error, 0
                continue
            if value is BLOCKED:
                if process.queued:  # woken meanwhile
                    continue
                return
            process.call = None
            process.progress = 0
            process.value = value
            if process.exit_code is not None or process.stopped:
                return
        self.enqueue(process)

    def _advance(self, process: Process) -> Any:
        """Run the generator to its next call -> the call, or None when the process has ended."""
        self._busy += STEP_US
        process.cpu_us += STEP_US
        try:
            if process.error is not None:
                error, process.error = process.error, None
                call = process.generator.throw(error)
            else:
                value, process.value = process.value, None
                call = process.generator.send(value)
            if process.signals:
                call = process.generator.throw(Signal(process.signals.popleft()))
        except StopIteration as stop:
            self.end(process, int(stop.value or 0) & 0xFF)
            return None
        except Signal as signal:
            self.end(process, Killed(128 + signal.number))
            return None
        except Errno as error:
            self.end(process, Killed(128 + SIGNALS["PIPE"]) if error.name == "EPIPE" else 1)
            return None
        except RecursionError:
            self.end(process, Killed(128 + SIGNALS["SEGV"]))
            return None
        except Exception as fault:  # noqa: BLE001 - a fault in one program must not stop the cluster
            self.world.trace.add(
                self.clock.now, self.setup.name, "fault", " ".join(process.argv), f"{type(fault).__name__}: {fault}"
            )
            self.end(process, Killed(128 + SIGNALS["ABRT"]))
            return None
        return call

    def burn(self, process: Process, us: int) -> None:
        """Charge CPU time."""
        self._busy += us
        process.cpu_us += us

    # --- ending ---

    def end(self, process: Process, code: int) -> None:
        """End a process: descriptors close, children go to pid 1, the parent may wait for it."""
        if process.exit_code is not None:
            return
        process.exit_code = code
        process.clear()
        self.memory -= process.memory
        process.memory = 0
        _shut(process.generator)
        for fd in list(process.fds):
            process.close(fd)
        if process.pid == 1:
            self._finish(code)
            return
        init = self.processes.get(1)
        for child in process.children.values():
            child.parent = init
            if init is not None:
                init.children[child.pid] = child
                if child.exit_code is not None:
                    self._tell_parent(init)
        process.children = {}
        parent = process.parent
        if parent is None or parent.exit_code is not None:
            self.reap(process)
        else:
            self._tell_parent(parent)
        if process.on_exit is not None:
            process.on_exit(code)

    def _tell_parent(self, parent: Process) -> None:
        parent.signal(SIGNALS["CHLD"])
        if calls.waits_for_child(parent):
            parent.retry(parent.token)

    def reap(self, process: Process) -> None:
        """Take an ended process out of the table."""
        self.processes.pop(process.pid, None)
        self.proc.remove(process)
        if process.parent is not None:
            process.parent.children.pop(process.pid, None)

    def _finish(self, code: int) -> None:
        """End the container with pid 1: all others are killed."""
        self.exit_code = code
        for process in list(self.processes.values()):
            if process.exit_code is None:
                self.end(process, KILLED)
        self._runnable.clear()
        self.queue.cancel(self._entry)
        self._entry = None
        self.on_exit(code)

    def signal(self, number: int) -> None:
        """Send a signal to pid 1 from outside the container (the kubelet stops it)."""
        init = self.processes.get(1)
        if init is not None:
            init.signal(number, outside=True)

    def allocate(self, process: Process, size: int) -> None:
        """Set a process's memory; over the limit the largest process is killed."""
        self.memory += size - process.memory
        process.memory = size
        limit = self.setup.limits.memory
        if limit is not None and self.memory > limit:
            self.oom = True
            victim = max(self.processes.values(), key=lambda one: (one.memory, one.pid))
            self.end(victim, KILLED)

    # --- names ---

    def names(self) -> tuple[dict[str, str], Resolver]:
        """Return what /etc/hosts and /etc/resolv.conf say now."""
        hosts, resolv = self._text("/etc/hosts"), self._text("/etc/resolv.conf")
        if self._names is None or self._names[:2] != (hosts, resolv):
            self._names = (
                hosts,
                resolv,
                parse_hosts(hosts.decode("utf-8", "replace")),
                parse_resolv(resolv.decode("utf-8", "replace")),
            )
        return self._names[2], self._names[3]

    def _text(self, path: str) -> bytes:
        try:
            return self.tree.read(path)
        except Errno:
            return b""


def _shut(generator: Steps) -> None:
    """Close a generator, whatever its `finally` clauses yield."""
    try:
        generator.close()
    except (RuntimeError, ValueError, Errno, Signal):
        return
