"""Validation of PodDisruptionBudgets and PriorityClasses.

Models pkg/apis/{policy,scheduling}/validation/validation.go.
"""

from __future__ import annotations

from typing import Any, Final

from kit.kube import status
from kit.kube.validation import checks
from kit.kube.validation.checks import Causes, Obj
from kit.kube.validation.internal import internal

HIGHEST: Final = 1_000_000_000
SYSTEM: Final = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}
BUDGET: Final = "io.k8s.api.policy.v1.PodDisruptionBudgetSpec"


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
