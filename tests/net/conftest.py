"""A cluster's network alone: hosts with a small HTTP server, Services and EndpointSlices in a store."""

from __future__ import annotations

import pytest

from kit.embedded.core.clock import Clock
from kit.embedded.core.controller import View
from kit.embedded.core.engine import Engine
from kit.embedded.core.ids import Ids
from kit.embedded.core.queue import Queue
from kit.embedded.core.settings import Settings
from kit.embedded.core.store import Key, Store
from kit.embedded.core.trace import Trace
from kit.embedded.core.turns import Ticket
from kit.embedded.net.hosts import Host
from kit.embedded.net.network import Fabric


class Net:
    def __init__(self):
        self.queue, self.clock, self.ids, self.trace, self.store = Queue(), Clock(0), Ids(7), Trace(), Store()
        self.engine = Engine(self.store, self.queue, self.clock, self.trace, lambda controller, effect: None)
        self.outputs = []
        self.fabric = Fabric(
            view=View(self.store),
            queue=self.queue,
            clock=self.clock,
            ids=self.ids,
            trace=self.trace,
            settings=Settings(),
            out=self.outputs.append,
        )
        self.engine.register(self.fabric.proxy)
        self.put("namespaces", "", {"metadata": {"name": "default"}})

    def put(self, resource, namespace, obj):
        obj["metadata"]["namespace"] = namespace
        self.store.commit(Key(resource, namespace, obj["metadata"]["name"]), obj)
        self.run(1)

    def run(self, ms):
        until = self.clock.now + ms
        while (found := self.queue.pop(until)) is not None:
            self.clock.now = max(self.clock.now, found[0])
            found[1]()
        self.clock.now = until

    def pod(self, address, name, node="lab-worker", port=None):
        host = Host(f"pod default/{name}", address, node)
        self.fabric.attach(host)
        if port:
            Echo(host, port, name)
        return host

    def service(self, name, ports, *, cluster_ip="10.96.0.50", **spec):
        given = [{"protocol": "TCP", **port} for port in ports]
        self.put(
            "services",
            "default",
            {
                "metadata": {"name": name},
                "spec": {"clusterIP": cluster_ip, "type": "ClusterIP", "ports": given, **spec},
            },
        )

    def slice(self, service, ends, ports):
        listed = [
            {
                "addresses": [address],
                "nodeName": node,
                "targetRef": {"kind": "Pod", "name": name},
                "conditions": {"ready": True, "serving": True, "terminating": False, **conditions},
                **({"hostname": conditions["hostname"]} if "hostname" in conditions else {}),
            }
            for address, node, name, conditions in ends
        ]
        metadata = {"name": f"{service}-abc", "labels": {"kubernetes.io/service-name": service}}
        self.put(
            "endpointslices.discovery.k8s.io", "default", {"metadata": metadata, "endpoints": listed, "ports": ports}
        )

    def connect(self, source, address, port, **more):
        """Return (end or errno, ms it took)."""
        found = []
        began = self.clock.now
        self.fabric.connect(
            source, address, port, lambda result: found.append((result, self.clock.now - began)), **more
        )
        self.run(200_000)
        return found[0]

    def fetch(self, url, source="outside", **request):
        found = []
        self.fabric.fetch(source, {"url": url, **request}, found.append)
        self.run(20_000)
        return found[0]


class Echo:
    """Answers each HTTP request with its own name and the request's first line."""

    def __init__(self, host, port, name):
        self.listener = host.listen(port)
        self.listener.watch = self.accept
        self.name = name

    def accept(self):
        while self.listener.backlog:
            end = self.listener.backlog.popleft()
            end.watch = lambda end=end: self.answer(end)

    def answer(self, end):
        data = end.recv()
        if data:
            body = f"{self.name} {end.remote[0]} ".encode() + data.split(b"\r\n")[0]
            end.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(body), body))
            end.close()


class Stub:
    def __init__(self):
        self.outputs = []
        self.ticket = Ticket(1, self.outputs.append)

    def data(self):
        return b"".join(one.data for one in self.outputs if type(one).__name__ == "Chunk")

    @property
    def error(self):
        return next((one.error for one in self.outputs if type(one).__name__ == "Finish" and one.channel is None), None)


@pytest.fixture
def net():
    return Net()


@pytest.fixture
def stub():
    return Stub()
