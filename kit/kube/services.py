"""Services: what an update keeps of the addresses and ports that were allocated. Models pkg/registry/core/service."""

from __future__ import annotations

from typing import Any, Final

Object = dict[str, Any]

_WITH_ADDRESS: Final = frozenset({"ClusterIP", "NodePort", "LoadBalancer"})
_WITH_NODE_PORT: Final = frozenset({"NodePort", "LoadBalancer"})
_ADDRESS: Final = ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy")


def prepare_update(new: Object, old: Object) -> Object:
    """Return the Service with what it doesn't say taken from what is stored, and what its type can't have dropped."""
    spec, before = dict(new["spec"]), old["spec"]
    _keep_allocated(spec, before)
    _drop_for_type(spec, before)
    return {**new, "spec": spec}


def _keep_allocated(spec: Object, before: Object) -> None:
    """Models patchAllocatedValues in storage/alloc.go."""
    kind, was = spec.get("type"), before.get("type")
    if kind in _WITH_ADDRESS and was in _WITH_ADDRESS and spec.get("clusterIP") in {None, "", before.get("clusterIP")}:
        for key in _ADDRESS:
            if not spec.get(key) and before.get(key):
                spec[key] = before[key]
    if _has_node_ports(spec) and _has_node_ports(before):
        known = {(port.get("port"), port.get("protocol")): port.get("nodePort") for port in before.get("ports") or ()}
        spec["ports"] = [_with_node_port(port, known) for port in spec.get("ports") or ()]
    if _checks_health(spec) and _checks_health(before) and not spec.get("healthCheckNodePort"):
        spec["healthCheckNodePort"] = before.get("healthCheckNodePort")


def _with_node_port(port: Object, known: dict[tuple[Any, Any], Any]) -> Object:
    node_port = known.get((port.get("port"), port.get("protocol")))
    return port if port.get("nodePort") or not node_port else {**port, "nodePort": node_port}


def _has_node_ports(spec: Object) -> bool:
    return spec.get("type") in _WITH_NODE_PORT and bool(spec.get("ports"))


def _checks_health(spec: Object) -> bool:
    return spec.get("type") == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local"


def _drop_for_type(spec: Object, before: Object) -> None:
    """Drop what a changed type can't have and the client left as it was. Models dropTypeDependentFields."""
    if before.get("type") in _WITH_ADDRESS and spec.get("type") not in _WITH_ADDRESS:
        for key in _ADDRESS:
            if spec.get(key) == before.get(key):
                spec.pop(key, None)
        _drop_unchanged(spec, before, "internalTrafficPolicy")
    if _has_node_ports(before) and not _has_node_ports(spec) and spec.get("ports"):
        unchanged = [port.get("nodePort") for port in spec["ports"]] == [p.get("nodePort") for p in before["ports"]]
        if unchanged:
            spec["ports"] = [{key: value for key, value in p.items() if key != "nodePort"} for p in spec["ports"]]
    if _checks_health(before) and not _checks_health(spec):
        _drop_unchanged(spec, before, "healthCheckNodePort")
    if before.get("type") == "LoadBalancer" and spec.get("type") != "LoadBalancer":
        for key in ("allocateLoadBalancerNodePorts", "loadBalancerClass"):
            _drop_unchanged(spec, before, key)
    if (
        before.get("type") in _WITH_NODE_PORT
        and spec.get("type") not in _WITH_NODE_PORT
        and not spec.get("externalIPs")
    ):
        _drop_unchanged(spec, before, "externalTrafficPolicy")


def _drop_unchanged(spec: Object, before: Object, key: str) -> None:
    if spec.get(key) == before.get(key):
        spec.pop(key, None)
