"""/proc of a container: a folder per process, and the few files that tools read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kit.embedded.core import capabilities
from kit.embedded.core.inodes import Dir, File, Link, Mount

if TYPE_CHECKING:
    from kit.embedded.node.processes import Process
    from kit.embedded.node.runtime import Container

KERNEL = "6.18.44"
MEMORY_KB = 8 << 20
STATES = {"R": "R (running)", "S": "S (sleeping)", "T": "T (stopped)", "Z": "Z (zombie)"}


class ProcFs:
    """The tree that is mounted at /proc; processes come and go in it."""

    def __init__(self, container: Container) -> None:
        self._container = container
        self.root = Dir(mode=0o555, owner=self)
        for name in ("cpuinfo", "loadavg", "meminfo", "mounts", "stat", "uptime", "version"):
            make = getattr(self, f"_{name}")
            self.root.children[name] = File(mode=0o444, owner=self, dynamic=lambda make=make: make().encode())  # type: ignore[misc]
        self.root.children["self"] = Link("1", owner=self)
        container.tree.mount(Mount("/proc", self.root, readonly=True, kind="proc"))

    def add(self, process: Process) -> None:
        """Show a process."""
        files = {
            "cmdline": File(
                mode=0o444, owner=self, dynamic=lambda: b"".join(word.encode() + b"\0" for word in process.argv)
            ),
            "comm": File(mode=0o444, owner=self, dynamic=(lambda: _name(process).encode() + b"\n")),
            "environ": File(
                mode=0o400, owner=self, dynamic=lambda: b"".join(f"{k}={v}\0".encode() for k, v in process.env.items())
            ),
            "status": File(mode=0o444, owner=self, dynamic=lambda: _status(process).encode()),
            "stat": File(mode=0o444, owner=self, dynamic=lambda: _stat(process).encode()),
        }
        self.root.children[str(process.pid)] = Dir(dict(files), 0o555, owner=self)

    def remove(self, process: Process) -> None:
        """Hide a process that is gone."""
        self.root.children.pop(str(process.pid), None)

    def _uptime(self) -> str:
        seconds = self._container.clock.now / 1000
        return f"{seconds:.2f} {seconds * 4:.2f}\n"

    def _loadavg(self) -> str:
        table = self._container.processes
        running = sum(1 for process in table.values() if process.state == "R")
        return f"0.{running:02d} 0.{running:02d} 0.{running:02d} {running}/{len(table)} {max(table, default=1)}\n"

    def _meminfo(self) -> str:
        free = MEMORY_KB - self._container.memory // 1024
        rows = {"MemTotal": MEMORY_KB, "MemFree": free, "MemAvailable": free, "SwapTotal": 0, "SwapFree": 0}
        return "".join(f"{name + ':':<15} {value:>8} kB\n" for name, value in rows.items())

    def _cpuinfo(self) -> str:
        return "".join(
            f"processor\t: {index}\nmodel name\t: Simulated CPU\ncpu MHz\t\t: 1000.000\n\n" for index in range(4)
        )

    def _stat(self) -> str:
        ticks = self._container.cpu_us // 10_000
        began = self._container.clock.epoch // 1000
        return f"cpu  {ticks} 0 0 0 0 0 0 0 0 0\nbtime {began}\nprocesses {max(self._container.processes, default=1)}\n"

    def _version(self) -> str:
        return f"Linux version {KERNEL} (lab@lab) (gcc 16.2.0) #1 SMP\n"

    def _mounts(self) -> str:
        lines = ["overlay / overlay rw,relatime 0 0\n"]
        for path, mount in self._container.tree.mounts.items():
            source = mount.kind if mount.kind in ("proc", "tmpfs") else "/dev/root"
            lines.append(
                f"{source} {path} {mount.kind} {'ro' if mount.readonly else 'rw'},relatime{mount.options} 0 0\n"
            )
        return "".join(lines)


def _name(process: Process) -> str:
    return process.argv[0].rsplit("/", 1)[-1][:15] if process.argv else ""


def _status(process: Process) -> str:
    uid, gid = process.uid, process.gid
    return (
        f"Name:\t{_name(process)}\nState:\t{STATES[process.state]}\nTgid:\t{process.pid}\nPid:\t{process.pid}\nPPid:\t{process.ppid}\n"
        f"Uid:\t{uid}\t{uid}\t{uid}\t{uid}\nGid:\t{gid}\t{gid}\t{gid}\t{gid}\nVmRSS:\t{process.memory // 1024} kB\nThreads:\t1\n"
        + capabilities.shown(process.container.setup.capabilities, uid)
    )


def _stat(process: Process) -> str:
    ticks = process.cpu_us // 10_000
    rest = " ".join(["0"] * 7 + [str(ticks)] + ["0"] * 30)
    return f"{process.pid} ({_name(process)}) {process.state} {process.ppid} {process.group} {process.group} {rest}\n"
