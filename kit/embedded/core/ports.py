"""What the API asks of the nodes, the network and the edge: filled in by the composition root."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from kit.embedded.core.store import Obj
from kit.embedded.core.turns import Ticket


class Nodes(Protocol):
    """Containers seen from the API server. Errors are `Status` raised before the ticket begins, in the kubelet's words."""

    def reached(self, name: str) -> bool:
        """Say whether a node's kubelet answers."""
        ...

    def address(self, name: str) -> str:
        """Return a node's address."""
        ...

    def logs(self, pod: Obj, container: str, options: Mapping[str, Any], ticket: Ticket) -> None:
        """Send a container's log (follow, previous, timestamps, tailLines, sinceSeconds, sinceTime, limitBytes) as text/plain and end."""
        ...

    def execute(self, pod: Obj, container: str, argv: list[str], options: Mapping[str, bool], ticket: Ticket) -> None:
        """Run a process in a container: stdin, stdout, stderr, tty. Channels 0 in, 1 out, 2 err, 4 resize; the end carries a Status."""
        ...

    def attach(self, pod: Obj, container: str, options: Mapping[str, bool], ticket: Ticket) -> None:
        """Join a container's main process: channels as in `execute`."""
        ...


class Network(Protocol):
    """The fabric seen from outside: connections as tickets (data on channel 0, ends half-close)."""

    def forward(self, pod: Obj, port: int, ticket: Ticket) -> None:
        """Connect a ticket to a port of a Pod's own loopback, as port-forward does; failures finish it with an error."""
        ...

    def dial(self, source: str, address: str, port: int, ticket: Ticket) -> None:
        """Connect a ticket to an address of the cluster, as seen from `source` ("outside", "node:NAME")."""
        ...

    def fetch(self, source: str, request: Mapping[str, Any], done: Callable[[Mapping[str, Any]], None]) -> None:
        """Make one HTTP request (method, url, headers, body, timeout_ms) and hand the result to `done` (see runtime/control.py)."""
        ...


class Signer(Protocol):
    """Keys live at the edge: signing is asked for, synchronously, and counts as an input."""

    def token(self, claims: Mapping[str, Any]) -> str:
        """Return a signed service-account JWT."""
        ...

    def claims(self, token: str) -> dict[str, Any] | None:
        """Return the verified claims of a JWT, or None when it is not ours."""
        ...

    def key_set(self) -> Sequence[Mapping[str, str]]:
        """Return the public keys that tokens are checked with, as JSON Web Keys."""
        ...

    def authority(self) -> str:
        """Return the PEM of the cluster's certificate authority."""
        ...

    def subject(self, request: bytes) -> tuple[str, tuple[str, ...]] | None:
        """Return the user and the groups a PEM certificate request names, None when it is not one."""
        ...

    def other_names(self, request: bytes) -> Sequence[str]:
        """Return the other names (hosts, addresses, mail, URIs) a PEM certificate request asks for."""
        ...

    def certificate(self, request: bytes, usages: Sequence[str], seconds: int) -> bytes:
        """Return the PEM of a certificate for a request, signed by the authority and good for so long."""
        ...


class TlsError(Exception):
    """A handshake or a record that is wrong; says why in the words of Go's crypto/tls."""


class Pair(NamedTuple):
    """A certificate (with those that lead from it to an authority) and its private key, as PEM."""

    certificate: bytes
    key: bytes


class TlsChannel(Protocol):
    """One side of a TLS session without a socket: bytes of the wire go in and come out."""

    @property
    def secured(self) -> bool:
        """Say whether the handshake is over."""
        ...

    def receive(self, data: bytes) -> tuple[bytes, bool]:
        """Take bytes of the wire -> what is inside them, and whether the other side has ended. TlsError."""
        ...

    def send(self, data: bytes) -> None:
        """Put bytes in."""
        ...

    def end(self) -> None:
        """Say that we send no more."""
        ...

    def take(self) -> bytes:
        """Return the bytes that the wire is owed."""
        ...


class Tls(Protocol):
    """TLS sessions. Their randomness counts as an input, as a signature's does; it never reaches an object of the cluster."""

    def flaw(self, pair: Pair) -> str:
        """Return what can't be used: "certificate", "key", "mismatch" (they don't belong together), or OpenSSL's reason; "" all is well."""
        ...

    def server(self, pick: Callable[[str], Pair]) -> TlsChannel:
        """Return a server's side; `pick` gives the certificate for the name a client asks for ("" when it names none)."""
        ...

    def client(self, name: str, authority: bytes | None, wall_ms: int) -> TlsChannel:
        """Return a client's side: the certificate must be `name`'s, lead to `authority` (PEM) and be valid then; None: anything goes."""
        ...

    def serving(self) -> Pair:
        """Return the API server's own certificate."""
        ...


class Zones(Protocol):
    """Time zones: a table the pure machine can't read itself."""

    def offset_ms(self, zone: str, at_ms: int) -> int | None:
        """Return a zone's offset from UTC at a moment (ms since 1970), None when there is no such zone."""
        ...
