"""Eviction of Pods that hold more ephemeral storage than they may. Models pkg/kubelet/eviction (localStorageEviction).

Not simulated: pressure of the whole node.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kit.embedded.node import resources

if TYPE_CHECKING:
    from kit.embedded.node.worker import Worker

PERIOD_MS = 10_000


def watched(worker: Worker) -> bool:
    """Say whether the Pod has a limit to watch."""
    return bool(worker.volumes.quotas) or resources.ephemeral_limit(worker.pod) is not None


def trouble(worker: Worker) -> str | None:
    """Return why the Pod has to go, in the kubelet's words, or None."""
    for name, (quota, text) in worker.volumes.quotas.items():
        if quota.used > resources.size(text):
            return f'Usage of EmptyDir volume "{name}" exceeds the limit "{text}". '
    limit = resources.ephemeral_limit(worker.pod)
    if limit is None:
        return None
    used = sum(unit.container.tree.used for unit in worker.units if unit.container is not None)
    used += sum(quota.used for quota, _ in worker.volumes.quotas.values())
    return (
        f"Pod ephemeral local storage usage exceeds the total limit of containers {limit[1]}. "
        if used > limit[0]
        else None
    )
