"""Validation of HorizontalPodAutoscalers.

Models pkg/apis/autoscaling/validation/validation.go; what is declared rather than written there (maxReplicas) is said last.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from kit.kube import names, status
from kit.kube.quantities import Quantity
from kit.kube.validation import checks
from kit.kube.validation.checks import Causes, Obj

WINDOW_MAX: Final = 3600
PERIOD_MAX: Final = 1800
TARGETS: Final = ("Utilization", "Value", "AverageValue")
_RAW: Final = "must set either a target raw value or a target utilization"


def autoscaler(obj: Obj, out: Causes) -> None:
    """Check a HorizontalPodAutoscaler."""
    spec = obj.get("spec") or {}
    least, most = spec.get("minReplicas"), spec.get("maxReplicas") or 0
    if least is not None and least < 0:
        out.append(status.invalid_value("spec.minReplicas", least, "must be greater than or equal to 0"))
    if least is not None and most < least:
        out.append(status.invalid_value("spec.maxReplicas", most, "must be greater than or equal to `minReplicas`"))
    _target_of(spec.get("scaleTargetRef") or {}, "spec.scaleTargetRef", out, grouped=True)
    metrics = spec.get("metrics") or ()
    for index, metric in enumerate(metrics):
        _metric(metric, f"spec.metrics[{index}]", out)
    if least == 0 and not any(metric.get("type") in {"Object", "External"} for metric in metrics):
        why = "must specify at least one Object or External metric to support scaling to zero replicas"
        out.append(status.forbidden_value("spec.metrics", why))
    behavior = spec.get("behavior") or {}
    for direction in ("scaleUp", "scaleDown"):
        if behavior.get(direction):
            _behavior(behavior[direction], f"spec.behavior.{direction}", out)
    if most == 0:
        out.append(status.required("spec.maxReplicas"))
    elif most < 0:
        out.append(status.invalid_value("spec.maxReplicas", most, "must be greater than or equal to 1"))


def _target_of(reference: Obj, at: str, out: Causes, *, grouped: bool) -> None:
    """Check a reference to an object; `grouped`: its version must name a group."""
    for part in ("kind", "name"):
        checks.needed(names.path_segment)(reference.get(part), f"{at}.{part}", out)
    version = reference.get("apiVersion") or ""
    if version.count("/") > 1:
        out.append(status.invalid_value(f"{at}.apiVersion", version, f"unexpected GroupVersion string: {version}"))
    elif grouped and not version.rpartition("/")[0]:
        out.append(status.invalid_value(f"{at}.apiVersion", version, "apiVersion must specify API group"))


def _metric(metric: Obj, at: str, out: Causes) -> None:
    kind = metric.get("type") or ""
    if not kind:
        out.append(status.required(f"{at}.type", "must specify a metric source type"))
    if kind not in SOURCES:
        out.append(status.not_supported(f"{at}.type", kind, sorted(SOURCES)))
        return
    key, check = SOURCES[kind]
    source = metric.get(key)
    if source is None:
        out.append(status.required(f"{at}.{key}", "must populate information for the given metric source"))
        return
    for other, _ in SOURCES.values():
        if other != key and metric.get(other) is not None:
            out.append(status.forbidden_value(f"{at}.{other}", "must populate the given metric source only"))
    check(source, f"{at}.{key}", out)


def _resource(source: Obj, at: str, out: Causes) -> None:
    if not source.get("name"):
        out.append(status.required(f"{at}.name", "must specify a resource name"))
    _usage(source.get("target") or {}, f"{at}.target", out)


def _container(source: Obj, at: str, out: Causes) -> None:
    if not source.get("name"):
        out.append(status.required(f"{at}.name", "must specify a resource name"))
    if not source.get("container"):
        out.append(status.required(f"{at}.container", "must specify a container"))
    else:
        checks.name(names.label, source["container"], f"{at}.container", out)
    _usage(source.get("target") or {}, f"{at}.target", out)


def _usage(target: Obj, at: str, out: Causes) -> None:
    """Check how much of a resource is wanted: in percent or as an amount."""
    _target(target, at, out)
    share, amount = target.get("averageUtilization"), target.get("averageValue")
    if share is None and amount is None:
        out.append(status.required(f"{at}.averageUtilization", _RAW))
    if share is not None and amount is not None:
        why = "may not set both a target raw value and a target utilization"
        out.append(status.forbidden_value(f"{at}.averageValue", why))


def _pods(source: Obj, at: str, out: Causes) -> None:
    _named(source.get("metric") or {}, f"{at}.metric", out)
    target = source.get("target") or {}
    _target(target, f"{at}.target", out)
    if target.get("averageValue") is None:
        why = "must specify a positive target averageValue"
        out.append(status.required(f"{at}.target.averageValue", why))


def _object(source: Obj, at: str, out: Causes) -> None:
    _target_of(source.get("describedObject") or {}, f"{at}.describedObject", out, grouped=False)
    _named(source.get("metric") or {}, f"{at}.metric", out)
    target = source.get("target") or {}
    _target(target, f"{at}.target", out)
    if target.get("value") is None and target.get("averageValue") is None:
        out.append(status.required(f"{at}.target.averageValue", "must set either a target value or averageValue"))


def _external(source: Obj, at: str, out: Causes) -> None:
    _named(source.get("metric") or {}, f"{at}.metric", out)
    target = source.get("target") or {}
    _target(target, f"{at}.target", out)
    whole, each = target.get("value"), target.get("averageValue")
    if whole is None and each is None:
        why = "must set either a target value for metric or a per-pod target"
        out.append(status.required(f"{at}.target.averageValue", why))
    if whole is not None and each is not None:
        why = "may not set both a target value for metric and a per-pod target"
        out.append(status.forbidden_value(f"{at}.target.value", why))


def _named(metric: Obj, at: str, out: Causes) -> None:
    if not metric.get("name"):
        out.append(status.required(f"{at}.name", "must specify a metric name"))
    else:
        checks.name(names.path_segment, metric["name"], f"{at}.name", out)


def _target(target: Obj, at: str, out: Causes) -> None:
    """Check what every target may be."""
    kind = target.get("type") or ""
    if not kind:
        out.append(status.required(f"{at}.type", "must specify a metric target type"))
    if kind not in TARGETS:
        out.append(status.invalid_value(f"{at}.type", kind, "must be either Utilization, Value, or AverageValue"))
    for part in ("value", "averageValue"):
        if target.get(part) is not None and Quantity.parse(target[part]) <= Quantity():
            out.append(status.invalid_value(f"{at}.{part}", target[part], "must be positive"))
    share = target.get("averageUtilization")
    if share is not None and share < 1:
        out.append(status.invalid_value(f"{at}.averageUtilization", share, "must be greater than 0"))


def _behavior(rules: Obj, at: str, out: Causes) -> None:
    window = rules.get("stabilizationWindowSeconds")
    if window is not None:
        where = f"{at}.stabilizationWindowSeconds"
        if window < 0:
            out.append(status.invalid_value(where, window, "must be greater than or equal to zero"))
        if window > WINDOW_MAX:
            out.append(status.invalid_value(where, window, f"must be less than or equal to {WINDOW_MAX}"))
    checks.one_of("Disabled", "Max", "Min")(rules.get("selectPolicy"), f"{at}.selectPolicy", out)
    if not rules.get("policies"):
        out.append(status.required(f"{at}.policies", "must specify at least one Policy"))
    for index, policy in enumerate(rules.get("policies") or ()):
        _policy(policy, f"{at}.policies[{index}]", out)
    tolerance = rules.get("tolerance")
    if tolerance is not None and Quantity.parse(tolerance) < Quantity():
        out.append(status.invalid_value(f"{at}.tolerance", tolerance, "must be greater than or equal to 0"))


def _policy(policy: Obj, at: str, out: Causes) -> None:
    checks.always_one_of("Percent", "Pods")(policy.get("type"), f"{at}.type", out)
    for key in ("value", "periodSeconds"):
        if (policy.get(key) or 0) <= 0:
            out.append(status.invalid_value(f"{at}.{key}", policy.get(key) or 0, "must be greater than zero"))
    if (policy.get("periodSeconds") or 0) > PERIOD_MAX:
        why = f"must be less than or equal to {PERIOD_MAX}"
        out.append(status.invalid_value(f"{at}.periodSeconds", policy["periodSeconds"], why))


# Type of a metric -> where its source is, and how that is checked.
SOURCES: Final[dict[str, tuple[str, Callable[[Any, str, Causes], None]]]] = {
    "ContainerResource": ("containerResource", _container),
    "External": ("external", _external),
    "Object": ("object", _object),
    "Pods": ("pods", _pods),
    "Resource": ("resource", _resource),
}
