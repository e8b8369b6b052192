"""Where a connection to a Service goes: ClusterIP, NodePort, headless, affinity, traffic policies.

Models kube-proxy (pkg/proxy): a table programmed from Services and EndpointSlices; a connection picks an endpoint at random.
Not simulated: UDP, LoadBalancer and external IPs, topology hints.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kit.embedded.core.controller import Effects, Mapper, View, itself
from kit.embedded.core.ids import Ids
from kit.embedded.core.store import Event, Key, Obj

SLICES = "endpointslices.discovery.k8s.io"
NAME_LABEL = "kubernetes.io/service-name"
AFFINITY_S = 10800

REJECT = "reject"  # a Service without endpoints: refused at once
DROP = "drop"  # nobody answers: the caller's time-out decides


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One backend address with the conditions of its EndpointSlice."""

    address: str
    node: str
    ready: bool
    serving: bool
    terminating: bool
    hostname: str
    ports: Mapping[str, int]
    pod: str = ""


@dataclass(slots=True)
class Service:
    """A Service and its endpoints as the table holds them."""

    namespace: str
    name: str
    spec: Obj
    endpoints: list[Endpoint] = field(default_factory=list)
    affinity: dict[str, tuple[str, int]] = field(default_factory=dict)

    @property
    def headless(self) -> bool:
        """Say whether it has no address of its own."""
        return self.spec.get("clusterIP") in (None, "", "None")


@dataclass(frozen=True, slots=True)
class Route:
    """Where a connection goes and by what way (`hops`, for the trace)."""

    address: str
    port: int
    hops: tuple[str, ...] = ()


class Proxy:
    """The table. As a controller it only reads; `expose(name, port, open)` hears of node ports that come and go."""

    name = "kube-proxy"
    user = "system:kube-proxy"
    manager = "kube-proxy"
    component = "kube-proxy"

    def __init__(self, ids: Ids, expose: Callable[[str, int, bool], None]) -> None:
        self._ids = ids
        self._expose = expose
        self.services: dict[tuple[str, str], Service] = {}
        self._by_address: dict[tuple[str, int], tuple[Service, Obj]] = {}
        self._by_node_port: dict[int, tuple[Service, Obj]] = {}
        self.watches: Mapping[str, Mapper] = {"services": itself, SLICES: _service_of}

    def reconcile(self, key: Key, view: View, now: int) -> Effects:
        """Program one Service anew."""
        self._forget(key.namespace, key.name, keep=_node_ports(service := view.at(key)))
        if service is not None and service["spec"].get("type") != "ExternalName":
            entry = Service(key.namespace, key.name, service["spec"])
            entry.endpoints = list(_endpoints(view, key.namespace, key.name))
            self.services[key.namespace, key.name] = entry
            for port in service["spec"].get("ports") or ():
                self._program(entry, port)
        yield from ()  # it only reads

    def _program(self, entry: Service, port: Obj) -> None:
        if port.get("protocol", "TCP") != "TCP":
            return
        if not entry.headless:
            self._by_address[entry.spec["clusterIP"], port["port"]] = (entry, port)
        if port.get("nodePort"):
            if port["nodePort"] not in self._by_node_port:
                self._expose(f"{entry.namespace}/{entry.name}:{port['nodePort']}", port["nodePort"], True)
            self._by_node_port[port["nodePort"]] = (entry, port)

    def _forget(self, namespace: str, name: str, keep: Sequence[int]) -> None:
        entry = self.services.pop((namespace, name), None)
        for port in (entry.spec.get("ports") or ()) if entry else ():
            self._by_address.pop((str(entry.spec.get("clusterIP")), port["port"]), None)  # type: ignore[union-attr]
            node_port = port.get("nodePort")
            if node_port and node_port not in keep and self._by_node_port.pop(node_port, None):
                self._expose(f"{namespace}/{name}:{node_port}", node_port, False)

    # --- choosing ---

    def cluster(self, source: str, node: str, address: str, port: int, now: int) -> Route | str | None:
        """Return where a connection to a ClusterIP goes, REJECT, or None when no Service has this address and port."""
        found = self._by_address.get((address, port))
        return self._choose(*found, source, node, "internalTrafficPolicy", now, f"{address}:{port}") if found else None

    def node_port(self, source: str, node: str, address: str, port: int, now: int) -> Route | str | None:
        """Return where a connection to a node's port goes; DROP when its traffic policy finds no endpoint here."""
        found = self._by_node_port.get(port)
        if found is None:
            return None
        return self._choose(*found, source, node, "externalTrafficPolicy", now, f"node {node} {address}:{port}")

    def _choose(
        self, entry: Service, port: Obj, source: str, node: str, policy: str, now: int, hop: str
    ) -> Route | str:
        usable = _usable([end for end in entry.endpoints if port.get("name", "") in end.ports])
        if not usable:
            return REJECT
        if entry.spec.get(policy) == "Local":
            usable = [end for end in usable if end.node == node]
            if not usable:
                return DROP
        end = self._sticky(entry, usable, source, now) or usable[self._ids.below(len(usable)) if len(usable) > 1 else 0]
        if entry.spec.get("sessionAffinity") == "ClientIP":
            entry.affinity[source] = (end.address, now)
        hops = (
            f"service {entry.namespace}/{entry.name} {hop}",
            f"pod {entry.namespace}/{end.pod} {end.address}" if end.pod else end.address,
        )
        return Route(end.address, end.ports[port.get("name", "")], hops)

    def _sticky(self, entry: Service, usable: Sequence[Endpoint], source: str, now: int) -> Endpoint | None:
        address, last = entry.affinity.get(source, ("", 0))
        config = (entry.spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}
        if not address or now - last > config.get("timeoutSeconds", AFFINITY_S) * 1000:
            return None
        return next((end for end in usable if end.address == address), None)


def _usable(endpoints: Sequence[Endpoint]) -> list[Endpoint]:
    """Ready endpoints, else those that still serve while they terminate. Models pkg/proxy/topology.go CategorizeEndpoints."""
    return [end for end in endpoints if end.ready] or [end for end in endpoints if end.serving and end.terminating]


def _service_of(event: Event, view: View) -> Iterable[Key]:
    name = (event.obj["metadata"].get("labels") or {}).get(NAME_LABEL)
    return (Key("services", event.key.namespace, name),) if name else ()


def _node_ports(service: Obj | None) -> list[int]:
    return [port["nodePort"] for port in service["spec"].get("ports") or () if port.get("nodePort")] if service else []


def _endpoints(view: View, namespace: str, name: str) -> Iterable[Endpoint]:
    for piece in view.list(SLICES, namespace):
        if (piece["metadata"].get("labels") or {}).get(NAME_LABEL) == name:
            ports = {port.get("name") or "": port["port"] for port in piece.get("ports") or () if port.get("port")}
            for end in piece.get("endpoints") or ():
                yield from _addresses(end, ports)


def _addresses(end: Obj, ports: Mapping[str, int]) -> Iterable[Endpoint]:
    conditions: Mapping[str, Any] = end.get("conditions") or {}
    ready = conditions.get("ready") is not False
    for address in end.get("addresses") or ():
        yield Endpoint(
            address, end.get("nodeName") or "", ready, conditions.get("serving", ready) is not False, bool(conditions.get("terminating")),
            end.get("hostname") or "", ports, (end.get("targetRef") or {}).get("name") or "",
        )  # fmt: skip
