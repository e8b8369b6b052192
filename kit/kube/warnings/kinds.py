"""Warnings by kind: workloads by their templates, Services, volumes, claims and what else the API server has words for.

Models the warnings.go of pkg/api/{service,persistentvolume,persistentvolumeclaim,storage} and the strategies of the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from kit.kube import names
from kit.kube.warnings import pods
from kit.kube.warnings.pods import LABELS, Obj

Warn = Callable[[Obj], Iterator[str]]

POD_NAMES: Final = (
    "metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; "
    "a DNS label is recommended: "
)
EXTERNAL: Final = "spec.externalIPs is deprecated and may no longer be implemented in some clusters"
HINTS: Final = "service.kubernetes.io/topology-aware-hints"
CLASS: Final = "kubernetes.io/ingress.class"
RECYCLE: Final = (
    "spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use "
    "dynamic provisioning."
)
INDEXES: Final = (
    "spec: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be "
    "able to track completedIndexes when a big number of indexes fail"
)
OLD_CLASS: Final = "volume.beta.kubernetes.io/storage-class"
OLD_OPTIONS: Final = "volume.beta.kubernetes.io/mount-options"
OLD: Final[Mapping[str, str]] = {
    OLD_CLASS: 'deprecated since v1.8; use "storageClassName" attribute instead',
    OLD_OPTIONS: 'deprecated since v1.31; use "mountOptions" attribute instead',
}


def _workload(obj: Obj) -> Iterator[str]:
    yield from pods.template(obj["spec"].get("template") or {}, "spec.template")


def _named(obj: Obj) -> Iterator[str]:
    """Yield what is said of a kind whose name becomes a part of its Pods' names."""
    complaints = names.label(obj["metadata"].get("name") or "x")
    if complaints:
        yield f"{POD_NAMES}[{' '.join(complaints)}]"
    yield from _workload(obj)


def _job(obj: Obj) -> Iterator[str]:
    spec = obj["spec"]
    indexed = spec.get("completionMode") == "Indexed"
    yield from _named(obj)
    if indexed and (spec.get("completions") or 0) > 100_000 and (spec.get("parallelism") or 0) > 10_000:
        yield INDEXES


def _cron_job(obj: Obj) -> Iterator[str]:
    template = (obj["spec"].get("jobTemplate") or {}).get("spec") or {}
    yield from pods.template(template.get("template") or {}, "spec.jobTemplate.spec.template")


def _stateful_set(obj: Obj) -> Iterator[str]:
    yield from _workload(obj)
    for index, claim in enumerate(obj["spec"].get("volumeClaimTemplates") or ()):
        yield from pods.claim_fractions(claim.get("spec") or {}, f"spec.volumeClaimTemplates[{index}].spec")


def _service(obj: Obj) -> Iterator[str]:
    spec = obj["spec"]
    if HINTS in (obj["metadata"].get("annotations") or {}):
        yield f"annotation {HINTS} is deprecated, please use service.kubernetes.io/topology-mode instead"
    if spec.get("externalIPs"):
        yield EXTERNAL
    if spec.get("externalName") and spec.get("type") != "ExternalName":
        yield 'spec.externalName is ignored when spec.type is not "ExternalName"'
    if spec.get("clusterIP") == "None":
        if spec.get("loadBalancerIP"):
            yield "spec.loadBalancerIP is ignored for headless services"
        if spec.get("sessionAffinity") not in {None, "", "None"}:
            yield "spec.SessionAffinity is ignored for headless services"
    if spec.get("trafficDistribution") == "PreferClose":
        yield 'spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"'


def _old(obj: Obj, *keys: str) -> Iterator[str]:
    given = obj["metadata"].get("annotations") or {}
    yield from (f"metadata.annotations[{key}]: {OLD[key]}" for key in keys if key in given)


def _volume(obj: Obj) -> Iterator[str]:
    spec = obj["spec"]
    yield from _old(obj, OLD_CLASS, OLD_OPTIONS)
    if spec.get("persistentVolumeReclaimPolicy") == "Recycle":
        yield RECYCLE
    yield from pods.terms((spec.get("nodeAffinity") or {}).get("required"), "spec.nodeAffinity.required")
    for key, (shown, said) in pods.VOLUMES.items():
        if key in spec:
            yield f"spec.{shown}: {said}"
    yield from pods.fractions(spec.get("capacity"), "spec.capacity")


def _claim(obj: Obj) -> Iterator[str]:
    yield from _old(obj, OLD_CLASS)
    yield from pods.claim_fractions(obj.get("spec") or {}, "spec")


def _storage_class(obj: Obj) -> Iterator[str]:
    for index, topology in enumerate(obj.get("allowedTopologies") or ()):
        for number, one in enumerate(topology.get("matchLabelExpressions") or ()):
            if one.get("key") in LABELS:
                at = f"allowedTopologies[{index}].matchLabelExpressions[{number}].key"
                yield f"{at}: {LABELS[one['key']]}"


def _ingress(obj: Obj) -> Iterator[str]:
    if CLASS in (obj["metadata"].get("annotations") or {}):
        yield f"annotation \"{CLASS}\" is deprecated, please use 'spec.ingressClassName' instead"


def _pod_template(obj: Obj) -> Iterator[str]:
    template: Any = obj.get("template") or {}
    yield from pods.template(template, "template")


KINDS: Final[Mapping[str, Warn]] = {
    "Pod": pods.pod,
    "PodTemplate": _pod_template,
    "ReplicationController": _named,
    "Deployment.apps": _named,
    "ReplicaSet.apps": _named,
    "DaemonSet.apps": _workload,
    "StatefulSet.apps": _stateful_set,
    "Job.batch": _job,
    "CronJob.batch": _cron_job,
    "Service": _service,
    "PersistentVolume": _volume,
    "PersistentVolumeClaim": _claim,
    "StorageClass.storage.k8s.io": _storage_class,
    "Ingress.networking.k8s.io": _ingress,
}
