"""What a provider offers beside the Kubernetes API: the control surface `/kit/v1` as optional capabilities.

Where a provider has none, `None` stands in its place and `missing()` gives the sentence to show.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kit.client.connect import Connection
from kit.errors import Status, Unavailable

_PREFIX = "/kit/v1"


@dataclass(frozen=True)
class Clock:
    """What the cluster's clock says; times in milliseconds of cluster time."""

    mode: str
    speed: float
    now_ms: int
    epoch_ms: int
    quiet: bool


class Control:
    """The control surface of a simulated cluster."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def version(self) -> dict[str, Any]:
        """Return provider, version and the Kubernetes version it models."""
        return self._connection.json("GET", f"{_PREFIX}/version")

    def clock(self) -> Clock:
        """Return the clock."""
        return _clock(self._connection.json("GET", f"{_PREFIX}/clock"))

    def advance(self, ms: int) -> Clock:
        """Jump `ms` milliseconds ahead; everything due on the way happens."""
        return self._set_clock({"advance_ms": ms})

    def run_until(self, ms: int) -> Clock:
        """Run until the clock shows `ms`."""
        return self._set_clock({"run_until_ms": ms})

    def run(self, ms: int) -> Clock:
        """Run to quiet, or `ms` milliseconds further at most."""
        return self._set_clock({"run": ms})

    def speed(self, factor: float) -> Clock:
        """Let cluster time pass `factor` times as fast as the wall's."""
        return self._set_clock({"speed": factor})

    def trace(self, since: int = 0) -> dict[str, Any]:
        """Return `events` with a `seq` of at least `since`, and the `next` number to ask for."""
        return self._connection.json("GET", f"{_PREFIX}/trace", query={"since": str(since)})

    def reset(self, namespaces: list[str]) -> dict[str, Any]:
        """Empty namespaces: every object of theirs is gone when this returns."""
        return self._connection.json("POST", f"{_PREFIX}/reset", body={"namespaces": namespaces})

    def outside(self, request: dict[str, Any]) -> dict[str, Any]:
        """Send an HTTP request from outside the cluster, or from the Pod that `from` names."""
        return self._connection.json("POST", f"{_PREFIX}/outside", body=request)

    def ports(self) -> list[dict[str, Any]]:
        """Return the ports of this machine that stand for ports of the cluster: name, port, host_port."""
        found: list[dict[str, Any]] = self._connection.json("GET", f"{_PREFIX}/status").get("ports") or []
        return found

    def take_lease(self, name: str, within_ms: int, undo: list[dict[str, Any]]) -> None:
        """Ask the cluster to send `undo` itself when `within_ms` passed and the lease was not given back."""
        self._connection.json("POST", f"{_PREFIX}/leases", body={"id": name, "within_ms": within_ms, "undo": undo})

    def end_lease(self, name: str) -> None:
        """Give a lease back; what it protects is undone now."""
        self._connection.json("DELETE", f"{_PREFIX}/leases", query={"id": name})

    def _set_clock(self, body: dict[str, Any]) -> Clock:
        return _clock(self._connection.json("POST", f"{_PREFIX}/clock", body=body))


def control(connection: Connection, base: str | None) -> Control | None:
    """Return the control surface if the provider says that it has one (`base` is its URL)."""
    return Control(connection) if base else None


def missing(capability: str, provider: str) -> Unavailable:
    """Return the sentence for a capability that `provider` lacks."""
    what = {
        "clock": "its time can't be moved: it is the wall clock",
        "trace": "it keeps no trace of who did what",
        "faults": "its parts can't be switched off",
        "nodes": "its nodes are not yours to change",
        "cluster": "it is shared: only your namespace is yours",
    }.get(capability, f"it has no {capability}")
    return Unavailable(
        f"the {provider} cluster can't do this: {what}", 'kit.cluster(provider="embedded") gives you a cluster that can'
    )


def offers(connection: Connection) -> bool:
    """Tell whether the server has the control surface."""
    try:
        connection.json("GET", f"{_PREFIX}/version")
    except Status:
        return False
    return True


def _clock(body: dict[str, Any]) -> Clock:
    return Clock(body["mode"], float(body["speed"]), int(body["now_ms"]), int(body["epoch_ms"]), bool(body["quiet"]))
