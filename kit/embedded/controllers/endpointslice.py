"""Writes, for each Service with a selector, the EndpointSlices that name its Pods.

Models k8s.io/endpointslice/reconciler.go: serving is the Pod's readiness, terminating its deletion, ready both (or all, with
publishNotReadyAddresses). One address family (IPv4); up to 100 endpoints a slice.
"""

from __future__ import annotations

from kit.embedded.core.clock import Clock
from kit.embedded.core.controller import Effects, Mapper, View, itself, selecting_services
from kit.embedded.core.store import Key, Obj
from kit.embedded.parts import slices
from kit.kube import owners, pods, selectors, targets

PER_SLICE = 100
MANAGER = "endpointslice-controller.k8s.io"


class EndpointSlice:
    """The endpointslice controller."""

    name = "endpointslice-controller"
    user = "system:serviceaccount:kube-system:endpointslice-controller"
    manager = "kube-controller-manager"
    component = "endpoint-slice-controller"

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.watches: dict[str, Mapper] = {
            "services": itself,
            "pods": selecting_services,
            slices.SLICES: slices.service_of,
        }

    def reconcile(self, key: Key, view: View, now: int) -> Effects:
        """Make one Service's slices say what its Pods are."""
        service = view.at(key)
        if service is None or not service["spec"].get("selector") or service["spec"].get("type") == "ExternalName":
            return
        existing = slices.managed(view, service, MANAGER)
        yield from slices.reconciled(
            _groups(service, view), existing, PER_SLICE, lambda found: self._metadata(service, found)
        )

    def _metadata(self, service: Obj, found: Obj | None) -> Obj:
        metadata = service["metadata"]
        own = {slices.SERVICE: metadata["name"], slices.MANAGED_BY: MANAGER}
        labels = slices.labels(service, own, headless=service["spec"].get("clusterIP") == "None")
        trigger = {slices.TRIGGER: self._clock.text()}
        if found is not None:
            notes = {**(found["metadata"].get("annotations") or {}), **trigger}
            return {**found["metadata"], "labels": labels, "annotations": notes}
        return {
            "generateName": f"{metadata['name']}-",
            "namespace": metadata["namespace"],
            "labels": labels,
            "annotations": trigger,
            "ownerReferences": [owners.owner_reference(service, controller=True)],
        }


def _groups(service: Obj, view: View) -> dict[str, list[Obj]]:
    """Return endpoints by their ports: a named targetPort may be another number in another Pod."""
    selector = selectors.of_labels(service["spec"]["selector"])
    groups: dict[str, list[Obj]] = {}
    for pod in view.list("pods", service["metadata"]["namespace"]):
        if selector.matches(pod["metadata"].get("labels")) and _counts(pod):
            groups.setdefault(slices.group(_ports(service, pod)), []).append(_endpoint(service, pod))
    return groups or {slices.group(None): []}


def _counts(pod: Obj) -> bool:
    return bool((pod.get("status") or {}).get("podIP")) and not pods.is_terminal(pod)


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
