"""Live pictures of a cluster for notebooks. Each is a traitlets class over one small script; it takes a client, never the simulator."""

from __future__ import annotations

from kit.widgets.clustermap import ClusterMap
from kit.widgets.parsons import ParsonsBoard
from kit.widgets.placement import PlacementBoard
from kit.widgets.strip import ProbeStrip

__all__ = ["ClusterMap", "ParsonsBoard", "PlacementBoard", "ProbeStrip"]
