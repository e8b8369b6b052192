"""Resizing containers that run, in place. Models pkg/kubelet/kuberuntime (doPodResizeAction) and allocation's events.

The API server has refused already what the node can't hold and what would need a restart.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from kit.embedded.core.effects import Emit
from kit.embedded.node import resources
from kit.embedded.node.site import Script, Wait
from kit.embedded.node.units import Unit

if TYPE_CHECKING:
    from kit.embedded.node.worker import Worker

RESIZE_MS = 45


def resize(worker: Worker, report: Callable[[], Script]) -> Script:
    """Give running containers what their spec says now, when that has changed."""
    changed = [unit for unit in worker.units if unit.running and unit.allocated != (unit.spec.get("resources") or {})]
    if not changed:
        return
    text = _told(worker)
    worker.resizing = True
    yield Emit(worker.pod, "Normal", "ResizeStarted", f"Pod resize started: {text}")
    yield from report()
    yield Wait(until=worker.now + RESIZE_MS)
    for unit in changed:
        apply(unit)
    worker.resizing = False
    yield Emit(worker.pod, "Normal", "ResizeCompleted", f"Pod resize completed: {text}")
    yield from report()


def apply(unit: Unit) -> None:
    """Bound a container by what its spec says."""
    unit.allocated = dict(unit.spec.get("resources") or {})
    if unit.container is not None:
        unit.container.setup.limits = resources.limits(unit.spec)


def _told(worker: Worker) -> str:
    told = [_named(unit) for unit in worker.units if unit.kind == "main" and unit.spec.get("resources")]
    whole = {"containers": told, "generation": worker.pod["metadata"].get("generation", 1)}
    return json.dumps(whole, separators=(",", ":"), sort_keys=True)


def _named(unit: Unit) -> dict[str, object]:
    given = unit.spec["resources"]
    return {"name": unit.name, "resources": {kind: given[kind] for kind in ("limits", "requests") if kind in given}}
