"""Stopping a Pod's containers: one that failed its probe, or all.

Models pkg/kubelet SyncTerminatingPod and killContainersWithSyncResult.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kit.embedded.core.effects import Emit
from kit.embedded.node.site import Script, Wait
from kit.embedded.node.stopping import MINIMUM_GRACE_MS, Stop
from kit.embedded.node.units import Unit

if TYPE_CHECKING:
    from kit.embedded.node.worker import Worker

EVICTION_GRACE_S = 30


def kill(worker: Worker, units: Sequence[Unit], message: str, grace_s: int | None = None) -> Script:
    """Stop units and wait until they are down."""
    grace = worker.pod["spec"].get("terminationGracePeriodSeconds", 30) if grace_s is None else grace_s
    stops = [_stop(worker, unit, grace * 1000, ()) for unit in units if unit.running]
    for unit in units:
        yield Emit(worker.pod, "Normal", "Killing", message, unit.path)
    yield Wait(ready=lambda: all(stop.over for stop in stops))


def everything(worker: Worker) -> Script:
    """Stop all that runs, sidecars after the others and the last first; a shorter grace period is heeded meanwhile."""
    running = [unit for unit in worker.units if unit.running]
    stops: list[Stop] = [_stop(worker, unit, grace_ms(worker), ()) for unit in running if unit.kind != "sidecar"]
    for unit in reversed([unit for unit in running if unit.kind == "sidecar"]):
        stops.append(_stop(worker, unit, grace_ms(worker), list(stops)))
    for unit in running:
        yield Emit(worker.pod, "Normal", "Killing", f"Stopping container {unit.name}", unit.path)
    while not all(stop.over for stop in stops):
        for stop in stops:
            stop.turn()
            stop.shorten(max(grace_ms(worker), MINIMUM_GRACE_MS))
        worker.dirty = False
        yield Wait(ready=lambda: worker.dirty or all(stop.over for stop in stops))


def grace_ms(worker: Worker) -> int:
    """Return how long the Pod's containers are given now."""
    metadata, spec = worker.pod["metadata"], worker.pod["spec"]
    own = int(spec.get("terminationGracePeriodSeconds", 30))
    if worker.gone:
        return 0
    if worker.failure[0] == "Evicted":
        return min(EVICTION_GRACE_S, own) * 1000
    return int(metadata.get("deletionGracePeriodSeconds", own)) * 1000


def _stop(worker: Worker, unit: Unit, grace: int, after: Sequence[Stop]) -> Stop:
    worker.silence(unit)
    return Stop(worker.site.world, unit, max(grace, MINIMUM_GRACE_MS), after, lambda one: _hook_failed(worker, one))


def _hook_failed(worker: Worker, unit: Unit) -> None:
    worker.tell(unit, "Warning", "FailedPreStopHook", "PreStopHook failed")
