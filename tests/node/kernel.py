"""A container's kernel alone: a queue, a clock, a fabric, and tiny programs."""

from __future__ import annotations

from kit.embedded.core.clock import Clock
from kit.embedded.core.controller import View
from kit.embedded.core.filesystem import Tree, build
from kit.embedded.core.ids import Ids
from kit.embedded.core.inodes import Device, File
from kit.embedded.core.queue import Queue
from kit.embedded.core.settings import Settings
from kit.embedded.core.store import Store
from kit.embedded.core.trace import Trace
from kit.embedded.net.hosts import Host
from kit.embedded.net.network import Fabric
from kit.embedded.node.descriptors import Sink
from kit.embedded.node.runtime import Container, Limits, Setup, World

PATH = {"PATH": "/bin"}


class Bench:
    """One world; `box` starts a container that runs a program, `run` turns the queue to a time."""

    def __init__(self):
        self.queue, self.clock, self.ids, self.trace, self.store = Queue(), Clock(0), Ids(1), Trace(), Store()
        self.view = View(self.store)
        self.outputs = []
        self.fabric = Fabric(
            view=self.view,
            queue=self.queue,
            clock=self.clock,
            ids=self.ids,
            trace=self.trace,
            settings=Settings(),
            out=self.outputs.append,
        )
        self.world = World(self.queue, self.clock, self.ids, self.trace, self.fabric)

    def run(self, until):
        popped = 0
        while (found := self.queue.pop(until)) is not None:
            due, call = found
            self.clock.now = max(self.clock.now, due)
            call()
            popped += 1
        self.clock.now = max(self.clock.now, until)
        return popped

    def host(self, address="10.244.1.2", name="pod default/p", node="lab-worker"):
        host = self.fabric.hosts.get(address)
        if host is None:
            host = Host(name, address, node)
            self.fabric.attach(host)
        return host

    def box(self, program, files=None, *, limits=None, argv=("main",), uid=0, host=None):
        programs = {"/bin/main": program, **(files or {})}
        tree = {
            name: File(b"\x7fELF", 0o755, program=what) if callable(what) else what for name, what in programs.items()
        }
        tree |= {"/dev/null": Device("null"), "/dev/zero": Device("zero"), "/dev/full": Device("full"), "/tmp": None}
        return Box(self, build(tree), limits or Limits(), argv, uid, host or self.host())


class Box:
    def __init__(self, bench, root, limits, argv, uid, host):
        self.out, self.err, self.exits = bytearray(), bytearray(), []
        setup = Setup("box", Tree(root), host, "box", limits=limits, uid=uid)
        self.container = Container(bench.world, setup, self.exits.append)
        everything = lambda sink, size: size  # noqa: E731
        self.fds = {
            0: Sink(lambda data: None, everything),
            1: Sink(self.out.extend, everything),
            2: Sink(self.err.extend, everything),
        }
        self.main = self.container.start(list(argv), PATH, "/", self.fds)
