"""Validation of the spec of a PersistentVolumeClaim: a claim's own, or a template's.

Models pkg/apis/core/validation/validation.go (ValidatePersistentVolumeClaimSpec).
"""

from __future__ import annotations

from typing import Final

from kit.kube import status
from kit.kube.quantities import Quantity
from kit.kube.validation import checks
from kit.kube.validation.checks import Causes, Obj

ACCESS_MODES: Final = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
VOLUME_MODES: Final = ("Block", "Filesystem")


def claim_spec(spec: Obj, at: str, out: Causes) -> None:
    """Check what is claimed."""
    modes = spec.get("accessModes") or ()
    if not modes:
        out.append(status.required(f"{at}.accessModes", "at least 1 access mode is required"))
    checks.selector(spec.get("selector"), f"{at}.selector", out)
    for mode in modes:
        if mode not in ACCESS_MODES:
            out.append(status.not_supported(f"{at}.accessModes", mode, ACCESS_MODES))
    if "ReadWriteOncePod" in modes and len(modes) > 1:
        why = "may not use ReadWriteOncePod with other access modes"
        out.append(status.forbidden_value(f"{at}.accessModes", why))
    storage = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
    if storage is None:
        out.append(status.required(f"{at}.resources[storage]"))
    else:
        positive(storage, f"{at}.resources[storage]", out)
    if spec.get("storageClassName"):
        checks.subdomain(spec["storageClassName"], f"{at}.storageClassName", out)
    checks.one_of(*VOLUME_MODES)(spec.get("volumeMode"), f"{at}.volumeMode", out)
    for key in ("dataSource", "dataSourceRef"):
        if spec.get(key):
            _source(spec[key], f"{at}.{key}", out)


def positive(value: object, at: str, out: Causes) -> None:
    """Want a quantity greater than zero."""
    quantity = Quantity.parse(value)
    if quantity.nano <= 0:
        out.append(status.invalid_value(at, str(quantity), "must be greater than zero"))


def _source(source: Obj, at: str, out: Causes) -> None:
    for key in ("name", "kind"):
        if not source.get(key):
            out.append(status.required(f"{at}.{key}"))
    if not source.get("apiGroup") and source.get("kind") != "PersistentVolumeClaim":
        why = "must be 'PersistentVolumeClaim' when referencing the default apiGroup"
        out.append(status.invalid_value(f"{at}.kind", source.get("kind") or "", why))
