"""Printers: the cells of one object in the Table of its kind. Models pkg/printers/internalversion/printers.go.

One file a group; each has `ROWS`, which maps `deployments.apps` to a function of the object and the time in ms.
`LISTED` holds the rows that differ in lists.
"""

from __future__ import annotations

from typing import Final

from kit.kube import metering
from kit.kube.printers import access, cluster, networking, pods, storage, workloads
from kit.kube.printers.cells import Row

__all__ = ["LISTED", "ROWS"]

ROWS: Final[dict[str, Row]] = {
    **pods.ROWS,
    **workloads.ROWS,
    **networking.ROWS,
    **storage.ROWS,
    **cluster.ROWS,
    **access.ROWS,
    **{resource.group_resource: metering.cells for resource in metering.RESOURCES},
}

LISTED: Final[dict[str, Row]] = storage.LISTED
