"""Validation of a Pod's volumes.

Models pkg/apis/core/validation/validation.go (ValidateVolumes, validateVolumeSource).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from kit.kube import names, status
from kit.kube.validation import checks, pod_env
from kit.kube.validation.checks import Causes, Check, Obj, known_good, rows
from kit.kube.validation.claims import claim_spec
from kit.kube.validation.pod_mounts import local_path, no_backsteps
from kit.kube.validation.resource_names import natural as natural_amount

MODE: Final = "must be a number between 0 and 0777 (octal), both inclusive"
DOWNWARD: Final = "one of fieldRef and resourceFieldRef is required"
HOST_TYPES: Final = (
    "",
    "BlockDevice",
    "CharDevice",
    "Directory",
    "DirectoryOrCreate",
    "File",
    "FileOrCreate",
    "Socket",
)


def volumes(values: Sequence[Obj], at: str, out: Causes) -> dict[str, Obj]:
    """Check volumes; return those that are fine, by name."""
    fine: dict[str, Obj] = {}
    seen: set[str] = set()
    for index, volume in enumerate(values):
        where, before = f"{at}[{index}]", len(out)
        _source(volume, where, out)
        name = volume.get("name") or ""
        if not name:
            out.append(status.required(f"{where}.name"))
        elif known_good(names.label, name):
            checks.name(names.label, name, f"{where}.name", out)
        elif name in seen:
            out.append(status.duplicate(f"{where}.name", name))
        seen.add(name)
        if len(out) == before:
            fine[name] = volume
    return fine


def _source(volume: Obj, at: str, out: Causes) -> None:
    given = [key for key in volume if key != "name" and volume[key] is not None]
    if not given:
        out.append(status.required(at, "must specify a volume type"))
        return
    if len(given) == 1:
        ordered = given
    else:
        ordered = [*(key for key in SOURCES if key in given), *(key for key in given if key not in SOURCES)]
    for number, key in enumerate(ordered):
        if number:
            out.append(status.forbidden_value(f"{at}.{key}", "may not specify more than 1 volume type"))
        elif key in SOURCES:
            SOURCES[key](volume[key], f"{at}.{key}", out)


def mode(value: Any, at: str, out: Causes) -> None:
    """Want the permissions of a file."""
    if value is not None and not 0 <= value <= 0o777:
        out.append(status.invalid_value(at, value, MODE))


def _items(items: Any, at: str, out: Causes) -> None:
    for index, item in enumerate(items or ()):
        where, path = f"{at}[{index}]", item.get("path")
        if not item.get("key"):
            out.append(status.required(f"{where}.key"))
        _item_path(path, f"{where}.path", out)
        mode(item.get("mode"), f"{where}.mode", out)


def _item_path(path: Any, at: str, out: Causes) -> None:
    if not path:
        out.append(status.required(at))
    else:
        local_path(path, at, out)
        if path.startswith("..") and not path.startswith("../"):
            out.append(status.invalid_value(at, path, "must not start with '..'"))


def _downward(items: Any, at: str, out: Causes) -> None:
    for item in items or ():
        path = item.get("path")
        if not path:
            out.append(status.required(f"{at}.path"))
        else:
            local_path(path, f"{at}.path", out)
        if item.get("fieldRef") is not None:
            pod_env.field(item["fieldRef"], f"{at}.fieldRef", pod_env.VOLUME_FIELDS, out)
            if item.get("resourceFieldRef") is not None:
                why = "fieldRef and resourceFieldRef can not be specified simultaneously"
                out.append(status.invalid_value(at, "resource", why))
        elif item.get("resourceFieldRef") is not None:
            pod_env.resource(item["resourceFieldRef"], f"{at}.resourceFieldRef", out, volume=True)
        else:
            out.append(status.required(at, DOWNWARD))
        mode(item.get("mode"), f"{at}.mode", out)


def _downward_source(source: Obj, at: str, out: Causes) -> None:
    mode(source.get("defaultMode"), f"{at}.defaultMode", out)
    _downward(source.get("items"), at, out)


def _projected(source: Obj, at: str, out: Causes) -> None:
    """Models validateProjectionSources."""
    mode(source.get("defaultMode"), f"{at}.defaultMode", out)
    paths: set[str] = set()
    for index, one in enumerate(source.get("sources") or ()):
        where = f"{at}.sources[{index}]"
        given = [key for key in one if one[key] is not None]
        for key in given[1:]:
            out.append(status.forbidden_value(f"{where}.{key}", "may not specify more than 1 volume type"))
        for key in given[:1]:
            _PROJECTIONS.get(key, _anything)(one[key], f"{where}.{key}", out)
            _conflicts(key, one[key], paths, at, out)


def _conflicts(kind: str, one: Obj, paths: set[str], at: str, out: Causes) -> None:
    if kind == "serviceAccountToken":
        if not one.get("path"):
            out.append(status.required(f"{at}.path"))
        found = [(one.get("path"), "")]
    else:
        found = [(item.get("path"), one.get("name") or "") for item in one.get("items") or ()]
    for path, name in found:
        if path and path in paths:
            if kind in {"secret", "configMap"}:
                out.append(status.invalid_value(at, name, "conflicting duplicate paths"))
            else:
                out.append(status.invalid_value(at, path, "conflicting duplicate paths"))
        paths.add(path or "")


def _token(source: Obj, at: str, out: Causes) -> None:
    seconds = source.get("expirationSeconds")
    if seconds is not None and seconds < 600:
        out.append(
            status.invalid_value(f"{at}.expirationSeconds", seconds, "may not specify a duration less than 10 minutes")
        )
    if seconds is not None and seconds > 1 << 32:
        out.append(
            status.invalid_value(
                f"{at}.expirationSeconds", seconds, "may not specify a duration larger than 2^32 seconds"
            )
        )


def _anything(value: Any, at: str, out: Causes) -> None:
    """Sources nobody checks further."""


def _ephemeral(source: Obj, at: str, out: Causes) -> None:
    template = source.get("volumeClaimTemplate")
    if template is None:
        out.append(status.required(f"{at}.volumeClaimTemplate"))
        return
    claim_spec(template.get("spec") or {}, f"{at}.volumeClaimTemplate.spec", out)


def _size(value: Any, at: str, out: Causes) -> None:
    if value is not None:
        natural_amount(value, at, out)


def host_path(value: Any, at: str, out: Causes) -> None:
    """Check a path of the node; where there is none, its type does not matter."""
    if not value.get("path"):
        out.append(status.required(f"{at}.path"))
        return
    no_backsteps(value["path"], f"{at}.path", out)
    checks.one_of(*HOST_TYPES)(value.get("type"), f"{at}.type", out)


_items_check: Final[Check] = _items
_PROJECTIONS: Final[dict[str, Check]] = {
    "secret": rows(("name", checks.required), ("items", _items_check)),
    "configMap": rows(("name", checks.required), ("items", _items_check)),
    "downwardAPI": lambda value, at, out: _downward(value.get("items"), at, out),
    "serviceAccountToken": _token,
}
# In the order in which the API server looks: the second one found is one too many.
SOURCES: Final[dict[str, Check]] = {
    "emptyDir": rows(("sizeLimit", _size)),
    "hostPath": host_path,
    "gitRepo": rows(("repository", checks.required)),
    "gcePersistentDisk": rows(("pdName", checks.required)),
    "awsElasticBlockStore": rows(("volumeID", checks.required)),
    "secret": rows(("secretName", checks.required), ("defaultMode", mode), ("items", _items_check)),
    "nfs": rows(("server", checks.required), ("path", checks.required)),
    "iscsi": rows(("targetPortal", checks.required), ("iqn", checks.required)),
    "glusterfs": rows(("endpoints", checks.required), ("path", checks.required)),
    "flocker": _anything,
    "persistentVolumeClaim": rows(("claimName", checks.required)),
    "rbd": rows(("monitors", checks.required), ("image", checks.required)),
    "cinder": rows(("volumeID", checks.required)),
    "cephfs": rows(("monitors", checks.required)),
    "downwardAPI": _downward_source,
    "configMap": rows(("name", checks.required), ("defaultMode", mode), ("items", _items_check)),
    "projected": _projected,
    "ephemeral": _ephemeral,
    "csi": rows(("driver", checks.needed(names.subdomain))),
    "image": rows(("reference", checks.required), ("pullPolicy", checks.one_of("Always", "IfNotPresent", "Never"))),
}
