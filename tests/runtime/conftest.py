"""A machine of forty lines with the surface of the real one, and a server on it in a thread of its own."""

from __future__ import annotations

import asyncio
import http.client
import json
import ssl
import threading
from types import SimpleNamespace

import pytest

from kit.embedded.core.faults import UnknownFault
from kit.embedded.core.queue import Queue
from kit.embedded.core.store import Row
from kit.embedded.core.trace import Trace
from kit.embedded.core.turns import Batch, Data, Dial, End, Expose, Hangup, Request, Response, Ticket
from kit.runtime.clocks import Realtime, Settled
from kit.runtime.control import Control
from kit.runtime.credentials import Credentials
from kit.runtime.driver import Driver, wall_ms
from kit.runtime.server import Server


class FakeMachine:
    """Echoes requests; POST /later?ms=N notes a row N ms later; exec, attach and port-forward echo what they get."""

    def __init__(self, epoch=1_000_000, step=None):
        self.now, self.epoch, self.queue, self.trace = 0, epoch, Queue(), Trace()
        self.out, self.rows, self.tickets, self.store, self.gone, self.writes = [], [], {}, self, [], False
        self.targets, self.step, self.namespaces, self.leases = [], step, {"shop"}, {}
        self.faults = SimpleNamespace(lasting=[], names=["node-off"])

    def turn(self, inputs, now, budget):
        self.writes = False
        self.targets.append(now)
        for one in inputs:
            self.queue.put(max(now, self.now), lambda one=one: self.take(one))
        done = False
        while budget > 0:
            found = self.queue.pop(now)
            if found is None:
                self.now, done = max(self.now, now), True
                break
            self.now, budget = max(self.now, found[0]), budget - 1
            if self.step:
                self.step()
            found[1]()
        rows, self.rows, outputs, self.out = self.rows, [], self.out, []
        return Batch(rows, outputs, self.queue.next_due(), self.queue.next_busy(), done, self.writes)

    def take(self, one):
        if isinstance(one, (Request, Dial)):
            ticket = self.tickets[one.id] = Ticket(one.id, lambda output: self.out.append(output))
            self.request(one, ticket) if isinstance(one, Request) else self.echo(ticket, "raw")
        elif (ticket := self.tickets.get(one.id)) is not None:
            self.writes = not isinstance(one, Hangup)
            if isinstance(one, Data):
                ticket.on_data(one.channel, one.data)
            elif isinstance(one, End):
                ticket.on_end(one.channel)
            else:
                self.gone.append(one.id)
                ticket.hangup()

    def request(self, request, ticket):
        query = dict(request.query)
        if request.path == "/later":
            self.writes = True
            due = self.now + int(query["ms"])
            self.queue.put(due, lambda: self.rows.append(Row("t", str(due), b"1")), housekeeping="quietly" in query)
        if request.path == "/watch":
            ticket.begin(headers=(("Content-Type", "application/json"),))
            for number in range(3):
                self.queue.put(self.now + 10 * number, lambda n=number: ticket.send(b'{"n":%d}\n' % n))
            self.queue.put(self.now + 40, ticket.finish)
        elif request.path == "/hang":
            ticket.begin()
            ticket.send(b"first\n")
        elif request.path.endswith("/exec"):
            self.writes = True
            self.echo(ticket, "channels")
        elif request.path.endswith("/portforward"):
            if query.get("ports") == "9":
                ticket.begin(upgrade="ports")
                ticket.finish(error="connection refused")
            elif "ports" in query:
                self.echo(ticket, "ports")
            else:
                ticket.begin(upgrade="ports")
        else:
            size = int(query.get("size", 0))
            body = {
                "method": request.method,
                "path": request.path,
                "query": request.query,
                "body": request.body.decode(),
                "now": self.now,
                "who": request.identity and [request.identity.name, *request.identity.groups],
                "pad": "x" * size,
            }
            ticket.answer(Response(200, (("Content-Type", "application/json"),), json.dumps(body).encode()))

    def echo(self, ticket, upgrade):
        ticket.begin(upgrade=upgrade)
        out = 1 if upgrade == "channels" else 0

        def heard(channel, data):
            if data == b"break":
                ticket.finish(error="reset")
            elif channel == 0:
                ticket.send(data, out)

        ticket.on_data = heard
        ticket.on_end = lambda channel: ticket.finish(
            {"status": "Success", "metadata": {}} if upgrade == "channels" else None
        )

    def jump(self, ms):
        self.epoch -= ms

    def expose(self, name, port):
        self.out.append(Expose(name, "10.96.0.9", port))

    # --- control ---

    def get(self, key):
        return {} if key.name in self.namespaces else None

    def reset(self, namespaces):
        self.queue.put(self.now + 500, lambda: self.namespaces.difference_update(namespaces))

    def lease(self, id, within_ms, undo):
        self.leases[id] = (within_ms, undo)

    def break_(self, fault, target):
        if target != "a-node":
            raise UnknownFault("there is one node: a-node")
        self.faults.lasting.append((fault, target))
        return True

    def mend(self, fault, target):
        self.faults.lasting.remove((fault, target))
        return True

    def release(self, id, *, undo):
        return self.leases.pop(id, None) is not None

    def outside(self, id, spec):
        ticket = Ticket(id, lambda output: self.out.append(output))
        answer = Response(200, (), json.dumps({"status": 200, "url": spec["url"], "error": None}).encode())
        self.queue.put(self.now + 20, lambda: ticket.answer(answer))


class MemoryJournal:
    def __init__(self):
        self.rows = []

    def commit(self, rows):
        self.rows += rows


class Running:
    """A server in a thread; `call` sends one HTTPS request, `do` runs something in the server's loop."""

    def __init__(self, folder, clock="realtime"):
        self.opened = []  # by a test: closed at its end, with all that is read from it
        self.credentials = Credentials(folder, "lab")
        self.machine, self.journal = FakeMachine(), MemoryJournal()
        made = Settled(0) if clock == "settled" else Realtime(0, wall_ms())
        self.driver = Driver(self.machine, self.journal, made, unix=lambda: self.machine.epoch + self.machine.now)
        about = {"version": "9.9", "kubernetes": "v1.37.2", "ports": []}
        self.stopped = threading.Event()
        self.server = Server(
            self.driver, Control(self.machine, self.driver, self.credentials.token_text, about, self.stopped.set)
        )
        self.context = ssl.create_default_context(cafile=folder / "ca.crt")
        self.loop = asyncio.new_event_loop()
        ready = threading.Event()
        self.thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self.thread.start()
        assert ready.wait(10)

    def _run(self, ready):
        async def begin():
            import socket

            bound = socket.socket()
            bound.bind(("127.0.0.1", 0))
            self.driver.start()
            self.port = await self.server.listen(self.credentials.context(), bound)
            ready.set()

        self.loop.run_until_complete(begin())
        self.loop.run_forever()
        self.loop.run_until_complete(self._emptied())
        self.loop.close()

    async def _emptied(self):
        """Let every connection end: what the collector finds open later, it finds in the middle of something else."""
        for connection in list(self.server.connections):
            if connection._transport is not None:
                connection._transport.abort()
        while self.server.connections:
            await asyncio.sleep(0)
        await asyncio.sleep(0.01)

    def do(self, action):
        async def run():
            return action()

        return asyncio.run_coroutine_threadsafe(run(), self.loop).result(10)

    def connection(self):
        made = http.client.HTTPSConnection("127.0.0.1", self.port, context=self.context, timeout=10)
        self.opened.append(made)
        return made

    def call(self, method, path, body=None, headers=None, *, admin=True):
        connection = self.connection()
        sent = {"Authorization": f"Bearer {self.credentials.token_text}"} if admin else {}
        connection.request(
            method, path, json.dumps(body) if isinstance(body, dict) else body, {**sent, **(headers or {})}
        )
        response = connection.getresponse()
        data = response.read()
        connection.close()
        return SimpleNamespace(
            status=response.status, headers=dict(response.headers), body=data, json=lambda: json.loads(data)
        )

    def close(self):
        for connection in self.opened:
            connection.close()

        def end():
            self.driver.stop()
            self.server.close()

        self.do(end)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)


@pytest.fixture
def running(tmp_path):
    """A server with a real-time clock."""
    server = Running(tmp_path)
    yield server
    server.close()


@pytest.fixture
def settled(tmp_path):
    """A server with a settled clock."""
    server = Running(tmp_path, "settled")
    yield server
    server.close()


@pytest.fixture
def fake_machine():
    """The class of the fake machine."""
    return FakeMachine
