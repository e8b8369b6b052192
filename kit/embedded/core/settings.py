"""What a cluster is begun with: everything that is not an input of a later turn."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Settings:
    """The same settings, seed and inputs give the same bytes for ever.

    `epoch` is ms since 1970 of cluster time 0; `nodes` counts all nodes, the control plane included; `preloaded` says that the
    course's images are on every node already; `metrics` that the API server answers for the add-on metrics-server too; `webhook_urls`
    that webhooks outside the cluster are really called.
    """

    seed: int = 0
    epoch: int = 1_767_225_600_000  # 2026-01-01
    nodes: int = 3
    name: str = "lab"
    admin_token: str = ""
    version: str = "v1.37.2"
    server: str = "https://127.0.0.1:6443"
    preloaded: bool = True
    metrics: bool = False
    webhook_urls: bool = False

    @property
    def node_names(self) -> tuple[str, ...]:
        """Names of the nodes, the control plane first (as kind names them)."""
        workers = [f"{self.name}-worker{index if index > 1 else ''}" for index in range(1, self.nodes)]
        return (f"{self.name}-control-plane", *workers)
