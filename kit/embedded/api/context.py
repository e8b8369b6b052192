"""What every verb works with: the parts of the machine below the API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kit.embedded.core.clock import Clock
from kit.embedded.core.ids import Ids
from kit.embedded.core.ports import Network, Nodes, Signer, Zones
from kit.embedded.core.queue import Queue
from kit.embedded.core.settings import Settings
from kit.embedded.core.store import Store
from kit.embedded.core.trace import Trace
from kit.kube.kinds import Registry

if TYPE_CHECKING:
    from kit.embedded.core.allocators import Addresses, Ports


@dataclass(slots=True)
class Context:
    """The parts, by name; `nodes`, `network` and `zones` are filled in after construction."""

    store: Store
    clock: Clock
    ids: Ids
    trace: Trace
    queue: Queue
    registry: Registry
    signer: Signer
    settings: Settings
    addresses: Addresses
    ports: Ports
    nodes: Nodes | None = None
    network: Network | None = None
    zones: Zones | None = None
