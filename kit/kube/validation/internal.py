"""Objects as the API server's internal Go types print them: in field errors, and in the diffs of refused updates.

Internal types have no JSON tags: names are Go's, empty fields are written. Models pkg/apis/*/types.go and
k8s.io/apimachinery/pkg/util/diff.
"""

from __future__ import annotations

import difflib
import json
from functools import cache
from typing import Any, Final, NamedTuple

from kit.kube.data import load

CORE: Final = "io.k8s.api.core.v1."
META: Final = "io.k8s.apimachinery.pkg.apis.meta.v1."
_OBJECT_META: Final = META + "ObjectMeta"

# Go names that are not the JSON name with a capital letter.
NAMES: Final = {
    "apiGroup": "APIGroup", "apiVersion": "APIVersion", "awsElasticBlockStore": "AWSElasticBlockStore", "cephfs": "CephFS",
    "csi": "CSI", "dnsConfig": "DNSConfig", "dnsPolicy": "DNSPolicy", "fc": "FC", "fsGroup": "FSGroup",
    "fsGroupChangePolicy": "FSGroupChangePolicy", "fsType": "FSType", "gcePersistentDisk": "GCEPersistentDisk",
    "gmsaCredentialSpec": "GMSACredentialSpec", "gmsaCredentialSpecName": "GMSACredentialSpecName", "grpc": "GRPC",
    "httpGet": "HTTPGet", "httpHeaders": "HTTPHeaders", "ip": "IP", "iqn": "IQN", "iscsi": "ISCSI", "nfs": "NFS", "os": "OS",
    "pdID": "PDName", "rbd": "RBD", "seLinuxChangePolicy": "SELinuxChangePolicy", "seLinuxOptions": "SELinuxOptions",
    "storageos": "StorageOS", "tcpSocket": "TCPSocket", "tty": "TTY", "uid": "UID", "wwids": "WWIDs",
}  # fmt: skip

# Types whose internal fields are in another order than the wire's numbers, or of another name (`=`: JSON name of it).
ORDERS: Final[dict[str, str]] = {
    "Container": "name image command args workingDir ports envFrom env resources resizePolicy restartPolicy restartPolicyRules "
    "volumeMounts volumeDevices livenessProbe readinessProbe startupProbe lifecycle terminationMessagePath "
    "terminationMessagePolicy imagePullPolicy securityContext stdin stdinOnce tty",
    "PodSpec": "volumes initContainers containers ephemeralContainers restartPolicy terminationGracePeriodSeconds "
    "activeDeadlineSeconds dnsPolicy nodeSelector serviceAccountName DeprecatedServiceAccount=serviceAccount "
    "automountServiceAccountToken nodeName hostNetwork hostPID hostIPC shareProcessNamespace securityContext "
    "imagePullSecrets hostname subdomain affinity schedulerName tolerations hostAliases priorityClassName priority dnsConfig "
    "readinessGates runtimeClassName enableServiceLinks preemptionPolicy overhead topologySpreadConstraints "
    "setHostnameAsFQDN os hostUsers schedulingGates resourceClaims resources hostnameOverride schedulingGroup "
    "evictionResponders",
    "PodSecurityContext": "seLinuxOptions windowsOptions runAsUser runAsGroup runAsNonRoot supplementalGroups "
    "supplementalGroupsPolicy fsGroup sysctls fsGroupChangePolicy seccompProfile appArmorProfile seLinuxChangePolicy",
    "SecurityContext": "capabilities privileged seLinuxOptions windowsOptions runAsUser runAsGroup runAsNonRoot "
    "readOnlyRootFilesystem allowPrivilegeEscalation procMount seccompProfile appArmorProfile",
    "VolumeSource": "hostPath emptyDir gcePersistentDisk awsElasticBlockStore gitRepo secret nfs iscsi glusterfs "
    "persistentVolumeClaim rbd flexVolume cinder cephfs flocker downwardAPI fc azureFile configMap vsphereVolume quobyte "
    "azureDisk photonPersistentDisk projected portworxVolume scaleIO storageos csi ephemeral image",
    "PersistentVolumeSource": "gcePersistentDisk awsElasticBlockStore hostPath glusterfs nfs rbd iscsi cinder cephfs fc flocker "
    "flexVolume azureFile vsphereVolume quobyte azureDisk photonPersistentDisk portworxVolume scaleIO local storageos csi",
    "PersistentVolumeClaimSpec": "accessModes selector resources volumeName storageClassName volumeMode dataSource "
    "dataSourceRef volumeAttributesClassName",
    "ServicePort": "name protocol appProtocol port targetPort nodePort",
}  # fmt: skip


class Field(NamedTuple):
    """One field of an internal type."""

    name: str
    json: str
    kind: str
    flags: str


def internal(value: Any, kind: str) -> Any:
    """Return a value of a definition as its internal Go type prints it; types of meta/v1 keep their JSON form."""
    if kind in _ZEROS or kind.startswith(META) or kind not in load("protobuf")["messages"]:
        return value
    return _struct(value or {}, kind)


def internal_list(values: Any, kind: str) -> Any:
    """Return a list of such values."""
    return [internal(value, kind) for value in values] if values else None


def _struct(value: dict[str, Any], kind: str) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for field in fields_of(kind):
        if field.kind == _OBJECT_META:
            out.update(value.get("metadata") or {})
        else:
            out[field.name] = _value(value.get(field.json), field)
    return out


def _value(value: Any, field: Field) -> Any:
    flags, kind = field.flags, field.kind
    if "m" in flags:
        return {key: internal(one, kind) for key, one in sorted(value.items())} if value else None
    if "r" in flags:
        return internal_list(value, kind)
    if value is None and ("p" in flags or kind == "bytes"):
        return None
    if kind in _ZEROS:
        return _ZEROS[kind] if value is None else value
    return internal(value, kind)


_ZEROS: Final[dict[str, Any]] = {
    "string": "", "bool": False, "int32": 0, "int64": 0, "double": 0,
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": 0,
    "io.k8s.apimachinery.pkg.api.resource.Quantity": "0",
}  # fmt: skip


@cache
def fields_of(kind: str) -> tuple[Field, ...]:
    """Return the fields of an internal type in its own order."""
    known = {field.json: field for field in _wire_fields(kind)}
    order = ORDERS.get(kind.removeprefix(CORE)) if kind.startswith(CORE) else None
    if order is None:
        return tuple(known.values())
    out = []
    for word in order.split():
        alias, _, name = word.rpartition("=")
        if name in known:
            out.append(known[name]._replace(name=alias or known[name].name))
    return tuple(out)


def _wire_fields(kind: str) -> list[Field]:
    out: list[Field] = []
    for _, name, of, flags, *_ in load("protobuf")["messages"][kind][1]:
        if "i" in flags and not name:
            out += fields_of(of)
        else:
            out.append(Field(NAMES.get(name) or name[:1].upper() + name[1:], name, of, flags))
    return out


def difference(old: Any, new: Any) -> str:
    """Return how two values differ, as unified diff of their JSON. Models pkg/util/diff (Diff)."""
    before, after = (json.dumps(one, indent=1, ensure_ascii=False).splitlines(keepends=True) for one in (old, new))
    lines = list(difflib.unified_diff([*before[:-1], before[-1] + "\n"], [*after[:-1], after[-1] + "\n"]))
    return "".join(lines[2:])
