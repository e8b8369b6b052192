"""`kit.cluster(provider=…)`: the cluster a notebook works on, created or adopted, as one small object."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kit.client.capabilities import Control, control
from kit.client.connect import Connection, connect
from kit.client.objects import Objects
from kit.providers.base import Handle


@dataclass(frozen=True)
class Cluster:
    """A running cluster: `objects` are its objects as dicts, `official()` the official client's."""

    handle: Handle
    connection: Connection

    @property
    def name(self) -> str:
        """Return its name."""
        return self.handle.name

    @property
    def provider(self) -> str:
        """Return `embedded`, `kind` or `kubeconfig`."""
        return self.handle.provider

    @property
    def kubeconfig(self) -> Path:
        """Return the path of its kubeconfig."""
        return Path(self.handle.kubeconfig)

    @property
    def objects(self) -> Objects:
        """Return its objects, in the namespace of the kubeconfig unless a call names another."""
        return Objects(self.connection)

    @property
    def control(self) -> Control | None:
        """Return clock, trace and reset where the provider has them, else None."""
        return control(self.connection, self.handle.control)

    def official(self) -> Any:
        """Return an `ApiClient` of the official `kubernetes` package."""
        return self.connection.official()

    def __repr__(self) -> str:
        nodes = [node["metadata"]["name"] for node in self.objects.list("node")]
        return f"Cluster {self.name} ({self.provider}): {', '.join(nodes)}"


def cluster(provider: str | None = None, nodes: int | None = None, name: str | None = None) -> Cluster:
    """Create a cluster, or adopt the one of that name; progress is shown, Interrupt cleans up."""
    from kit.providers import choose

    options: dict[str, Any] = {"name": name, "provider": provider, **({"nodes": nodes} if nodes is not None else {})}
    return opened(choose.connect(**options))


def opened(handle: Handle) -> Cluster:
    """Return the cluster behind a provider's handle."""
    return Cluster(handle, connect(handle.kubeconfig))
