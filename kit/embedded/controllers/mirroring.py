"""Copies Endpoints that people write, for Services without a selector, into EndpointSlices.

Models pkg/controller/endpointslicemirroring/{endpointslicemirroring_controller,reconciler,utils}.go: Endpoints with the label
`skip-mirror` or a leader election's annotation are left out, as are those of Services that have a selector or are not there.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kit.embedded.core.controller import Effects, Mapper, View
from kit.embedded.core.effects import Delete, Emit
from kit.embedded.core.store import Event, Key, Obj
from kit.embedded.parts import slices
from kit.kube import owners
from kit.kube.apply import LAST_APPLIED

MANAGER = "endpointslicemirroring-controller.k8s.io"
SKIP = "endpointslice.kubernetes.io/skip-mirror"
LEADER = "control-plane.alpha.kubernetes.io/leader"
MOST = 1000
PER_SLICE = 1000
PARTS = (("addresses", True), ("notReadyAddresses", False))


class Mirroring:
    """The endpointslicemirroring controller."""

    name = "endpointslice-mirroring-controller"
    user = "system:serviceaccount:kube-system:endpointslicemirroring-controller"
    manager = "kube-controller-manager"
    component = "endpoint-slice-mirroring-controller"

    def __init__(self) -> None:
        self.watches: dict[str, Mapper] = {"endpoints": _itself, "services": _itself, slices.SLICES: _mirrored}

    def reconcile(self, key: Key, view: View, now: int) -> Effects:
        """Make the slices of one Endpoints object say what it says, or remove them."""
        endpoints, service = view.at(key), view.get("services", key.namespace, key.name)
        if endpoints is None or service is None or service["spec"].get("selector") or not _wanted(endpoints):
            for stale in _copies(key, view):
                yield Delete(Key(slices.SLICES, key.namespace, stale["metadata"]["name"]))
            return
        groups, skipped = _groups(endpoints)
        if skipped:
            message = f"A max of {MOST} addresses can be mirrored to EndpointSlices per Endpoints subset. {skipped} addresses were skipped"
            yield Emit(endpoints, "Warning", "TooManyAddressesToMirror", message)
        existing = slices.managed(view, endpoints, MANAGER)
        yield from slices.reconciled(groups, existing, PER_SLICE, lambda found: _metadata(endpoints, found))


def _itself(event: Event, view: View) -> Iterable[Key]:
    yield Key("endpoints", event.key.namespace, event.key.name)


def _mirrored(event: Event, view: View) -> Iterable[Key]:
    told = event.obj["metadata"].get("labels") or {}
    if told.get(slices.MANAGED_BY) == MANAGER and slices.SERVICE in told:
        yield Key("endpoints", event.key.namespace, told[slices.SERVICE])


def _copies(key: Key, view: View) -> Iterable[Obj]:
    """Return all slices that were made of Endpoints of this name."""
    mine = {slices.MANAGED_BY: MANAGER, slices.SERVICE: key.name}.items()
    for one in view.list(slices.SLICES, key.namespace):
        if mine <= (one["metadata"].get("labels") or {}).items():
            yield one


def _wanted(endpoints: Obj) -> bool:
    metadata = endpoints["metadata"]
    skipped = (metadata.get("labels") or {}).get(SKIP) == "true"
    return not skipped and LEADER not in (metadata.get("annotations") or {})


def _groups(endpoints: Obj) -> tuple[dict[str, list[Obj]], int]:
    """Return the endpoints by family and ports, and how many were too many."""
    groups: dict[str, list[Obj]] = {}
    skipped = 0
    for subset in endpoints.get("subsets") or ():
        ports = sorted((_port(port) for port in subset.get("ports") or ()), key=lambda one: str(one["name"]))
        found = [(one, ready) for part, ready in PARTS for one in subset.get(part) or ()]
        skipped += max(0, len(found) - MOST)
        for address, ready in found[:MOST]:
            family = "IPv6" if ":" in address["ip"] else "IPv4"
            groups.setdefault(slices.group(ports or None, family), []).append(_endpoint(address, ready=ready))
    return {key: sorted(found, key=lambda one: str(one["addresses"][0])) for key, found in groups.items()}, skipped


def _port(port: Obj) -> Obj:
    told: Obj = {"name": port.get("name", ""), "port": port["port"], "protocol": port.get("protocol", "TCP")}
    return {**told, "appProtocol": port["appProtocol"]} if "appProtocol" in port else told


def _endpoint(address: Obj, *, ready: bool) -> Obj:
    kept = {key: address[key] for key in ("hostname", "nodeName", "targetRef") if address.get(key)}
    return {"addresses": [address["ip"]], "conditions": {"ready": ready}, **kept}


def _metadata(endpoints: Obj, found: Obj | None) -> Obj:
    metadata = endpoints["metadata"]
    out: Any = {
        "namespace": metadata["namespace"],
        "labels": slices.labels(endpoints, {slices.SERVICE: metadata["name"], slices.MANAGED_BY: MANAGER}),
        "ownerReferences": [owners.owner_reference(endpoints, controller=True)],
    }
    notes = {k: v for k, v in (metadata.get("annotations") or {}).items() if k not in (slices.TRIGGER, LAST_APPLIED)}
    out |= {"annotations": notes} if notes else {}
    if found is None:
        return {"generateName": f"{metadata['name']}-", **out}
    kept = {key: value for key, value in found["metadata"].items() if key != "annotations"}
    return {**kept, **out}
