"""The fabric with its doors: port-forward, dialled host ports, requests from outside. Fills in `core.ports.Network`."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from kit.embedded.core.store import Obj
from kit.embedded.core.turns import Called, Ticket
from kit.embedded.core.waiting import Question
from kit.embedded.net.bridge import Bridge
from kit.embedded.net.dns import is_ipv4
from kit.embedded.net.hosts import Host
from kit.embedded.net.http import PORTS, Ask, Exchange, Reply, Trust
from kit.embedded.net.wires import End
from kit.embedded.net.wiring import Wiring

REASONS = {
    "ECONNREFUSED": "refused",
    "ETIMEDOUT": "timeout",
    "EHOSTUNREACH": "no route",
    "ECONNRESET": "reset",
    "ENXDOMAIN": "NXDOMAIN",
}
ASKING = (
    ("User-Agent", "kube-apiserver-admission"),
    ("Accept", "application/json, */*"),
    ("Content-Type", "application/json"),
)
FETCH_TIMEOUT_MS = 10_000
DIAL_TIMEOUT_MS = 30_000
UNTRUSTED = "tls: failed to verify certificate"


class Fabric(Wiring):
    """The cluster's network as the API and the edge see it."""

    def forward(self, pod: Obj, port: int, ticket: Ticket) -> None:
        """Connect a ticket to a port of a Pod's loopback; a failure finishes it with the container runtime's words."""
        host = self.hosts.get((pod.get("status") or {}).get("podIP") or "")
        if host is None:
            ticket.finish(error="unable to do port forwarding: pod is not running")
            return
        bridge = Bridge(ticket)
        sandbox = str(pod["metadata"]["uid"]).replace("-", "") * 2

        def connected(result: End | str) -> None:
            if isinstance(result, str):
                ticket.finish(error=_forward_error(port, sandbox, str(pod["metadata"]["uid"])))
            else:
                ticket.begin(upgrade="raw")
                bridge.join(result)

        self.connect(host, "127.0.0.1", port, connected)

    def dial(self, source: str, address: str, port: int, ticket: Ticket) -> None:
        """Connect a ticket to `address`:`port` as `source` sees it ("outside", "node:NAME"); fails with refused, timeout, no route."""
        bridge = Bridge(ticket)

        def connected(result: End | str) -> None:
            if isinstance(result, str):
                ticket.finish(error=REASONS.get(result, result))
            else:
                ticket.begin(upgrade="raw")
                bridge.join(result)

        self.connect(self.source(source), address, port, connected, DIAL_TIMEOUT_MS)

    def source(self, name: str) -> Host:
        """Return the host that "outside", "node:NAME" or "pod:NAMESPACE/NAME" stands for; the outside when it is not there."""
        kind, _, rest = name.partition(":")
        if kind == "node":
            return self.nodes.get(rest, self.outside)
        if kind == "pod":
            return next((host for host in self.hosts.values() if host.name == f"pod {rest}"), self.outside)
        return self.outside

    def fetch(self, source: str, request: Mapping[str, Any], done: Callable[[Mapping[str, Any]], None]) -> None:
        """Make one HTTP request: method, url, headers (mapping or pairs), body (text or base64 in `body_base64`), timeout_ms, insecure.

        `done` gets status, headers (pairs), body (text; `body_base64` always), error ("", refused, timeout, no route, NXDOMAIN,
        reset, protocol, certificate, bad url), said (the same in Go's words), took_ms, hops. With `insecure` an https server may show
        any certificate; without, the outside trusts none that is made in a lab.
        """
        host = self.source(source)
        began = self.clock.now
        parts = urlsplit(str(request.get("url", "")))
        if parts.scheme not in PORTS or not parts.hostname:
            done(_result(Reply(error="bad url"), 0))
            return

        address = self._address(host, parts.hostname)
        port = parts.port or PORTS[parts.scheme]

        def finish(reply: Reply) -> None:
            said = reply.told(f"{address}:{port}", f"dial tcp {address}:{port}: i/o timeout")
            done(_result(reply, self.clock.now - began) | {"said": said})

        if address is None:
            self.queue.put(self.clock.now, lambda: finish(Reply(error="ENXDOMAIN")))
            return
        headers = _pairs(request.get("headers") or ())
        if "host" not in {name.lower() for name, _ in headers}:
            headers.insert(0, ("Host", parts.netloc.rpartition("@")[2]))
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        trust = Trust(parts.hostname, None if request.get("insecure") else b"") if parts.scheme == "https" else None
        ask = Ask(address, port, str(request.get("method") or "GET"), target, headers, _body(request), trust)
        Exchange(self, host, ask, int(request.get("timeout_ms") or FETCH_TIMEOUT_MS), finish, housekeeping=False)

    def ask(self, question: Question, take: Callable[[Called], None]) -> None:
        """Put a webhook's question to a Service, as the API server on its node; `take` gets the answer, or why there is none."""
        inside = question.inside
        if inside is None:
            raise ValueError(question.url)
        parts = urlsplit(question.url)
        headers = [("Host", f"{inside.name}:{inside.port}"), *ASKING]
        trust = Trust(inside.name, question.authority)
        target = f"{parts.path or '/'}?{parts.query}"
        ask = Ask(inside.address, inside.port, "POST", target, headers, question.body, trust)

        def finish(reply: Reply) -> None:
            error = reply.told(f"{inside.address}:{inside.port}", "context deadline exceeded")
            take(Called(0, reply.status, reply.body, error))

        host = self.nodes[self.settings.node_names[0]]
        Exchange(self, host, ask, question.timeout_ms, finish, housekeeping=False)

    def _address(self, host: Host, name: str) -> str | None:
        """Resolve a name: the outside and the nodes know addresses, localhost and the nodes' names; Pods ask the cluster's DNS."""
        if is_ipv4(name):
            return name
        if name == "localhost" or name.endswith(".localhost"):
            return "127.0.0.1"
        if name in self.nodes:
            return self.nodes[name].address
        if host is self.outside or self.nodes.get(host.node) is host:
            return None
        namespace = host.name.removeprefix("pod ").partition("/")[0]
        for candidate in (f"{name}.{namespace}.svc.cluster.local", f"{name}.svc.cluster.local", name):
            for _, kind, _, value in self.dns.answer(candidate).records:
                if kind == "A":
                    host.names[value] = name
                    return value
        return None


def _forward_error(port: int, sandbox: str, uid: str) -> str:
    """Return what the container runtime says when nothing listens. Models containerd's portforward."""
    return (
        f"error forwarding port {port} to pod {sandbox}, uid : failed to execute portforward in network namespace "
        f'"/var/run/netns/cni-{uid}": failed to connect to localhost:{port} inside namespace "{sandbox}", '
        f"IPv4: dial tcp4 127.0.0.1:{port}: connect: connection refused "
        f"IPv6 dial tcp6 [::1]:{port}: connect: connection refused "
    )


def _pairs(headers: Any) -> list[tuple[str, str]]:
    items = headers.items() if isinstance(headers, Mapping) else headers
    return [(str(name), str(value)) for name, value in items]


def _body(request: Mapping[str, Any]) -> bytes:
    if request.get("body_base64"):
        return base64.b64decode(request["body_base64"])
    return str(request.get("body") or "").encode()


def _kind(error: str) -> str:
    """Return what the outside calls a failure: one word a kind."""
    if error.startswith(UNTRUSTED):
        return "certificate"
    return REASONS.get(error, error if error in ("", "bad url") else "protocol")


def _result(reply: Reply, took: int) -> dict[str, Any]:
    return {
        "status": reply.status,
        "headers": [list(pair) for pair in reply.headers],
        "body": reply.body.decode("utf-8", "replace"),
        "body_base64": base64.b64encode(reply.body).decode(),
        "error": _kind(reply.error),
        "took_ms": took,
        "hops": list(reply.hops),
    }
