"""All nodes of the cluster: their kubelets and heartbeats, and what the API asks of containers. Fills in `core.ports.Nodes`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kit.embedded.core.clock import Clock
from kit.embedded.core.controller import Controller, View
from kit.embedded.core.engine import Engine
from kit.embedded.core.ids import Ids
from kit.embedded.core.ports import Signer
from kit.embedded.core.queue import Queue
from kit.embedded.core.settings import Settings
from kit.embedded.core.store import Key, Obj, Store
from kit.embedded.core.trace import Trace
from kit.embedded.core.turns import Ticket
from kit.embedded.net.network import Fabric
from kit.embedded.node import nodes, reading
from kit.embedded.node.disk import disk
from kit.embedded.node.exec import Attachment, Session, refusal
from kit.embedded.node.images import Images, Registry
from kit.embedded.node.kubelet import Kubelet
from kit.embedded.node.runtime import World
from kit.embedded.node.site import Addresses, Site
from kit.embedded.node.units import Unit
from kit.embedded.node.worker import Worker

BOOT_MS = 2_000  # from the power to the kubelet's first word
LOOK_MS = 1_000  # from there to its first look at Pods, as recorded


class Nodes:
    """The nodes of the topology (design §1), by name."""

    def __init__(self, *, view: View, engine: Engine, fabric: Fabric, registry: Registry, signer: Signer, queue: Queue, clock: Clock,
                 ids: Ids, trace: Trace, settings: Settings, store: Store) -> None:  # fmt: skip
        self._view = view
        self._engine = engine
        self._fabric = fabric
        self._clock = clock
        self._trace = trace
        self._world = World(queue, clock, ids, trace, fabric)
        self.kubelets: dict[str, Kubelet] = {}
        self.heartbeats: dict[str, nodes.Heartbeat] = {}
        self._mark = nodes.ControlPlaneMark(settings.node_names[0])
        for index, name in enumerate(settings.node_names):
            images = Images(registry, preloaded=settings.preloaded)
            site = Site(
                name,
                fabric.nodes[name],
                self._world,
                view,
                images,
                signer,
                Addresses(index),
                self._waker(name),
                disk(name),
            )
            self.kubelets[name] = Kubelet(site)
            machine = f"{index:02x}" + settings.name.encode().hex()[:30].ljust(30, "0")
            self.heartbeats[name] = nodes.Heartbeat(name, index, settings, clock, machine)

    def _waker(self, name: str) -> Callable[[Key, int], None]:
        return lambda key, delay: self._engine.enqueue(self.kubelets[name], key, delay)

    def controllers(self) -> list[Controller]:
        """Return what reacts to objects on behalf of the nodes: kube-proxy, heartbeats, kubelets."""
        return [self._fabric.proxy, self._mark, *self.heartbeats.values(), *self.kubelets.values()]

    def address(self, name: str) -> str:
        """Return a node's address."""
        return self._fabric.nodes[name].address

    def begin(self) -> None:
        """Register the nodes of a new cluster."""
        for heartbeat in self.heartbeats.values():
            self._engine.enqueue(heartbeat, heartbeat.key)

    def restored(self, volumes: Mapping[str, bytes]) -> None:
        """Go on after a restart of the process: all nodes have rebooted, the containers of their Pods start again.

        `volumes` are the journal's contents of claimed volumes, which the storage lab brings.
        """
        for kubelet in self.kubelets.values():
            kubelet.restarted()
        self.begin()

    def switch(self, name: str, on: bool) -> None:
        """Switch a node off, or on again."""
        kubelet, heartbeat, host = self.kubelets[name], self.heartbeats[name], self._fabric.nodes[name]
        self._trace.add(self._clock.now, f"node {name}", "on" if on else "off", name)
        if not on:
            heartbeat.alive = False
            kubelet.cut()
            host.cut()
            return
        host.up = True
        heartbeat.boot(self._clock.now + BOOT_MS)
        self._engine.enqueue(heartbeat, heartbeat.key, BOOT_MS)
        for key in kubelet.boot(self._clock.now + BOOT_MS + LOOK_MS):
            self._engine.enqueue(kubelet, key, BOOT_MS + LOOK_MS)

    # --- what the API asks ---

    def reached(self, name: str) -> bool:
        """Say whether a node's kubelet answers."""
        return name not in self.kubelets or self.kubelets[name].on

    def logs(self, pod: Obj, container: str, options: Mapping[str, Any], ticket: Ticket) -> None:
        """Send a container's log."""
        unit = self._find(pod, container)
        id = reading.instance(pod, container, previous=bool(options.get("previous")))
        log = reading.unit_log(unit, id)
        if log is None:
            reading.lost(id, ticket)
        else:
            reading.Reader(self._clock, log, options, ticket)

    def execute(self, pod: Obj, container: str, argv: list[str], options: Mapping[str, bool], ticket: Ticket) -> None:
        """Run a process in a container."""
        unit = self._find(pod, container)
        if unit is None:
            raise refusal(f'container not found ("{container}")')
        Session(unit, argv, options, ticket)

    def attach(self, pod: Obj, container: str, options: Mapping[str, bool], ticket: Ticket) -> None:
        """Join a container's main process."""
        unit = self._find(pod, container)
        where = f"{pod['metadata']['name']}_{pod['metadata']['namespace']}"
        if unit is None:
            raise refusal(f"container {container} not found in pod {where}")
        Attachment(unit, where, options, ticket)

    def _find(self, pod: Obj, container: str) -> Unit | None:
        worker = self.worker(pod)
        return next((unit for unit in worker.units if unit.name == container), None) if worker is not None else None

    def worker(self, pod: Obj) -> Worker | None:
        """Return the worker of a Pod. The node's absence is the API server's `no route to host`."""
        kubelet = self.kubelets.get(pod["spec"].get("nodeName") or "")
        if kubelet is None:
            return None
        metadata = pod["metadata"]
        return kubelet.at(Key("pods", metadata["namespace"], metadata["name"]), metadata["uid"])
