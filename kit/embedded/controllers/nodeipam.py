"""Gives a node that brings none its range of Pod addresses, and the annotation that tells kubelets how long to cache.

Models pkg/controller/nodeipam (range allocator, /24 of 10.244.0.0/16) and pkg/controller/ttl (0 s below 100 nodes).
"""

from __future__ import annotations

from kit.embedded.core.controller import Effects, Mapper, View, itself
from kit.embedded.core.effects import Patch
from kit.embedded.core.store import Key, Obj
from kit.errors import Status

TTL = "node.alpha.kubernetes.io/ttl"
RANGES = tuple(f"10.244.{number}.0/24" for number in range(256))


class NodeIpam:
    """The node IPAM controller; it writes the annotation of the TTL controller too."""

    name = "node-ipam-controller"
    user = "system:serviceaccount:kube-system:node-controller"
    manager = "kube-controller-manager"
    component = "cidrAllocator"

    def __init__(self) -> None:
        self.watches: dict[str, Mapper] = {"nodes": itself}

    def reconcile(self, key: Key, view: View, now: int) -> Effects:
        """Fill in what one node lacks."""
        node = view.at(key)
        if node is None:
            return
        patch: Obj = {}
        if TTL not in (node["metadata"].get("annotations") or {}):
            patch["metadata"] = {"annotations": {TTL: "0"}}
        if not node["spec"].get("podCIDR"):
            taken = {other["spec"].get("podCIDR") for other in view.list("nodes")}
            free = next((one for one in RANGES if one not in taken), None)
            if free is None:  # 256 nodes have all there is
                return
            patch["spec"] = {"podCIDR": free, "podCIDRs": [free]}
        if patch:
            answer = yield Patch(key, patch, "strategic")
            if isinstance(answer, Status):
                raise answer
