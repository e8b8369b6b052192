"""The calls of the test kernel (`shellbox`)."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from kit.embedded.core import program as call
from kit.embedded.core.filesystem import Tree
from kit.embedded.core.inodes import Device, Dir, File
from kit.embedded.core.program import Context, Errno, Killed

PIPE_SIZE = 65536
START = 1_789_000_000_000
ROUTINE = (13, 17, 18, 28)  # SIGPIPE is an error here; CHLD, CONT and WINCH do nothing by default


class Stuck(AssertionError):
    """The processes can never go on, or didn't end in time."""


@dataclass(eq=False)
class PipeBuffer:
    data: bytearray = field(default_factory=bytearray)
    readers: int = 0
    writers: int = 0


@dataclass(eq=False)
class Handle:
    """An open description; `refs` counts the descriptors that share it."""

    kind: str
    pipe: PipeBuffer | None = None
    out: PipeBuffer | None = None
    file: File | None = None
    path: str = ""
    offset: int = 0
    append: bool = False
    writable: bool = False
    refs: int = 0
    peer: tuple[str, int] = ("", 0)
    tree: Tree | None = None
    tty: bool = False


@dataclass(eq=False)
class Process:
    pid: int
    ppid: int
    argv: list[str]
    ctx: Context
    generator: Any
    fds: dict[int, Handle]
    cwd: str
    env: dict[str, str]
    traps: dict[int, str] = field(default_factory=dict)
    pending: list[int] = field(default_factory=list)
    waiting: Any = None
    wake: int = 0
    answer: Any = None
    error: BaseException | None = None
    started: bool = False
    status: int | None = None
    cpu_us: int = 0


class Calls:
    """Serves the calls; the box that inherits it has the processes, the queue and the tree."""

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)

    def attempt(self, process: Process, item: Any) -> tuple[bool, Any]:
        return getattr(self, "do_" + type(item).__name__.lower())(process, item)

    def handle(self, process: Process, fd: int) -> Handle:
        if fd not in process.fds:
            raise Errno("EBADF")
        return process.fds[fd]

    def put(self, process: Process, handle: Handle) -> int:
        fd = next(n for n in range(1024) if n not in process.fds)
        process.fds[fd] = handle
        handle.refs += 1
        return fd

    def do_open(self, process: Process, item: call.Open) -> tuple[bool, Any]:
        path, parts = item.path, item.path.split("/")
        if path.startswith("/dev/fd/") and path[8:].isdigit():
            return True, self.put(process, self.handle(process, int(path[8:])))
        if len(parts) == 5 and parts[1] == "proc" and parts[3] == "fd":
            target = process if parts[2] == "self" else self.processes.get(int(parts[2]))
            if target is None:
                raise Errno("ENOENT", path)
            return True, self.put(process, self.handle(target, int(parts[4])))
        tree = self.tree
        try:
            node: Any = tree.lookup(path, process.cwd)
        except Errno as error:
            if error.name != "ENOENT" or item.mode == "r":
                raise
            node = None
        if isinstance(node, Device):
            names = {"stdin": 0, "stdout": 1, "stderr": 2}
            if node.name in names:
                return True, self.put(process, self.handle(process, names[node.name]))
            return True, self.put(process, Handle("device", path=node.name))
        if item.mode == "r":
            return True, self.put(
                process, Handle("dir") if isinstance(node, Dir) else Handle("file", file=node, path=path)
            )
        if isinstance(node, Dir):
            raise Errno("EISDIR", path)
        file = tree.create(path, process.cwd, exclusive=item.mode == "x", now=self.now)
        if item.mode == "w":
            tree.charge(file, -len(file.data))
            file.data = b""
            file.mtime = self.now
        handle = Handle("file", file=file, path=path, append=item.mode == "a", writable=True, tree=tree)
        return True, self.put(process, handle)

    def do_read(self, process: Process, item: call.Read) -> tuple[bool, Any]:
        handle = self.handle(process, item.fd)
        if handle.kind == "dir":
            raise Errno("EISDIR")
        if handle.kind == "file":
            assert handle.file is not None
            content = handle.file.dynamic() if handle.file.dynamic else handle.file.data
            data = bytes(content[handle.offset : handle.offset + item.size])
            handle.offset += len(data)
            return True, data
        if handle.kind == "device":
            filler = {"zero": b"\0", "full": b"\0", "urandom": b"\x5a"}.get(handle.path, b"")
            return True, filler * item.size
        pipe = handle.pipe
        if handle.kind not in ("pipe-r", "socket") or pipe is None:
            raise Errno("EBADF")
        if pipe.data:
            data = bytes(pipe.data[: item.size])
            del pipe.data[: item.size]
            return True, data
        return pipe.writers <= 0, b""

    def do_write(self, process: Process, item: call.Write) -> tuple[bool, Any]:
        handle = self.handle(process, item.fd)
        if handle.kind == "device":
            if handle.path == "full":
                raise Errno("ENOSPC")
            return True, len(item.data)
        if handle.kind == "file":
            if not handle.writable or handle.file is None or handle.tree is None:
                raise Errno("EBADF")
            data = bytearray(handle.file.data)
            at = len(data) if handle.append else handle.offset
            grown = max(0, at + len(item.data) - len(data))
            handle.tree.charge(handle.file, grown, handle.path)
            data[at : at + len(item.data)] = item.data
            handle.file.data = data
            handle.file.mtime = self.now
            handle.offset = at + len(item.data)
            return True, len(item.data)
        if handle.kind == "socket":
            assert handle.out is not None
            if handle.peer in self.servers and handle.out.readers < 0:
                raise Errno("EPIPE")
            handle.out.data += item.data
            self.serve(handle)
            return True, len(item.data)
        if handle.kind != "pipe-w" or handle.pipe is None:
            raise Errno("EBADF")
        if handle.pipe.readers <= 0:
            raise Errno("EPIPE")
        if len(handle.pipe.data) >= PIPE_SIZE:
            return False, None
        handle.pipe.data += item.data
        return True, len(item.data)

    def serve(self, handle: Handle) -> None:
        server = self.servers.get(handle.peer)
        if server is None or handle.pipe is None or handle.out is None or handle.path == "pair":
            return
        answer = server(bytes(handle.out.data))
        if answer is not None:
            handle.pipe.data += answer
            handle.out.data.clear()
            if handle.peer[1] != 6379 or not answer:
                handle.pipe.writers = 0

    def do_close(self, process: Process, item: call.Close) -> tuple[bool, Any]:
        self.close(process, item.fd)
        return True, None

    def do_shutdown(self, process: Process, item: call.Shutdown) -> tuple[bool, Any]:
        handle = self.handle(process, item.fd)
        if handle.out is not None:
            handle.out.writers = 0
        return True, None

    def do_dup(self, process: Process, item: call.Dup) -> tuple[bool, Any]:
        handle = self.handle(process, item.fd)
        if item.to is None:
            return True, self.put(process, handle)
        if item.to != item.fd:
            if item.to in process.fds:
                self.close(process, item.to)
            process.fds[item.to] = handle
            handle.refs += 1
        return True, item.to

    def do_pipe(self, process: Process, item: call.Pipe) -> tuple[bool, Any]:
        buffer = PipeBuffer(readers=1, writers=1)
        return True, (self.put(process, Handle("pipe-r", buffer)), self.put(process, Handle("pipe-w", buffer)))

    def do_poll(self, process: Process, item: call.Poll) -> tuple[bool, Any]:
        found = []
        for fd in item.fds:
            handle = self.handle(process, fd)
            waiting = (
                handle.kind in ("pipe-r", "socket") and handle.pipe and not handle.pipe.data and handle.pipe.writers > 0
            )
            if handle.kind == "listener":
                waiting = not self.listeners.get(handle.offset)
            if not waiting:
                found.append(fd)
        if found:
            return True, tuple(found)
        return item.timeout_ms is not None and self.now >= process.wake, ()

    def do_istty(self, process: Process, item: call.IsTty) -> tuple[bool, Any]:
        return True, self.handle(process, item.fd).tty

    def do_spawn(self, process: Process, item: call.Spawn) -> tuple[bool, Any]:
        program = item.program
        if program is None:
            _, program = self.executable(item.path, {}, item.cwd) if "/" in item.path else (None, None)
            if program is None:
                raise Errno("ENOENT", item.path)
        fds: dict[int, Handle] = {}
        for theirs, ours in item.fds.items():
            if ours in process.fds:
                fds[theirs] = process.fds[ours]
                fds[theirs].refs += 1
        child = self.add_process(process, program, list(item.argv), dict(item.env), fds, item.cwd)
        return True, child.pid

    def do_exec(self, process: Process, item: call.Exec) -> tuple[bool, Any]:
        _, program = self.executable(item.path, {}, process.cwd)
        process.argv = list(item.argv)
        process.env = dict(item.env)
        process.ctx = Context(process.argv, process.env, process.cwd, self.tree, process.pid, process.ppid, process.ctx.uid,
                              process.ctx.gid, self.hostname)  # fmt: skip
        process.generator = program(process.ctx)
        process.traps = {n: a for n, a in process.traps.items() if a == "ignore"}
        process.started = False
        return True, None

    def do_wait(self, process: Process, item: call.Wait) -> tuple[bool, Any]:
        children = [p for p in self.processes.values() if p.ppid == process.pid and item.pid in (None, p.pid)]
        if not children:
            raise Errno("ECHILD")
        for child in children:
            if child.status is not None:
                del self.processes[child.pid]
                return True, (child.pid, child.status)
        return not item.block, None

    def do_kill(self, process: Process, item: call.Kill) -> tuple[bool, Any]:
        if item.pid <= 0:
            targets = [p for p in self.processes.values() if p.pid > 1 and p.status is None]
        else:
            targets = [p for p in self.processes.values() if p.pid == item.pid]
        if not targets:
            raise Errno("ESRCH")
        for target in targets:
            self.signal(target, item.signal)
        return process.status is None, None

    def signal(self, target: Process, number: int) -> None:
        action = target.traps.get(number, "default")
        if number == 0 or target.status is not None or (number in ROUTINE and action != "catch"):
            return
        if number == 9:
            if target.pid != 1:
                self.end(target, Killed(137))
        elif action == "catch":
            target.pending.append(number)
        elif action == "default" and target.pid != 1:
            self.end(target, Killed(128 + number))

    def do_trap(self, process: Process, item: call.Trap) -> tuple[bool, Any]:
        process.traps[item.signal] = item.action
        return True, None

    def do_processes(self, process: Process, item: call.Processes) -> tuple[bool, Any]:
        rows = [
            (p.pid, p.ppid, p.ctx.uid, tuple(p.argv), "S", p.cpu_us // 1000)
            for p in self.processes.values()
            if p.status is None
        ]
        return True, rows

    def do_chdir(self, process: Process, item: call.Chdir) -> tuple[bool, Any]:
        if not isinstance(self.tree.lookup(item.path, process.cwd), Dir):
            raise Errno("ENOTDIR", item.path)
        process.cwd = item.path
        return True, None

    def do_sleep(self, process: Process, item: call.Sleep) -> tuple[bool, Any]:
        return self.now >= process.wake, None

    def do_now(self, process: Process, item: call.Now) -> tuple[bool, Any]:
        return True, self.now

    def do_burn(self, process: Process, item: call.Burn) -> tuple[bool, Any]:
        process.cpu_us += item.us
        return True, None

    def do_allocate(self, process: Process, item: call.Allocate) -> tuple[bool, Any]:
        return True, None

    # --- network ---

    def do_listen(self, process: Process, item: call.Listen) -> tuple[bool, Any]:
        if item.port in self.listeners:
            raise Errno("EADDRINUSE")
        self.listeners[item.port] = deque()
        return True, self.put(process, Handle("listener", offset=item.port))

    def do_accept(self, process: Process, item: call.Accept) -> tuple[bool, Any]:
        backlog = self.listeners[self.handle(process, item.fd).offset]
        if not backlog:
            return False, None
        return True, self.put(process, backlog.popleft())

    def do_connect(self, process: Process, item: call.Connect) -> tuple[bool, Any]:
        peer = (item.address, item.port)
        if item.address in ("127.0.0.1", "0.0.0.0") and item.port in self.listeners:
            one, two = PipeBuffer(readers=1, writers=1), PipeBuffer(readers=1, writers=1)
            self.listeners[item.port].append(Handle("socket", one, two, path="pair", peer=("127.0.0.1", 40000)))
            return True, self.put(process, Handle("socket", two, one, path="pair", peer=peer))
        if peer not in self.servers:
            raise Errno(self.unreachable(*peer))
        ours = PipeBuffer(readers=1, writers=1)
        return True, self.put(process, Handle("socket", ours, PipeBuffer(readers=1, writers=1), peer=peer))

    def do_peer(self, process: Process, item: call.Peer) -> tuple[bool, Any]:
        return True, self.handle(process, item.fd).peer

    def do_local(self, process: Process, item: call.Local) -> tuple[bool, Any]:
        return True, ("10.244.1.5", 0)

    def do_resolve(self, process: Process, item: call.Resolve) -> tuple[bool, Any]:
        if item.name.replace(".", "").isdigit():
            return True, [item.name]
        if item.name not in self.names:
            raise Errno("ENXDOMAIN")
        return True, list(self.names[item.name])

    def do_query(self, process: Process, item: call.Query) -> tuple[bool, Any]:
        return True, self.answers(item.name, item.kind, item.server)

    def do_ping(self, process: Process, item: call.Ping) -> tuple[bool, Any]:
        return self.now >= process.wake, 0.05
