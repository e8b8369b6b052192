"""Rules of defaulting that look at other fields: each takes an object and says what changes (MISSING removes).

Models pkg/apis/*/v1/defaults.go and conversion.go. A rule runs after the object's own fields are defaulted.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any, Final

from kit.kube.defaults import pods, scaling
from kit.kube.schema import MISSING

Object = dict[str, Any]
Rule = Callable[[Object], "Object | None"]

CORE: Final = "io.k8s.api.core.v1."
RBAC: Final = "rbac.authorization.k8s.io"


def _when(field: str, value: Any, inner: str, missing: Any) -> Rule:
    """Return a rule: where `field` is `value`, `inner` is there."""

    def rule(obj: Object) -> Object | None:
        return {inner: missing} if obj.get(field) == value and obj.get(inner) is None else None

    return rule


def controller_labels(obj: Object) -> Object | None:
    """Labels and selector of a ReplicationController are its template's."""
    spec = obj.get("spec") or {}
    labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels")
    if not labels:
        return None
    out: Object = {}
    if not spec.get("selector"):
        out["spec"] = {**spec, "selector": dict(labels)}
    if not (obj.get("metadata") or {}).get("labels"):
        out["metadata"] = {**(obj.get("metadata") or {}), "labels": dict(labels)}
    return out


def service_port(port: Object) -> Object | None:
    """A Service sends to the port it listens on."""
    return None if port.get("targetPort") else {"targetPort": port.get("port", 0)}


def service_spec(spec: Object) -> Object | None:
    """Session affinity, traffic policies and node ports of a Service follow from its type."""
    out: Object = {}
    kind = spec.get("type")
    reachable = kind in {"NodePort", "LoadBalancer"}
    if spec.get("sessionAffinity") == "ClientIP":
        config = (spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}
        if config.get("timeoutSeconds") is None:
            out["sessionAffinityConfig"] = {"clientIP": {"timeoutSeconds": 10800}}
    elif "sessionAffinityConfig" in spec and spec.get("sessionAffinity") == "None":
        out["sessionAffinityConfig"] = MISSING
    external = reachable or (kind == "ClusterIP" and spec.get("externalIPs"))
    if external and not spec.get("externalTrafficPolicy"):
        out["externalTrafficPolicy"] = "Cluster"
    if (reachable or kind == "ClusterIP") and spec.get("internalTrafficPolicy") is None:
        out["internalTrafficPolicy"] = "Cluster"
    if kind == "LoadBalancer" and spec.get("allocateLoadBalancerNodePorts") is None:
        out["allocateLoadBalancerNodePorts"] = True
    return out


def namespace_label(obj: Object) -> Object | None:
    """A Namespace carries its name as a label."""
    metadata = obj.get("metadata") or {}
    name, labels = metadata.get("name"), metadata.get("labels") or {}
    if not name or labels.get("kubernetes.io/metadata.name") == name:
        return None
    return {"metadata": {**metadata, "labels": {**labels, "kubernetes.io/metadata.name": name}}}


def allocatable(status: Object) -> Object | None:
    """A node that doesn't say what is allocatable offers its capacity."""
    return (
        {"allocatable": dict(status["capacity"])} if status.get("capacity") and not status.get("allocatable") else None
    )


def limit_range_item(item: Object) -> Object | None:
    """Default limits come from the maximum, default requests from the default limits, then from the minimum."""
    if item.get("type") != "Container":
        return None
    default = {**(item.get("max") or {}), **(item.get("default") or {})}
    request = {**(item.get("min") or {}), **default, **(item.get("defaultRequest") or {})}
    out = {"default": default, "defaultRequest": request}
    return {key: value for key, value in out.items() if value and value != item.get(key)}


def pod_cidrs(spec: Object) -> Object | None:
    """`podCIDR` is the first of `podCIDRs`."""
    if spec.get("podCIDR") and not spec.get("podCIDRs"):
        return {"podCIDRs": [spec["podCIDR"]]}
    if spec.get("podCIDRs") and not spec.get("podCIDR"):
        return {"podCIDR": spec["podCIDRs"][0]}
    return None


def secret_data(obj: Object) -> Object | None:
    """`stringData` is written into `data` and never read back."""
    text = obj.get("stringData")
    if not isinstance(text, dict):
        return None
    new = {key: base64.b64encode(str(value).encode()).decode() for key, value in text.items()}
    return {"stringData": MISSING, "data": {**(obj.get("data") or {}), **new}}


def job(obj: Object) -> Object | None:
    """A Job runs one Pod once; its labels are its template's. Not for the template inside a CronJob."""
    spec = obj.get("spec")
    if not isinstance(spec, dict):
        return None
    new: Object = {}
    if spec.get("completions") is None and spec.get("parallelism") is None:
        new["completions"] = 1
    policy, per_index = spec.get("podFailurePolicy"), spec.get("backoffLimitPerIndex")
    wanted = {
        "parallelism": 1,
        "backoffLimit": 6 if per_index is None else 2147483647,
        "completionMode": "NonIndexed",
        "suspend": False,
        "podReplacementPolicy": "TerminatingOrFailed" if policy is None else "Failed",
        "manualSelector": False,
    }
    new |= {key: value for key, value in wanted.items() if spec.get(key) is None}
    out: Object = {"spec": {**spec, **new}} if new else {}
    labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels")
    metadata = obj.get("metadata") or {}
    if labels and not metadata.get("labels"):
        out["metadata"] = {**metadata, "labels": dict(labels)}
    return out


def policy_types(spec: Object) -> Object | None:
    """A NetworkPolicy is about ingress, and about egress when it says something of it."""
    if spec.get("policyTypes"):
        return None
    return {"policyTypes": ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]}


def role_ref(ref: Object) -> Object | None:
    """A role is one of RBAC's."""
    return None if ref.get("apiGroup") else {"apiGroup": RBAC}


def subject(obj: Object) -> Object | None:
    """Users and groups are RBAC's, service accounts the core group's."""
    return {"apiGroup": RBAC} if not obj.get("apiGroup") and obj.get("kind") in {"User", "Group"} else None


def claim_templates(spec: Object) -> Object | None:
    """Claim templates of a StatefulSet carry their kind."""
    templates = spec.get("volumeClaimTemplates")
    if not templates:
        return None
    head = {"kind": "PersistentVolumeClaim", "apiVersion": "v1"}
    if all(template.get("kind") and template.get("apiVersion") for template in templates):
        return None
    return {"volumeClaimTemplates": [{**head, **template} for template in templates]}


def names(spec: Object) -> Object:
    """A custom resource's singular and list kind follow from its kind."""
    kind = str(spec.get("kind") or "")
    wanted = {"singular": kind.lower(), "listKind": f"{kind}List"}
    return {key: value for key, value in wanted.items() if kind and not spec.get(key)}


def crd_spec(spec: Object) -> Object | None:
    """The names of a custom resource; not those that its status says were accepted."""
    given = spec.get("names")
    if not isinstance(given, dict):
        return None
    new = names(given)
    return {"names": {**given, **new}} if new else None


def crd_status(obj: Object) -> Object | None:
    """The version stored is the storage version."""
    status = obj.get("status") or {}
    stored = [v["name"] for v in (obj.get("spec") or {}).get("versions") or [] if v.get("storage")]
    return {"status": {**status, "storedVersions": stored[:1]}} if stored and not status.get("storedVersions") else None


def one_unavailable(strategy: Object) -> Object | None:
    """A StatefulSet that rolls does without one Pod at a time."""
    rolling = strategy.get("rollingUpdate")
    if strategy.get("type") != "RollingUpdate" or rolling is None or rolling.get("maxUnavailable") is not None:
        return None
    return {"rollingUpdate": {**rolling, "maxUnavailable": 1}}


RULES: Final[dict[str, tuple[Rule, ...]]] = {
    CORE + "Pod": (pods.link_environment, pods.host_ports, pods.requests),
    CORE + "PodSpec": (pods.service_account,),
    CORE + "Container": (pods.pull_policy,),
    CORE + "EphemeralContainer": (pods.pull_policy,),
    CORE + "Volume": (pods.empty_dir,),
    CORE + "ImageVolumeSource": (pods.reference_policy,),
    CORE + "ReplicationController": (controller_labels,),
    CORE + "Namespace": (namespace_label,),
    CORE + "NodeStatus": (allocatable,),
    CORE + "NodeSpec": (pod_cidrs,),
    CORE + "LimitRangeItem": (limit_range_item,),
    CORE + "Secret": (secret_data,),
    CORE + "ServicePort": (service_port,),
    CORE + "ServiceSpec": (service_spec,),
    "io.k8s.api.apps.v1.DeploymentStrategy": (
        _when("type", "RollingUpdate", "rollingUpdate", {"maxUnavailable": "25%", "maxSurge": "25%"}),
    ),
    "io.k8s.api.apps.v1.DaemonSetUpdateStrategy": (
        _when("type", "RollingUpdate", "rollingUpdate", {"maxUnavailable": 1, "maxSurge": 0}),
    ),
    "io.k8s.api.apps.v1.StatefulSetUpdateStrategy": (
        _when("type", "RollingUpdate", "rollingUpdate", {"partition": 0, "maxUnavailable": 1}),
        one_unavailable,
    ),
    "io.k8s.api.apps.v1.StatefulSetSpec": (claim_templates,),
    "io.k8s.api.batch.v1.Job": (job,),
    "io.k8s.api.networking.v1.NetworkPolicySpec": (policy_types,),
    "io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerSpec": (scaling.metrics, scaling.behavior),
    "io.k8s.api.rbac.v1.RoleRef": (role_ref,),
    "io.k8s.api.rbac.v1.Subject": (subject,),
    "io.k8s.api.resource.v1.ExactDeviceRequest": (_when("allocationMode", "ExactCount", "count", 1),),
    "io.k8s.api.resource.v1.DeviceSubRequest": (_when("allocationMode", "ExactCount", "count", 1),),
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionSpec": (crd_spec,),
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition": (crd_status,),
}
