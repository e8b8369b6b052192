"""A whole embedded cluster in process and in virtual time, called as the recordings' was; notes what a watch would show."""

from __future__ import annotations

import atexit
from collections.abc import Callable
from functools import cache
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any

from asking import TOKEN, Asking
from rig_images import RigImages

from kit.embedded.cluster import Cluster
from kit.embedded.core.settings import Settings
from kit.embedded.core.store import Event
from kit.embedded.core.turns import Answer, Finish, Ticket
from kit.kube import tables
from kit.runtime.credentials import Credentials
from kit.runtime.tls import OpenSsl

Obj = dict[str, Any]
BOOT_MS = 5000
SLICES = "endpointslices.discovery.k8s.io"
WATCHED = ("pods", "events", SLICES)


@cache
def credentials() -> Credentials:
    """Return an authority and what it signed, made once."""
    folder = Path(mkdtemp(prefix="kit-tests-"))
    atexit.register(rmtree, folder)
    return Credentials(folder, "facts")


class Whole(Asking):
    """The cluster, its clock, and one namespace that is watched: `seen` are the events of a watch with their ms since `began`."""

    def __init__(self, space: str) -> None:
        settings = Settings(seed=7, name="facts", nodes=3, admin_token=TOKEN, metrics=True)
        tls = OpenSsl(credentials().folder)
        self.cluster = Cluster(settings, credentials(), tls=tls, image_registry=RigImages())
        self.api, self.queue, self.clock, self.store = (
            self.cluster.api,
            self.cluster.queue,
            self.cluster.clock,
            self.cluster.store,
        )
        self.space = space
        self.pass_time(BOOT_MS)
        self.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": space}})
        self.pass_time(500)
        self.began, self._revision = self.now, self.store.revision
        self.seen: dict[str, list[tuple[int, Event, Obj]]] = {resource: [] for resource in WATCHED}

    @property
    def now(self) -> int:
        """Cluster time in ms."""
        return self.clock.now

    @property
    def base(self) -> str:
        """Where the namespace's core objects are."""
        return f"/api/v1/namespaces/{self.space}"

    # --- time ---

    def step(self, end: int) -> bool:
        """Run the next thing that is due until `end`; say whether there was one."""
        found = self.queue.pop(end)
        if found is None:
            return False
        self.clock.now = max(self.clock.now, found[0])
        found[1]()
        if self.store.revision != getattr(self, "_revision", None):
            self._look()
        return True

    def pass_time(self, ms: int) -> None:
        """Run all that comes due in the next `ms`."""
        self.until(lambda: False, ms)

    def until(self, happened: Callable[[], Any], ms: int) -> bool:
        """Let time pass until `happened()`, at most `ms`; say whether it did. It is asked after each change and each 100 ms."""
        end = self.clock.now + ms
        while not happened():
            revision, tick = self.store.revision, min(end, self.clock.now + 100)
            while self.store.revision == revision:
                if not self.step(tick):
                    self.clock.now = tick
                    break
            if self.clock.now >= end:
                return bool(happened())
        return True

    # --- watching ---

    def _look(self) -> None:
        before, self._revision = getattr(self, "_revision", 0), self.store.revision
        for resource in getattr(self, "seen", ()):
            for event in self.store.since(resource, before):
                if event.key.namespace == self.space:
                    self.seen[resource].append((self.now - self.began, event, event.record.obj))

    def pods(self) -> list[Obj]:
        """Return the namespace's Pods."""
        return [record.obj for _, record in self.store.items("pods", self.space)]

    def pod(self, name: str) -> Obj | None:
        """Return a Pod."""
        return next((pod for pod in self.pods() if pod["metadata"]["name"] == name), None)

    def cells(self, pod: Obj) -> tuple[str, str, str]:
        """Return READY, STATUS and RESTARTS as kubectl prints them, without how long ago."""
        found = tables.row(pod, "pods", now_ms=self.clock.epoch + self.now)["cells"]
        return str(found[1]), str(found[2]), str(found[3]).split(" ")[0]

    def events(self) -> list[Obj]:
        """Return the namespace's events."""
        return [record.obj for _, record in self.store.items("events", self.space)]

    # --- streams ---

    def stream(self, method: str, path: str, query: list[tuple[str, str]], **more: Any) -> Stream:
        """Send a request whose answer may stay open."""
        return Stream(self, method, path, query, **more)


class Stream:
    """An open request: what came on its channels, and how it ended."""

    def __init__(
        self, whole: Whole, method: str, path: str, query: list[tuple[str, str]], *, upgrade: bool = False
    ) -> None:
        self.outputs: list[Any] = []
        self.ticket = Ticket(1, self.outputs.append)
        headers = {"upgrade": "websocket"} if upgrade else {}
        whole.send(self.ticket, method, path, None, headers, query)

    @property
    def over(self) -> bool:
        """Say whether it has ended."""
        return not self.ticket.open

    @property
    def answer(self) -> Any:
        """The whole answer, when it was one (a refusal)."""
        return next((one.response for one in self.outputs if isinstance(one, Answer)), None)

    @property
    def finish(self) -> Finish | None:
        """How it ended."""
        return next((one for one in self.outputs if isinstance(one, Finish) and one.channel is None), None)

    def data(self, *channels: int) -> bytes:
        """Return what came on some channels."""
        return b"".join(one.data for one in self.outputs if type(one).__name__ == "Chunk" and one.channel in channels)
