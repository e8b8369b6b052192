"""Which checks each kind must pass: the table of validation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from kit.kube import names
from kit.kube.status import immutable
from kit.kube.validation import (
    addresses,
    apps,
    autoscaling,
    batch,
    bundles,
    core_data,
    core_service,
    csi,
    definitions,
    flowcontrol,
    job_status,
    networking,
    nodes,
    pod,
    policies,
    quotas,
    rbac,
    registration,
    scaling,
    statuses,
    storage,
)
from kit.kube.validation.checks import Causes, Obj

Whole = Callable[[Obj, Causes], None]
Change = Callable[[Obj, Obj, Causes], None]


def _metadata(obj: Obj) -> Obj:
    meta: Obj = obj["metadata"]
    return meta


@dataclass(frozen=True, slots=True)
class Rules:
    """The checks of one kind: its names, a new object, a changed one (`again`, then `update`), its status, its parts.

    `meta` says what of its metadata is checked, `core` whether its types are Kubernetes' own (see `metadata`).
    """

    name: Callable[[str], list[str]] = names.subdomain
    create: Whole | None = None
    again: Whole | None = None
    update: Change | None = None
    status: Change | None = None
    parts: Mapping[str, Change] = field(default_factory=dict)
    meta: Callable[[Obj], Obj] = _metadata
    core: bool = True


OTHERS: Final = Rules()


def _same(check: Whole, *, update: Change | None = None, status: Change | None = None, **more: Any) -> Rules:
    """Return the rules of a kind whose changed objects must pass what new ones must."""
    return Rules(create=check, again=check, update=update, status=status, **more)


def _fixed(*paths: str) -> Change:
    """Return a check that wants these fields to stay."""

    def run(new: Obj, old: Obj, out: Causes) -> None:
        for path in paths:
            wanted, before = _at(new, path), _at(old, path)
            if wanted != before:
                out.append(immutable(path, wanted))

    return run


def _at(obj: Obj, path: str) -> Any:
    value: Any = obj
    for part in path.split("."):
        value = (value or {}).get(part)
    return value


def _fixed_hidden(path: str) -> Change:
    """Return a check that wants a field to stay and does not say what it was changed to, as declared rules do."""

    def run(new: Obj, old: Obj, out: Causes) -> None:
        if _at(new, path) != _at(old, path):
            out.append(immutable(path, None))

    return run


_RBAC: Final = "rbac.authorization.k8s.io"
_ADMISSION: Final = "admissionregistration.k8s.io"
RULES: Final[dict[str, Rules]] = {
    "Pod": Rules(
        create=pod.create,
        update=pod.update,
        status=pod.update_status,
        parts={"ephemeralcontainers": pod.ephemeral, "resize": pod.resize},
    ),
    "Namespace": Rules(names.label),
    "Service": Rules(names.label, core_service.service, None, core_service.update),
    "Endpoints": _same(networking.endpoints),
    "ConfigMap": Rules(create=core_data.config_map, update=core_data.keep_config_map),
    "Secret": Rules(create=core_data.secret, update=core_data.keep_secret),
    "PersistentVolumeClaim": _same(storage.claim, update=storage.keep_claim),
    "PersistentVolume": _same(storage.volume, update=storage.keep_volume),
    "Node": _same(nodes.node, update=nodes.keep_node),
    "Event": _same(nodes.event, name=names.path_segment),
    "Event.events.k8s.io": Rules(names.path_segment, nodes.recent_event, None, nodes.keep_event),
    "LimitRange": _same(quotas.limit_range),
    "ResourceQuota": _same(quotas.resource_quota, update=quotas.keep_scopes),
    "ReplicationController": _same(apps.replication_controller, status=statuses.REPLICA_SET),
    "Deployment.apps": _same(apps.deployment, update=apps.keep_selector, status=statuses.DEPLOYMENT),
    "ReplicaSet.apps": _same(apps.replica_set, update=apps.keep_selector, status=statuses.REPLICA_SET),
    "DaemonSet.apps": _same(apps.daemon_set, update=apps.keep_selector, status=statuses.DAEMON_SET),
    "StatefulSet.apps": Rules(
        names.label, apps.stateful_set, apps.stateful_set_spec, apps.keep_identity, statuses.STATEFUL_SET
    ),
    "ControllerRevision.apps": Rules(create=apps.controller_revision, again=apps.numbered, update=_fixed("data")),
    "Job.batch": _same(batch.job, update=batch.keep_job, status=job_status.update, meta=batch.own_metadata),
    "CronJob.batch": Rules(create=batch.new_cron_job, again=batch.cron_job),
    "HorizontalPodAutoscaler.autoscaling": _same(autoscaling.autoscaler, status=statuses.AUTOSCALER),
    "PodDisruptionBudget.policy": _same(scaling.budget, status=statuses.budget, name=names.path_segment),
    "PriorityClass.scheduling.k8s.io": Rules(create=scaling.priority_class, update=scaling.keep_priority),
    "Ingress.networking.k8s.io": _same(networking.ingress),
    "IngressClass.networking.k8s.io": _same(addresses.ingress_class, update=networking.keep_controller),
    "NetworkPolicy.networking.k8s.io": _same(networking.network_policy),
    "ServiceCIDR.networking.k8s.io": Rules(create=addresses.service_cidr, update=networking.keep_cidrs),
    "IPAddress.networking.k8s.io": Rules(addresses.name, addresses.ip, update=_fixed("spec.parentRef")),
    "FlowSchema.flowcontrol.apiserver.k8s.io": _same(flowcontrol.flow_schema),
    "PriorityLevelConfiguration.flowcontrol.apiserver.k8s.io": _same(flowcontrol.priority_level),
    "CSIDriver.storage.k8s.io": _same(csi.driver, update=csi.keep_driver),
    "CSINode.storage.k8s.io": _same(csi.node, update=csi.keep_node),
    "CSIStorageCapacity.storage.k8s.io": Rules(create=csi.capacity, update=csi.keep_capacity),
    "VolumeAttributesClass.storage.k8s.io": _same(csi.attributes_class, update=csi.keep_attributes),
    "PodTemplate": _same(apps.pod_template),
    "EndpointSlice.discovery.k8s.io": Rules(create=networking.endpoint_slice, update=networking.keep_address_type),
    "StorageClass.storage.k8s.io": _same(storage.storage_class, update=_fixed_hidden("provisioner")),
    "VolumeAttachment.storage.k8s.io": _same(storage.attachment, update=_fixed_hidden("spec")),
    f"Role.{_RBAC}": _same(rbac.role, name=names.path_segment),
    f"ClusterRole.{_RBAC}": _same(rbac.cluster_role, name=names.path_segment),
    f"RoleBinding.{_RBAC}": _same(rbac.role_binding, update=rbac.keep_role, name=names.path_segment),
    f"ClusterRoleBinding.{_RBAC}": _same(rbac.cluster_role_binding, update=rbac.keep_role, name=names.path_segment),
    "RuntimeClass.node.k8s.io": _same(nodes.runtime_class, update=nodes.keep_handler),
    "Lease.coordination.k8s.io": _same(nodes.lease),
    f"ValidatingWebhookConfiguration.{_ADMISSION}": _same(registration.webhooks),
    f"MutatingWebhookConfiguration.{_ADMISSION}": _same(registration.webhooks),
    f"ValidatingAdmissionPolicy.{_ADMISSION}": _same(policies.policy),
    f"ValidatingAdmissionPolicyBinding.{_ADMISSION}": _same(policies.policy_binding),
    f"MutatingAdmissionPolicy.{_ADMISSION}": _same(policies.mutating_policy),
    f"MutatingAdmissionPolicyBinding.{_ADMISSION}": _same(policies.mutating_binding),
    "CertificateSigningRequest.certificates.k8s.io": Rules(bundles.any_name, registration.signing_request),
    "ClusterTrustBundle.certificates.k8s.io": _same(bundles.bundle, update=bundles.keep_signer, name=bundles.any_name),
    "CustomResourceDefinition.apiextensions.k8s.io": Rules(
        create=definitions.created,
        again=definitions.changed,
        update=definitions.kept,
        status=definitions.status_changed,
        core=False,
    ),
    "APIService.apiregistration.k8s.io": _same(registration.api_service, name=names.path_segment),
}
