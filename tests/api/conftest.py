"""A small world for tests of the API: store, clock, queue and the API itself, with a signer, nodes and a network that are plain."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from kit.embedded.api import bootstrap
from kit.embedded.api.server import Api
from kit.embedded.controllers.clusterroleaggregation import ClusterRoleAggregation
from kit.embedded.controllers.crd import Definitions
from kit.embedded.controllers.resourcequota import ResourceQuota
from kit.embedded.controllers.serviceaccount import RootAuthority, ServiceAccount
from kit.embedded.core.clock import Clock
from kit.embedded.core.engine import Engine
from kit.embedded.core.ids import Ids
from kit.embedded.core.queue import Queue
from kit.embedded.core.settings import Settings
from kit.embedded.core.store import Store
from kit.embedded.core.trace import Trace
from kit.embedded.core.turns import Answer, Begin, Chunk, Finish, Identity, Output, Request, Response, Ticket
from kit.kube import kinds
from kit.runtime import signing
from kit.runtime.zones import SystemZones

EPOCH = 1_772_366_400_000  # 2026-03-01T12:00:00Z
TOKEN = "admin-token"


class PlainSigner:
    """Tokens that carry their claims openly."""

    def token(self, claims: Mapping[str, Any]) -> str:
        return "eyJhbGciOiJub25lIn0aaaaaaaaaaaaaaaa.eyJ" + json.dumps(claims).encode().hex() + ".x"

    def claims(self, token: str) -> dict[str, Any] | None:
        try:
            return json.loads(bytes.fromhex(token.split(".")[1][3:]))
        except (IndexError, ValueError):
            return None

    def key_set(self) -> list[dict[str, str]]:
        return [{"use": "sig", "kty": "EC", "kid": "k", "crv": "P-256", "alg": "ES256", "x": "x", "y": "y"}]

    def authority(self) -> str:
        return "-----BEGIN CERTIFICATE-----\nMAMCAQE=\n-----END CERTIFICATE-----\n"

    def subject(self, request: bytes) -> tuple[str, tuple[str, ...]] | None:
        return signing.subject(request)

    def other_names(self, request: bytes) -> list[str]:
        return signing.other_names(request)

    def certificate(self, request: bytes, usages: Any, seconds: int) -> bytes:
        return f"-----BEGIN CERTIFICATE-----\n{','.join(usages)} {seconds}\n".encode()


class PlainNodes:
    """Nodes that say what they were asked."""

    def reached(self, name: str) -> bool:
        return True

    def logs(self, pod: Any, container: str, options: Any, ticket: Ticket) -> None:
        ticket.answer(Response(200, (("Content-Type", "text/plain"),), f"{container} {json.dumps(options)}".encode()))

    def execute(self, pod: Any, container: str, argv: list[str], options: Any, ticket: Ticket) -> None:
        ticket.begin(upgrade="channels")
        ticket.send(f"{container} {argv}".encode(), 1)
        ticket.finish({"status": "Success"})

    def attach(self, pod: Any, container: str, options: Any, ticket: Ticket) -> None:
        ticket.begin(upgrade="channels")


class PlainNetwork:
    """A network of one answer."""

    def forward(self, pod: Any, port: int, ticket: Ticket) -> None:
        ticket.begin(upgrade="ports")
        ticket.send(f"port {port}".encode())

    def dial(self, source: str, address: str, port: int, ticket: Ticket) -> None:
        ticket.finish(error="refused")

    def fetch(self, source: str, request: Mapping[str, Any], done: Callable[[Mapping[str, Any]], None]) -> None:
        done({"status": 200, "headers": {"Content-Type": "text/plain"}, "body": f"{source} {request['url']}"})


class Reply:
    """What came back on one ticket."""

    def __init__(self) -> None:
        self.outputs: list[Output] = []
        self.wrote = False

    @property
    def response(self) -> Response:
        return next(one.response for one in self.outputs if isinstance(one, Answer))

    @property
    def code(self) -> int:
        return self.response.status

    @property
    def headers(self) -> dict[str, str]:
        return dict(self.response.headers)

    @property
    def warnings(self) -> list[str]:
        return [value for name, value in self.response.headers if name == "Warning"]

    @property
    def body(self) -> Any:
        return json.loads(self.response.body)

    @property
    def begun(self) -> Begin | None:
        return next((one for one in self.outputs if isinstance(one, Begin)), None)

    @property
    def data(self) -> bytes:
        return b"".join(one.data for one in self.outputs if isinstance(one, Chunk))

    @property
    def text(self) -> str:
        return self.data.decode()

    @property
    def events(self) -> list[Any]:
        return [json.loads(line) for line in self.text.splitlines()]

    @property
    def finished(self) -> bool:
        return any(isinstance(one, Finish) and one.channel is None for one in self.outputs)


class World:
    """One API with nothing behind it."""

    def __init__(self) -> None:
        self.store, self.clock, self.ids = Store(), Clock(EPOCH), Ids(7)
        self.store.restore((), 10)  # revisions up to 10 are forgotten, as after a compaction
        self.trace, self.queue = Trace(), Queue()
        self.settings = Settings(admin_token=TOKEN)
        self.api = Api(
            store=self.store,
            clock=self.clock,
            ids=self.ids,
            trace=self.trace,
            queue=self.queue,
            registry=kinds.builtin(),
            signer=PlainSigner(),
            settings=self.settings,
        )
        self.engine = Engine(self.store, self.queue, self.clock, self.trace, self.api.apply)
        self.engine.register(Definitions(self.clock, self.api.context.registry))
        self.api.context.zones = SystemZones()
        self.api.nodes, self.api.network = PlainNodes(), PlainNetwork()
        self.certificate: Identity | None = None
        """Who the administrator is when he brings a client certificate instead of the token alone."""
        self._number = 0

    def seed(self) -> None:
        """Make the roles, namespaces and service accounts every cluster has."""
        self.api.begin()
        for name in ("default", "kube-system", "kube-public", "kube-node-lease"):
            self.api.create_at_start({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        account = {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": "default", "namespace": "default"},
        }
        self.api.create_at_start(account)

    def staff(self) -> None:
        """Let the controllers run that the recorded cases of access and admission need; before anything is made."""
        registry = self.api.context.registry
        for one in (ClusterRoleAggregation(), ServiceAccount(), RootAuthority(PlainSigner()), ResourceQuota(registry)):
            self.engine.register(one)

    def call(
        self, method: str, path: str, body: Any = None, *, headers: Mapping[str, str | None] | None = None, raw: bytes | None = None,
        query: tuple[tuple[str, str], ...] = (), identity: Identity | None = None, **more: str,
    ) -> Reply:  # fmt: skip
        """Send one request as the administrator."""
        self._number += 1
        sent: dict[str, str | None] = {"authorization": f"Bearer {TOKEN}", "user-agent": "facts/v1 (linux/amd64)"}
        if body is not None or raw is not None:
            sent["content-type"] = "application/json"
        given = {key.lower(): value for key, value in (headers or {}).items()}
        if identity is None and "authorization" not in given:
            identity = self.certificate
        sent |= given
        data = raw if raw is not None else b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
        reply = Reply()
        kept = {key: value for key, value in sent.items() if value is not None}
        request = Request(self._number, method, path, (*query, *more.items()), kept, data, identity)
        self.ticket = Ticket(self._number, reply.outputs.append)
        reply.wrote = self.api.handle(request, self.ticket)
        return reply

    def collection(self, version: str, kind: str, namespace: str) -> str:
        """Return where objects of a kind are posted."""
        found = self.api.context.registry.by_kind(version, kind)
        assert found is not None, f"no {version} {kind}"
        return found.collection(namespace)

    def run(self, ms: int) -> None:
        """Let cluster time pass and run what comes due."""
        end = self.clock.now + ms
        while (found := self.queue.pop(end)) is not None:
            self.clock.now, run = max(self.clock.now, found[0]), found[1]
            run()
        self.clock.now = end


@pytest.fixture
def world() -> World:
    """Return a world with the namespaces every cluster has."""
    made = World()
    made.seed()
    return made


@pytest.fixture
def staffed() -> Callable[[], World]:
    """Return a maker of worlds where the controllers of access and admission run, with the system's priority classes."""

    def make() -> World:
        made = World()
        made.staff()
        made.seed()
        for obj in bootstrap.objects("172.18.0.2"):
            if obj["kind"] == "PriorityClass":
                made.api.create_at_start(obj)
        made.run(1000)
        return made

    return make


@pytest.fixture
def world_of() -> Callable[[], World]:
    """Return a maker of worlds."""

    def make() -> World:
        made = World()
        made.seed()
        return made

    return make
