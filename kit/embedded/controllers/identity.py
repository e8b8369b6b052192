"""Keeps the Lease by which the API server says that it lives.

Models pkg/controlplane/apiserver (identity lease) and component-helpers/apimachinery/lease: one hour, renewed every ten seconds.
"""

from __future__ import annotations

from collections.abc import Iterable

from kit.embedded.api.standing import identity
from kit.embedded.core.clock import Clock
from kit.embedded.core.controller import Effects, Mapper, View
from kit.embedded.core.effects import After, Create, Update
from kit.embedded.core.store import Event, Key
from kit.errors import Status

NAMESPACE = "kube-system"
LEASES = "leases.coordination.k8s.io"
RENEW_MS = 10_000
HOUR = 3600


class ApiServerIdentity:
    """Renews the Lease of the API server on one host."""

    name = "kube-apiserver-identity-lease-controller"
    user = "system:apiserver"
    manager = "kube-apiserver"
    component = "apiserver"

    def __init__(self, clock: Clock, host: str, address: str, holder: str) -> None:
        self._clock = clock
        self._key = Key(LEASES, NAMESPACE, identity(host))
        self._holder = f"{self._key.name}_{holder}"
        self._labels = {"apiserver.kubernetes.io/identity": "kube-apiserver", "kubernetes.io/hostname": host}
        self._notes = {"kubernetes.io/peer-advertise-address": f"{address}:6443"}
        self._renewed: int | None = None
        self.watches: dict[str, Mapper] = {"namespaces": self._beginning, LEASES: self._lost}

    def _beginning(self, event: Event, view: View) -> Iterable[Key]:
        return (self._key,) if event.key.name == NAMESPACE and event.type == "ADDED" else ()

    def _lost(self, event: Event, view: View) -> Iterable[Key]:
        return (self._key,) if event.key == self._key and event.type == "DELETED" else ()

    def reconcile(self, key: Key, view: View, now: int) -> Effects:
        """Make the Lease, or renew it when that is due."""
        lease = view.at(key)
        if lease is None or self._renewed is None or now - self._renewed >= RENEW_MS:
            spec = {"holderIdentity": self._holder, "leaseDurationSeconds": HOUR, "renewTime": self._clock.micro()}
            metadata = {"name": key.name, "namespace": NAMESPACE, "labels": self._labels, "annotations": self._notes}
            made = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec}
            answer = yield Update({**lease, "spec": spec}) if lease else Create(made)
            if not isinstance(answer, Status):
                self._renewed = now
        yield After(RENEW_MS, housekeeping=True)
