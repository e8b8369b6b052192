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
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from stage import HEALTH, MERGE, NODE_INFO, NODES, Kubelet

from kit.embedded import controllers
from kit.embedded.api import bootstrap
from kit.embedded.api.server import Api
from kit.embedded.cluster import Cluster, _index
from kit.embedded.core.engine import Engine
from kit.embedded.core.leases import Leases
from kit.embedded.core.ports import Signer
from kit.embedded.core.settings import Settings
from kit.embedded.net.network import Fabric
from kit.kube import kinds
from kit.runtime import descriptions, state
from kit.runtime.clocks import Realtime
from kit.runtime.control import Control
from kit.runtime.credentials import Credentials
from kit.runtime.driver import Driver, unix_ms, wall_ms
from kit.runtime.server import Server

WITHOUT = ("IngressClass", "StorageClass")  # a cluster without add-ons


class RecordedCluster(Cluster):
    """A cluster whose nodes are plain objects."""

    def _build(self, signer: Signer) -> None:
        registry = kinds.builtin()
        _index(self.store)
        parts = {"clock": self.clock, "ids": self.ids, "trace": self.trace, "queue": self.queue}
        self.api = Api(store=self.store, registry=registry, signer=signer, settings=self.settings, **parts)
        self.engine = Engine(self.store, self.queue, self.clock, self.trace, self.api.apply)
        self.fabric = Fabric(view=self.engine.view, settings=self.settings, out=self._outputs.append, **parts)
        self.api.network = self.fabric
        self.leases = Leases(self.queue, self.clock, self.store, self._undo)
        built = controllers.build(clock=self.clock, ids=self.ids, signer=signer, registry=registry)
        for controller in (*built, Kubelet(self.clock)):
            self.engine.register(controller)

    def _begin(self) -> None:
        for obj in bootstrap.objects("172.18.0.2"):
            if obj["kind"] not in WITHOUT and obj["metadata"]["name"] != "kube-dns":
                self.api.create_at_start(obj)


class MemoryJournal:
    """Keeps nothing."""

    def commit(self, rows: Iterable[Any]) -> None:
        """Forget the rows."""


class RecordedServer:
    """That cluster behind the real server, in a thread."""

    def __init__(self, folder: Path) -> None:
        self.credentials = Credentials(folder, "facts")
        self.texts: dict[str, str] = {}
        cache = descriptions.cache_file(state.user_cache())
        if not cache.is_file():
            descriptions.make(cache)
        self.texts.update(state.load(cache))
        self.context = ssl.create_default_context(cafile=folder / "ca.crt")
        self.loop = asyncio.new_event_loop()
        self.bound = socket.socket()
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
                epoch=unix_ms() // 1000 * 1000, admin_token=self.credentials.token_text, server=self.url, descriptions=self.texts
            )  # fmt: skip
            self.machine = RecordedCluster(settings, self.credentials)
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

    def _add_node(self, node: dict[str, Any]) -> None:
        name = node["name"]
        room = {"cpu": "4", "memory": "8Gi", "pods": "110"}
        self.ask(
            "POST",
            "/api/v1/nodes",
            {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": node["labels"]}},
        )
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        told = [
            {"type": t, "status": s, "reason": r, "message": m, "lastHeartbeatTime": now, "lastTransitionTime": now}
            for t, s, r, m in HEALTH
        ]
        addresses = [
            {"type": "InternalIP", "address": f"172.18.0.{10 + int(name[-1])}"},
            {"type": "Hostname", "address": name},
        ]
        status = {
            "capacity": room,
            "allocatable": room,
            "addresses": addresses,
            "conditions": told,
            "nodeInfo": NODE_INFO,
        }
        self.ask("PATCH", f"/api/v1/nodes/{name}/status", {"status": status}, MERGE)

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

    def settle(self, quiet_s: float = 0.7, limit_s: float = 20.0) -> None:
        """Wait until nothing has been written for `quiet_s`."""
        end, seen, since = time.monotonic() + limit_s, -1, time.monotonic()
        while time.monotonic() < end and time.monotonic() - since < quiet_s:
            revision = self.machine.store.revision
            if revision != seen:
                seen, since = revision, time.monotonic()
            time.sleep(0.05)

    def close(self) -> None:
        """Stop turning and serving."""

        async def end() -> None:
            self.driver.stop()
            self.server.close()

        asyncio.run_coroutine_threadsafe(end(), self.loop).result(10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
