"""Taking a Pod up again after its node has rebooted. Models what the kubelet reads from the API and the runtime at its start."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kit.embedded.core.store import Obj
from kit.embedded.node.units import Ending, Unit
from kit.kube import times

if TYPE_CHECKING:
    from kit.embedded.node.worker import Worker

LOST = 255


def recall(worker: Worker) -> None:
    """Fill in counts and last endings from the status that the API has: the containers were killed with the node."""
    status = worker.pod.get("status") or {}
    epoch = worker.site.world.clock.epoch
    if status.get("startTime"):
        worker.began = times.parse(status["startTime"]) - epoch
    listed = [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
    found = {one["name"]: one for one in listed}
    for unit in worker.units:
        old = found.get(unit.name)
        if old is not None and old.get("containerID"):
            _fill(unit, old, epoch, worker.now)
            if unit.kind == "init" and worker.policy != "Never":  # a new sandbox: they run again
                unit.last, unit.ending = unit.ending, None


def _fill(unit: Unit, old: Obj, epoch: int, now: int) -> None:
    unit.restarts, unit.instances = old["restartCount"], old["restartCount"] + 1
    unit.id = old["containerID"].removeprefix("containerd://")
    state = old.get("state") or {}
    if "running" in state:
        unit.ending = Ending(unit.id, LOST, "Unknown", "", times.parse(state["running"]["startedAt"]) - epoch, now)
    elif "terminated" in state:
        ended = state["terminated"]
        began = times.parse(ended["startedAt"]) - epoch
        unit.ending = Ending(unit.id, ended["exitCode"], ended["reason"], ended.get("message", ""), began, now)
