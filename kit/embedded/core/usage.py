"""What containers and nodes have used: the last two samples of each, and the rate between them.

Models metrics-server's pkg/storage (pod.go, node.go, types.go). Nothing here is kept over a restart of the process: containers start
again then, and their counters with them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

RESOLUTION_MS = 15_000
FRESH_MS = 10_000  # what began at least so long ago, and after the sample before, is measured from its beginning on
Name = tuple[str, str]  # namespace and name of a Pod


class Point(NamedTuple):
    """One sample: CPU used since `began` in µs, memory in bytes, and when it was taken (cluster ms)."""

    cpu_us: int
    memory: int
    began: int
    at: int


class Rate(NamedTuple):
    """What is used: CPU in nanocores over `window` ms that ended `at` (cluster ms), and memory in bytes."""

    cpu_nano: int
    memory: int
    at: int
    window: int


class Usage:
    """The samples of all Pods' containers and of all nodes."""

    def __init__(self) -> None:
        self._pods: dict[Name, dict[str, tuple[Point, Point | None]]] = {}
        self._nodes: dict[str, tuple[Point, Point | None]] = {}

    def store(self, pods: Mapping[Name, Mapping[str, Point]], nodes: Mapping[str, Point]) -> None:
        """Take the samples of one moment; what is not among them is forgotten."""
        self._pods = {
            name: {
                container: _paired(point, self._pods.get(name, {}).get(container)) for container, point in found.items()
            }
            for name, found in pods.items()
        }
        self._nodes = {name: _paired(point, self._nodes.get(name)) for name, point in nodes.items()}

    def pod(self, namespace: str, name: str) -> Mapping[str, Rate] | None:
        """Return what each container of a Pod uses, None until there are two samples of every one."""
        found = self._pods.get((namespace, name))
        return _rates(found) if found else None

    def node(self, name: str) -> Rate | None:
        """Return what a node uses, None until there are two samples of it."""
        found = self._nodes.get(name)
        return _rate(*found) if found else None


def _paired(point: Point, known: tuple[Point, Point | None] | None) -> tuple[Point, Point | None]:
    """Return a sample and the one it is compared with: the start of what is young, else the sample before of the same instance."""
    if FRESH_MS <= point.at - point.began < RESOLUTION_MS:
        return point, Point(0, point.memory, point.began, point.began)
    if known is not None and point.began < known[0].at < point.at:
        return point, known[0]
    return point, None


def _rates(found: Mapping[str, tuple[Point, Point | None]]) -> Mapping[str, Rate] | None:
    out = {container: rate for container, pair in found.items() if (rate := _rate(*pair)) is not None}
    return out if len(out) == len(found) else None


def _rate(last: Point, before: Point | None) -> Rate | None:
    if before is None:
        return None
    window = last.at - before.at
    return Rate((last.cpu_us - before.cpu_us) * 1_000_000 // window, last.memory, last.at, window)


def earliest(rates: Iterable[Rate]) -> tuple[int, int]:
    """Return when the oldest of some measures was taken, and over which time (ms)."""
    found = min(rates, key=lambda rate: rate.at)
    return found.at, found.window
