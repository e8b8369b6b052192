"""Validation of HorizontalPodAutoscalers, PodDisruptionBudgets and PriorityClasses.

Models pkg/apis/{autoscaling,policy,scheduling}/validation/validation.go.
"""

from __future__ import annotations

from typing import Any, Final

from kit.kube import names, status
from kit.kube.validation import checks
from kit.kube.validation.checks import Causes, Obj, rows
from kit.kube.validation.internal import internal

SOURCES: Final[dict[str, str]] = {
    "ContainerResource": "containerResource",
    "External": "external",
    "Object": "object",
    "Pods": "pods",
    "Resource": "resource",
}
WINDOW_MAX: Final = 3600
PERIOD_MAX: Final = 1800
HIGHEST: Final = 1_000_000_000
SYSTEM: Final = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}
BUDGET: Final = "io.k8s.api.policy.v1.PodDisruptionBudgetSpec"


def autoscaler(obj: Obj, out: Causes) -> None:
    """Check a HorizontalPodAutoscaler."""
    spec = obj.get("spec") or {}
    least, most = spec.get("minReplicas"), spec.get("maxReplicas") or 0
    if least is not None and least < 1:
        out.append(status.invalid_value("spec.minReplicas", least, "must be greater than or equal to 1"))
    if least is not None and most < least:
        out.append(status.invalid_value("spec.maxReplicas", most, "must be greater than or equal to `minReplicas`"))
    if most < 1:
        if most == 0:
            out.append(status.required("spec.maxReplicas"))
        else:
            out.append(status.invalid_value("spec.maxReplicas", most, "must be greater than 0"))
    _TARGET(spec, "spec", out)
    for index, metric in enumerate(spec.get("metrics") or ()):
        _metric(metric, f"spec.metrics[{index}]", out)
    behavior = spec.get("behavior") or {}
    for direction in ("scaleUp", "scaleDown"):
        if behavior.get(direction):
            _behavior(behavior[direction], f"spec.behavior.{direction}", out)


_TARGET: Final = rows(
    ("scaleTargetRef.kind", checks.needed(names.path_segment)),
    ("scaleTargetRef.name", checks.needed(names.path_segment)),
)


def _metric(metric: Obj, at: str, out: Causes) -> None:
    kind = metric.get("type") or ""
    if not kind:
        out.append(status.required(f"{at}.type", "must specify a metric source type"))
        return
    if kind not in SOURCES:
        out.append(status.not_supported(f"{at}.type", kind, sorted(SOURCES)))
        return
    key = SOURCES[kind]
    source = metric.get(key)
    if source is None:
        out.append(status.required(f"{at}.{key}", "must populate information for the given metric source"))
        return
    for other in SOURCES.values():
        if other != key and metric.get(other) is not None:
            why = "must populate the given metric source only"
            out.append(status.forbidden_value(f"{at}.{other}", why))
    if key in {"resource", "containerResource"}:
        if not source.get("name"):
            out.append(status.required(f"{at}.{key}.name", "must specify a resource name"))
        _target(source.get("target") or {}, f"{at}.{key}.target", out)


def _target(target: Obj, at: str, out: Causes) -> None:
    if not target.get("type"):
        out.append(status.required(f"{at}.type", "must specify a metric target type"))
    else:
        checks.one_of("AverageValue", "Utilization", "Value")(target["type"], f"{at}.type", out)
    share, value = target.get("averageUtilization"), target.get("averageValue")
    if share is not None and share < 1:
        out.append(status.invalid_value(f"{at}.averageUtilization", share, "must be greater than 0"))
    if share is None and value is None:
        why = "must set either a target raw value or a target utilization"
        out.append(status.required(f"{at}.averageUtilization", why))
    if share is not None and value is not None:
        why = "may not set both a target raw value and a target utilization"
        out.append(status.forbidden_value(f"{at}.averageValue", why))


def _behavior(rules: Obj, at: str, out: Causes) -> None:
    window = rules.get("stabilizationWindowSeconds")
    if window is not None:
        checks.natural(window, f"{at}.stabilizationWindowSeconds", out)
        if window > WINDOW_MAX:
            why = f"must be less than or equal to {WINDOW_MAX}"
            out.append(status.invalid_value(f"{at}.stabilizationWindowSeconds", window, why))
    checks.one_of("Disabled", "Max", "Min")(rules.get("selectPolicy"), f"{at}.selectPolicy", out)
    if not rules.get("policies"):
        out.append(status.required(f"{at}.policies", "must specify at least one Policy"))
    for index, policy in enumerate(rules.get("policies") or ()):
        where = f"{at}.policies[{index}]"
        checks.always_one_of("Percent", "Pods")(policy.get("type"), f"{where}.type", out)
        for key in ("value", "periodSeconds"):
            if (policy.get(key) or 0) <= 0:
                out.append(status.invalid_value(f"{where}.{key}", policy.get(key) or 0, "must be greater than zero"))
        if (policy.get("periodSeconds") or 0) > PERIOD_MAX:
            why = f"must be less than or equal to {PERIOD_MAX}"
            out.append(status.invalid_value(f"{where}.periodSeconds", policy["periodSeconds"], why))


def budget(obj: Obj, out: Causes) -> None:
    """Check a PodDisruptionBudget."""
    spec = obj.get("spec") or {}
    if spec.get("minAvailable") is not None and spec.get("maxUnavailable") is not None:
        why = "minAvailable and maxUnavailable cannot be both set"
        out.append(status.invalid_value("spec", internal(spec, BUDGET), why))
    for key in ("minAvailable", "maxUnavailable"):
        if spec.get(key) is not None:
            _amount(spec[key], f"spec.{key}", out)
    checks.selector(spec.get("selector"), "spec.selector", out)
    policies = ("AlwaysAllow", "IfHealthyBudget")
    checks.one_of(*policies)(spec.get("unhealthyPodEvictionPolicy"), "spec.unhealthyPodEvictionPolicy", out)


def _amount(value: Any, at: str, out: Causes) -> None:
    checks.percentage(value, at, out)
    checks.at_most_whole(value, at, out)


def priority_class(obj: Obj, out: Causes) -> None:
    """Check a PriorityClass."""
    name, value = obj["metadata"].get("name") or "", obj.get("value") or 0
    if name.startswith("system-"):
        if name not in SYSTEM:
            why = (
                "priority class names with 'system-' prefix are reserved for system use only. "
                f"error: {name} is not a known system priority class"
            )
            out.append(status.forbidden_value("metadata.name", why))
    elif value > HIGHEST:
        why = f"maximum allowed value of a user defined priority is {HIGHEST}"
        out.append(status.forbidden_value("value", why))
    checks.one_of("Never", "PreemptLowerPriority")(obj.get("preemptionPolicy"), "preemptionPolicy", out)


def keep_priority(new: Obj, old: Obj, out: Causes) -> None:
    """Want a PriorityClass that stays what it is."""
    if (new.get("value") or 0) != (old.get("value") or 0):
        out.append(status.forbidden_value("value", "may not be changed in an update."))
    if new.get("preemptionPolicy") != old.get("preemptionPolicy"):
        out.append(status.immutable("preemptionPolicy", new.get("preemptionPolicy")))
