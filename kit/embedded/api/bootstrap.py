"""The objects a cluster has from its first moment: namespaces, the API's own Service, classes; for the roles see `api.roles`,
for what each start makes again `api.standing`.

Models what kube-apiserver's bootstrap controllers and kubeadm make. There are no Pods in kube-system: DNS, proxy and control plane
are parts of the machine here, and the node agents add the nodes.
"""

from __future__ import annotations

from collections.abc import Sequence

from kit.embedded.core.store import Obj

NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")
DNS_ADDRESS = "10.96.0.10"
API_ADDRESS = "10.96.0.1"


def objects(control_plane: str) -> Sequence[Obj]:
    """Return them in the order of their making; `control_plane` is the address of the API server's node."""
    spaces = [_object("v1", "Namespace", name) for name in NAMESPACES]
    return [*spaces, *_services(control_plane), *_classes()]


def _object(api_version: str, kind: str, name: str, namespace: str = "", **more: object) -> Obj:
    metadata: Obj = {"name": name, **({"namespace": namespace} if namespace else {})}
    for key in ("labels", "annotations"):
        if key in more:
            metadata[key] = more.pop(key)
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **more}


def _services(control_plane: str) -> Sequence[Obj]:
    dns_ports = [
        {"name": "dns", "port": 53, "protocol": "UDP", "targetPort": 53},
        {"name": "dns-tcp", "port": 53, "protocol": "TCP", "targetPort": 53},
        {"name": "metrics", "port": 9153, "protocol": "TCP", "targetPort": 9153},
    ]
    dns_labels = {"k8s-app": "kube-dns", "kubernetes.io/cluster-service": "true", "kubernetes.io/name": "CoreDNS"}
    api_labels = {"component": "apiserver", "provider": "kubernetes"}
    https = {"name": "https", "port": 443, "protocol": "TCP", "targetPort": 6443}
    return [
        _object("v1", "Service", "kubernetes", "default", labels=api_labels, spec={"clusterIP": API_ADDRESS, "ports": [https]}),
        _object(
            "v1", "Endpoints", "kubernetes", "default", labels={"endpointslice.kubernetes.io/skip-mirror": "true"},
            subsets=[{"addresses": [{"ip": control_plane}], "ports": [{"name": "https", "port": 6443, "protocol": "TCP"}]}],
        ),
        _object(
            "discovery.k8s.io/v1", "EndpointSlice", "kubernetes", "default", labels={"kubernetes.io/service-name": "kubernetes"},
            addressType="IPv4", endpoints=[{"addresses": [control_plane], "conditions": {"ready": True}}],
            ports=[{"name": "https", "port": 6443, "protocol": "TCP"}],
        ),
        _object(
            "v1", "Service", "kube-dns", "kube-system", labels=dns_labels,
            annotations={"prometheus.io/port": "9153", "prometheus.io/scrape": "true"},
            spec={"clusterIP": DNS_ADDRESS, "ports": dns_ports, "selector": {"k8s-app": "kube-dns"}},
        ),
    ]  # fmt: skip


def _classes() -> Sequence[Obj]:
    default = {"ingressclass.kubernetes.io/is-default-class": "true"}
    standard = {"storageclass.kubernetes.io/is-default-class": "true"}
    return [
        _object(
            "networking.k8s.io/v1", "IngressClass", "traefik", annotations=default, spec={"controller": "traefik.io/ingress-controller"},
        ),
        _object(
            "storage.k8s.io/v1", "StorageClass", "standard", annotations=standard, provisioner="rancher.io/local-path",
            reclaimPolicy="Delete", volumeBindingMode="WaitForFirstConsumer",
        ),
        _object(
            "scheduling.k8s.io/v1", "PriorityClass", "system-cluster-critical", value=2_000_000_000,
            description="Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.",
        ),
        _object(
            "scheduling.k8s.io/v1", "PriorityClass", "system-node-critical", value=2_000_001_000,
            description="Used for system critical pods that must not be moved from their current node.",
        ),
    ]  # fmt: skip
