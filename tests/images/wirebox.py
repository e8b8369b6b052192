"""One container of an image on the real runtime, and a wire to it: bytes in, bytes out, its log, programs run beside it."""

from __future__ import annotations

from kit.embedded.core.clock import Clock
from kit.embedded.core.controller import View
from kit.embedded.core.filesystem import Tree
from kit.embedded.core.ids import Ids
from kit.embedded.core.program import Errno
from kit.embedded.core.queue import Queue
from kit.embedded.core.settings import Settings
from kit.embedded.core.store import Store
from kit.embedded.core.trace import Trace
from kit.embedded.net.hosts import Host
from kit.embedded.net.network import Fabric
from kit.embedded.node.descriptors import Sink
from kit.embedded.node.runtime import Container, Setup, World


class Net:
    """A world of containers without a cluster."""

    def __init__(self):
        self.queue, self.clock, self.ids, self.trace = Queue(), Clock(0), Ids(1), Trace()
        self.fabric = Fabric(view=View(Store()), queue=self.queue, clock=self.clock, ids=self.ids, trace=self.trace,
                             settings=Settings(), out=lambda _: None)  # fmt: skip
        self.world = World(self.queue, self.clock, self.ids, self.trace, self.fabric)
        self.outside = self.host("172.18.0.1", "outside")

    def host(self, address, name):
        found = Host(name, address, "lab-worker")
        self.fabric.attach(found)
        return found

    def run(self, ms=200):
        until = self.clock.now + ms
        while (found := self.queue.pop(until)) is not None:
            due, call = found
            self.clock.now = max(self.clock.now, due)
            call()
        self.clock.now = max(self.clock.now, until)


class Box:
    """A running container. `files` are written into its tree before it starts, `env` is added to the image's."""

    def __init__(
        self, net, image, *, files=None, argv=None, env=None, address="10.244.1.2", hostname="web", tree=None, uid=0
    ):
        self.net, self.image, self.env = net, image, {**image.env, **(env or {})}
        self.out, self.err, self.exits = bytearray(), bytearray(), []
        self.tree = tree or Tree(image.root)
        for path, text in (files or {}).items():
            self.tree.mkdir(path.rsplit("/", 1)[0] or "/", parents=True)
            self.tree.write(path, text.encode())
        self.host = net.fabric.hosts.get(address) or net.host(address, hostname)
        setup = Setup("box", self.tree, self.host, hostname, uid=uid, gid=uid)
        self.container = Container(net.world, setup, self.exits.append)
        self.argv = argv or [*image.entrypoint, *image.command]
        self.main = self.container.start(self.argv, self.env, image.workdir, self._fds(self.out, self.err))
        net.run()

    def _fds(self, out, err, stdin=lambda data: None):
        everything = lambda sink, size: size  # noqa: E731
        return {0: Sink(stdin, everything), 1: Sink(out.extend, everything), 2: Sink(err.extend, everything)}

    def send(self, port, data, ms=200):
        """Send bytes on a fresh connection -> (reply, whether the server closed it)."""
        ends = []
        self.net.fabric.connect(self.net.outside, self.host.address, port, ends.append)
        self.net.run(50)
        if isinstance(ends[0], str):
            return ends[0].encode(), True
        try:
            return self.talk(ends[0], data, ms)
        finally:
            ends[0].close()
            self.net.run(5)

    def connect(self, port):
        """Open a connection and return our end."""
        ends = []
        self.net.fabric.connect(self.net.outside, self.host.address, port, ends.append)
        self.net.run(50)
        return ends[0]

    def talk(self, end, data, ms=200):
        """Send bytes on an open connection -> (reply, whether the server closed it)."""
        reply, closed = bytearray(), False
        while data and (taken := end.send(data)):
            data = data[taken:]
            self.net.run(1)
        for _ in range(40):
            self.net.run(ms // 40)
            try:
                while (more := end.recv()) is not None:
                    reply += more
                    if not more:
                        closed = True
                        break
            except Errno:
                closed = True
            if closed:
                break
        return bytes(reply), closed

    def exec(self, *argv, ms=3000, env=None):
        """Run a program in the container -> (stdout, stderr, exit code)."""
        out, err, codes = bytearray(), bytearray(), []
        process = self.container.start(list(argv), {**self.env, **(env or {})}, self.image.workdir, self._fds(out, err))
        process.on_exit = codes.append
        for _ in range(ms // 20):
            if codes:
                break
            self.net.run(20)
        return out.decode(), err.decode(), codes[0] if codes else None

    def signal(self, number, ms=500):
        """Send a signal to pid 1 from outside."""
        self.main.signal(number, outside=True)
        self.net.run(ms)
