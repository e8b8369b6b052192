"""The fault `node-off`: a node without power, as `docker stop` leaves a node of kind. Its kubelet and containers end unsaid."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kit.embedded.node.runtime import KILLED

if TYPE_CHECKING:
    from kit.embedded.node.worker import Worker


class NodeOff:
    """Switches nodes off and on again by `switch(name, on)`. `nodes` are all, the first is the control plane's."""

    name = "node-off"

    def __init__(self, nodes: tuple[str, ...], switch: Callable[[str, bool], None]) -> None:
        self._nodes = nodes
        self._switch = switch

    def refusal(self, target: str) -> str:
        """Return why a node can't be off, "" when it can."""
        if target == self._nodes[0]:
            return f"{target} can't be off: the API server runs there, and nobody would be left to ask"
        if target not in self._nodes:
            return f'there is no node "{target}": the nodes are {", ".join(self._nodes)}'
        return ""

    def begin(self, target: str) -> None:
        """Switch a node off."""
        self._switch(target, False)

    def end(self, target: str) -> None:
        """Switch it on."""
        self._switch(target, True)


def cut(worker: Worker) -> None:
    """End all that runs of a Pod at once; nobody hears of it, what lies on the disk stays."""
    for unit in worker.units:
        worker.silence(unit)
        container, unit.container = unit.container, None
        if container is not None:
            container.on_exit, container.lost = lambda code: None, True
            if (init := container.processes.get(1)) is not None:
                container.end(init, KILLED)
        if unit.log is not None:
            unit.log.close(worker.now)
    worker.close()
