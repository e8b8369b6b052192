"""Writes, for each Service with a selector, the EndpointSlices that name its Pods.

Models k8s.io/endpointslice/reconciler.go: serving is the Pod's readiness, terminating its deletion, ready both (or all, with
publishNotReadyAddresses). One address family (IPv4); up to 100 endpoints a slice.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from kit.embedded.core.clock import Clock
from kit.embedded.core.controller import Effects, Mapper, View, itself, selecting_services
from kit.embedded.core.effects import Create, Delete, Update
from kit.embedded.core.store import Event, Key, Obj
from kit.errors import Status
from kit.kube import owners, pods, selectors, targets

PER_SLICE = 100
SERVICE = "kubernetes.io/service-name"
MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
MANAGER = "endpointslice-controller.k8s.io"
HEADLESS = "service.kubernetes.io/headless"
TRIGGER = "endpoints.kubernetes.io/last-change-trigger-time"
SLICES = "endpointslices.discovery.k8s.io"


class EndpointSlice:
    """The endpointslice controller."""

    name = "endpointslice-controller"
    user = "system:serviceaccount:kube-system:endpointslice-controller"
    manager = "kube-controller-manager"
    component = "endpoint-slice-controller"

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.watches: dict[str, Mapper] = {"services": itself, "pods": selecting_services, SLICES: _service_of}

    def reconcile(self, key: Key, view: View, now: int) -> Effects:
        """Make one Service's slices say what its Pods are."""
        service = view.at(key)
        if service is None or not service["spec"].get("selector") or service["spec"].get("type") == "ExternalName":
            return
        existing = [
            s
            for s in view.owned(SLICES, service["metadata"]["uid"])
            if (s["metadata"].get("labels") or {}).get(MANAGED_BY) == MANAGER
        ]
        kept: list[tuple[str, list[Obj], Obj | None]] = []
        for ports, endpoints in _groups(service, view).items():
            same = [s for s in existing if _ports_key(s.get("ports")) == ports]
            existing = [s for s in existing if s not in same]
            starts = range(0, max(len(endpoints), 1), PER_SLICE)
            kept += [(ports, endpoints[at : at + PER_SLICE], same.pop(0) if same else None) for at in starts]
            existing += same
        for ports, part, slice in kept:  # one that would go is made into one that is missing, as in reconciler.finalize
            yield from self._write(service, json.loads(ports), part, slice or (existing.pop(0) if existing else None))
        for stale in existing:
            yield Delete(Key(SLICES, key.namespace, stale["metadata"]["name"]))

    def _write(self, service: Obj, ports: Any, endpoints: list[Obj], slice: Obj | None) -> Any:
        labels = _labels(service)
        if slice is None:
            metadata: Obj = {
                "generateName": f"{service['metadata']['name']}-",
                "namespace": service["metadata"]["namespace"],
                "labels": labels,
                "annotations": {TRIGGER: self._clock.text()},
                "ownerReferences": [owners.owner_reference(service, controller=True)],
            }
            answer = yield Create({**_SHAPE, "metadata": metadata, "endpoints": endpoints, "ports": ports})
        elif _said(slice) == (endpoints, labels, ports):
            return
        else:
            notes = {**(slice["metadata"].get("annotations") or {}), TRIGGER: self._clock.text()}
            metadata = {**slice["metadata"], "labels": labels, "annotations": notes}
            answer = yield Update({**slice, "metadata": metadata, "endpoints": endpoints, "ports": ports})
        if isinstance(answer, Status):
            raise answer


def _said(slice: Obj) -> tuple[Any, Any, Any]:
    return slice.get("endpoints") or [], slice["metadata"].get("labels"), slice.get("ports")


_SHAPE: Obj = {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4"}


def _service_of(event: Event, view: View) -> Iterable[Key]:
    name = (event.obj["metadata"].get("labels") or {}).get(SERVICE)
    if name:
        yield Key("services", event.key.namespace, name)


def _labels(service: Obj) -> dict[str, str]:
    labels = {
        k: v for k, v in (service["metadata"].get("labels") or {}).items() if k not in (HEADLESS, SERVICE, MANAGED_BY)
    }
    labels |= {SERVICE: service["metadata"]["name"], MANAGED_BY: MANAGER}
    if service["spec"].get("clusterIP") == "None":
        labels[HEADLESS] = ""
    return labels


def _groups(service: Obj, view: View) -> dict[str, list[Obj]]:
    """Return endpoints by their ports: a named targetPort may be another number in another Pod."""
    selector = selectors.of_labels(service["spec"]["selector"])
    groups: dict[str, list[Obj]] = {}
    for pod in view.list("pods", service["metadata"]["namespace"]):
        if selector.matches(pod["metadata"].get("labels")) and _counts(pod):
            groups.setdefault(_ports_key(_ports(service, pod)), []).append(_endpoint(service, pod))
    return groups or {_ports_key(None): []}


def _counts(pod: Obj) -> bool:
    return bool((pod.get("status") or {}).get("podIP")) and not pods.is_terminal(pod)


def _ports_key(ports: Any) -> str:
    return json.dumps(ports, sort_keys=True)


def _ports(service: Obj, pod: Obj) -> list[Obj] | None:
    found: list[Obj] = []
    for port in service["spec"].get("ports") or []:
        number = targets.target_port(port, pod)
        if number is not None:
            entry: Obj = {"name": port.get("name", ""), "port": number, "protocol": port.get("protocol", "TCP")}
            found.append({**entry, "appProtocol": port["appProtocol"]} if "appProtocol" in port else entry)
    return found or None


def _endpoint(service: Obj, pod: Obj) -> Obj:
    serving = pods.is_ready(pod)
    terminating = "deletionTimestamp" in pod["metadata"]
    ready = bool(service["spec"].get("publishNotReadyAddresses")) or (serving and not terminating)
    metadata = pod["metadata"]
    endpoint: Obj = {
        "addresses": [ip["ip"] for ip in pod["status"].get("podIPs") or [{"ip": pod["status"]["podIP"]}]],
        "conditions": {"ready": ready, "serving": serving, "terminating": terminating},
        "targetRef": {
            "kind": "Pod",
            "namespace": metadata["namespace"],
            "name": metadata["name"],
            "uid": metadata["uid"],
        },
    }
    if pod["spec"].get("nodeName"):
        endpoint["nodeName"] = pod["spec"]["nodeName"]
    if pod["spec"].get("hostname") and pod["spec"].get("subdomain") == service["metadata"]["name"]:
        endpoint["hostname"] = pod["spec"]["hostname"]
    return endpoint
