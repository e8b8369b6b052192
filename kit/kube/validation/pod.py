"""Validation of Pods: new ones, changed ones, their status and their ephemeral containers.

Models pkg/apis/core/validation/validation.go (ValidatePodCreate, ValidatePodUpdate, ValidatePodStatusUpdate).
"""

from __future__ import annotations

from typing import Any, Final

from kit.kube import status
from kit.kube.qos import qos_class
from kit.kube.validation import checks, pod_spec
from kit.kube.validation.checks import INT32, Causes, Obj
from kit.kube.validation.internal import CORE, difference, internal

POD_SPEC: Final = CORE + "PodSpec"
CHANGEABLE: Final = (
    "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,"
    "`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)
NO_OTHERS: Final = "pod updates may not add or remove containers"
MIRROR: Final = "kubernetes.io/config.mirror"
REQUIRED: Final = "requiredDuringSchedulingIgnoredDuringExecution"
_LOOSE: Final = ("activeDeadlineSeconds", "schedulingGates")


def create(pod: Obj, out: Causes) -> None:
    """Check a new Pod but for its metadata."""
    spec = pod["spec"]
    pod_spec.validate(spec, "spec", out)
    if spec.get("ephemeralContainers"):
        out.append(status.forbidden_value("spec.ephemeralContainers", "cannot be set on create"))
    if spec.get("schedulingGates") and spec.get("nodeName"):
        why = "cannot be set until all schedulingGates have been cleared"
        out.append(status.forbidden_value("spec.nodeName", why))


def update(new: Obj, old: Obj, out: Causes) -> None:
    """Check what changes in a Pod: images, deadlines, tolerations and gates, nothing else."""
    wanted, before = new["spec"], old["spec"]
    if wanted is before or wanted == before:
        return
    pod_spec.validate(wanted, "spec", out)
    for key in ("containers", "initContainers"):
        if len(wanted.get(key) or ()) != len(before.get(key) or ()):
            out.append(status.forbidden_value(f"spec.{key}", NO_OTHERS))
            return
    if not _deadline(wanted, before, out):
        return
    _gates(wanted, before, out)
    tolerations = _tolerations(wanted, before, out)
    masked = _masked(wanted, before, tolerations)
    if masked != _without_empty(before):
        changed = difference(internal(before, POD_SPEC), internal(masked, POD_SPEC))
        out.append(
            status.forbidden_value("spec", f"pod updates may not change fields other than {CHANGEABLE}\n{changed}")
        )


def _without_empty(spec: Obj) -> Obj:
    return {key: value for key, value in spec.items() if value not in (None, [], {}) or key == "securityContext"}


def _deadline(new: Obj, old: Obj, out: Causes) -> bool:
    value, before, at = new.get("activeDeadlineSeconds"), old.get("activeDeadlineSeconds"), "spec.activeDeadlineSeconds"
    if value is not None and not 0 <= value <= INT32:
        out.append(status.invalid_value(at, value, f"must be between 0 and {INT32}, inclusive"))
        return False
    if value is not None and before is not None and before < value:
        out.append(status.invalid_value(at, value, "must be less than or equal to previous value"))
        return False
    if value is None and before is not None:
        out.append(status.invalid_value(at, value, "must not update from a positive integer to nil value"))
    return True


def _gates(new: Obj, old: Obj, out: Causes) -> None:
    before = {gate["name"] for gate in old.get("schedulingGates") or ()}
    for index, gate in enumerate(new.get("schedulingGates") or ()):
        if gate["name"] not in before:
            why = f"only deletion is allowed, but found new scheduling gate '{gate['name']}'"
            out.append(status.forbidden_value(f"spec.schedulingGates[{index}].name", why))


def _tolerations(new: Obj, old: Obj, out: Causes) -> bool:
    """Return whether what was tolerated still is; more may be. Models validateOnlyAddedTolerations."""
    wanted = [_timeless(one) for one in new.get("tolerations") or ()]
    kept = all(_timeless(one) in wanted for one in old.get("tolerations") or ())
    if not kept:
        why = "existing toleration can not be modified except its tolerationSeconds"
        out.append(status.forbidden_value("spec.tolerations", why))
    return kept


def _timeless(toleration: Obj) -> Obj:
    return {key: value for key, value in toleration.items() if key != "tolerationSeconds"}


def _masked(new: Obj, old: Obj, tolerations: bool) -> Obj:
    """Return the wanted spec with everything that may change as it was."""
    out = dict(new)
    for key in _LOOSE + (("tolerations",) if tolerations else ()):
        _take(out, old, key)
    for key in ("containers", "initContainers"):
        if out.get(key):
            pairs = zip(out[key], old[key], strict=True)
            out[key] = [{**one, "image": was.get("image", "")} for one, was in pairs]
    if (old.get("terminationGracePeriodSeconds") or 0) < 0 and new.get("terminationGracePeriodSeconds") == 1:
        _take(out, old, "terminationGracePeriodSeconds")
    if old.get("schedulingGates"):
        _gated(out, old)
    return _without_empty(out)


def _take(spec: Obj, old: Obj, key: str) -> None:
    if key in old:
        spec[key] = old[key]
    else:
        spec.pop(key, None)


def _gated(spec: Obj, old: Obj) -> None:
    """Allow a Pod that is held back to be bound to fewer nodes."""
    wanted, before = spec.get("nodeSelector") or {}, old.get("nodeSelector") or {}
    if before.items() <= wanted.items():
        _take(spec, old, "nodeSelector")
    if _narrower(_terms(spec), _terms(old)):
        _take(spec, old, "affinity")


def _terms(spec: Obj) -> list[Obj] | None:
    node = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    terms: list[Obj] | None = (node.get(REQUIRED) or {}).get("nodeSelectorTerms")
    return terms


def _narrower(new: list[Obj] | None, old: list[Obj] | None) -> bool:
    """Return whether terms only got more conditions."""
    if old is None:
        return True
    if new is None or len(new) != len(old):
        return False
    keys: tuple[str, ...] = ("matchExpressions", "matchFields")
    return all(
        (one.get(key) or [])[: len(was.get(key) or [])] == (was.get(key) or [])
        for one, was in zip(new, old, strict=True)
        for key in keys
    )


def ephemeral(new: Obj, old: Obj, out: Causes) -> None:
    """Check ephemeral containers, of which more may come and none may go."""
    spec, at = new["spec"], "spec.ephemeralContainers"
    pod_spec.validate(spec, "spec", out)
    wanted = {one.get("name"): one for one in spec.get("ephemeralContainers") or ()}
    for was in old["spec"].get("ephemeralContainers") or ():
        one = wanted.get(was["name"])
        if one is None:
            out.append(
                status.forbidden_value(at, f'existing ephemeral containers "{was["name"]}" may not be removed\n')
            )
        elif one != was:
            kind = CORE + "EphemeralContainer"
            changed = difference(internal(one, kind), internal(was, kind))
            why = f'existing ephemeral containers "{was["name"]}" may not be changed\n{changed}'
            out.append(status.forbidden_value(at, why))


def resize(new: Obj, old: Obj, out: Causes) -> None:
    """Check the resources that a running Pod is to have. Models ValidatePodResize; containers are the same and in their order."""
    pod_spec.validate(new["spec"], "spec", out)
    if MIRROR in (old["metadata"].get("annotations") or {}):
        out[:] = [status.forbidden_value("", "static pods cannot be resized")]
        return
    said = (old.get("status") or {}).get("qosClass") or qos_class(old)
    if qos_class(new) != said:
        out.append(status.invalid_value("spec", said, "Pod QOS Class may not change as a result of resizing"))
    changed = False
    for part in ("initContainers", "containers"):
        pairs = zip(old["spec"].get(part) or (), new["spec"].get(part) or (), strict=False)
        for index, (was, now) in enumerate(pairs):
            for kind in ("requests", "limits"):
                before, after = ((one.get("resources") or {}).get(kind) or {} for one in (was, now))
                if not before.keys() <= after.keys():
                    at = f"spec.{part}[{index}].resources.{kind}"
                    out.append(status.forbidden_value(at, f"resource {kind} cannot be removed"))
                changed |= _others(before) != _others(after)
    if changed:
        out.append(status.forbidden_value("spec", "only cpu and memory resources are mutable"))


def _others(amounts: Obj) -> Obj:
    return {name: amount for name, amount in amounts.items() if name not in {"cpu", "memory"}}


def update_status(new: Obj, old: Obj, out: Causes) -> None:
    """Check the status of a Pod: its addresses and its class."""
    now, was = new.get("status") or {}, old.get("status") or {}
    for index, one in enumerate(now.get("podIPs") or ()):
        _address(one.get("ip"), f"status.podIPs[{index}]", out)
    for index, one in enumerate(now.get("hostIPs") or ()):
        _address(one.get("ip"), f"status.hostIPs[{index}]", out)
    if was.get("qosClass") and now.get("qosClass") != was["qosClass"]:
        out.append(status.immutable("status.qosClass", now.get("qosClass") or ""))


def _address(value: Any, at: str, out: Causes) -> None:
    if not checks.is_ip(value or ""):
        checks.address(value or "", at, out)
