"""What a Service is given: cluster IPs, node ports, IP families.

Models pkg/registry/core/service/storage/{alloc,storage}.go for a single-stack IPv4 cluster.
"""

from __future__ import annotations

from typing import Any

from kit.embedded.api import ipaddresses
from kit.embedded.api.attributes import Attributes
from kit.embedded.api.context import Context
from kit.embedded.core.allocators import Addresses, Outside, Ports, Taken
from kit.embedded.core.store import Obj
from kit.kube import status
from kit.kube.status import Cause

DRY_PORT = 32_769  # what the API server shows for a port that a dry run does not allocate
PORTED = frozenset({"NodePort", "LoadBalancer"})


def allocated(context: Context, new: Obj, old: Obj | None, *, dry_run: bool) -> Obj:
    """Return a Service with its addresses and ports; what it no longer needs is given back unless `dry_run`."""
    spec = dict(new["spec"])
    before: dict[str, Any] = old["spec"] if old else {}
    taken: list[tuple[Addresses | Ports, Any]] = []
    try:
        _addresses(context, spec, before, taken, dry_run=dry_run)
        _ports(context, spec, before, taken, dry_run=dry_run)
        _health_port(context, spec, before, taken, dry_run=dry_run)
    except Refused as refused:
        for where, what in taken:
            where.free(what)
        raise status.invalid("", "Service", new["metadata"].get("name", ""), [refused.cause]) from None
    if dry_run:
        for where, what in taken:
            where.free(what)
        return {**new, "spec": spec}
    for address in sorted(_held_addresses(spec) - _held_addresses(before)):
        ipaddresses.keep(context, address, new)
    if old is not None:
        _give_back(context, before, spec)
    return {**new, "spec": spec}


def released(context: Context, obj: Obj, at: Attributes) -> None:
    """Give back what a Service took that is not going to be."""
    if at.key.resource == "services" and not at.dry_run:
        freed(context, obj)


def freed(context: Context, obj: Obj) -> None:
    """Give back everything a Service holds."""
    _give_back(context, obj["spec"], {})


def restored(context: Context) -> None:
    """Take again what the Services of the journal hold."""
    for obj in context.store.list("services"):
        for address in _held_addresses(obj["spec"]):
            _quietly(context.addresses, address)
            ipaddresses.keep(context, address, obj)
        for port in _held_ports(obj["spec"]):
            _quietly(context.ports, port)


def _quietly(where: Any, what: Any) -> None:
    try:
        where.take(what)
    except (Taken, Outside):
        return


class Refused(Exception):
    """An address or port that can't be had."""

    def __init__(self, cause: Cause) -> None:
        super().__init__(str(cause))
        self.cause = cause


def _addresses(context: Context, spec: Obj, before: Obj, taken: list[Any], *, dry_run: bool) -> None:
    if spec.get("type") == "ExternalName":
        for field in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"):
            spec.pop(field, None)
        return
    anywhere = spec.get("clusterIP") == "None" and not spec.get(
        "selector"
    )  # who answers may have addresses of both families
    default = "RequireDualStack" if anywhere else "SingleStack"
    spec.setdefault("ipFamilyPolicy", before.get("ipFamilyPolicy") or default)
    spec.setdefault("ipFamilies", before.get("ipFamilies") or ["IPv4"])
    if anywhere and not before and spec["ipFamilyPolicy"] != "SingleStack" and len(spec["ipFamilies"]) == 1:
        spec["ipFamilies"] = [*spec["ipFamilies"], *({"IPv4", "IPv6"} - set(spec["ipFamilies"]))]
    wanted = spec.get("clusterIP") or next(iter(spec.get("clusterIPs") or ()), "")
    wanted = wanted or (before.get("clusterIP") or "")
    if wanted and wanted != "None" and wanted not in _held_addresses(before):
        if not dry_run:
            _take_address(context, wanted)
            taken.append((context.addresses, wanted))
    elif not wanted:
        wanted = _free_address(context)
        if wanted is None:
            raise Refused(status.internal_cause("spec.clusterIPs", "failed to allocate a serviceIP: range is full"))
        taken.append((context.addresses, wanted))
    spec["clusterIP"] = wanted
    spec["clusterIPs"] = [wanted]


def _free_address(context: Context) -> str | None:
    """Return an address that nobody holds; those that somebody has made an object for are passed over."""
    while True:
        found = context.addresses.next(context.ids)
        if found is None or not ipaddresses.held(context, found):
            return found


def _take_address(context: Context, address: str) -> None:
    try:
        if ipaddresses.held(context, address):
            raise Taken
        context.addresses.take(address)
    except Taken:
        why = f"failed to allocate IP {address}: provided IP is already allocated"
    except Outside:
        why = (
            f"failed to allocate IP {address}: the provided IP ({address}) is not in the valid range. "
            f"The range of valid IPs is {Addresses.RANGE}"
        )
    else:
        return
    raise Refused(status.invalid_value("spec.clusterIPs", [address], why))


def _ports(context: Context, spec: Obj, before: Obj, taken: list[Any], *, dry_run: bool) -> None:
    if spec.get("type") not in PORTED or spec.get("allocateLoadBalancerNodePorts") is False:
        if before.get("type") in PORTED:
            spec["ports"] = [
                {key: value for key, value in port.items() if key != "nodePort"} for port in spec.get("ports") or ()
            ]
        return
    held, seen = _held_ports(before), dict[int, set[str]]()
    old = {(port.get("protocol"), port["port"]): port.get("nodePort") for port in before.get("ports") or ()}
    out = []
    for index, port in enumerate(spec.get("ports") or ()):
        protocol = port.get("protocol", "TCP")
        number = port.get("nodePort") or old.get((port.get("protocol"), port["port"]))
        shared = number is not None and number in seen and protocol not in seen[number]
        if number and number not in held and not shared:
            _take_port(context, number, index, taken, dry_run=dry_run, seen=seen)
        elif not number and dry_run:
            number = DRY_PORT
        elif not number:
            number = context.ports.next(context.ids)
            if number is None:
                raise Refused(
                    status.internal_cause(
                        f"spec.ports[{index}].nodePort", "failed to allocate a nodePort: range is full"
                    )
                )
            taken.append((context.ports, number))
        seen.setdefault(number, set()).add(protocol)
        out.append({**port, "nodePort": number})
    spec["ports"] = out


def _health_port(context: Context, spec: Obj, before: Obj, taken: list[Any], *, dry_run: bool) -> None:
    """Give a load balancer that keeps traffic on its node a port to ask for the node's health."""
    if spec.get("type") != "LoadBalancer" or spec.get("externalTrafficPolicy") != "Local":
        return
    number = spec.get("healthCheckNodePort") or before.get("healthCheckNodePort")
    if number and number not in _held_ports(before) and not dry_run:
        try:
            context.ports.take(number)
        except (Taken, Outside):
            why = f"failed to allocate requested HealthCheck NodePort {number}: provided port is already allocated"
            raise Refused(status.internal_cause("spec.healthCheckNodePort", why)) from None
        taken.append((context.ports, number))
    elif not number and dry_run:
        number = DRY_PORT + sum(port.get("nodePort") == DRY_PORT for port in spec.get("ports") or ())
    elif not number:
        number = context.ports.next(context.ids)
        if number is None:
            why = "failed to allocate a HealthCheck NodePort: range is full"
            raise Refused(status.internal_cause("spec.healthCheckNodePort", why))
        taken.append((context.ports, number))
    spec["healthCheckNodePort"] = number


def _take_port(
    context: Context, number: int, index: int, taken: list[Any], *, dry_run: bool, seen: dict[int, set[str]]
) -> None:
    field = f"spec.ports[{index}].nodePort"
    try:
        if number in seen:
            raise Taken
        if dry_run:
            return
        context.ports.take(number)
        taken.append((context.ports, number))
    except Taken:
        raise Refused(status.invalid_value(field, number, "provided port is already allocated")) from None
    except Outside:
        why = f"provided port is not in the valid range. The range of valid ports is {Ports.RANGE}"
        raise Refused(status.invalid_value(field, number, why)) from None


def _held_addresses(spec: Obj) -> set[str]:
    return {address for address in spec.get("clusterIPs") or () if address and address != "None"}


def _held_ports(spec: Obj) -> set[int]:
    health = {spec["healthCheckNodePort"]} if spec.get("healthCheckNodePort") else set()
    return {port["nodePort"] for port in spec.get("ports") or () if port.get("nodePort")} | health


def _give_back(context: Context, before: Obj, after: Obj) -> None:
    for address in _held_addresses(before) - _held_addresses(after):
        context.addresses.free(address)
        ipaddresses.drop(context, address)
    for port in _held_ports(before) - _held_ports(after):
        context.ports.free(port)
