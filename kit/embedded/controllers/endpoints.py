"""Writes, for each Service with a selector, the older Endpoints object: `kubectl get endpoints` still shows it.

Models pkg/controller/endpoint/endpoints_controller.go. Slices for Endpoints that people write by hand: `mirroring`.
"""

from __future__ import annotations

from collections.abc import Iterable

from kit.embedded.core.clock import Clock
from kit.embedded.core.controller import Effects, Mapper, View, itself, selecting_services
from kit.embedded.core.effects import Create, Delete, Update
from kit.embedded.core.store import Event, Key, Obj
from kit.embedded.parts import slices
from kit.errors import Status
from kit.kube import pods, targets

MANAGED_BY = "endpoints.kubernetes.io/managed-by"
MANAGER = "endpoint-controller"
PARTS = ("addresses", "notReadyAddresses")


class Endpoints:
    """The endpoints controller."""

    name = "endpoint-controller"
    user = "system:serviceaccount:kube-system:endpoint-controller"
    manager = "kube-controller-manager"
    component = "endpoint-controller"

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.watches: dict[str, Mapper] = {"services": itself, "pods": selecting_services, "endpoints": _service_of}

    def reconcile(self, key: Key, view: View, now: int) -> Effects:
        """Make one Service's Endpoints say what its Pods are."""
        service, before = view.at(key), view.get("endpoints", key.namespace, key.name)
        if service is None:
            if before is not None and MANAGED_BY in (before["metadata"].get("labels") or {}):
                yield Delete(Key("endpoints", key.namespace, key.name))
            return
        if not service["spec"].get("selector") or service["spec"].get("type") == "ExternalName":
            return
        found, labels = (
            subsets(service, view),
            slices.labels(service, {MANAGED_BY: MANAGER}, headless=_headless(service)),
        )
        if before is not None and before.get("subsets", []) == found and before["metadata"].get("labels") == labels:
            return
        kept = before["metadata"].get("annotations") or {} if before is not None else {}
        notes = {**kept, slices.TRIGGER: self._clock.text()}
        metadata: Obj = {"name": key.name, "namespace": key.namespace, "labels": labels, "annotations": notes}
        wanted: Obj = {"apiVersion": "v1", "kind": "Endpoints", "metadata": metadata, "subsets": found}
        if before is not None:
            wanted = {**wanted, "metadata": {**before["metadata"], **metadata}}
        answer = yield Update(wanted) if before is not None else Create(wanted)
        if isinstance(answer, Status):
            raise answer


def subsets(service: Obj, view: View) -> list[Obj]:
    """Return the subsets: addresses that offer the same ports together, ready ones and others apart. Models RepackSubsets."""
    groups: dict[tuple[tuple[str, int, str], ...], dict[str, list[Obj]]] = {}
    public = bool(service["spec"].get("publishNotReadyAddresses"))
    for pod in view.list("pods", service["metadata"]["namespace"]):
        if not _counts(service, pod, public=public):
            continue
        ports = tuple(sorted(_ports(service, pod)))
        if not ports and service["spec"].get("ports"):
            continue
        part = "addresses" if public or pods.is_ready(pod) else "notReadyAddresses"
        groups.setdefault(ports, {}).setdefault(part, []).append(_address(service, pod))
    return [_subset(ports, parts) for ports, parts in sorted(groups.items())]


def _counts(service: Obj, pod: Obj, *, public: bool) -> bool:
    if not targets.selects(service, pod["metadata"].get("labels")) or not (pod.get("status") or {}).get("podIP"):
        return False
    return not pods.is_terminal(pod) and (public or "deletionTimestamp" not in pod["metadata"])


def _subset(ports: tuple[tuple[str, int, str], ...], parts: dict[str, list[Obj]]) -> Obj:
    listed = [
        {**({"name": name} if name else {}), "port": port, "protocol": protocol} for name, port, protocol in ports
    ]
    out: Obj = {part: sorted(parts[part], key=lambda one: str(one["ip"])) for part in PARTS if part in parts}
    return {**out, **({"ports": listed} if listed else {})}


def _ports(service: Obj, pod: Obj) -> Iterable[tuple[str, int, str]]:
    for port in service["spec"].get("ports") or ():
        number = targets.target_port(port, pod)
        if number is not None:
            yield port.get("name", ""), number, port.get("protocol", "TCP")


def _address(service: Obj, pod: Obj) -> Obj:
    metadata, spec = pod["metadata"], pod["spec"]
    address: Obj = {"ip": pod["status"]["podIP"]}
    if spec.get("hostname") and spec.get("subdomain") == service["metadata"]["name"]:
        address["hostname"] = spec["hostname"]
    if spec.get("nodeName"):
        address["nodeName"] = spec["nodeName"]
    named = {"kind": "Pod", "namespace": metadata["namespace"], "name": metadata["name"], "uid": metadata["uid"]}
    return address | {"targetRef": named}


def _headless(service: Obj) -> bool:
    return bool(service["spec"].get("clusterIP") == "None")


def _service_of(event: Event, view: View) -> Iterable[Key]:
    yield Key("services", event.key.namespace, event.key.name)
