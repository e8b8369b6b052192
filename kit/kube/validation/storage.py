"""Validation of volumes, claims, classes and attachments.

Models pkg/apis/core/validation/validation.go and pkg/apis/storage/validation/validation.go.
"""

from __future__ import annotations

from typing import Any, Final

from kit.kube import names, status
from kit.kube.quantities import Quantity
from kit.kube.validation import checks
from kit.kube.validation.checks import Causes, Obj, rows
from kit.kube.validation.claims import ACCESS_MODES, VOLUME_MODES, claim_spec, positive
from kit.kube.validation.internal import CORE, difference, fields_of, internal
from kit.kube.validation.pod_mounts import no_backsteps
from kit.kube.validation.pod_scheduling import node_selector
from kit.kube.validation.pod_volumes import host_path

CLAIM_SPEC: Final = CORE + "PersistentVolumeClaimSpec"
VOLUME_SOURCE: Final = CORE + "PersistentVolumeSource"
CLAIM_FIXED: Final = (
    "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"
)
VOLUME_FIXED: Final = "spec.persistentvolumesource is immutable after creation"
SHRUNK: Final = "field can not be less than status.capacity"
AFFINITY_FIXED: Final = "field is immutable, except for updating from beta label to GA"


def claim(obj: Obj, out: Causes) -> None:
    """Check a PersistentVolumeClaim."""
    claim_spec(obj.get("spec") or {}, "spec", out)


def keep_claim(new: Obj, old: Obj, out: Causes) -> None:
    """Check what changes in a claim: it is bound, it grows, nothing else."""
    wanted, before = dict(new["spec"]), old["spec"]
    bound = (old.get("status") or {}).get("phase") == "Bound"
    if not before.get("volumeName") and wanted.get("volumeName") and not bound:
        _take(wanted, before, "volumeName")
    if bound and before.get("volumeName"):
        _take(wanted, before, "volumeAttributesClassName")
        if _storage(wanted) is not None:
            wanted["resources"] = _with_storage(wanted.get("resources") or {}, _storage(before))
    if wanted != before:
        changed = difference(internal(before, CLAIM_SPEC), internal(wanted, CLAIM_SPEC))
        out.append(status.forbidden_value("spec", f"{CLAIM_FIXED}\n{changed}"))
    _shrunk(new, old, out)
    if new["spec"].get("volumeMode") != before.get("volumeMode"):
        out.append(status.immutable("volumeMode", new["spec"].get("volumeMode")))


def _take(spec: Obj, old: Obj, key: str) -> None:
    spec.pop(key, None)
    if key in old:
        spec[key] = old[key]


def _storage(spec: Obj) -> Any:
    return ((spec.get("resources") or {}).get("requests") or {}).get("storage")


def _with_storage(resources: Obj, amount: Any) -> Obj:
    return {**resources, "requests": {**(resources.get("requests") or {}), "storage": amount}}


def _shrunk(new: Obj, old: Obj, out: Causes) -> None:
    wanted, before = _storage(new["spec"]), _storage(old["spec"])
    have = ((old.get("status") or {}).get("capacity") or {}).get("storage")
    if wanted is None or before is None or have is None:
        return
    if Quantity.parse(wanted) < Quantity.parse(before) and Quantity.parse(wanted) < Quantity.parse(have):
        out.append(status.forbidden_value("spec.resources.requests.storage", SHRUNK))


def volume(obj: Obj, out: Causes) -> None:
    """Check a PersistentVolume."""
    spec = obj.get("spec") or {}
    if not spec.get("accessModes"):
        out.append(status.required("spec.accessModes"))
    _VOLUME(spec, "spec", out)
    capacity = spec.get("capacity") or {}
    if not capacity:
        out.append(status.required("spec.capacity"))
    if list(capacity) != ["storage"]:
        shown = dict(sorted(capacity.items())) if spec.get("capacity") is not None else None
        out.append(status.not_supported("spec.capacity", shown, ("storage",)))
    for name, amount in capacity.items():
        if Quantity.parse(amount).nano < 0:
            whole = -(-Quantity.parse(amount).nano // 10**9)
            out.append(status.invalid_value(f"spec.capacity[{name}]", whole, "must be a valid resource quantity"))
        positive(amount, f"spec.capacity[{name}]", out)
    _source(spec, out)
    _RECLAIM(spec, "spec", out)
    affinity = (spec.get("nodeAffinity") or {}).get("required")
    if spec.get("nodeAffinity") is not None and affinity is None:
        out.append(status.required("spec.nodeAffinity.required", "must specify required node constraints"))
    elif affinity is not None:
        node_selector(affinity, "spec.nodeAffinity.required", out)


_VOLUME: Final = rows(
    ("accessModes[]", lambda value, at, out: _mode(value, out)),
)
_RECLAIM: Final = rows(
    ("persistentVolumeReclaimPolicy", checks.one_of("Delete", "Recycle", "Retain")),
    ("storageClassName", checks.subdomain),
    ("volumeMode", checks.one_of(*VOLUME_MODES)),
)


def _mode(value: Any, out: Causes) -> None:
    checks.one_of(*ACCESS_MODES)(value, "spec.accessModes", out)


def _source(spec: Obj, out: Causes) -> None:
    given = [field.json for field in fields_of(VOLUME_SOURCE) if spec.get(field.json) is not None]
    if not given:
        out.append(status.required("spec", "must specify a volume type"))
    for key in given[1:]:
        out.append(status.forbidden_value(f"spec.{key}", "may not specify more than 1 volume type"))
    if "hostPath" in given:
        host_path(spec["hostPath"], "spec.hostPath", out)
        if spec["hostPath"].get("path") == "/" and spec.get("persistentVolumeReclaimPolicy") == "Recycle":
            why = "may not be 'recycle' for a hostPath mount of '/'"
            out.append(status.forbidden_value("spec.persistentVolumeReclaimPolicy", why))
    if "local" in given:
        path = spec["local"].get("path")
        if not path:
            out.append(status.required("spec.local.path"))
        else:
            no_backsteps(path, "spec.local.path", out)
        if spec.get("nodeAffinity") is None:
            out.append(status.required("spec.nodeAffinity", "Local volume requires node affinity"))


def keep_volume(new: Obj, old: Obj, out: Causes) -> None:
    """Want a volume that stays where it is."""
    wanted, before = new["spec"], old["spec"]
    keys = [field.json for field in fields_of(VOLUME_SOURCE)]
    if any(wanted.get(key) != before.get(key) for key in keys):
        changed = difference(internal(before, VOLUME_SOURCE), internal(wanted, VOLUME_SOURCE))
        out.append(status.forbidden_value("spec.persistentvolumesource", f"{VOLUME_FIXED}\n{changed}"))
    if wanted.get("volumeMode") != before.get("volumeMode"):
        out.append(status.immutable("volumeMode", wanted.get("volumeMode")))
    affinity = before.get("nodeAffinity")
    if affinity is not None and wanted.get("nodeAffinity") != affinity:
        shown = internal(wanted.get("nodeAffinity"), CORE + "VolumeNodeAffinity")
        out.append(status.invalid_value("nodeAffinity", shown, AFFINITY_FIXED))


def storage_class(obj: Obj, out: Causes) -> None:
    """Check a StorageClass."""
    _CLASS(obj, "", out)


_CLASS: Final = rows(
    (
        "provisioner",
        lambda value, at, out: (
            checks.name(names.qualified, value.lower(), at, out) if value else checks.required(value, at, out)
        ),
    ),
    ("reclaimPolicy", checks.one_of("Delete", "Retain")),
    ("volumeBindingMode", checks.one_of("Immediate", "WaitForFirstConsumer")),
)


def attachment(obj: Obj, out: Causes) -> None:
    """Check a VolumeAttachment."""
    spec = obj.get("spec") or {}
    _ATTACHMENT(spec, "spec", out)
    source = spec.get("source") or {}
    given = [key for key in ("inlineVolumeSpec", "persistentVolumeName") if source.get(key) is not None]
    if len(given) != 1:
        why = "must specify exactly one of inlineVolumeSpec and persistentVolumeName"
        if given:
            out.append(status.forbidden_value("spec.source", why))
        else:
            out.append(status.required("spec.source", why))


_ATTACHMENT: Final = rows(("attacher", checks.required), ("nodeName", checks.required))
