"""What a control plane has from its first moment besides namespaces, roles and APIServices, made again at a start when it is missing.

Models pkg/controlplane (instance.go and its post-start hooks), cmd/kube-controller-manager (the accounts of its controllers) and
kubeadm's cluster-info. Not there: the leases by which controller manager and scheduler elect a leader, since nobody else stands.
"""

from __future__ import annotations

from base64 import b32encode, b64encode
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from typing import NamedTuple

from kit.embedded.api import direct, metering
from kit.embedded.api.context import Context
from kit.embedded.core.allocators import Addresses
from kit.embedded.core.ids import Ids
from kit.embedded.core.store import Obj
from kit.kube.data import load

SALT = 0x7374_616E  # their uids are drawn apart: what else a cluster draws does not depend on how many there are
SERVER, MANAGER = "kube-apiserver", "kube-controller-manager"
FLOW = "flowcontrol.apiserver.k8s.io/v1"
PRODUCER = "api-priority-and-fairness-config-producer-v1"
AUTOUPDATE = "apf.kubernetes.io/autoupdate-spec"
SIGNER = "kubernetes.io/kube-apiserver-serving"
READY = {"type": "Ready", "status": "True", "reason": "", "message": "Kubernetes Service CIDR is ready"}


class Standing(NamedTuple):
    """One object, and who makes it."""

    manager: str
    obj: Obj


def keep(context: Context) -> None:
    """Make what is missing."""
    apart = replace(context, ids=Ids(context.ids.seed ^ SALT, context.store.revision))
    for manager, obj in _expected(context):
        if not direct.exists(apart, obj):
            direct.create_at_start(apart, obj, manager)


def flow() -> Iterator[Obj]:
    """Return the priority levels and the flow schemas of every API server."""
    table = load("standing")
    for kind in ("PriorityLevelConfiguration", "FlowSchema"):
        for name, spec in table[kind].items():
            metadata = {"name": name, "annotations": {AUTOUPDATE: "true"}}
            yield {"kind": kind, "apiVersion": FLOW, "metadata": metadata, "spec": spec}


def identity(host: str) -> str:
    """Return the name an API server on a host gives itself: that of its Lease."""
    return "apiserver-" + b32encode(sha256(host.encode()).digest()[:16]).decode().rstrip("=").lower()


def _expected(context: Context) -> Iterator[Standing]:
    authority, now = context.signer.authority(), context.clock.text()
    yield from (Standing(PRODUCER, obj) for obj in flow())
    yield Standing(SERVER, _map("kube-apiserver-legacy-service-account-token-tracking", since=now[:10]))
    yield Standing(SERVER, _map("extension-apiserver-authentication", **{"client-ca-file": authority}))
    yield Standing(SERVER, _range(now))
    for name in load("standing")["ServiceAccount"]:
        metadata = {"name": name, "namespace": "kube-system"}
        yield Standing(MANAGER, {"kind": "ServiceAccount", "apiVersion": "v1", "metadata": metadata})
    yield Standing(MANAGER, _bundle(authority))
    found = _kubeconfig(context.settings.node_names[0], authority)
    yield Standing("kubeadm", _map("cluster-info", "kube-public", kubeconfig=found))
    if context.settings.metrics:
        yield Standing("kubectl-client-side-apply", metering.READER)


def _map(name: str, namespace: str = "kube-system", **data: str) -> Obj:
    return {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": name, "namespace": namespace}, "data": data}


def _range(now: str) -> Obj:
    """Return the range of the Services' addresses."""
    metadata = {"name": "kubernetes", "finalizers": ["networking.k8s.io/service-cidr-finalizer"]}
    ready = {"type": READY["type"], "status": READY["status"], "lastTransitionTime": now, **READY}
    head = {"kind": "ServiceCIDR", "apiVersion": "networking.k8s.io/v1", "metadata": metadata}
    return {**head, "spec": {"cidrs": [Addresses.RANGE]}, "status": {"conditions": [ready]}}


def _bundle(authority: str) -> Obj:
    """Return what Pods may check the API server's certificate with. Models controller/clustertrustbundlepublisher."""
    name = f"{SIGNER.replace('/', ':')}:{sha256(authority.encode()).hexdigest()[:24]}"
    head = {"kind": "ClusterTrustBundle", "apiVersion": "certificates.k8s.io/v1", "metadata": {"name": name}}
    return {**head, "spec": {"signerName": SIGNER, "trustBundle": authority}}


def _kubeconfig(host: str, authority: str) -> str:
    """Return a kubeconfig without users: where the cluster is, as its own nodes see it."""
    encoded = b64encode(authority.encode()).decode()
    return (
        "apiVersion: v1\nclusters:\n- cluster:\n"
        f'    certificate-authority-data: {encoded}\n    server: https://{host}:6443\n  name: ""\n'
        'contexts: null\ncurrent-context: ""\nkind: Config\nusers: null\n'
    )
