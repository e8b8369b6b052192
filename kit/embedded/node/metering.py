"""Reads what containers and nodes use, every 15 s of cluster time. Models metrics-server's pkg/scraper.

A container's memory is what its programs hold and what the image's own program takes as measured on a real node; a node's is that of
its containers: a simulated node has no system beside them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from kit.embedded.core.queue import Queue
from kit.embedded.core.usage import RESOLUTION_MS, Name, Point, Usage
from kit.embedded.node.kubelet import Kubelet
from kit.embedded.node.units import Unit
from kit.embedded.node.worker import Worker

KIB = 1024
# Working sets (KiB) as a real metrics-server told them of the same programs at rest, by the image's name.
RESIDENT_KIB: Mapping[str, int] = {
    "busybox": 256,
    "nginx": 3_232,
    "redis": 3_752,
    "traefik/whoami": 1_544,
    "python": 17_216,
    "guestbook": 17_216,
}
OTHER_KIB = 1_024


class Sampler:
    """Takes the samples. `epoch` and boots of nodes do not matter: all is cluster time."""

    def __init__(self, kubelets: Mapping[str, Kubelet], queue: Queue, now: Callable[[], int], usage: Usage) -> None:
        self._kubelets = kubelets
        self._queue = queue
        self._now = now
        self._usage = usage
        self._began = now()

    def begin(self) -> None:
        """Sample from now on, at whole multiples of the resolution."""
        due = (self._now() // RESOLUTION_MS + 1) * RESOLUTION_MS
        self._queue.put(due, self._sample, housekeeping=True)

    def _sample(self) -> None:
        now = self._now()
        pods: dict[Name, dict[str, Point]] = {}
        nodes: dict[str, Point] = {}
        for name, kubelet in self._kubelets.items():
            if not kubelet.on:
                continue
            memory, used = 0, kubelet.site.spent_us
            for worker in _workers(kubelet):
                points = {unit.name: point for unit in worker.units if (point := _point(unit, now)) is not None}
                if points:
                    pods[worker.key.namespace, worker.key.name] = points
                memory += sum(point.memory for point in points.values())
                used += sum(point.cpu_us for point in points.values())
            nodes[name] = Point(used, memory, self._began, now)
        self._usage.store(pods, nodes)
        self.begin()


def _workers(kubelet: Kubelet) -> Iterator[Worker]:
    for found in kubelet.workers.values():
        yield from found


def _point(unit: Unit, now: int) -> Point | None:
    """Return a sample of a container that runs."""
    container = unit.container
    if container is None:
        return None
    image = unit.image.name if unit.image is not None else ""
    resident = RESIDENT_KIB.get(image.removeprefix("docker.io/").removeprefix("library/"), OTHER_KIB) * KIB
    return Point(container.cpu_us, container.memory + resident, container.began, now)
