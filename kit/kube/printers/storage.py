"""Storage: volumes, claims, classes, drivers, and what holds data: ConfigMaps and Secrets."""

from __future__ import annotations

from typing import Any, Final

from kit.kube.printers.cells import UNSET, Object, Row, age, name, spec, status

_MODES: Final = {
    "ReadWriteOnce": "RWO",
    "ReadOnlyMany": "ROX",
    "ReadWriteMany": "RWX",
    "ReadWriteOncePod": "RWOP",
}
_DEFAULT: Final = "storageclass.kubernetes.io/is-default-class"


def _modes(given: list[str] | None) -> str:
    return ",".join(short for long, short in _MODES.items() if long in (given or ()))


def _phase(obj: Object) -> str:
    return "Terminating" if obj["metadata"].get("deletionTimestamp") else str(status(obj).get("phase", ""))


def _class(obj: Object) -> str:
    annotations = obj["metadata"].get("annotations") or {}
    return str(annotations.get("volume.beta.kubernetes.io/storage-class") or spec(obj).get("storageClassName") or "")


def _volume(obj: Object, now: int) -> list[Any]:
    claim = spec(obj).get("claimRef")
    return [
        name(obj),
        (spec(obj).get("capacity") or {}).get("storage", "0"),
        _modes(spec(obj).get("accessModes")),
        spec(obj).get("persistentVolumeReclaimPolicy", ""),
        _phase(obj),
        f"{claim.get('namespace', '')}/{claim.get('name', '')}" if claim else "",
        _class(obj),
        spec(obj).get("volumeAttributesClassName") or UNSET,
        status(obj).get("reason", ""),
        age(obj, now),
        spec(obj).get("volumeMode") or UNSET,
    ]


def _claim(obj: Object, now: int) -> list[Any]:
    bound = spec(obj).get("volumeName", "")
    return [
        name(obj),
        _phase(obj),
        bound,
        (status(obj).get("capacity") or {}).get("storage", "0") if bound else "",
        _modes(status(obj).get("accessModes")) if bound else "",
        _class(obj),
        spec(obj).get("volumeAttributesClassName") or UNSET,
        age(obj, now),
        spec(obj).get("volumeMode") or UNSET,
    ]


def _storage_class(obj: Object, now: int) -> list[Any]:
    return [
        name(obj),
        obj.get("provisioner", ""),
        obj.get("reclaimPolicy") or "Delete",
        obj.get("volumeBindingMode") or UNSET,
        bool(obj.get("allowVolumeExpansion")),
        age(obj, now),
    ]


def _listed_storage_class(obj: Object, now: int) -> list[Any]:
    """Mark the default class: the API server does so in lists, not when asked for one class."""
    annotations = obj["metadata"].get("annotations") or {}
    default = annotations.get(_DEFAULT) == "true"
    cells = _storage_class(obj, now)
    return [f"{cells[0]} (default)", *cells[1:]] if default else cells


def _driver(obj: Object, now: int) -> list[Any]:
    tokens = [request["audience"] for request in spec(obj).get("tokenRequests") or ()]
    return [
        name(obj),
        spec(obj).get("attachRequired", True),
        spec(obj).get("podInfoOnMount", False),
        spec(obj).get("storageCapacity", False),
        ",".join(tokens) or UNSET,
        spec(obj).get("requiresRepublish", False),
        ",".join(spec(obj).get("volumeLifecycleModes") or ()) or "<none>",
        age(obj, now),
    ]


def _node_drivers(obj: Object, now: int) -> list[Any]:
    return [name(obj), len(spec(obj).get("drivers") or ()), age(obj, now)]


def _attachment(obj: Object, now: int) -> list[Any]:
    volume = (spec(obj).get("source") or {}).get("persistentVolumeName", "")
    where = [spec(obj).get("attacher", ""), volume, spec(obj).get("nodeName", "")]
    return [name(obj), *where, bool(status(obj).get("attached")), age(obj, now)]


def _attributes_class(obj: Object, now: int) -> list[Any]:
    return [name(obj), obj.get("driverName", ""), age(obj, now)]


def _config_map(obj: Object, now: int) -> list[Any]:
    return [name(obj), len(obj.get("data") or ()) + len(obj.get("binaryData") or ()), age(obj, now)]


def _secret(obj: Object, now: int) -> list[Any]:
    return [name(obj), obj.get("type", ""), len(obj.get("data") or ()), age(obj, now)]


ROWS: Final[dict[str, Row]] = {
    "persistentvolumes": _volume,
    "persistentvolumeclaims": _claim,
    "storageclasses.storage.k8s.io": _storage_class,
    "csidrivers.storage.k8s.io": _driver,
    "csinodes.storage.k8s.io": _node_drivers,
    "volumeattachments.storage.k8s.io": _attachment,
    "volumeattributesclasses.storage.k8s.io": _attributes_class,
    "configmaps": _config_map,
    "secrets": _secret,
}

LISTED: Final[dict[str, Row]] = {"storageclasses.storage.k8s.io": _listed_storage_class}
