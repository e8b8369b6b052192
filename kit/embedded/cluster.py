"""The whole machine: builds store, API, controllers, nodes and network, and turns them.

`turn(inputs, now, budget)` runs the inputs and everything due, in the order of one queue, and gives the rows to commit and the
outputs to release (design §2). Nothing here knows sockets, files, threads or the wall clock: `kit.runtime` does.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kit.embedded import controllers, images
from kit.embedded.api import bootstrap
from kit.embedded.api.server import Api
from kit.embedded.controllers.identity import ApiServerIdentity
from kit.embedded.core.clock import Clock
from kit.embedded.core.controller import Controller
from kit.embedded.core.engine import Engine
from kit.embedded.core.exposition import Exposition
from kit.embedded.core.faults import Faults
from kit.embedded.core.ids import Ids
from kit.embedded.core.leases import Leases, Undo
from kit.embedded.core.ports import Signer, Tls, Zones
from kit.embedded.core.queue import Queue
from kit.embedded.core.settings import Settings
from kit.embedded.core.store import Key, Row, Store
from kit.embedded.core.trace import Trace
from kit.embedded.core.turns import Answer, Batch, Called, Data, Dial, End, Hangup, Input, Output, Request, Ticket
from kit.embedded.core.waiting import Calls
from kit.embedded.net.gate import Gate
from kit.embedded.net.network import Fabric
from kit.embedded.node.agent import Nodes
from kit.embedded.node.images import Registry
from kit.embedded.node.metering import Sampler
from kit.embedded.node.power import NodeOff
from kit.kube import kinds, metering, owners

FORMAT = 1


class Cluster:
    """One embedded cluster. `rows` are a journal's, or None for a new one."""

    def __init__(
        self, settings: Settings, signer: Signer, rows: Iterable[Row] | None = None, zones: Zones | None = None,
        exposition: Exposition | None = None, tls: Tls | None = None, image_registry: Registry | None = None,
    ) -> None:  # fmt: skip
        kept = _tables(rows or ())
        state = json.loads(kept["meta"]["machine"]) if "machine" in kept["meta"] else None
        self.settings = settings
        self.clock = Clock(state["epoch"], state["now"]) if state else Clock(settings.epoch)
        self.ids = Ids(state["seed"], state["drawn"]) if state else Ids(settings.seed)
        self.queue = Queue()
        self.trace = Trace()
        self.store = Store()
        self._outputs: list[Output] = []
        self._tickets: dict[int, Ticket] = {}
        self._writes = False
        self._images = image_registry or images.registry()
        self._build(signer, zones, tls)
        self.api.context.zones, self.api.context.exposition = zones, exposition
        self._calls = self.api.context.calls = Calls(self._outputs.append, self.fabric.ask)
        if state:
            self._restore(kept, state["revision"])
        else:
            self._begin()

    def _build(self, signer: Signer, zones: Zones | None, tls: Tls | None) -> None:
        """Put the parts together; this is the only place that knows them all."""
        settings, store, queue, clock, ids, trace = (
            self.settings,
            self.store,
            self.queue,
            self.clock,
            self.ids,
            self.trace,
        )
        registry = kinds.builtin()
        for resource in metering.RESOURCES if settings.metrics else ():
            registry.add(resource)
        _index(store)
        self.api = Api(
            store=store,
            clock=clock,
            ids=ids,
            trace=trace,
            queue=queue,
            registry=registry,
            signer=signer,
            settings=settings,
        )
        self.engine = Engine(store, queue, clock, trace, self.api.apply)
        self.api.definitions.changed.append(self.engine.rewatch)
        self.fabric = Fabric(
            view=self.engine.view,
            queue=queue,
            clock=clock,
            ids=ids,
            trace=trace,
            settings=settings,
            out=self._outputs.append,
            tls=tls,
        )
        self.faults = Faults(store)
        agents = self._run_nodes(signer)
        self.api.network = self.fabric
        if tls is not None:
            Gate(self.fabric.nodes[settings.node_names[0]], tls, clock.wall, self.api.handle)
        self.leases = Leases(queue, clock, store, self._undo)
        usage = self.api.context.usage if settings.metrics else None
        for controller in (
            *controllers.build(clock=clock, ids=ids, signer=signer, registry=registry, zones=zones, usage=usage),
            *agents,
        ):
            self.engine.register(controller)

    def _run_nodes(self, signer: Signer) -> Sequence[Controller]:
        """Put the parts together that run containers; what they and the API server's host react to the API with."""
        self.nodes = Nodes(
            view=self.engine.view, engine=self.engine, fabric=self.fabric, registry=self._images, signer=signer, queue=self.queue,
            clock=self.clock, ids=self.ids, trace=self.trace, settings=self.settings, store=self.store,
        )  # fmt: skip
        self.api.nodes = self.nodes
        self.faults.add(NodeOff(self.settings.node_names, self._switch))
        if self.settings.metrics:
            Sampler(self.nodes.kubelets, self.queue, lambda: self.clock.now, self.api.context.usage).begin()
        host = self.settings.node_names[0]
        lease = ApiServerIdentity(self.clock, host, self.nodes.address(host), Ids(self.settings.seed).uid())
        return [lease, *self.nodes.controllers()]

    # --- turning ---

    def turn(self, inputs: Sequence[Input], now: int, budget: int) -> Batch:
        """Take `inputs` at `now` (ms), run at most `budget` steps of what is due, and say what came of it."""
        self._writes = False
        for one in inputs:
            self.queue.put(max(now, self.clock.now), lambda one=one: self._take(one))  # type: ignore[misc]
        done = self._run(now, budget)
        rows = self.store.take_rows()
        if rows:
            rows = [*rows, self._meta()]
        outputs, self._outputs[:] = list(self._outputs), []
        return Batch(rows, outputs, self.queue.next_due(), self.queue.next_busy(), done, self._writes)

    @property
    def now(self) -> int:
        """Cluster time in ms."""
        return self.clock.now

    @property
    def epoch(self) -> int:
        """What cluster time 0 is, in ms since 1970."""
        return self.clock.epoch

    def jump(self, ms: int) -> None:
        """Make everything `ms` older (whole seconds): the driver then turns that much further. Times of the future never appear."""
        self.clock.epoch -= ms
        self.store.rebase(self.api.shift(ms))
        self.api.jumped()

    def _run(self, now: int, budget: int) -> bool:
        while budget > 0:
            found = self.queue.pop(now)
            if found is None:
                self.clock.now = max(self.clock.now, now)
                return True
            due, run = found
            self.clock.now = max(self.clock.now, due)
            run()
            budget -= 1
        return False

    def _take(self, one: Input) -> None:
        if isinstance(one, Request):
            ticket = self._open(one.id)
            self._writes |= self.api.handle(one, ticket)
        elif isinstance(one, Dial):
            self.fabric.dial("outside", one.address, one.port, self._open(one.id))
            self._writes = True
        elif isinstance(one, Called):
            self._calls.answered(one)
            self._writes = True
        elif one.id in self._tickets:
            self._feed(self._tickets[one.id], one)

    def _open(self, id: int) -> Ticket:
        ticket = self._tickets[id] = Ticket(id, self._send)
        return ticket

    def _feed(self, ticket: Ticket, one: Data | End | Hangup) -> None:
        if isinstance(one, Hangup):
            self._tickets.pop(ticket.id, None)
            ticket.hangup()
            return
        self._writes = True
        if isinstance(one, Data):
            ticket.on_data(one.channel, one.data)
        else:
            ticket.on_end(one.channel)

    def _send(self, output: Output) -> None:
        self._outputs.append(output)
        if isinstance(output, Answer) or not self._tickets.get(getattr(output, "id", -1), _OPEN).open:
            self._tickets.pop(getattr(output, "id", -1), None)

    # --- the control surface (kit.runtime.control) ---

    def outside(self, id: int, spec: Mapping[str, Any]) -> None:
        """Make one HTTP request from outside the cluster; the answer comes as the JSON body of ticket `id`."""
        ticket = self._open(id)
        source = str(spec.get("from") or "outside")
        self.fabric.fetch(source, spec, lambda result: ticket.answer(_json(200, result)))
        self._writes = True

    def reset(self, namespaces: Sequence[str]) -> None:
        """Undo all leases and delete namespaces with all that is in them, at once and without grace."""
        self.leases.release_all()
        self.faults.end_all()
        for namespace in namespaces:
            for key, _ in self.store.items("pods", namespace):
                self._request("DELETE", f"/api/v1/namespaces/{namespace}/pods/{key.name}", {"gracePeriodSeconds": 0})
            self._request("DELETE", f"/api/v1/namespaces/{namespace}", {})
        self._writes = True

    def lease(self, id: str, within_ms: int, undo: Sequence[Undo]) -> None:
        """Note how to undo a disturbance, to be done in `within_ms` of cluster time."""
        self.leases.take(id, within_ms, undo)
        self._writes = True

    def release(self, id: str, *, undo: bool) -> bool:
        """End a lease; with `undo` carry it out now. Say whether there was one."""
        self._writes = True
        return self.leases.release(id, undo=undo)

    def break_(self, fault: str, target: str) -> bool:
        """Break a part of the cluster on purpose; say whether it was whole before. `UnknownFault`."""
        self._writes = True
        return self.faults.begin(fault, target)

    def mend(self, fault: str, target: str) -> bool:
        """Mend it; say whether it was broken."""
        self._writes = True
        return self.faults.end(fault, target)

    def _switch(self, node: str, on: bool) -> None:
        """Switch a node; what its components have counted of their events goes with it."""
        self.nodes.switch(node, on)
        self.api.recorder.forget(node)

    def _undo(self, step: Undo) -> None:
        self._request(step["method"], step["path"], step.get("body"), step.get("headers"), step.get("query"))

    def _request(self, method: str, path: str, body: Any = None, headers: Any = None, query: Any = None) -> None:
        """Carry out one request as the administrator; a refusal is noted in the trace."""

        def note(output: Output) -> None:
            if isinstance(output, Answer) and output.response.status >= 400:
                self.trace.add(
                    self.clock.now, "lab", "refused", f"{method} {path}", output.response.body.decode(errors="replace")
                )

        sent = {
            "authorization": f"Bearer {self.settings.admin_token}",
            "content-type": "application/json",
            **{name.lower(): value for name, value in (headers or {}).items()},
        }
        raw = b"" if body is None else json.dumps(body).encode()
        self.api.handle(Request(-1, method, path, tuple((query or {}).items()), sent, raw), Ticket(-1, note))

    # --- beginning and continuing ---

    def _begin(self) -> None:
        self.api.begin()
        for obj in bootstrap.objects(self.nodes.address(self.settings.node_names[0])):
            self.api.create_at_start(obj)
        self.api.stand()
        self.nodes.begin()

    def _restore(self, kept: Mapping[str, Mapping[str, bytes]], revision: int) -> None:
        self.store.restore(((_key(key), json.loads(value)) for key, value in kept["objects"].items()), revision)
        for id, value in sorted(kept["leases"].items()):
            self.leases.restore(id, value)
        self.api.restored()
        self.nodes.restored(kept["volumes"])
        for key in sorted(kept["faults"]):
            self.faults.restore(key)
        self.engine.resync()

    def _meta(self) -> Row:
        state = {
            "format": FORMAT,
            "seed": self.ids.seed,
            "drawn": self.ids.drawn,
            "now": self.clock.now,
            "epoch": self.clock.epoch,
            "revision": self.store.revision,
        }
        return Row("meta", "machine", json.dumps(state).encode())


_OPEN = Ticket(-1, lambda output: None)


def _json(status: int, value: Any) -> Any:
    from kit.embedded.core.turns import Response

    return Response(status, (("Content-Type", "application/json"),), json.dumps(value).encode())


def _tables(rows: Iterable[Row]) -> dict[str, dict[str, bytes]]:
    tables: dict[str, dict[str, bytes]] = {"meta": {}, "objects": {}, "leases": {}, "volumes": {}, "faults": {}}
    for table, key, value in rows:
        if value is not None:
            tables.setdefault(table, {})[key] = value
    return tables


def _key(text: str) -> Key:
    parts = text.split("/")
    return Key(parts[0], parts[1] if len(parts) == 3 else "", parts[-1])


def _index(store: Store) -> None:
    """Keep the indexes that views ask: Pods by node, and what is owned by owner."""
    store.index("pods", "node", lambda pod: (pod["spec"].get("nodeName", ""),))
    store.index("pods", "loose", lambda pod: () if owners.controller_of(pod) else (pod["metadata"]["namespace"],))
    for resource in {resource.group_resource for resource in kinds.builtin().all()}:
        store.index(resource, "owner", _owners)


def _owners(obj: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(reference["uid"] for reference in obj["metadata"].get("ownerReferences") or ())


__all__ = ["Cluster", "Settings"]
