"""Objects in the order of Go's fields, as the API server writes what it has types for. Keys a type does not know come last."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from kit.kube.data import load
from kit.kube.schema import Node
from kit.kube.validation.internal import CORE, ORDERS

# Types whose fields stand in another order than their numbers on the wire, beyond those of `ORDERS`.
MORE: Final[Mapping[str, str]] = {
    "ServiceSpec": "ports selector clusterIP clusterIPs type externalIPs sessionAffinity loadBalancerIP loadBalancerSourceRanges "
    "externalName externalTrafficPolicy healthCheckNodePort publishNotReadyAddresses sessionAffinityConfig ipFamilies "
    "ipFamilyPolicy allocateLoadBalancerNodePorts loadBalancerClass internalTrafficPolicy trafficDistribution",
    "ServicePort": "name protocol appProtocol port targetPort nodePort",
    "NodeSpec": "podCIDR podCIDRs providerID unschedulable taints configSource externalID",
    "PodStatus": "observedGeneration phase conditions message reason nominatedNodeName hostIP hostIPs podIP podIPs startTime "
    "initContainerStatuses containerStatuses qosClass ephemeralContainerStatuses resize resourceClaimStatuses",
}


def in_go_order(value: Any, node: Node | None) -> Any:
    """Return a value whose keys stand as the fields of its type do; maps are sorted."""
    if node is None:
        return value
    if isinstance(value, list):
        return [in_go_order(item, node.items) for item in value] if node.items else value
    if not isinstance(value, Mapping):
        return value
    if not node.fields:
        return {key: in_go_order(value[key], node.values) for key in sorted(value)}
    known = fields(node.name)
    places = {name: place for place, name in enumerate(known or node.fields)}
    keys = sorted(value, key=lambda key: (places.get(key, len(places)), key))
    return {key: in_go_order(value[key], node.fields.get(key)) for key in keys}


@cache
def fields(kind: str) -> tuple[str, ...]:
    """Return the JSON names of a type's fields in Go's order, none for what is not in the table."""
    short = kind.removeprefix(CORE)
    order = (MORE.get(short) or ORDERS.get(short)) if kind.startswith(CORE) else None
    if order:
        return ("kind", "apiVersion", *(word.rpartition("=")[2] for word in order.split()))
    message = load("protobuf")["messages"].get(kind)
    return ("kind", "apiVersion", *_wire(kind)) if message else ()


def _wire(kind: str) -> list[str]:
    out: list[str] = []
    for _, name, of, flags, *_ in load("protobuf")["messages"][kind][1]:
        out += fields(of)[2:] if "i" in flags and not name else [name]
    return out
