"""Validation of the controllers of long-running Pods.

Models pkg/apis/apps/validation/validation.go and, for ReplicationControllers, pkg/apis/core/validation/validation.go.
"""

from __future__ import annotations

from typing import Any, Final

from kit.kube import names, selectors, status
from kit.kube.validation import checks
from kit.kube.validation.checks import Causes, Obj, natural, rows, share
from kit.kube.validation.claims import claim_spec
from kit.kube.validation.internal import CORE, internal_list
from kit.kube.validation.templates import controlled, matching, readable, template

NUMBERS: Final = rows(
    ("spec.replicas", natural),
    ("spec.minReadySeconds", natural),
    ("spec.revisionHistoryLimit", natural),
)


def _spec(obj: Obj) -> Obj:
    return obj.get("spec") or {}


def _template(obj: Obj) -> Obj:
    return _spec(obj).get("template") or {}


def _selected(obj: Obj, of: str, out: Causes) -> None:
    """Check selector and template, as Deployments and ReplicaSets have them."""
    selector = _spec(obj).get("selector")
    if selector is None:
        out.append(status.required("spec.selector"))
    if not readable(selector, "empty selector is invalid for deployment", out):
        out.append(status.invalid_value("spec.selector", selector, "invalid label selector"))
        return
    matching(selectors.of_object(selector), _template(obj), out)
    controlled(_template(obj), of, "spec.template", out)


def deployment(obj: Obj, out: Causes) -> None:
    """Check a Deployment."""
    natural(_spec(obj).get("replicas"), "spec.replicas", out)
    _selected(obj, "ReplicaSet", out)
    _strategy(_spec(obj).get("strategy") or {}, "spec.strategy", out)
    _PACE(obj, "", out)
    deadline, ready = _spec(obj).get("progressDeadlineSeconds"), _spec(obj).get("minReadySeconds") or 0
    if deadline is not None and deadline <= ready:
        out.append(
            status.invalid_value("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds")
        )


_PACE: Final = rows(
    ("spec.minReadySeconds", natural),
    ("spec.revisionHistoryLimit", natural),
    ("spec.progressDeadlineSeconds", natural),
)


def _strategy(strategy: Obj, at: str, out: Causes) -> None:
    kind, rolling = strategy.get("type"), strategy.get("rollingUpdate")
    if kind == "Recreate":
        if rolling is not None:
            why = "may not be specified when strategy `type` is 'Recreate'"
            out.append(status.forbidden_value(f"{at}.rollingUpdate", why))
    elif kind == "RollingUpdate":
        if rolling is None:
            out.append(status.required(f"{at}.rollingUpdate", "this should be defaulted and never be nil"))
        else:
            _rolling(rolling, f"{at}.rollingUpdate", out)
    else:
        out.append(status.not_supported(f"{at}.type", kind or "", ("Recreate", "RollingUpdate")))


def _rolling(rolling: Obj, at: str, out: Causes) -> None:
    gone, more = rolling.get("maxUnavailable"), rolling.get("maxSurge")
    checks.percentage(gone, f"{at}.maxUnavailable", out)
    checks.percentage(more, f"{at}.maxSurge", out)
    if share(gone) == 0 and share(more) == 0:
        shown = 0 if isinstance(gone, str) else gone
        out.append(status.invalid_value(f"{at}.maxUnavailable", shown, "may not be 0 when `maxSurge` is 0"))
    checks.at_most_whole(gone, f"{at}.maxUnavailable", out)


def replica_set(obj: Obj, out: Causes) -> None:
    """Check a ReplicaSet."""
    natural(_spec(obj).get("replicas"), "spec.replicas", out)
    natural(_spec(obj).get("minReadySeconds"), "spec.minReadySeconds", out)
    _selected(obj, "ReplicaSet", out)


def replication_controller(obj: Obj, out: Causes) -> None:
    """Check a ReplicationController."""
    spec = _spec(obj)
    natural(spec.get("minReadySeconds"), "spec.minReadySeconds", out)
    selector = spec.get("selector") or {}
    if not selector:
        out.append(status.required("spec.selector"))
    natural(spec.get("replicas"), "spec.replicas", out)
    if spec.get("template") is None:
        out.append(status.required("spec.template"))
        return
    if selector:
        matching(selectors.of_labels(selector), _template(obj), out)
    controlled(_template(obj), "ReplicationController", "spec.template", out)


def daemon_set(obj: Obj, out: Causes) -> None:
    """Check a DaemonSet."""
    selector = _spec(obj).get("selector")
    found = selectors.complaints(selector or {}, "spec.selector")
    out.extend(found)
    if not found:
        matching(selectors.of_object(selector), _template(obj), out)
    if selector == {}:
        out.append(status.invalid_value("spec.selector", selector, "empty selector is invalid for daemonset"))
    controlled(_template(obj), "DaemonSet", "spec.template", out)
    natural(_spec(obj).get("minReadySeconds"), "spec.minReadySeconds", out)
    _daemon_strategy(_spec(obj).get("updateStrategy") or {}, "spec.updateStrategy", out)
    natural(_spec(obj).get("revisionHistoryLimit"), "spec.revisionHistoryLimit", out)


def _daemon_strategy(strategy: Obj, at: str, out: Causes) -> None:
    kind, rolling = strategy.get("type"), strategy.get("rollingUpdate")
    if kind == "OnDelete":
        return
    if kind != "RollingUpdate":
        shown = {"Type": kind or "", "RollingUpdate": rolling}
        out.append(status.not_supported(at, shown, ("RollingUpdate", "OnDelete")))
        return
    if rolling is None:
        out.append(status.required(f"{at}.rollingUpdate"))
        return
    at = f"{at}.rollingUpdate"
    gone, more = rolling.get("maxUnavailable"), rolling.get("maxSurge")
    for key, value in (("maxUnavailable", gone), ("maxSurge", more)):
        checks.percentage(value, f"{at}.{key}", out)
        checks.at_most_whole(value, f"{at}.{key}", out)
    if share(gone) and share(more):
        out.append(status.invalid_value(f"{at}.maxSurge", more, "may not be set when maxUnavailable is non-zero"))
    elif not share(gone) and not share(more):
        out.append(status.required(f"{at}.maxUnavailable", "cannot be 0 when maxSurge is 0"))


def stateful_set(obj: Obj, out: Causes) -> None:
    """Check a new StatefulSet."""
    stateful_set_spec(obj, out)
    for index, claim in enumerate(_spec(obj).get("volumeClaimTemplates") or ()):
        claim_spec(claim.get("spec") or {}, f"spec.volumeClaimTemplates[{index}].spec", out)


def stateful_set_spec(obj: Obj, out: Causes) -> None:
    """Check a StatefulSet, but for its claim templates."""
    spec = _spec(obj)
    policy = spec.get("podManagementPolicy")
    if not policy:
        out.append(status.required("spec.podManagementPolicy"))
    elif policy not in {"OrderedReady", "Parallel"}:
        why = "must be 'OrderedReady' or 'Parallel'"
        out.append(status.invalid_value("spec.podManagementPolicy", policy, why))
    _stateful_strategy(spec.get("updateStrategy") or {}, "spec.updateStrategy", out)
    NUMBERS(obj, "", out)
    _STATEFUL(obj, "", out)
    selector = spec.get("selector")
    if selector is None:
        out.append(status.required("spec.selector"))
    if not readable(selector, "empty selector is invalid for statefulset", out):
        out.append(status.invalid_value("spec.selector", selector))
    else:
        matching(selectors.of_object(selector), _template(obj), out)
        controlled(_with_claims(obj), "StatefulSet", "spec.template", out)


def _with_claims(obj: Obj) -> Obj:
    """Return the template with a volume for each claim that is made for its Pods."""
    value, claims = _template(obj), _spec(obj).get("volumeClaimTemplates") or ()
    spec = value.get("spec") or {}
    wanted = dict.fromkeys((claim.get("metadata") or {}).get("name") or "" for claim in claims)
    added = [{"name": name, "persistentVolumeClaim": {"claimName": name}} for name in wanted if name]
    kept = [volume for volume in spec.get("volumes") or () if volume.get("name") not in wanted]
    return {**value, "spec": {**spec, "volumes": [*kept, *added]}} if added else value


_STATEFUL: Final = rows(
    ("spec.ordinals.start", natural),
    ("spec.serviceName", checks.named(names.label)),
    ("spec.persistentVolumeClaimRetentionPolicy.whenDeleted", checks.one_of("Delete", "Retain")),
    ("spec.persistentVolumeClaimRetentionPolicy.whenScaled", checks.one_of("Delete", "Retain")),
)


def _stateful_strategy(strategy: Obj, at: str, out: Causes) -> None:
    kind, rolling = strategy.get("type"), strategy.get("rollingUpdate")
    shown = _shown_rolling(rolling)
    if not kind:
        out.append(status.required(at))
    elif kind == "OnDelete":
        if rolling is not None:
            why = "only allowed for updateStrategy 'RollingUpdate'"
            out.append(status.invalid_value(f"{at}.rollingUpdate", shown, why))
    elif kind != "RollingUpdate":
        why = "must be 'RollingUpdate' or 'OnDelete'"
        out.append(status.invalid_value(at, {"Type": kind, "RollingUpdate": shown}, why))
    elif rolling is not None:
        natural(rolling.get("partition"), f"{at}.rollingUpdate.partition", out)
        most = rolling.get("maxUnavailable")
        if most is not None:
            checks.percentage(most, f"{at}.rollingUpdate.maxUnavailable", out)
            if share(most) == 0:
                out.append(status.invalid_value(f"{at}.rollingUpdate.maxUnavailable", most, "cannot be 0"))
            checks.at_most_whole(most, f"{at}.rollingUpdate.maxUnavailable", out)


def _shown_rolling(rolling: Any) -> Any:
    if rolling is None:
        return None
    return {"Partition": rolling.get("partition") or 0, "MaxUnavailable": rolling.get("maxUnavailable")}


def keep_selector(new: Obj, old: Obj, out: Causes) -> None:
    """Want a selector that stays."""
    _keep(new, old, "selector", out)


def _keep(new: Obj, old: Obj, key: str, out: Causes) -> None:
    wanted, was = _spec(new).get(key), _spec(old).get(key)
    if wanted != was:
        out.append(status.immutable(f"spec.{key}", wanted))


def keep_identity(new: Obj, old: Obj, out: Causes) -> None:
    """Want a StatefulSet whose Pods keep their names and their storage."""
    for key in ("serviceName", "podManagementPolicy"):
        _keep(new, old, key, out)
    wanted, was = _spec(new).get("volumeClaimTemplates"), _spec(old).get("volumeClaimTemplates")
    if (wanted or None) != (was or None):
        shown = internal_list(wanted, CORE + "PersistentVolumeClaim")
        out.append(status.immutable("spec.volumeClaimTemplates", shown))
    keep_selector(new, old, out)


def pod_template(obj: Obj, out: Causes) -> None:
    """Check a PodTemplate."""
    template(obj.get("template") or {}, "template", out)


def controller_revision(obj: Obj, out: Causes) -> None:
    """Check a new ControllerRevision."""
    natural(obj.get("revision"), "revision", out)
    if obj.get("data") is None:
        out.append(status.required("data", "data is mandatory"))
    elif not isinstance(obj["data"], dict):
        out.append(status.required("data", "data must be a valid JSON object"))


def numbered(obj: Obj, out: Causes) -> None:
    """Check a ControllerRevision again."""
    natural(obj.get("revision"), "revision", out)
