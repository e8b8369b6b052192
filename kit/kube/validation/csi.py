"""Validation of what CSI drivers tell and use: CSIDriver, CSINode, CSIStorageCapacity, VolumeAttributesClass.

Models pkg/apis/storage/validation/validation.go.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from kit.kube import names, status
from kit.kube.validation import checks, resource_names
from kit.kube.validation.checks import Causes, Obj

NODE_ID: Final = 256
SHORTEST_S, LONGEST_S = 600, 2**32
PARAMETERS, PARAMETERS_SIZE = 512, 256 * 1024


def driver(obj: Obj, out: Causes) -> None:
    """Check a CSIDriver."""
    spec = obj.get("spec") or {}
    policies = ("File", "None", "ReadWriteOnceWithFSType")
    checks.one_of(*policies)(spec.get("fsGroupPolicy"), "spec.fsGroupPolicy", out)
    _tokens(spec.get("tokenRequests") or (), "spec.tokenRequests", out)
    for mode in spec.get("volumeLifecycleModes") or ():
        checks.one_of("Persistent", "Ephemeral")(mode, "spec.volumeLifecycleModes", out)
    period = spec.get("nodeAllocatableUpdatePeriodSeconds")
    if period is not None and period < 10:
        why = "must be greater than or equal to 10 seconds"
        out.append(status.invalid_value("spec.nodeAllocatableUpdatePeriodSeconds", period, why))
    if spec.get("serviceAccountTokenInSecrets") is not None and not spec.get("tokenRequests"):
        why = "serviceAccountTokenInSecrets is set but no tokenRequests are specified"
        value = spec["serviceAccountTokenInSecrets"]
        out.append(status.invalid_value("spec.serviceAccountTokenInSecrets", value, why))


def _tokens(requests: Iterable[Obj], at: str, out: Causes) -> None:
    seen: set[str] = set()
    for index, one in enumerate(requests):
        audience, seconds = one.get("audience") or "", one.get("expirationSeconds")
        if audience in seen:
            out.append(status.duplicate(f"{at}[{index}].audience", audience))
            continue
        seen.add(audience)
        if seconds is not None and seconds < SHORTEST_S:
            why = "may not specify a duration less than 10 minutes"
            out.append(status.invalid_value(f"{at}[{index}].expirationSeconds", seconds, why))
        if seconds is not None and seconds > LONGEST_S:
            why = "may not specify a duration larger than 2^32 seconds"
            out.append(status.invalid_value(f"{at}[{index}].expirationSeconds", seconds, why))


def keep_driver(new: Obj, old: Obj, out: Causes) -> None:
    """Want a CSIDriver that attaches and lives as before."""
    wanted, before = new.get("spec") or {}, old.get("spec") or {}
    if wanted.get("attachRequired") != before.get("attachRequired"):
        out.append(status.immutable("spec.attachedRequired", wanted.get("attachRequired")))
    if wanted.get("volumeLifecycleModes") != before.get("volumeLifecycleModes"):
        out.append(status.immutable("spec.volumeLifecycleModes", wanted.get("volumeLifecycleModes")))


def node(obj: Obj, out: Causes) -> None:
    """Check a CSINode."""
    seen: set[str] = set()
    for index, one in enumerate((obj.get("spec") or {}).get("drivers") or ()):
        _node_driver(one, f"spec.drivers[{index}]", seen, out)


def _node_driver(one: Obj, at: str, seen: set[str], out: Causes) -> None:
    name, id = one.get("name") or "", one.get("nodeID") or ""
    driver_name(name, f"{at}.name", out)
    if not id:
        out.append(status.required(f"{at}.nodeID"))
    if len(id) > NODE_ID:
        out.append(status.invalid_value(f"{at}.nodeID", id, f"must be {NODE_ID} characters or less"))
    checks.natural((one.get("allocatable") or {}).get("count"), f"{at}.allocatable.count", out)
    if name in seen:
        out.append(status.duplicate(f"{at}.name", name))
    seen.add(name)
    keys: set[str] = set()
    for key in one.get("topologyKeys") or ():
        if not key:
            out.append(status.required(at))
        if key in keys:
            out.append(status.duplicate(at, key))
        keys.add(key)
        checks.name(names.qualified, key, at, out)


def driver_name(name: str, at: str, out: Causes) -> None:
    """Want the name of a driver. Models ValidateCSIDriverName."""
    if not name:
        out.append(status.required(at))
        return
    if len(name) > 63:
        out.append(status.too_long(at, 63))
    out.extend(status.invalid_value(at, name, text) for text in names.subdomain(name.lower()))


def keep_node(new: Obj, old: Obj, out: Causes) -> None:
    """Want drivers that stay as they registered, but for how much they can take."""
    before = {one["name"]: one for one in (old.get("spec") or {}).get("drivers") or ()}
    for one in (new.get("spec") or {}).get("drivers") or ():
        was = before.get(one["name"])
        if was is not None and {**one, "allocatable": None} != {**was, "allocatable": None}:
            out.append(status.immutable("spec.drivers", one))


def capacity(obj: Obj, out: Causes) -> None:
    """Check a CSIStorageCapacity."""
    checks.selector(obj.get("nodeTopology"), "nodeTopology", out)
    checks.name(names.subdomain, obj.get("storageClassName") or "", "storageClassName", out)
    if obj.get("capacity") is not None:
        resource_names.natural(obj["capacity"], "capacity", out)


def keep_capacity(new: Obj, old: Obj, out: Causes) -> None:
    """Want what a capacity is told of to stay."""
    for key in ("nodeTopology", "storageClassName"):
        if new.get(key) != old.get(key):
            out.append(status.invalid_value(key, new.get(key), "field is immutable"))


def attributes_class(obj: Obj, out: Causes) -> None:
    """Check a VolumeAttributesClass."""
    name = obj.get("driverName") or ""
    if not name:
        out.append(status.required("driverName"))
    else:
        checks.name(names.qualified, name.lower(), "driverName", out)
    _parameters(obj.get("parameters") or {}, "parameters", out)


def _parameters(given: dict[str, Any], at: str, out: Causes) -> None:
    if len(given) > PARAMETERS:
        out.append(status.too_long(at, PARAMETERS))
        return
    if "" in given:
        out.append(status.invalid_value(at, "", "field can not be empty."))
    if sum(len(key) + len(value) for key, value in given.items()) > PARAMETERS_SIZE:
        out.append(status.too_long(at, PARAMETERS_SIZE))
    if not given:
        out.append(status.required(at, "must contain at least one key/value pair"))


def keep_attributes(new: Obj, old: Obj, out: Causes) -> None:
    """Want a class that stays as it is."""
    for key in ("driverName", "parameters"):
        if new.get(key) != old.get(key):
            out.append(status.forbidden_value(key, f"updates to {key} are forbidden."))
