"""The machine as the recordings had it: API and controllers, nodes made by the API, an imitated kubelet; behind the real HTTPS server.

It runs in a thread of its own; `call` sends one request by HTTPS, `settle` waits until nothing is written any more.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from plain import NODES, PlainCluster, node_of
from stage import MERGE

from kit.embedded.core.settings import Settings
from kit.embedded.core.store import Store
from kit.runtime.clocks import Realtime
from kit.runtime.control import Control
from kit.runtime.credentials import Credentials
from kit.runtime.driver import Driver, unix_ms, wall_ms
from kit.runtime.server import Server

SOON_MS = 1_500


class MemoryJournal:
    """Keeps nothing."""

    def commit(self, rows: Iterable[Any]) -> None:
        """Forget the rows."""


class RecordedServer:
    """That cluster behind the real server, in a thread."""

    def __init__(self, folder: Path) -> None:
        self.credentials = Credentials(folder, "facts")
        self.context = ssl.create_default_context(cafile=folder / "ca.crt")
        self.loop = asyncio.new_event_loop()
        self.bound = socket.socket(
            socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP
        )  # so asyncio sets TCP_NODELAY
        self.bound.bind(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self.bound.getsockname()[1]}"
        ready = threading.Event()
        self.thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self.thread.start()
        assert ready.wait(20)
        for node in NODES:
            self._add_node(node)
        self.settle()

    def _run(self, ready: threading.Event) -> None:
        async def begin() -> None:
            settings = Settings(
                epoch=unix_ms() // 1000 * 1000, admin_token=self.credentials.token_text, server=self.url
            )  # fmt: skip
            self.machine = PlainCluster(settings, self.credentials)
            self.driver = Driver(self.machine, MemoryJournal(), Realtime(0, wall_ms()))
            about: dict[str, Any] = {"version": "0", "kubernetes": settings.version, "ports": []}
            control = Control(self.machine, self.driver, self.credentials.token_text, about, lambda: None)
            self.server = Server(self.driver, control)
            self.driver.start()
            await self.server.listen(self.credentials.context(), self.bound)
            ready.set()

        self.loop.run_until_complete(begin())
        self.loop.run_forever()
        self.loop.run_until_complete(asyncio.sleep(0.01))
        self.loop.close()

    def _add_node(self, node: Mapping[str, Any]) -> None:
        obj, status = node_of(node, time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
        self.ask("POST", "/api/v1/nodes", obj)
        self.ask("PATCH", f"/api/v1/nodes/{node['name']}/status", status, MERGE)

    # --- asking ---

    def call(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> tuple[int, Any]:
        """Send one request as the administrator; code and body of the answer."""
        connection = http.client.HTTPSConnection("127.0.0.1", self.server.port, context=self.context, timeout=20)
        sent = {
            "authorization": f"Bearer {self.credentials.token_text}",
            "content-type": "application/json",
            **(headers or {}),
        }
        connection.request(method, path, None if body is None else json.dumps(body), sent)
        answer = connection.getresponse()
        raw = answer.read()
        connection.close()
        return answer.status, json.loads(raw) if raw[:1] in b"{[" else raw.decode()

    def ask(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        """Send a request that must succeed; its answer."""
        code, answer = self.call(method, path, body, headers)
        assert code < 400, (method, path, answer)
        return answer

    def create(self, obj: dict[str, Any], namespace: str) -> tuple[int, Any]:
        """Post an object to its collection."""
        found = self.machine.api.context.registry.by_kind(obj["apiVersion"], obj["kind"])
        assert found is not None, obj["kind"]
        where = found.collection(obj["metadata"].get("namespace") or namespace)
        return self.call("POST", f"{where}?fieldManager=setup", obj)

    # --- looking ---

    def look(self, what: Callable[[], Any]) -> Any:
        """Run `what` between two turns of the machine."""

        async def run() -> Any:
            return what()

        return asyncio.run_coroutine_threadsafe(run(), self.loop).result(20)

    def objects(self, resources: Iterable[str], namespace: str) -> list[dict[str, Any]]:
        """Return what there is of some resources (`pods`, `replicasets.apps`) in a namespace."""
        store = self.machine.store
        return self.look(lambda: [one for resource in resources for one in store.list(resource, namespace)])

    def settle(self, namespace: str | None = None, quiet_s: float = 1.6, limit_s: float = 20.0) -> None:
        """Wait until nothing is to be done within SOON_MS, or nothing of the namespace has been written for `quiet_s`."""
        store, end, seen, since = self.machine.store, time.monotonic() + limit_s, -1, time.monotonic()
        while time.monotonic() < end and time.monotonic() - since < quiet_s and not self.look(self._quiet):
            revision = self.look(lambda: _revision(store, namespace))
            if revision != seen:
                seen, since = revision, time.monotonic()
            time.sleep(0.05)

    def _quiet(self) -> bool:
        due = self.machine.queue.next_busy()
        return self.driver.level() and not self.driver._inbox and (due is None or due > self.machine.now + SOON_MS)

    def close(self) -> None:
        """Stop turning and serving."""

        async def end() -> None:
            self.driver.stop()
            self.server.close()

        asyncio.run_coroutine_threadsafe(end(), self.loop).result(10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)


def _revision(store: Store, namespace: str | None) -> int:
    """Return a number that changes with every write to objects of a namespace."""
    if namespace is None:
        return store.revision
    return hash(tuple(record.revision for name in store.resources() for _, record in store.items(name, namespace)))
