"""A small kernel for unit tests: runs programs of core/program.py in-process, with pipes, files, processes, signals, a fake network."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from boxcalls import START, Calls, Handle, PipeBuffer, Process, Stuck

from kit.embedded.core import program as call
from kit.embedded.core.filesystem import Tree
from kit.embedded.core.inodes import File
from kit.embedded.core.program import Answer, Context, Errno, Killed, Signal


class Box(Calls):
    """One container. `network` maps (address, port) to a function bytes -> bytes; names are given by `names`."""

    def __init__(self, tree: Tree, *, hostname: str = "box", names: Mapping[str, list[str]] | None = None) -> None:
        self.tree = tree
        self.hostname = hostname
        self.names = dict(names or {})
        self.servers: dict[tuple[str, int], Callable[[bytes], bytes | None]] = {}
        self.unreachable: Callable[[str, int], str] = lambda address, port: "ECONNREFUSED"
        self.answers: Callable[[str, str, str | None], Answer] = lambda name, kind, server: Answer(
            "NXDOMAIN", (), "10.96.0.10"
        )
        self.processes: dict[int, Process] = {}
        self.next_pid = 1
        self.now = START
        self.steps = 0
        self.queue: deque[Process] = deque()
        self.listeners: dict[int, deque[Handle]] = {}
        self.add_process(None, lambda ctx: self._forever(), ["sleep", "99999"], {}, {}, "/")

    def _forever(self) -> Any:
        yield call.Sleep(10**12)
        return 0

    # --- running ---

    def run(self, argv: list[str], *, stdin: bytes = b"", env: Mapping[str, str] | None = None, limit: int = 2_000_000, uid: int = 0,
            tty: bool = False, cwd: str = "/") -> tuple[bytes, bytes, int]:  # fmt: skip
        """Run a program to its end -> (stdout, stderr, status); every process it left behind is ended."""
        out, err, source = PipeBuffer(readers=1), PipeBuffer(readers=1), PipeBuffer(bytearray(stdin))
        fds = {
            0: Handle("pipe-r", source, tty=tty),
            1: Handle("pipe-w", out, tty=tty),
            2: Handle("pipe-w", err, tty=tty),
        }
        source.readers += 1
        out.writers += 1
        err.writers += 1
        for handle in fds.values():
            handle.refs = 1
        environment = {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": "/root",
            **(env or {}),
        }
        path, program = self.executable(argv[0], environment, cwd)
        del path
        main = self.add_process(None, program, list(argv), environment, fds, cwd, uid=uid)
        before = set(self.processes) - {main.pid}
        output, errors = bytearray(), bytearray()
        for _ in range(limit):
            if out.data or err.data:
                output += out.data
                errors += err.data
                out.data.clear()
                err.data.clear()
                self.wake_all()
            if main.status is not None:
                break
            if not self.step():
                raise AssertionError(
                    f"deadlock: {[(p.argv, p.waiting) for p in self.processes.values() if p.status is None]}"
                )
        else:
            raise Stuck("too many steps")
        for pid in [pid for pid in self.processes if pid not in before]:
            if self.processes[pid].status is None:
                self.end(self.processes[pid], Killed(137))
            del self.processes[pid]
        return bytes(output + out.data), bytes(errors + err.data), int(main.status)

    def executable(self, name: str, env: Mapping[str, str], cwd: str, depth: int = 0) -> tuple[str, Any]:
        paths = [name] if "/" in name else [f"{each}/{name}" for each in env.get("PATH", "").split(":")]
        failure = Errno("ENOENT", name)
        for path in paths:
            try:
                node = self.tree.lookup(path, cwd)
            except Errno as error:
                failure = error
                continue
            if not isinstance(node, File) or not node.mode & 0o111:
                failure = Errno("EACCES", path)
                continue
            if node.program is not None:
                return path, node.program
            data = bytes(node.data)
            if data.startswith(b"#!") and depth < 4:
                words = data[2:].split(b"\n")[0].decode().split(None, 1)
                _, interpreter = self.executable(words[0], env, cwd, depth + 1)
                extra = words[1:]

                def run(
                    ctx: Context,
                    path: str = path,
                    words: list[str] = words,
                    interpreter: Any = interpreter,
                    extra: Any = extra,
                ) -> Any:
                    ctx.argv = [words[0], *extra, path, *ctx.argv[1:]]
                    return interpreter(ctx)

                return path, run
            failure = Errno("ENOEXEC", path)
        raise failure

    def add_process(self, parent: Process | None, program: Any, argv: list[str], env: dict[str, str], fds: dict[int, Handle],
                    cwd: str, uid: int = 0) -> Process:  # fmt: skip
        if len([p for p in self.processes.values() if p.status is None]) > 300:
            raise Errno("EAGAIN")
        pid = self.next_pid
        self.next_pid += 1
        uid = parent.ctx.uid if parent else uid
        ctx = Context(argv, env, cwd, self.tree, pid, parent.pid if parent else 0, uid, uid, self.hostname)
        traps = {n: a for n, a in parent.traps.items() if a == "ignore"} if parent else {}
        process = Process(pid, ctx.ppid, argv, ctx, program(ctx), fds, cwd, env, traps)
        self.processes[pid] = process
        self.queue.append(process)
        return process

    def step(self) -> bool:
        """Run one process until it waits; False when nobody can ever go on."""
        for _ in range(len(self.queue)):
            process = self.queue.popleft()
            if process.status is not None:
                continue
            if self.ready(process):
                self.advance(process)
                if process.status is None:
                    self.queue.append(process)
                return True
            self.queue.append(process)
        times = [p.wake for p in self.queue if p.status is None and p.wake > self.now and p.pid != 1]
        if not times:
            return False
        self.now = min(times)
        return True

    def wake_all(self) -> None:
        """Nothing to do: waiting processes are tried again at every step."""

    def ready(self, process: Process) -> bool:
        """Try the call the process waits in; True when it has an answer."""
        if process.waiting is None:
            return True
        if process.pending:
            number = process.pending.pop(0)
            process.error = Signal(number)
            process.waiting = None
            return True
        try:
            done, process.answer = self.attempt(process, process.waiting)
        except Errno as error:
            process.error = error
            done = True
        if done:
            process.waiting = None
        return done

    def advance(self, process: Process) -> None:
        for _ in range(200):
            self.steps += 1
            try:
                if process.error is not None:
                    error, process.error = process.error, None
                    item = process.generator.throw(error)
                else:
                    item = process.generator.send(process.answer if process.started else None)
            except StopIteration as stop:
                self.end(process, int(stop.value or 0) & 255)
                return
            process.started = True
            process.answer = None
            process.waiting = item
            process.wake = self.deadline(item)
            if process.status is not None or not self.ready(process):
                return

    def deadline(self, item: Any) -> int:
        if isinstance(item, call.Sleep):
            return self.now + max(0, item.ms)
        if isinstance(item, call.Poll) and item.timeout_ms is not None:
            return self.now + item.timeout_ms
        if isinstance(item, call.Ping):
            return self.now + 1
        return 0

    def end(self, process: Process, status: int) -> None:
        process.generator.close()
        process.status = status
        for fd in list(process.fds):
            self.close(process, fd)
        for child in self.processes.values():
            if child.ppid == process.pid:
                child.ppid = 1

    def close(self, process: Process, fd: int) -> None:
        handle = process.fds.pop(fd, None)
        if handle is None:
            raise Errno("EBADF")
        handle.refs -= 1
        if handle.refs == 0:
            if handle.kind in ("pipe-r", "socket") and handle.pipe:
                handle.pipe.readers -= 1
            if handle.kind == "pipe-w" and handle.pipe:
                handle.pipe.writers -= 1
            if handle.kind == "socket" and handle.out:
                handle.out.writers -= 1
