"""The cluster's DNS: Services, headless Services, hostnames, SRV, ExternalName, Pods, reverse names.

Models CoreDNS's kubernetes plugin with kubeadm's configuration (`pods insecure`, TTL 30). Names of the world outside are
NXDOMAIN: nothing leaves the machine.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kit.embedded.core.controller import View
from kit.embedded.core.program import Answer
from kit.embedded.net.services import Endpoint, Proxy, Service

SERVER = "10.96.0.10"
ZONE = "cluster.local"
TTL = 30

Record = tuple[str, str, int, str]


@dataclass(frozen=True, slots=True)
class Resolver:
    """What /etc/resolv.conf says."""

    servers: tuple[str, ...] = ()
    searches: tuple[str, ...] = ()
    ndots: int = 1

    def candidates(self, name: str) -> list[str]:
        """Return the names to ask for, in the order the C library asks."""
        if name.endswith("."):
            return [name.rstrip(".")]
        listed = [f"{name}.{search}" for search in self.searches]
        return [name, *listed] if name.count(".") >= self.ndots else [*listed, name]


def parse_resolv(text: str) -> Resolver:
    """Read a resolv.conf."""
    servers: list[str] = []
    searches: tuple[str, ...] = ()
    ndots = 1
    for words in (line.split() for line in text.splitlines()):
        if len(words) > 1 and words[0] == "nameserver":
            servers.append(words[1])
        elif words and words[0] == "search":
            searches = tuple(words[1:])
        elif words and words[0] == "options":
            for option in words[1:]:
                if option.startswith("ndots:") and option[6:].isdigit():
                    ndots = int(option[6:])
    return Resolver(tuple(servers), searches, ndots)


def parse_hosts(text: str) -> dict[str, str]:
    """Read a hosts file: name -> IPv4 address; the first line that has a name wins."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        words = line.split("#", 1)[0].split()
        if len(words) > 1 and ":" not in words[0]:
            for name in words[1:]:
                found.setdefault(name, words[0])
    return found


class Dns:
    """Answers exact questions from the proxy's table and the store."""

    def __init__(self, view: View, proxy: Proxy) -> None:
        self._view = view
        self._proxy = proxy

    def answer(self, name: str, kind: str = "A", *, server: str = SERVER) -> Answer:
        """Answer one question; `kind` is A, AAAA, CNAME, SRV or PTR."""
        name = name.rstrip(".").lower()
        records = self._records(name, kind.upper())
        code = "NXDOMAIN" if records is None else "NOERROR"
        return Answer(code, tuple(records or ()), server)

    def _records(self, name: str, kind: str) -> list[Record] | None:
        """Return the records, empty when the name is there but has none of this kind, None when it is not there."""
        if name.endswith(".in-addr.arpa"):
            return self._reverse(name, kind)
        if name == ZONE:
            return []
        if not name.endswith(f".{ZONE}"):
            return None
        labels = name[: -len(ZONE) - 1].split(".")
        if labels[-1] == "svc":
            return self._service(name, labels[:-1], kind)
        return self._pod(name, labels[:-1], kind) if labels[-1] == "pod" else None

    def _service(self, name: str, labels: Sequence[str], kind: str) -> list[Record] | None:
        if len(labels) < 2:
            return [] if not labels or self._view.get("namespaces", "", labels[-1]) else None
        namespace, service, rest = labels[-1], labels[-2], labels[:-2]
        entry = self._proxy.services.get((namespace, service))
        if entry is None:
            return self._external(name, namespace, service, kind) if not rest else None
        if len(rest) == 2 and rest[0].startswith("_"):
            return self._srv(name, entry, rest, kind)
        if not rest:
            return self._whole(name, entry, kind)
        return (
            _addresses(name, [end for end in _answering(entry) if _hostname(end) == rest[0]], kind)
            if len(rest) == 1
            else None
        )

    def _whole(self, name: str, entry: Service, kind: str) -> list[Record] | None:
        if entry.headless:
            return _addresses(name, _answering(entry), kind)
        if kind == "SRV":
            return [(name, "SRV", TTL, f"0 100 {port['port']} {name}.") for port in entry.spec.get("ports") or ()]
        return [(name, "A", TTL, entry.spec["clusterIP"])] if kind == "A" else []

    def _external(self, name: str, namespace: str, service: str, kind: str) -> list[Record] | None:
        found = self._view.get("services", namespace, service)
        if found is None or found["spec"].get("type") != "ExternalName":
            return None
        target = found["spec"]["externalName"].rstrip(".")
        records: list[Record] = [(name, "CNAME", TTL, f"{target}.")]
        return records + (self._records(target, kind) or []) if kind != "CNAME" else records

    def _srv(self, name: str, entry: Service, rest: Sequence[str], kind: str) -> list[Record] | None:
        whole = f"{entry.name}.{entry.namespace}.svc.{ZONE}"
        ports = [
            p
            for p in entry.spec.get("ports") or ()
            if f"_{p.get('name')}" == rest[0] and f"_{p.get('protocol', 'TCP').lower()}" == rest[1]
        ]
        if not ports:
            return None
        if kind != "SRV":
            return []
        if not entry.headless:
            return [(name, "SRV", TTL, f"0 100 {port['port']} {whole}.") for port in ports]
        return [
            (name, "SRV", TTL, f"0 100 {end.ports[port.get('name', '')]} {_hostname(end)}.{whole}.")
            for port in ports
            for end in _answering(entry)
            if port.get("name", "") in end.ports
        ]

    def _pod(self, name: str, labels: Sequence[str], kind: str) -> list[Record] | None:
        if len(labels) != 2 or self._view.get("namespaces", "", labels[1]) is None:
            return [] if len(labels) < 2 else None
        address = labels[0].replace("-", ".")
        if not is_ipv4(address):
            return None
        return [(name, "A", TTL, address)] if kind == "A" else []

    def _reverse(self, name: str, kind: str) -> list[Record] | None:
        address = ".".join(reversed(name[: -len(".in-addr.arpa")].split(".")))
        names = [target for entry in self._proxy.services.values() for target in _names_of(entry, address)]
        return [(name, "PTR", TTL, f"{target}.") for target in names] or None if kind == "PTR" else []


def _answering(entry: Service) -> list[Endpoint]:
    return [end for end in entry.endpoints if end.ready] or [
        end for end in entry.endpoints if end.serving and end.terminating
    ]


def _addresses(name: str, ends: Sequence[Endpoint], kind: str) -> list[Record] | None:
    if not ends:
        return None
    return [(name, "A", TTL, address) for address in dict.fromkeys(end.address for end in ends)] if kind == "A" else []


def _hostname(end: Endpoint) -> str:
    return end.hostname or end.address.replace(".", "-")


def _names_of(entry: Service, address: str) -> Iterable[str]:
    whole = f"{entry.name}.{entry.namespace}.svc.{ZONE}"
    if entry.spec.get("clusterIP") == address:
        yield whole
    elif entry.headless:
        for end in entry.endpoints:
            if end.address == address:
                yield f"{_hostname(end)}.{whole}"


def is_ipv4(text: str) -> bool:
    """Say whether `text` is an IPv4 address in numbers."""
    parts = text.split(".")
    return len(parts) == 4 and all(part.isdigit() and int(part) < 256 for part in parts)
