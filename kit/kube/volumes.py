"""Which PersistentVolume suits a claim, and on which node it can be used.

Models component-helpers/storage/volume/pv_helpers.go and pkg/controller/volume/persistentvolume/pv_controller.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kit.kube import nodeaffinity, selectors
from kit.kube.quantities import Quantity

Obj = dict[str, Any]

BOUND_BY_CONTROLLER = "pv.kubernetes.io/bound-by-controller"
BIND_COMPLETED = "pv.kubernetes.io/bind-completed"
SELECTED_NODE = "volume.kubernetes.io/selected-node"
PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"
PROVISIONER = "volume.kubernetes.io/storage-provisioner"
BETA_PROVISIONER = "volume.beta.kubernetes.io/storage-provisioner"
BETA_CLASS = "volume.beta.kubernetes.io/storage-class"
NO_PROVISIONER = "kubernetes.io/no-provisioner"


def annotation(obj: Obj, name: str) -> str:
    """Return an annotation, empty when it is not there."""
    return str((obj["metadata"].get("annotations") or {}).get(name) or "")


def class_of(obj: Obj) -> str:
    """Return the name of the StorageClass of a claim or volume."""
    return annotation(obj, BETA_CLASS) or str(obj["spec"].get("storageClassName") or "")


def is_bound(claim: Obj) -> bool:
    """Say whether a claim has its volume for good."""
    return bool(claim["spec"].get("volumeName")) and bool(annotation(claim, BIND_COMPLETED))


def waits(kind: Obj | None) -> bool:
    """Say whether claims of a StorageClass are bound only when a Pod needs them."""
    return bool(kind) and (kind or {}).get("volumeBindingMode") == "WaitForFirstConsumer"


def refers_to(volume: Obj, claim: Obj) -> bool:
    """Say whether a volume is kept for this claim (IsVolumeBoundToClaim); a claimRef without uid is any claim of that name."""
    ref, metadata = volume["spec"].get("claimRef"), claim["metadata"]
    if not ref or (ref.get("namespace"), ref.get("name")) != (metadata["namespace"], metadata["name"]):
        return False
    return not ref.get("uid") or ref["uid"] == metadata["uid"]


def misfit(volume: Obj, claim: Obj) -> str:
    """Return why a claim can't have the volume it names (checkVolumeSatisfyClaim), empty when it can."""
    if "deletionTimestamp" in volume["metadata"]:
        return f'the volume is marked for deletion "{volume["metadata"]["name"]}"'
    if size(volume["spec"].get("capacity")) < size((claim["spec"].get("resources") or {}).get("requests")):
        return "requested PV is too small"
    if class_of(volume) != class_of(claim):
        return "storageClassName does not match"
    if _mode(volume) != _mode(claim):
        return "incompatible volumeMode"
    if not _modes(volume) >= _modes(claim):
        return "incompatible accessMode"
    return ""


def size(amounts: Mapping[str, str] | None) -> Quantity:
    """Return the storage among amounts."""
    return Quantity.parse((amounts or {}).get("storage") or "0")


def reachable(volume: Obj, node: Obj) -> bool:
    """Say whether a volume can be used on a node."""
    required = (volume["spec"].get("nodeAffinity") or {}).get("required")
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}
    return not required or nodeaffinity.matches({"affinity": affinity}, node)


def best(volumes: Iterable[Obj], claim: Obj, node: Obj | None = None, *, delayed: bool = False) -> Obj | None:
    """Return the volume kept for a claim, else the smallest that suits it (FindMatchingVolume).

    With `delayed` and no node, only a volume that is kept for the claim is taken: which other one depends on the node.
    """
    found: Sequence[Obj] = [volume for volume in volumes if not misfit(volume, claim) and _offers(volume, claim, node)]
    for volume in found:
        if volume["spec"].get("claimRef"):
            return volume
    if delayed and node is None:
        return None
    return min(
        found, key=lambda volume: (size(volume["spec"].get("capacity")), volume["metadata"]["name"]), default=None
    )


def _offers(volume: Obj, claim: Obj, node: Obj | None) -> bool:
    if node is not None and not reachable(volume, node):
        return False
    if volume["spec"].get("claimRef"):
        return refers_to(volume, claim)
    selector = claim["spec"].get("selector")
    if selector and not selectors.of_object(selector).matches(volume["metadata"].get("labels")):
        return False
    return (volume.get("status") or {}).get("phase") == "Available"


def _mode(obj: Obj) -> str:
    return str(obj["spec"].get("volumeMode") or "Filesystem")


def _modes(obj: Obj) -> set[str]:
    return set(obj["spec"].get("accessModes") or ())


def claims_of(pod: Obj) -> Sequence[str]:
    """Return the names of the claims a Pod uses; an ephemeral volume's is made of the names of both."""
    names = []
    for volume in pod["spec"].get("volumes") or ():
        if "ephemeral" in volume:
            names.append(f"{pod['metadata']['name']}-{volume['name']}")
        elif "persistentVolumeClaim" in volume:
            names.append(str(volume["persistentVolumeClaim"]["claimName"]))
    return names
