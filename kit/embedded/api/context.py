"""What every verb works with: the parts of the machine below the API."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kit.embedded.core.clock import Clock
from kit.embedded.core.counts import Counts
from kit.embedded.core.exposition import Exposition
from kit.embedded.core.ids import Ids
from kit.embedded.core.ports import Network, Nodes, Signer, Zones
from kit.embedded.core.queue import Queue
from kit.embedded.core.settings import Settings
from kit.embedded.core.store import Store
from kit.embedded.core.trace import Trace
from kit.embedded.core.usage import Usage
from kit.embedded.core.waiting import Calls, Memo
from kit.kube.kinds import Registry

if TYPE_CHECKING:
    from kit.embedded.core.allocators import Addresses, Ports


@dataclass(slots=True)
class Context:
    """The parts, by name; `nodes`, `network`, `zones`, `exposition` and `calls` are filled in after construction.

    `memo` is there while a piece of work is done that may wait for answers from outside.
    """

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
    usage: Usage = field(default_factory=Usage)
    counts: Counts = field(default_factory=Counts)
    exposition: Exposition | None = None
    calls: Calls | None = None
    memo: Memo | None = None
    converting: bool = False  # a custom resource that is served has a conversion webhook
