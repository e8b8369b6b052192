"""Strategies: what the registry of each kind does to an object before it is stored, beyond defaulting.

Models pkg/registry/*/strategy.go (PrepareForCreate, PrepareForUpdate) and apiserver/pkg/registry/rest. Who made the
object and when (`uid`, `creationTimestamp`, `resourceVersion`, `managedFields`) is the caller's; so are addresses and
ports. `now` is the time as RFC 3339 text. No function changes what it is given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from kit.kube import gates, services
from kit.kube.defaults import apply_defaults
from kit.kube.defaults.pods import whole_requests
from kit.kube.kinds import Resource
from kit.kube.qos import qos_class
from kit.kube.schema import of

Object = dict[str, Any]
Create = Callable[[Object, str, Mapping[str, Any]], Object]
Update = Callable[[Object, Object, str], Object]

# Kinds whose generation starts at 1, and the parts whose change counts. Custom resources: everything but metadata.
GENERATIONS: Final[dict[str, tuple[str, ...]]] = {
    "Pod": ("spec",),
    "ReplicationController": ("spec",),
    "PodTemplate": ("template",),
    "Deployment.apps": ("spec", "metadata.annotations"),
    "ReplicaSet.apps": ("spec",),
    "StatefulSet.apps": ("spec",),
    "DaemonSet.apps": ("spec",),
    "Job.batch": ("spec",),
    "CronJob.batch": ("spec",),
    "HorizontalPodAutoscaler.autoscaling": ("spec",),
    "PodDisruptionBudget.policy": ("spec",),
    "PriorityClass.scheduling.k8s.io": (),
    "Ingress.networking.k8s.io": ("spec",),
    "IngressClass.networking.k8s.io": ("spec",),
    "NetworkPolicy.networking.k8s.io": ("spec",),
    "EndpointSlice.discovery.k8s.io": ("addressType", "endpoints", "ports", "metadata.labels"),
    "FlowSchema.flowcontrol.apiserver.k8s.io": ("spec",),
    "PriorityLevelConfiguration.flowcontrol.apiserver.k8s.io": ("spec",),
    "DeviceClass.resource.k8s.io": ("spec",),
    "ResourceSlice.resource.k8s.io": ("spec",),
    "DeviceTaintRule.resource.k8s.io": ("spec",),
    "CustomResourceDefinition.apiextensions.k8s.io": ("spec",),
    "ValidatingWebhookConfiguration.admissionregistration.k8s.io": ("webhooks",),
    "MutatingWebhookConfiguration.admissionregistration.k8s.io": ("webhooks",),
    "ValidatingAdmissionPolicy.admissionregistration.k8s.io": ("spec",),
    "ValidatingAdmissionPolicyBinding.admissionregistration.k8s.io": ("spec",),
    "MutatingAdmissionPolicy.admissionregistration.k8s.io": ("spec",),
    "MutatingAdmissionPolicyBinding.admissionregistration.k8s.io": ("spec",),
}

# Kinds that may bring a status with them when they are made.
KEEPS_STATUS: Final = frozenset({"Node", "CSINode.storage.k8s.io"})

# Metadata that an update of the status may not change. Models metav1.ResetObjectMetaForStatus.
_ALL: Final = ("labels", "annotations", "finalizers", "ownerReferences")
STATUS_KEEPS: Final[dict[str, tuple[str, ...]]] = {
    "Pod": ("ownerReferences",),
    "Deployment.apps": ("labels",),
    "APIService.apiregistration.k8s.io": _ALL,
    "CustomResourceDefinition.apiextensions.k8s.io": _ALL,
    "ValidatingAdmissionPolicy.admissionregistration.k8s.io": _ALL,
    "FlowSchema.flowcontrol.apiserver.k8s.io": _ALL,
    "PriorityLevelConfiguration.flowcontrol.apiserver.k8s.io": _ALL,
    "ServiceCIDR.networking.k8s.io": _ALL,
    "VolumeAttachment.storage.k8s.io": _ALL,
    "ResourceClaim.resource.k8s.io": _ALL,
}

# What an update never takes from the client: filled in from what is stored when left out.
_SYSTEM: Final = ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds")
_NOT_ON_CREATE: Final = frozenset({"deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "generation"})
_FILLED_FROM: Final = frozenset({("", "PersistentVolumeClaim"), ("snapshot.storage.k8s.io", "VolumeSnapshot")})
_TEMPLATE_GENERATION: Final = "deprecated.daemonset.template.generation"


def prepare_create(obj: Object, resource: Resource, *, now: str, user: Mapping[str, Any] | None = None) -> Object:
    """Return `obj` (defaulted, with its uid) as its kind's registry stores it first. `user` asks for it (CSRs)."""
    kind = resource.group_kind
    metadata = {key: value for key, value in obj["metadata"].items() if key not in _NOT_ON_CREATE}
    if kind in GENERATIONS or _is_custom(resource):
        metadata["generation"] = 1
    out = {**obj, "metadata": metadata}
    if resource.subresource("status") and kind not in KEEPS_STATUS and ("status" in obj or not _is_custom(resource)):
        out = apply_defaults({key: value for key, value in out.items() if key != "status"})
    out, create = gates.dropped(out, kind), _CREATES.get(kind)
    return create(out, now, user or {}) if create else out


def prepare_update(new: Object, old: Object, resource: Resource, *, now: str) -> Object:
    """Return `new` (defaulted) as an update of the main resource stores it: the status stays, generation counts."""
    kind = resource.group_kind
    out = {**new, "metadata": _system_metadata(new["metadata"], old["metadata"])}
    if resource.subresource("status"):
        out = _with_part(out, old, "status")
    out = gates.dropped(out, kind)
    update = _UPDATES.get(kind)
    if update:
        out = update(out, old, now)
    generation = old["metadata"].get("generation")
    if generation is not None and _counts(out, old, resource):
        out["metadata"]["generation"] = generation + 1
    return out


def prepare_status(new: Object, old: Object, resource: Resource, *, now: str) -> Object:
    """Return `new` (defaulted) as an update of `/status` stores it: everything else stays as it is."""
    kind = resource.group_kind
    if _is_custom(resource):
        metadata = {**old["metadata"], **_only(new["metadata"], ("managedFields", "resourceVersion"))}
        return _with_part({**old, "metadata": metadata}, new, "status")
    metadata = _system_metadata(new["metadata"], old["metadata"])
    for key in STATUS_KEEPS.get(kind, ()):
        metadata = _with_part(metadata, old["metadata"], key)
    out = _with_part({**old, "metadata": metadata}, new, "status")
    if kind == "PersistentVolume":
        out = _volume_phase(out, old, now)
    return out


def _is_custom(resource: Resource) -> bool:
    return of(resource.api_version, resource.kind) is None


def _counts(new: Object, old: Object, resource: Resource) -> bool:
    """Return whether the update is one that generation counts."""
    if _is_custom(resource):
        ignored = {"metadata", "status"} if resource.subresource("status") else {"metadata"}
        return any(new.get(key) != old.get(key) for key in (new.keys() | old.keys()) - ignored)
    return any(_part(new, path) != _part(old, path) for path in GENERATIONS.get(resource.group_kind, ()))


def _part(obj: Object, path: str) -> Any:
    head, _, rest = path.partition(".")
    value = obj.get(head)
    found = (value or {}).get(rest) if rest else value
    return found or None


def _system_metadata(new: Object, old: Object) -> Object:
    out = {key: value for key, value in new.items() if key != "selfLink"}
    for key in _SYSTEM:
        if out.get(key) is None and old.get(key) is not None:
            out[key] = old[key]
    return _with_part(out, old, "generation")


def _with_part(obj: Object, source: Object, key: str) -> Object:
    """Return `obj` with the field as `source` has it, or without it."""
    out = {name: value for name, value in obj.items() if name != key}
    if key in source:
        out[key] = source[key]
    return out


def _only(obj: Object, keys: tuple[str, ...]) -> Object:
    return {key: obj[key] for key in keys if key in obj}


def _create_pod(pod: Object, now: str, _user: Mapping[str, Any]) -> Object:
    """Models pkg/registry/core/pod/strategy.go."""
    pod = whole_requests({**pod, "spec": _pod_spec(pod["spec"])})
    status: Object = {"phase": "Pending", "qosClass": qos_class(pod)}
    if pod["spec"].get("schedulingGates"):
        status["conditions"] = [
            {
                "type": "PodScheduled",
                "status": "False",
                "lastProbeTime": None,
                "lastTransitionTime": now,
                "reason": "SchedulingGated",
                "message": "Scheduling is blocked due to non-empty scheduling gates",
            }
        ]
    return {**pod, "status": status}


def _pod_spec(spec: Object) -> Object:
    """Return a new Pod's spec: a negative grace period is the shortest one."""
    negative = (spec.get("terminationGracePeriodSeconds") or 0) < 0
    return {**spec, "terminationGracePeriodSeconds": 1} if negative else spec


def _create_namespace(obj: Object, _now: str, _user: Mapping[str, Any]) -> Object:
    """Models pkg/registry/core/namespace/strategy.go."""
    finalizers = (obj.get("spec") or {}).get("finalizers") or []
    if "kubernetes" in finalizers:
        return obj
    return {**obj, "spec": {**(obj.get("spec") or {}), "finalizers": [*finalizers, "kubernetes"]}}


def _create_volume(volume: Object, now: str, _user: Mapping[str, Any]) -> Object:
    """Models pkg/registry/core/persistentvolume/strategy.go."""
    return {**volume, "status": {"phase": "Pending", "lastPhaseTransitionTime": now}}


def _create_claim(claim: Object, _now: str, _user: Mapping[str, Any]) -> Object:
    """Models pkg/registry/core/persistentvolumeclaim/strategy.go: a claim is filled from a claim or a snapshot."""
    spec = dict(claim.get("spec") or {})
    source = spec.get("dataSource")
    if source and (source.get("apiGroup") or "", source.get("kind")) not in _FILLED_FROM:
        del spec["dataSource"]
    return _with_sources(claim, spec)


def _update_claim(claim: Object, _old: Object, _now: str) -> Object:
    return _with_sources(claim, dict(claim.get("spec") or {}))


def _with_sources(claim: Object, spec: Object) -> Object:
    """Return a claim whose `dataSource` and `dataSourceRef` say the same (NormalizeDataSources)."""
    source, ref = spec.get("dataSource"), spec.get("dataSourceRef")
    if source and not ref:
        spec["dataSourceRef"] = dict(source)
    elif ref and not source and not ref.get("namespace"):
        spec["dataSource"] = dict(ref)
    return {**claim, "spec": spec}


def _volume_phase(new: Object, old: Object, now: str) -> Object:
    status, before = new.get("status") or {}, old.get("status") or {}
    given, was = status.get("lastPhaseTransitionTime"), before.get("lastPhaseTransitionTime")
    if status.get("phase") == before.get("phase") or (given is not None and given != was):
        return new
    return {**new, "status": {**status, "lastPhaseTransitionTime": now}}


def _create_job(job: Object, _now: str, _user: Mapping[str, Any]) -> Object:
    """Models pkg/registry/batch/job/strategy.go (generateSelector)."""
    spec = job["spec"]
    if spec.get("manualSelector"):
        return job
    name, uid = job["metadata"].get("name", ""), job["metadata"].get("uid", "")
    own = {
        "batch.kubernetes.io/controller-uid": uid,
        "batch.kubernetes.io/job-name": name,
        "controller-uid": uid,
        "job-name": name,
    }
    template = spec.get("template") or {}
    inner = template.get("metadata") or {}
    selector = spec.get("selector") or {}
    chosen = {**(selector.get("matchLabels") or {}), "batch.kubernetes.io/controller-uid": uid}
    labelled = {**inner, "labels": {**own, **(inner.get("labels") or {})}}
    new = {**spec, "selector": {**selector, "matchLabels": chosen}, "template": {**template, "metadata": labelled}}
    out = {**job, "spec": new}
    if (job["metadata"].get("labels") or {}) == (
        inner.get("labels") or {}
    ):  # defaulted to the template's: in Go one map for both
        out["metadata"] = {**job["metadata"], "labels": dict(labelled["labels"])}
    return out


def _create_daemon_set(obj: Object, _now: str, _user: Mapping[str, Any]) -> Object:
    """Models pkg/registry/apps/daemonset/strategy.go: the old template generation lives in an annotation."""
    return _annotated(obj, _TEMPLATE_GENERATION, "1")


def _update_daemon_set(new: Object, old: Object, _now: str) -> Object:
    before = int((old["metadata"].get("annotations") or {}).get(_TEMPLATE_GENERATION, "0"))
    changed = _part(new, "spec.template") != _part(old, "spec.template")
    return _annotated(new, _TEMPLATE_GENERATION, str(before + changed))


def _annotated(obj: Object, key: str, value: str) -> Object:
    metadata = obj["metadata"]
    return {**obj, "metadata": {**metadata, "annotations": {**(metadata.get("annotations") or {}), key: value}}}


def _keep_spec(new: Object, old: Object, _now: str) -> Object:
    return _with_part(new, old, "spec")


def _create_signing_request(obj: Object, _now: str, user: Mapping[str, Any]) -> Object:
    """Models pkg/registry/certificates/certificates/strategy.go: the request says who asks."""
    spec = {key: value for key, value in obj["spec"].items() if key not in {"username", "uid", "groups", "extra"}}
    who = {key: user[key] for key in ("username", "uid", "groups", "extra") if user.get(key)}
    return {**obj, "spec": {**spec, **who}}


def _create_api_service(obj: Object, now: str, _user: Mapping[str, Any]) -> Object:
    """Return an APIService of which it is known that it is here, when it is (apiservice/strategy.go, PrepareForCreate)."""
    if obj["spec"].get("service"):
        return {**obj, "status": obj.get("status") or {}}
    local = {"reason": "Local", "message": "Local APIServices are always available"}
    told = {"type": "Available", "status": "True", "lastTransitionTime": now, **local}
    return {**obj, "status": {"conditions": [told]}}


def _update_role(new: Object, old: Object, _now: str) -> Object:
    return {**new, "rules": new.get("rules") or None}


def _update_service(new: Object, old: Object, _now: str) -> Object:
    return services.prepare_update(new, old)


_CREATES: Final[dict[str, Create]] = {
    "Pod": _create_pod,
    "Namespace": _create_namespace,
    "PersistentVolume": _create_volume,
    "PersistentVolumeClaim": _create_claim,
    "Job.batch": _create_job,
    "DaemonSet.apps": _create_daemon_set,
    "CertificateSigningRequest.certificates.k8s.io": _create_signing_request,
    "APIService.apiregistration.k8s.io": _create_api_service,
}

_UPDATES: Final[dict[str, Update]] = {
    "Namespace": _keep_spec,
    "DaemonSet.apps": _update_daemon_set,
    "CertificateSigningRequest.certificates.k8s.io": _keep_spec,
    "Service": _update_service,
    "PersistentVolumeClaim": _update_claim,
    "Role.rbac.authorization.k8s.io": _update_role,
    "ClusterRole.rbac.authorization.k8s.io": _update_role,
}
