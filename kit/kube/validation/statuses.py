"""Validation of statuses: what controllers, and people with `--subresource=status`, may write of workloads.

Models Validate*StatusUpdate of pkg/apis/{apps,autoscaling,core,policy}/validation/validation.go and, for conditions,
k8s.io/apimachinery/pkg/apis/meta/v1/validation. A row is a table: which counts may not be negative, and which may not
be greater than which.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from kit.kube import names, status
from kit.kube.validation import checks
from kit.kube.validation.checks import Causes, Obj, natural, rows

StatusChange = Callable[[Obj, Obj, Causes], None]

BEYOND_ALL: Final = "cannot be greater than status.replicas"
REASON_FORM: Final = "[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?"
REASON_TEXT: Final = (
    "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters "
    "or '_,:', and must end with an alphanumeric character or '_'"
)
REASON_EXAMPLES: Final = ("my_name", "MY_NAME", "MyName", "ReasonA,ReasonB", "ReasonA:ReasonB")
REASON_MAX: Final = 1024
MESSAGE_MAX: Final = 32 * 1024

Bound = tuple[str, str, str]


def _within(bounds: str, beyond_ready: str) -> tuple[Bound, ...]:
    """Return the bounds of workloads with replicas: none of these more than all, no more available than ready."""
    return (
        *((one, "replicas", BEYOND_ALL) for one in bounds.split()),
        ("availableReplicas", "readyReplicas", f"cannot be greater than {beyond_ready}"),
    )


def _counts(fields: str, bounds: tuple[Bound, ...] = (), *, collisions: bool = False) -> StatusChange:
    """Return the check of a status with these counts."""
    numbers = rows(*((f"status.{field}", natural) for field in fields.split()))

    def run(new: Obj, old: Obj, out: Causes) -> None:
        numbers(new, "", out)
        found = new.get("status") or {}
        for field, limit, why in bounds:
            if (found.get(field) or 0) > (found.get(limit) or 0):
                out.append(status.invalid_value(f"status.{field}", found[field], why))
        if collisions:
            _collisions(found.get("collisionCount"), (old.get("status") or {}).get("collisionCount"), out)

    return run


def _collisions(now: int | None, before: int | None, out: Causes) -> None:
    """Want a count that only grows, once there is one."""
    if before is not None and (now is None or now < before):
        out.append(status.invalid_value("status.collisionCount", now or 0, "cannot be decremented"))


DEPLOYMENT: Final = _counts(
    "observedGeneration replicas updatedReplicas readyReplicas availableReplicas unavailableReplicas terminatingReplicas "
    "collisionCount",
    _within("updatedReplicas readyReplicas availableReplicas", "readyReplicas"),
    collisions=True,
)
REPLICA_SET: Final = _counts(
    "replicas fullyLabeledReplicas readyReplicas availableReplicas observedGeneration terminatingReplicas",
    _within("fullyLabeledReplicas readyReplicas availableReplicas", "readyReplicas"),
)
STATEFUL_SET: Final = _counts(
    "replicas readyReplicas currentReplicas updatedReplicas availableReplicas observedGeneration collisionCount",
    _within("readyReplicas currentReplicas updatedReplicas availableReplicas", "status.readyReplicas"),
    collisions=True,
)
DAEMON_SET: Final = _counts(
    "currentNumberScheduled numberMisscheduled desiredNumberScheduled numberReady observedGeneration updatedNumberScheduled "
    "numberAvailable numberUnavailable collisionCount",
    collisions=True,
)
AUTOSCALER: Final = _counts("currentReplicas desiredReplicas")
_BUDGET: Final = _counts("disruptionsAllowed currentHealthy desiredHealthy expectedPods")


def budget(new: Obj, old: Obj, out: Causes) -> None:
    """Check the status of a PodDisruptionBudget."""
    seen: set[str] = set()
    for index, condition in enumerate((new.get("status") or {}).get("conditions") or ()):
        _condition(condition, f"status.conditions[{index}]", seen, out)
    _BUDGET(new, old, out)


def _condition(condition: Obj, at: str, seen: set[str], out: Causes) -> None:
    """Check one condition of the common kind (metav1.Condition)."""
    kind = condition.get("type") or ""
    if kind in seen:
        out.append(status.duplicate(at, kind))
    seen.add(kind)
    if kind:
        checks.named(names.qualified)(kind, f"{at}.type", out)
    else:
        out.append(status.required(f"{at}.type", "is required"))
    checks.always_one_of("False", "True", "Unknown")(condition.get("status") or "", f"{at}.status", out)
    if (condition.get("observedGeneration") or 0) < 0:
        why = "must be greater than or equal to zero"
        out.append(status.invalid_value(f"{at}.observedGeneration", condition["observedGeneration"], why))
    if not condition.get("lastTransitionTime"):
        out.append(status.required(f"{at}.lastTransitionTime"))
    _reason(condition.get("reason") or "", f"{at}.reason", out)
    if len((condition.get("message") or "").encode()) > MESSAGE_MAX:
        out.append(status.too_long(f"{at}.message", MESSAGE_MAX))


def _reason(reason: str, at: str, out: Causes) -> None:
    if not reason:
        out.append(status.required(at))
    elif len(reason.encode()) > REASON_MAX:
        out.append(status.too_long(at, REASON_MAX))
    elif not _fits(reason):
        out.append(status.invalid_value(at, reason, names.regex(REASON_TEXT, REASON_FORM, *REASON_EXAMPLES)))


def _fits(reason: str) -> bool:
    """Say whether a reason has REASON_FORM."""
    plain = reason.isascii() and reason[0].isalpha() and (reason[-1].isalnum() or reason[-1] == "_")
    return plain and all(one.isalnum() or one in "_,:" for one in reason)


def conditions_of(obj: Obj) -> dict[str, Any]:
    """Return which conditions a status has, and whether each is true; the first of a type counts."""
    found: dict[str, Any] = {}
    for one in (obj.get("status") or {}).get("conditions") or ():
        found.setdefault(one.get("type") or "", one.get("status") == "True")
    return found
