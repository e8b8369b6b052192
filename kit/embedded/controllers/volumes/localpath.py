"""Makes the volumes of the StorageClass `standard` on the node of the first Pod, as kind's rancher.io/local-path does.

Models local-path-provisioner 0.0.30 (provisioner.go) and sig-storage-lib-external-provisioner. Its helper Pods, which make and remove
the folder, are only waited for: the kubelet makes the folder when it mounts it.
"""

from __future__ import annotations

from collections.abc import Iterable

from kit.embedded.core.controller import Effects, Mapper, View, itself
from kit.embedded.core.effects import After, Create, Delete, Emit
from kit.embedded.core.store import Event, Key, Obj
from kit.errors import Status
from kit.kube import volumes

PROVISIONER = "rancher.io/local-path"
# Its events come from the Pod it runs in on a real cluster, and from one run of that: provisioner_Pod_uid.
IDENTITY = f"{PROVISIONER}_local-path-provisioner-75f7fc7dc5-6fk94_c6feb132-09ff-4e01-9ad8-40b0eec1077a"
FOLDER = "/var/local-path-provisioner"
HELPER_MS = 3000
MODES = {"ReadWriteOnce", "ReadWriteOncePod"}
CLAIMS, VOLUMES, CLASSES = "persistentvolumeclaims", "persistentvolumes", "storageclasses.storage.k8s.io"


class LocalPath:
    """The provisioner of local folders."""

    name = "local-path-provisioner"
    user = "system:serviceaccount:kube-system:persistent-volume-binder"
    manager = "local-path-provisioner"
    component = IDENTITY

    def __init__(self) -> None:
        self._due: dict[Key, int] = {}  # when the helper Pod has done its work
        self.watches: dict[str, Mapper] = {CLAIMS: _wanting, VOLUMES: itself}

    def reconcile(self, key: Key, view: View, now: int) -> Effects:
        """Make the volume of one claim, or remove one volume that nobody claims any more."""
        obj = view.at(key)
        wanted = obj is not None and (_is_released(obj) if key.resource == VOLUMES else _is_wanting(obj))
        if obj is None or not wanted:
            self._due.pop(key, None)
        elif key.resource == VOLUMES:
            yield from self._remove(key, now)
        else:
            yield from self._provision(key, obj, view, now)

    def _remove(self, key: Key, now: int) -> Effects:
        left = self._due.setdefault(key, now + HELPER_MS) - now
        if left > 0:
            yield After(left)
            return
        gone = yield Delete(key)
        if isinstance(gone, Status) and gone.reason != "NotFound":
            raise gone
        del self._due[key]

    def _provision(self, key: Key, claim: Obj, view: View, now: int) -> Effects:
        kind = view.get(CLASSES, "", volumes.class_of(claim))
        node = view.get("nodes", "", volumes.annotation(claim, volumes.SELECTED_NODE))
        if kind is None or node is None or view.get(VOLUMES, "", _name(claim)):
            return
        if key not in self._due:
            words = f'External provisioner is provisioning volume for claim "{key.namespace}/{key.name}"'
            yield Emit(claim, "Normal", "Provisioning", words)
            words = _refusal(claim)
            if words:
                failed = f'failed to provision volume with StorageClass "{kind["metadata"]["name"]}": {words}'
                yield Emit(claim, "Warning", "ProvisioningFailed", failed)
                return
            self._due[key] = now + HELPER_MS
        if self._due[key] > now:
            yield After(self._due[key] - now)
            return
        del self._due[key]
        made = yield Create(_volume(claim, kind, node))
        if isinstance(made, Status):
            raise made
        yield Emit(claim, "Normal", "ProvisioningSucceeded", f"Successfully provisioned volume {_name(claim)}")


def _refusal(claim: Obj) -> str:
    """Return why there can't be a volume for a claim, empty when there can."""
    if claim["spec"].get("selector"):
        return "claim.Spec.Selector is not supported"
    if not set(claim["spec"]["accessModes"]) <= MODES:
        return "NodePath only supports ReadWriteOnce and ReadWriteOncePod (1.22+) access modes"
    return ""


def _name(claim: Obj) -> str:
    return f"pvc-{claim['metadata']['uid']}"


def _wanting(event: Event, view: View) -> Iterable[Key]:
    """Map a claim to itself when what it wants has changed."""
    if event.old is None or _is_wanting(event.obj) != _is_wanting(event.old.obj):
        yield event.key


def _is_wanting(claim: Obj) -> bool:
    ours = volumes.annotation(claim, volumes.PROVISIONER) == PROVISIONER
    chosen = volumes.annotation(claim, volumes.SELECTED_NODE)
    return (
        bool(ours and chosen) and not claim["spec"].get("volumeName") and "deletionTimestamp" not in claim["metadata"]
    )


def _is_released(volume: Obj) -> bool:
    ours = volumes.annotation(volume, volumes.PROVISIONED_BY) == PROVISIONER
    deletes = volume["spec"].get("persistentVolumeReclaimPolicy") == "Delete"
    return ours and deletes and (volume.get("status") or {}).get("phase") == "Released"


def _volume(claim: Obj, kind: Obj, node: Obj) -> Obj:
    metadata, spec, host = claim["metadata"], claim["spec"], node["metadata"]["name"]
    here = (node["metadata"].get("labels") or {}).get("kubernetes.io/hostname", host)
    term = {"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": [here]}]}
    ref = {key: metadata[key] for key in ("namespace", "name", "uid", "resourceVersion")}
    path = f"{FOLDER}/{_name(claim)}_{metadata['namespace']}_{metadata['name']}"
    told = {"local.path.provisioner/selected-node": host, volumes.PROVISIONED_BY: PROVISIONER}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": _name(claim), "annotations": told},
        "spec": {
            "accessModes": spec["accessModes"],
            "capacity": {"storage": spec["resources"]["requests"]["storage"]},
            "claimRef": {"apiVersion": "v1", "kind": "PersistentVolumeClaim", **ref},
            "hostPath": {"path": path, "type": "DirectoryOrCreate"},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [term]}},
            "persistentVolumeReclaimPolicy": kind.get("reclaimPolicy") or "Delete",
            "storageClassName": kind["metadata"]["name"],
            "volumeMode": spec.get("volumeMode") or "Filesystem",
        },
    }
