"""Validation of Nodes, RuntimeClasses, Leases and Events.

Models pkg/apis/core/validation/{validation,events}.go, pkg/apis/node/validation and pkg/apis/coordination/validation.
"""

from __future__ import annotations

from typing import Any, Final

from kit.kube import names, status
from kit.kube.validation import checks, resource_names
from kit.kube.validation.checks import Causes, Obj, natural, rows
from kit.kube.validation.internal import CORE, internal
from kit.kube.validation.pod_scheduling import EFFECTS

POD_CIDR: Final = 'node updates may not change podCIDR except from "" to valid'


def node(obj: Obj, out: Causes) -> None:
    """Check a Node."""
    spec = obj.get("spec") or {}
    seen: set[tuple[Any, Any]] = set()
    for index, taint in enumerate(spec.get("taints") or ()):
        at, key, effect = f"metadata.taints[{index}]", taint.get("key") or "", taint.get("effect")
        checks.name(names.qualified, key, f"{at}.key", out)
        if taint.get("value"):
            checks.name(names.label_value, taint["value"], f"{at}.value", out)
        if not effect:
            out.append(status.required(f"{at}.effect"))
        else:
            checks.one_of(*EFFECTS)(effect, f"{at}.effect", out)
        if (key, effect) in seen:
            found = status.duplicate(at, internal(taint, CORE + "Taint"))
            why = f"{found.message}: taints must be unique by key and effect pair"
            out.append(status.Cause(found.reason, why, found.field))
        seen.add((key, effect))
    state = obj.get("status") or {}
    for key in ("capacity", "allocatable"):
        for name, amount in (state.get(key) or {}).items():
            resource_names.amount(name, amount, f"status.{key}.{name}", out)
    for index, cidr in enumerate(spec.get("podCIDRs") or ()):
        checks.cidr(cidr, f"spec.podCIDRs[{index}]", out)


def keep_node(new: Obj, old: Obj, out: Causes) -> None:
    """Want a Node that keeps its network and its machine."""
    wanted, before = new.get("spec") or {}, old.get("spec") or {}
    if (before.get("podCIDRs") and wanted.get("podCIDRs") != before["podCIDRs"]) or (
        before.get("podCIDR") and wanted.get("podCIDR") != before["podCIDR"]
    ):
        out.append(status.forbidden_value("spec.podCIDRs", POD_CIDR))
    if before.get("providerID") and wanted.get("providerID") != before["providerID"]:
        why = "field cannot be modified once set"
        out.append(status.invalid_value("spec.providerID", None, why))


def runtime_class(obj: Obj, out: Causes) -> None:
    """Check a RuntimeClass."""
    checks.needed(names.label)(obj.get("handler"), "handler", out)


def keep_handler(new: Obj, old: Obj, out: Causes) -> None:
    """Want a RuntimeClass that stays its handler's."""
    if new.get("handler") != old.get("handler"):
        out.append(status.immutable("handler", None))


def lease(obj: Obj, out: Causes) -> None:
    """Check a Lease."""
    spec = obj.get("spec") or {}
    seconds = spec.get("leaseDurationSeconds")
    if seconds is not None and seconds <= 0:
        out.append(status.invalid_value("spec.leaseDurationSeconds", seconds, "must be greater than 0"))
    _LEASE(spec, "spec", out)


_LEASE: Final = rows(("leaseTransitions", natural))


def event(obj: Obj, out: Causes) -> None:
    """Check an Event of v1."""
    about = obj.get("involvedObject") or {}
    space = obj["metadata"].get("namespace") or ""
    inside = about.get("namespace") or ""
    if (inside and inside != space) or (not inside and space not in {"", "default"}):
        out.append(status.invalid_value("involvedObject.namespace", inside, "does not match event.namespace"))


def recent_event(obj: Obj, out: Causes) -> None:
    """Check an Event of events.k8s.io, which is kept in the form of v1."""
    if obj.get("eventTime") is None:
        event(obj, out)
        _strict(obj, out)
        return
    space = obj["metadata"].get("namespace") or ""
    if not (obj.get("involvedObject") or {}).get("namespace") and space not in {"default", "kube-system"}:
        out.append(status.invalid_value("involvedObject.namespace", "", "does not match event.namespace"))
    controller = obj.get("reportingComponent") or ""
    if not controller:
        out.append(status.required("reportingController"))
    checks.name(names.qualified, controller, "reportingController", out)
    for key in ("reportingInstance", "action", "reason"):
        value = obj.get(key)
        if not value:
            out.append(status.required(key))
        elif len(value) > 128:
            out.append(status.invalid_value(key, "", "can have at most 128 characters"))
    if len(obj.get("message") or "") > 1024:
        out.append(status.invalid_value("message", "", "can have at most 1024 characters"))
    _strict(obj, out)


def _strict(obj: Obj, out: Causes) -> None:
    """Check what v1 does not ask for. Models the end of ValidateEventCreate."""
    series = obj.get("series")
    if series is not None:
        if (series.get("count") or 0) < 2:
            out.append(status.invalid_value("series.count", "", "should be at least 2"))
        if series.get("lastObservedTime") is None:
            out.append(status.required("series.lastObservedTime"))
    if obj.get("eventTime") is None:
        out.append(status.required("eventTime"))
    if obj.get("type") not in {"Normal", "Warning"}:
        out.append(status.invalid_value("type", "", f"has invalid value: {obj.get('type') or ''}"))
    for key in ("firstTimestamp", "lastTimestamp", "count"):
        if obj.get(key):
            out.append(status.invalid_value(key, "", "needs to be unset"))
    if any((obj.get("source") or {}).values()):
        out.append(status.invalid_value("source", "", "needs to be unset"))


# What of an Event stays, by its field in v1, under the name it is reported by.
_EVENT_FIELDS: Final = (
    ("involvedObject", "involvedObject"),
    ("reason", "reason"),
    ("message", "message"),
    ("type", "type"),
    ("eventTime", "eventTime"),
    ("action", "action"),
    ("related", "related"),
    ("reportingComponent", "reportingController"),
    ("reportingInstance", "reportingInstance"),
)


def keep_event(new: Obj, old: Obj, out: Causes) -> None:
    """Want an Event of events.k8s.io that says what it said; only its series goes on."""
    recent_event(new, out)
    for key, shown in _EVENT_FIELDS:
        wanted = new.get(key)
        if (wanted or None) != (old.get(key) or None):
            out.append(status.immutable(shown, wanted))
