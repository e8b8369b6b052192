"""Gives every namespace its ServiceAccount `default` and the ConfigMap with the cluster's CA.

Models pkg/controller/serviceaccount/serviceaccounts_controller.go and pkg/controller/certificates/rootcacertpublisher.
"""

from __future__ import annotations

from collections.abc import Iterable

from kit.embedded.core.controller import Effects, Mapper, View, itself
from kit.embedded.core.effects import Create, Update
from kit.embedded.core.ports import Signer
from kit.embedded.core.store import Event, Key, Obj
from kit.errors import Status

ROOT_CA = "kube-root-ca.crt"
ABOUT = (
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service "
    "IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters."
)


def _namespace_of(event: Event, view: View) -> Iterable[Key]:
    if event.key.name in ("default", ROOT_CA):
        yield Key("namespaces", "", event.key.namespace)


class ServiceAccount:
    """The service-account controller."""

    name = "service-account-controller"
    user = "system:serviceaccount:kube-system:service-account-controller"
    manager = "kube-controller-manager"
    component = "serviceaccount-controller"

    def __init__(self) -> None:
        self.watches: dict[str, Mapper] = {"namespaces": itself, "serviceaccounts": _namespace_of}

    def reconcile(self, key: Key, view: View, now: int) -> Effects:
        """Make the account when it is missing."""
        if _lives(view, key) and view.get("serviceaccounts", key.name, "default") is None:
            made = yield Create(
                {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": key.name}}
            )
            if isinstance(made, Status) and made.reason != "AlreadyExists":
                raise made


class RootAuthority:
    """The publisher of the CA certificate."""

    name = "root-ca-certificate-publisher"
    user = "system:serviceaccount:kube-system:root-ca-cert-publisher"
    manager = "kube-controller-manager"
    component = "root-ca-certificate-publisher"

    def __init__(self, signer: Signer) -> None:
        self._signer = signer
        self.watches: dict[str, Mapper] = {"namespaces": itself, "configmaps": _namespace_of}

    def reconcile(self, key: Key, view: View, now: int) -> Effects:
        """Make the ConfigMap, or put its content right."""
        if not _lives(view, key):
            return
        data = {"ca.crt": self._signer.authority()}
        found = view.get("configmaps", key.name, ROOT_CA)
        if found is not None and found.get("data") == data:
            return
        if found is not None:
            answer = yield Update({**found, "data": data})
        else:
            answer = yield Create(_map(key.name, data))
        if isinstance(answer, Status) and answer.reason != "AlreadyExists":
            raise answer


def _map(namespace: str, data: dict[str, str]) -> Obj:
    metadata = {"name": ROOT_CA, "namespace": namespace, "annotations": {"kubernetes.io/description": ABOUT}}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def _lives(view: View, key: Key) -> bool:
    namespace = view.at(key)
    return namespace is not None and "deletionTimestamp" not in namespace["metadata"]
