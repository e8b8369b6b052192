"""Validation of volume mounts and block devices of a container.

Models pkg/apis/core/validation/validation.go (ValidateVolumeMounts, ValidateVolumeDevices).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from kit.kube import status
from kit.kube.validation import checks
from kit.kube.validation.checks import Causes, Obj

PROPAGATIONS: Final = ("Bidirectional", "HostToContainer", "None")
ONLY_PRIVILEGED: Final = "Bidirectional mount propagation is available only to privileged containers"


def mounts(container: Obj, at: str, out: Causes, *, volumes: Mapping[str, Obj]) -> None:
    """Check what a container mounts and which devices it has."""
    seen: set[str] = set()
    where = f"{at}.volumeMounts"
    for index, mount in enumerate(container.get("volumeMounts") or ()):
        name, path = mount.get("name") or "", mount.get("mountPath")
        if not name:
            out.append(status.required(f"{where}[{index}].name"))
        if name not in volumes:
            out.append(status.value_not_found(f"{where}[{index}].name", name))
        if not path:
            out.append(status.required(f"{where}[{index}].mountPath"))
        elif path in seen:
            out.append(status.invalid_value(f"{where}[{index}].mountPath", path, "must be unique"))
        seen.add(path or "")
        if len(mount) > 2:
            _rest(mount, container, where, index, out)
    if container.get("volumeDevices"):
        _devices(container, f"{at}.volumeDevices", volumes, out)


def _rest(mount: Obj, container: Obj, at: str, index: int, out: Causes) -> None:
    sub, expression = mount.get("subPath"), mount.get("subPathExpr")
    if sub:
        local_path(sub, f"{at}.subPath", out)
    if expression:
        if sub:
            why = "subPathExpr and subPath are mutually exclusive"
            out.append(status.invalid_value(f"{at}[{index}].subPathExpr", expression, why))
        local_path(expression, f"{at}.subPathExpr", out)
    propagation = mount.get("mountPropagation")
    if propagation is not None:
        checks.one_of(*PROPAGATIONS)(propagation, f"{at}.mountPropagation", out)
        privileged = (container.get("securityContext") or {}).get("privileged")
        if propagation == "Bidirectional" and not privileged:
            out.append(status.forbidden_value(f"{at}.mountPropagation", ONLY_PRIVILEGED))


def local_path(path: str, at: str, out: Causes) -> None:
    """Want a path inside a volume: relative, without `..`."""
    if path.startswith("/"):
        out.append(status.invalid_value(at, path, "must be a relative path"))
    no_backsteps(path, at, out)


def no_backsteps(path: str, at: str, out: Causes) -> None:
    """Want a path without `..`."""
    if ".." in path.split("/"):
        out.append(status.invalid_value(at, path, "must not contain '..'"))


def _devices(container: Obj, at: str, volumes: Mapping[str, Obj], out: Causes) -> None:
    mounted = {mount.get("name") for mount in container.get("volumeMounts") or ()}
    for index, device in enumerate(container["volumeDevices"]):
        where, name, path = f"{at}[{index}]", device.get("name") or "", device.get("devicePath")
        if not name:
            out.append(status.required(f"{where}.name"))
        if not path:
            out.append(status.required(f"{where}.devicePath"))
        else:
            no_backsteps(path, f"{where}.devicePath", out)
        if name not in volumes:
            out.append(status.value_not_found(f"{where}.name", name))
        elif "persistentVolumeClaim" not in volumes[name] and "ephemeral" not in volumes[name]:
            why = "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode"
            out.append(status.invalid_value(f"{where}.name", name, why))
        if name in mounted:
            out.append(status.invalid_value(f"{where}.name", name, "must not already exist in volumeMounts"))
