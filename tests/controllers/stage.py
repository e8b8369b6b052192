"""A stage for controllers: store, clock, queue, API and engine in process, nodes made by the API, a kubelet imitated by status writes.

Time is virtual: `settle` runs what is due until nothing has changed for a while, `pass_time` lets it go on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from asking import TOKEN, Asking, PlainSigner
from plain import NODES, PlainCluster, node_of

from kit.embedded.core.settings import Settings
from kit.runtime.zones import SystemZones

EPOCH = 1_772_366_400_000  # 2026-03-01T12:00:00Z
QUIET_MS = 1600
MERGE = {"content-type": "application/merge-patch+json"}


class Bare(PlainCluster):
    """A cluster that begins with its namespaces and roles only."""

    def _has(self, obj: Mapping[str, Any]) -> bool:
        return bool(obj["kind"] == "Namespace")


class Stage(Asking):
    """A cluster of plain nodes in process."""

    def __init__(self, seed: int = 7, nodes: Sequence[Mapping[str, Any]] = NODES) -> None:
        self.machine = Bare(Settings(admin_token=TOKEN, seed=seed, epoch=EPOCH), PlainSigner(), zones=SystemZones())
        self.store, self.clock, self.queue = self.machine.store, self.machine.clock, self.machine.queue
        self.api, self.engine, self.trace = self.machine.api, self.machine.engine, self.machine.trace
        for node in nodes:
            self.add_node(node)
        self.settle()

    def add_node(self, node: Mapping[str, Any]) -> None:
        """Make a Node, and report it ready as its kubelet would."""
        obj, status = node_of(node, self.clock.text())
        self.create(obj)
        self.ask("PATCH", f"/api/v1/nodes/{node['name']}/status", status, MERGE)

    # --- time ---

    def settle(self, limit_ms: int = 25_000, quiet_ms: int = QUIET_MS) -> None:
        """Run what is due until no object has changed for `quiet_ms`, at most `limit_ms`."""
        end, changed = self.clock.now + limit_ms, self.clock.now
        while True:
            revision = self.store.revision
            found = self.queue.pop(min(end, changed + quiet_ms))
            if found is None:
                self.clock.now = max(self.clock.now, min(end, changed + quiet_ms))
                return
            self.clock.now = max(self.clock.now, found[0])
            found[1]()
            if self.store.revision != revision:
                changed = self.clock.now

    def pass_time(self, ms: int) -> None:
        """Run all that comes due in the next `ms`."""
        end = self.clock.now + ms
        while self.step(end):
            pass
        self.clock.now = end

    def step(self, end: int) -> bool:
        """Run the next thing that is due until `end`; say whether there was one."""
        found = self.queue.pop(end)
        if found is None:
            return False
        self.clock.now = max(self.clock.now, found[0])
        found[1]()
        return True
