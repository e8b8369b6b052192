"""The fabric: who can reach whom, how long it takes, and how it fails. Models nodes, bridges and kube-proxy of a kind cluster.

`refused`, `timeout`, `no route` and `NXDOMAIN` are different, as in life. Ingress plugs in as one more `Host` with a listener,
reached from `Dial` and `fetch` by its port; its controller is a later lab's. NetworkPolicy would be asked in `_verdict`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from kit.embedded.core.clock import Clock
from kit.embedded.core.controller import View
from kit.embedded.core.ids import Ids
from kit.embedded.core.ports import Tls
from kit.embedded.core.program import Answer
from kit.embedded.core.queue import Entry, Queue
from kit.embedded.core.settings import Settings
from kit.embedded.core.trace import Trace
from kit.embedded.core.turns import Expose, Output
from kit.embedded.net.dns import SERVER, Dns, Resolver, is_ipv4
from kit.embedded.net.hosts import BACKLOG, Host
from kit.embedded.net.services import DROP, REJECT, Proxy, Route
from kit.embedded.net.wires import End, pair

LATENCY_MS = 1
SYN_TIMEOUT_MS = 127_000  # net.ipv4.tcp_syn_retries = 6
ARP_TIMEOUT_MS = 2_900
QUERY_TIMEOUT_MS = 5_000
POD_NETWORK = "10.244."
SERVICE_NETWORK = "10.96."
GATEWAY = "172.18.0.1"  # the outside, as the nodes see it
UNREACHABLE = "unreachable"

Done = Callable[[End | str], None]


class _Verdict(NamedTuple):
    """What becomes of a connection: a host and port, or how it fails (REJECT, DROP, UNREACHABLE)."""

    host: Host | None
    port: int
    failure: str
    hops: tuple[str, ...]


class Attempt:
    """A connection being made; `done` is called once, unless it is cancelled."""

    __slots__ = ("_queue", "entry")

    def __init__(self, queue: Queue, entry: Entry) -> None:
        self._queue = queue
        self.entry = entry

    def cancel(self) -> None:
        """Give up."""
        self._queue.cancel(self.entry)


class Wiring:
    """All hosts and the ways between them."""

    def __init__(self, *, view: View, queue: Queue, clock: Clock, ids: Ids, trace: Trace, settings: Settings,
                 out: Callable[[Output], None], tls: Tls | None = None) -> None:  # fmt: skip
        self.tls = tls
        self.queue = queue
        self.clock = clock
        self.settings = settings
        self._trace = trace
        self._out = out
        self.proxy = Proxy(ids, self._expose)
        self.dns = Dns(view, self.proxy)
        self.hosts: dict[str, Host] = {}
        self.host_ports: dict[tuple[str, int], tuple[Host, int]] = {}  # (node, port) -> a Pod's hostPort
        self.outside = Host("outside", GATEWAY)
        self.nodes: dict[str, Host] = {}
        for index, name in enumerate(settings.node_names):
            self.add_node(name, f"172.18.0.{index + 2}")

    # --- hosts ---

    def add_node(self, name: str, address: str) -> Host:
        """Put a node on the network."""
        host = self.nodes[name] = self.hosts[address] = Host(f"node {name}", address, name)
        return host

    def attach(self, host: Host) -> None:
        """Give a Pod's host its address."""
        self.hosts[host.address] = host

    def detach(self, host: Host) -> None:
        """Take a Pod's host away; its connections are reset."""
        if self.hosts.get(host.address) is host:
            del self.hosts[host.address]
        for key in [key for key, (owner, _) in self.host_ports.items() if owner is host]:
            del self.host_ports[key]
        host.down()

    # --- connections ---

    def connect(self, source: Host, address: str, port: int, done: Done, timeout_ms: int | None = None, *,
                housekeeping: bool = False) -> Attempt:  # fmt: skip
        """Connect; `done` gets our end, or an errno symbol: ECONNREFUSED, ETIMEDOUT, EHOSTUNREACH."""
        verdict = self._verdict(source, address, port)
        local = verdict.host is source
        error, delay = self._outcome(verdict, 0 if local else LATENCY_MS)
        if timeout_ms is not None and delay > timeout_ms:
            error, delay = "ETIMEDOUT", timeout_ms
        if not housekeeping:
            self._note(source, address, port, verdict, error)
        if error:
            run = lambda: done(error)  # noqa: E731
        else:
            run = lambda: self._establish(source, address, port, verdict, done, housekeeping)  # noqa: E731
        return Attempt(
            self.queue, self.queue.put(self.clock.now + delay, run, housekeeping=housekeeping or delay > ARP_TIMEOUT_MS)
        )

    def _establish(
        self, source: Host, address: str, port: int, verdict: _Verdict, done: Done, housekeeping: bool
    ) -> None:
        host = verdict.host
        listener = host.listeners.get(verdict.port) if host is not None and host.up else None
        if listener is None or host is None or len(listener.backlog) >= BACKLOG:
            done("ECONNREFUSED")
            return
        loopback = address.startswith("127.")
        client = ("127.0.0.1" if loopback else self._seen(source, host), source.ephemeral())
        server = (address if loopback else host.address, verdict.port)
        near, far = pair(
            self.queue, self.clock, client, server, (address, port), 0 if host is source else LATENCY_MS, housekeeping
        )
        near.hops = verdict.hops
        source.adopt(near)
        host.adopt(far)
        listener.backlog.append(far)
        done(near)
        listener.watch()

    def _seen(self, source: Host, host: Host) -> str:
        """Return the address a host sees a source by: its node reaches it from the bridge, the first address of its network."""
        from_node = self.nodes.get(source.node) is source and source.node == host.node and host is not source
        return f"{host.address.rpartition('.')[0]}.1" if from_node else source.address

    def _verdict(self, source: Host, address: str, port: int) -> _Verdict:
        """Decide where a connection goes. Models iptables of kube-proxy, then the routes of a kind node."""
        name = source.names.get(address)
        hops = (source.name, *((f"dns {name} → {address}",) if name else ()))
        if source is self.outside and (address.startswith("127.") or address == "localhost"):
            address = next(iter(self.nodes.values())).address  # a host port stands for the first node's port
        elif address == "127.0.0.1" and self.nodes.get(source.node) is source and port not in source.listeners:
            address = source.address  # node ports and host ports answer there too
        elif address.startswith("127.") or address in ("0.0.0.0", "localhost"):
            return _Verdict(source, port, "", hops)
        elif source is self.outside and address.startswith((POD_NETWORK, SERVICE_NETWORK)):
            return _Verdict(None, port, DROP, hops)
        found = self._routed(source, address, port)
        if isinstance(found, str):
            return _Verdict(None, port, found, (*hops, f"service {address}:{port}"))
        if found is not None:
            return self._direct(found.address, found.port, (*hops, *found.hops))
        return self._direct(address, port, (*hops, f"{address}:{port}"))

    def _routed(self, source: Host, address: str, port: int) -> Route | str | None:
        now = self.clock.now
        if address.startswith(SERVICE_NETWORK):
            return self.proxy.cluster(source.address, source.node, address, port, now) or DROP
        host = self.hosts.get(address)
        if host is not None and host.up and self.nodes.get(host.node) is host:
            forwarded = self.host_ports.get((host.node, port))
            if forwarded is not None:
                return Route(forwarded[0].address, forwarded[1], (f"node {host.node}:{port}", forwarded[0].name))
            return self.proxy.node_port(source.address, host.node, address, port, now)
        return None

    def _direct(self, address: str, port: int, hops: tuple[str, ...]) -> _Verdict:
        host = self.hosts.get(address)
        if host is not None and host.up:
            return _Verdict(host, port, "", hops)
        return _Verdict(None, port, UNREACHABLE if address.startswith((POD_NETWORK, "172.18.")) else DROP, hops)

    def _outcome(self, verdict: _Verdict, latency: int) -> tuple[str, int]:
        if verdict.failure == DROP:
            return "ETIMEDOUT", SYN_TIMEOUT_MS
        if verdict.failure == UNREACHABLE:
            return "EHOSTUNREACH", ARP_TIMEOUT_MS
        listens = verdict.host is not None and verdict.port in verdict.host.listeners
        return ("", 2 * latency) if listens and verdict.failure != REJECT else ("ECONNREFUSED", 2 * latency)

    def _note(self, source: Host, address: str, port: int, verdict: _Verdict, error: str) -> None:
        detail = {"hops": list(verdict.hops), "result": error or "connected"}
        self._trace.add(self.clock.now, source.name, "connect", f"{address}:{port}", detail)

    # --- names ---

    def query(self, source: Host, name: str, kind: str, server: str, done: Callable[[Answer | None], None]) -> None:
        """Ask a DNS server one question; None after 5 s when nobody answers there."""
        if server == SERVER:
            answer: Answer | None = self.dns.answer(name, kind)
        elif server == GATEWAY:
            answer = Answer("NXDOMAIN", (), server)
        else:
            answer = None
        delay = QUERY_TIMEOUT_MS if answer is None else LATENCY_MS
        self.queue.put(self.clock.now + delay, lambda: done(answer))

    def resolve(
        self,
        source: Host,
        name: str,
        hosts: dict[str, str],
        resolver: Resolver,
        done: Callable[[list[str] | str], None],
    ) -> None:
        """Look a name up as the C library does; `done` gets addresses, or ENXDOMAIN or ETIMEDOUT."""
        result, delay = self._look_up(name, hosts, resolver)
        if isinstance(result, list):
            source.names.update((address, name) for address in result if address != name)
        if result is not None and not is_ipv4(name):
            self._trace.add(self.clock.now, source.name, "resolve", name, {"answer": result})
        self.queue.put(self.clock.now + delay, lambda: done(result))

    def _look_up(self, name: str, hosts: dict[str, str], resolver: Resolver) -> tuple[list[str] | str, int]:
        if is_ipv4(name):
            return [name], 0
        if name in hosts:
            return [hosts[name]], 0
        if not any(server in (SERVER, GATEWAY) for server in resolver.servers):
            return "ETIMEDOUT", 2 * QUERY_TIMEOUT_MS
        server = next(server for server in resolver.servers if server in (SERVER, GATEWAY))
        asked = 0
        for candidate in resolver.candidates(name):
            asked += 1
            answer = self.dns.answer(candidate) if server == SERVER else Answer("NXDOMAIN")
            found = [value for _, kind, _, value in answer.records if kind == "A"]
            if found:
                return found, asked * LATENCY_MS
        return "ENXDOMAIN", asked * LATENCY_MS

    def ping(self, source: Host, address: str, timeout_ms: int, done: Callable[[int | None], None]) -> None:
        """Send one echo: hosts answer, Service addresses do not (only their ports are translated)."""
        host = self.hosts.get(address)
        there = host is not None and host.up and not address.startswith(SERVICE_NETWORK)
        answers = address.startswith("127.") or there
        took = 0 if address.startswith("127.") or address == source.address else 2 * LATENCY_MS
        self.queue.put(self.clock.now + (took if answers else timeout_ms), lambda: done(took if answers else None))

    # --- the host's ports ---

    def _expose(self, name: str, port: int, opened: bool) -> None:
        self._out(Expose(name, next(iter(self.nodes.values())).address, port, opened))
