"""What the Pods bound to each node take of it: kept up event by event, so that a decision does not count them all again.

Models pkg/scheduler/framework NodeInfo and component-helpers/resource PodRequests.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from kit.embedded.controllers.scheduler.storage import NONE, Storage
from kit.embedded.core.store import Event, Obj
from kit.kube import owners, pods, quantities, resources

NANO = quantities.NANO
LEAST = {
    "cpu": NANO // 10,
    "memory": 200 * 2**20 * NANO,
}  # what a container that asks for nothing is counted as in scores


def amount(text: Any) -> int:
    """Return a quantity in nanos."""
    return quantities.Quantity.parse(text).nano


def requests(pod: Obj) -> dict[str, int]:
    """Return what a Pod asks for in nanos. Models PodRequests."""
    return {name: wanted.nano for name, wanted in resources.requests(pod).items()}


class Seat(NamedTuple):
    """What one bound Pod takes."""

    pod: Obj
    requests: Mapping[str, int]
    ports: frozenset[tuple[str, int]]
    parent: str | None


def seat(pod: Obj) -> Seat:
    """Read off a Pod what it takes of a node."""
    return Seat(pod, requests(pod), frozenset(host_ports(pod)), parent_of(pod))


def host_ports(pod: Obj) -> set[tuple[str, int]]:
    """Return the ports of the host a Pod asks for."""
    listed = [port for container in pod["spec"]["containers"] for port in container.get("ports") or ()]
    return {(port.get("protocol", "TCP"), port["hostPort"]) for port in listed if port.get("hostPort")}


def parent_of(pod: Obj) -> str | None:
    """Return the uid of the Pod's controller."""
    owner = owners.controller_of(pod)
    return owner["uid"] if owner else None


def weight(asked: Mapping[str, int], resource: str) -> int:
    """Return what a Pod counts as in scores."""
    return max(asked.get(resource, 0), LEAST[resource])


def avoids(pod: Obj) -> bool:
    """Say whether a Pod has required anti-affinity, which binds those that come later too."""
    affinity = (pod["spec"].get("affinity") or {}).get("podAntiAffinity") or {}
    return bool(affinity.get("requiredDuringSchedulingIgnoredDuringExecution"))


@dataclass
class Load:
    """The Pods of one node and their sums; `requested["pods"]` counts them."""

    seats: dict[str, Seat] = field(default_factory=dict)
    requested: Counter[str] = field(default_factory=Counter)
    weights: Counter[str] = field(default_factory=Counter)
    ports: Counter[tuple[str, int]] = field(default_factory=Counter)
    parents: Counter[str | None] = field(default_factory=Counter)
    avoiding: dict[str, Obj] = field(default_factory=dict)

    @classmethod
    def of(cls, seats: Iterable[Seat]) -> Load:
        """Return the load of these Pods."""
        load = cls()
        for one in seats:
            load.put(one)
        return load

    @property
    def pods(self) -> Sequence[Obj]:
        """The Pods."""
        return [one.pod for one in self.seats.values()]

    def put(self, one: Seat) -> None:
        """Add a Pod."""
        self.seats[one.pod["metadata"]["uid"]] = one
        self._count(one, 1)
        if avoids(one.pod):
            self.avoiding[one.pod["metadata"]["uid"]] = one.pod

    def take(self, uid: str) -> None:
        """Take a Pod off."""
        self._count(self.seats.pop(uid), -1)
        self.avoiding.pop(uid, None)

    def _count(self, one: Seat, sign: int) -> None:
        for name, value in one.requests.items():
            self.requested[name] += sign * value
        self.requested["pods"] += sign
        for resource in LEAST:
            self.weights[resource] += sign * weight(one.requests, resource)
        self.ports.update(dict.fromkeys(one.ports, sign))
        self.parents[one.parent] += sign
        if not self.parents[one.parent]:
            del self.parents[one.parent]


class Occupancy:
    """The load of every node, from the events of Pods."""

    def __init__(self) -> None:
        self.loads: dict[str, Load] = {}
        self._node: dict[str, str] = {}

    def note(self, event: Event) -> None:
        """Take in one event of a Pod."""
        pod, uid = event.obj, event.obj["metadata"]["uid"]
        node = pod["spec"].get("nodeName", "")
        if event.type == "DELETED" or pods.is_terminal(pod):
            node = ""
        before = self._node.pop(uid, "")
        if before and before == node and event.old is not None and event.old.obj["spec"] == pod["spec"]:
            seats = self.loads[node].seats
            seats[uid] = seats[uid]._replace(pod=pod)
            if uid in self.loads[node].avoiding:
                self.loads[node].avoiding[uid] = pod
            self._node[uid] = node
            return
        if before:
            self.loads[before].take(uid)
        if node:
            self.loads.setdefault(node, Load()).put(seat(pod))
            self._node[uid] = node


_EMPTY = Load()


@dataclass(frozen=True)
class World:
    """What a decision sees: all nodes, the load of each, and the labels of namespaces."""

    nodes: Sequence[Obj]
    loads: Mapping[str, Load]
    namespaces: Mapping[str, Mapping[str, str]]
    storage: Storage = NONE  # of the Pod that is looked at

    @cached_property
    def avoiding(self) -> Sequence[tuple[Obj, Obj]]:
        """Pods with required anti-affinity, each with the node it is on."""
        return [(home, pod) for home in self.nodes for pod in self.load(home).avoiding.values()]

    def load(self, node: Obj) -> Load:
        """Return a node's load."""
        return self.loads.get(node["metadata"]["name"], _EMPTY)

    def requests(self, pod: Obj) -> Mapping[str, int]:
        """Return a Pod's requests, counted once however many nodes are looked at."""
        known = self._requests
        if not known or known[0][0] is not pod:
            known[:] = [(pod, requests(pod))]
        return known[0][1]

    @cached_property
    def _requests(self) -> list[tuple[Obj, Mapping[str, int]]]:
        return []
