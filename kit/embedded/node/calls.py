"""The system calls: a table from the call's type to the function that carries it out. Files, processes, time; `netcalls` has the rest.

A function gets the process and the call and returns the answer, raises `Errno`, or returns `BLOCKED` after it has noted what wakes
the process: then it is tried again (`retry`) or answered (`complete`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kit.embedded.core import capabilities
from kit.embedded.core import program as p
from kit.embedded.core.filesystem import normal
from kit.embedded.core.inodes import Device, Dir, File, R, W, permits
from kit.embedded.core.program import SIGNALS, Errno
from kit.embedded.node import netcalls
from kit.embedded.node.descriptors import BLOCKED, Blocked, Description, DeviceHandle, FileHandle, Pipe
from kit.embedded.node.processes import Process

STREAMS = {"stdin": 0, "stdout": 1, "stderr": 2}
BYTES_PER_US = 1024  # how fast a program moves bytes: big blocks take their share of the CPU too


class DirHandle(Description):
    """A folder opened as if it were a file."""

    __slots__ = ()

    def read(self, size: int) -> bytes | Blocked:
        raise Errno("EISDIR")


# --- files -----------------------------------------------------------------------------------------------------------------


def open_file(process: Process, call: p.Open) -> int:
    """Carry out Open."""
    path = _self(process, call.path)
    if (opened := _descriptor(process, path)) is not None:
        return process.open(opened)
    tree = process.container.tree
    if call.mode == "r":
        node = tree.lookup(path, process.cwd)
        _permit(process, node, R, call.path)
    else:
        node = _writable(process, path, call)
    if isinstance(node, Device):
        return process.open(_device(process, node, call.path))
    if isinstance(node, Dir):
        return process.open(DirHandle())
    if not isinstance(node, File):
        raise Errno("ENOENT", call.path)
    if call.mode == "w" and node.data:
        tree.charge(node, -len(node.data))
        node.data = b""
        node.mtime = process.container.clock.wall()
    return process.open(FileHandle(tree, node, call.mode, process.container.clock.wall))


def _writable(process: Process, path: str, call: p.Open) -> Any:
    tree = process.container.tree
    try:
        node = tree.lookup(path, process.cwd)
    except Errno as error:
        if error.name != "ENOENT":
            raise
        parent = normal(path, process.cwd).rsplit("/", 1)[0] or "/"
        if process.uid:
            _permit(process, tree.lookup(parent), W, call.path)
        file = tree.create(path, process.cwd, now=process.container.clock.wall())
        file.uid, file.gid = process.uid, process.gid
        return file
    if call.mode == "x":
        raise Errno("EEXIST", call.path)
    if isinstance(node, Device):
        return node
    _permit(process, node, W, call.path)
    return tree.create(path, process.cwd, now=process.container.clock.wall())


def _permit(process: Process, node: Any, want: int, path: str) -> None:
    """Check the mode bits. EACCES."""
    if not permits(node, want, process.uid, process.gid):
        raise Errno("EACCES", path)


def _self(process: Process, path: str) -> str:
    return f"/proc/{process.pid}{path[10:]}" if path.startswith("/proc/self") and path[10:11] in ("", "/") else path


def _descriptor(process: Process, path: str) -> Description | None:
    """Return what /proc/PID/fd/N or /dev/fd/N stands for. ENOENT."""
    match path.split("/"):
        case ["", "proc", pid, "fd", fd] if pid.isdigit() and fd.isdigit():
            owner = process.container.processes.get(int(pid))
        case ["", "dev", "fd", fd] if fd.isdigit():
            owner = process
        case _:
            return None
    if owner is None or int(fd) not in owner.fds:
        raise Errno("ENOENT", path)
    return owner.fds[int(fd)]


def _device(process: Process, node: Device, path: str) -> Description:
    if node.name in STREAMS:
        return process.at(STREAMS[node.name])
    if node.name == "tty":
        if process.tty is None:
            raise Errno("ENXIO", path)
        return process.tty
    return DeviceHandle(node.name, process.container.world.ids)


def read(process: Process, call: p.Read) -> bytes | Blocked:
    """Carry out Read."""
    description = process.fds.get(call.fd)
    if description is None:
        raise Errno("EBADF")
    data = description.read(call.size)
    if isinstance(data, Blocked):
        description.wait(process)
    else:
        process.container.burn(process, len(data) // BYTES_PER_US)
    return data


def write(process: Process, call: p.Write) -> int | Blocked:
    """Carry out Write: waits until all is taken; nothing is taken at once."""
    description = process.at(call.fd)
    data, total = call.data, len(call.data)
    while process.progress < total:
        taken = description.write(data if not process.progress else data[process.progress :])
        if isinstance(taken, Blocked):
            description.wait(process)
            return BLOCKED
        process.progress += taken
    process.progress = 0
    process.container.burn(process, total // BYTES_PER_US)
    return total


def close(process: Process, call: p.Close) -> None:
    """Carry out Close."""
    process.close(call.fd)


def dup(process: Process, call: p.Dup) -> int:
    """Carry out Dup."""
    description = process.at(call.fd)
    return call.fd if call.to == call.fd else process.open(description, call.to)


def pipe(process: Process, call: p.Pipe) -> tuple[int, int]:
    """Carry out Pipe."""
    made = Pipe()
    return process.open(made.reader), process.open(made.writer)


def poll(process: Process, call: p.Poll) -> tuple[int, ...] | Blocked:
    """Carry out Poll: the timer answers with nothing."""
    ready = tuple(fd for fd in call.fds if process.at(fd).readable)
    if ready or call.timeout_ms == 0:
        return ready
    for fd in call.fds:
        process.at(fd).wait(process)
    if call.timeout_ms is not None:
        now_ms = process.container.clock.now
        process.progress = process.progress or now_ms + call.timeout_ms  # the deadline, kept over retries
        if now_ms >= process.progress:
            return ()
        _timer(process, process.progress, ())
    return BLOCKED


def is_tty(process: Process, call: p.IsTty) -> bool:
    """Carry out IsTty."""
    return process.at(call.fd).tty


# --- processes -------------------------------------------------------------------------------------------------------------


def spawn(process: Process, call: p.Spawn) -> int:
    """Carry out Spawn."""
    container = process.container
    argv = list(call.argv)
    program = call.program
    if program is None:
        program, argv = container.program(call.path, call.cwd, argv)
    return container.spawn(process, program, argv, dict(call.env), call.cwd, call.fds).pid


def replace(process: Process, call: p.Exec) -> None:
    """Carry out Exec: same pid and descriptors, a new program."""
    container = process.container
    program, argv = container.program(call.path, process.cwd, list(call.argv))
    process.argv, process.env = argv, dict(call.env)
    process.dispositions = {number: action for number, action in process.dispositions.items() if action == "ignore"}
    process.signals.clear()
    process.generator.close()
    process.generator = container.generator(process, program, {})


def wait(process: Process, call: p.Wait) -> tuple[int, int] | Blocked | None:
    """Carry out Wait; whoever ends retries it."""
    mine = [child for child in process.children.values() if call.pid in (None, child.pid)]
    if not mine:
        raise Errno("ECHILD")
    for child in mine:
        if child.exit_code is not None:
            process.container.reap(child)
            return child.pid, child.exit_code
    return BLOCKED if call.block else None


def waits_for_child(process: Process) -> bool:
    """Say whether a process waits for a child to end."""
    return isinstance(process.call, p.Wait)


def kill(process: Process, call: p.Kill) -> None:
    """Carry out Kill."""
    table = process.container.processes
    group = process.group if call.pid == 0 else -call.pid
    if call.pid > 0:
        found = [table[call.pid]] if call.pid in table else []
    elif call.pid == -1:
        found = [other for other in table.values() if other.pid != 1 and other is not process]
    else:
        found = [other for other in table.values() if other.group == group]
    if not found:
        raise Errno("ESRCH")
    rights = process.container.setup.capabilities
    allowed = [other for other in found if process.uid == other.uid or capabilities.held(rights, process.uid, "KILL")]
    if not allowed:
        raise Errno("EPERM")
    for other in allowed if call.signal else ():
        other.signal(call.signal)


def trap(process: Process, call: p.Trap) -> None:
    """Carry out Trap."""
    if call.signal in (SIGNALS["KILL"], SIGNALS["STOP"]):
        raise Errno("EINVAL")
    process.dispositions[call.signal] = call.action


def processes(process: Process, call: p.Processes) -> list[tuple[int, int, int, tuple[str, ...], str, int]]:
    """Carry out Processes."""
    table = process.container.processes.values()
    return [
        (one.pid, one.ppid, one.uid, tuple(one.argv), "R" if one is process else one.state, one.cpu_us // 1000)
        for one in table
    ]


def chdir(process: Process, call: p.Chdir) -> None:
    """Carry out Chdir."""
    real = process.container.tree.resolve(call.path, process.cwd)
    if not isinstance(process.container.tree.lookup(real), Dir):
        raise Errno("ENOTDIR", call.path)
    process.cwd = real


# --- time and work ---------------------------------------------------------------------------------------------------------


def sleep(process: Process, call: p.Sleep) -> Blocked:
    """Carry out Sleep."""
    _timer(process, process.container.clock.now + max(0, call.ms), None)
    return BLOCKED


def _timer(process: Process, due: int, answer: Any) -> None:
    token, container = process.token, process.container
    process.timer = container.queue.put(
        due, lambda: process.complete(token, answer), housekeeping=container.steady(due)
    )


def now(process: Process, call: p.Now) -> int:
    """Carry out Now."""
    return process.container.clock.wall()


def burn(process: Process, call: p.Burn) -> None:
    """Carry out Burn."""
    process.container.burn(process, call.us)


def allocate(process: Process, call: p.Allocate) -> None:
    """Carry out Allocate."""
    process.container.allocate(process, call.bytes)


HANDLERS: dict[type, Callable[[Process, Any], Any]] = {
    p.Open: open_file, p.Read: read, p.Write: write, p.Close: close, p.Dup: dup, p.Pipe: pipe, p.Poll: poll, p.IsTty: is_tty,
    p.Spawn: spawn, p.Exec: replace, p.Wait: wait, p.Kill: kill, p.Trap: trap, p.Processes: processes, p.Chdir: chdir,
    p.Sleep: sleep, p.Now: now, p.Burn: burn, p.Allocate: allocate, **netcalls.HANDLERS,
}  # fmt: skip
