"""Validation of a Job's status. Models ValidateJobStatusUpdate of pkg/apis/batch/validation/validation.go.

Upstream each rule is asked only when what it is about has changed; here all are asked always, which comes to the same since no
status that breaks one is ever kept.
"""

from __future__ import annotations

from typing import Any, Final

from kit.kube import status, times
from kit.kube.status import Cause
from kit.kube.validation import indexes
from kit.kube.validation.checks import Causes, Obj, natural, rows
from kit.kube.validation.statuses import conditions_of

_NUMBERS: Final = rows(
    *((f"status.{field}", natural) for field in ("active", "succeeded", "failed", "ready", "terminating"))
)
CONDITIONS: Final = "status.conditions"
NEVER_DONE: Final = "cannot set completionTime when there is no Complete=True condition"
MOVED: Final = "field is immutable for unsuspended job once set"
DISABLED: Final = "cannot disable the terminal {}=True condition"

Conditions = dict[str, Any]


def update(new: Obj, old: Obj, out: Causes) -> None:
    """Check the changed status of a Job."""
    now, before = conditions_of(new), conditions_of(old)
    state, was = new.get("status") or {}, old.get("status") or {}
    _NUMBERS(new, "", out)
    _uncounted(state.get("uncountedTerminatedPods") or {}, out)
    _together(now, (("Complete", "Failed"), ("Complete", "FailureTarget")), out)
    _completion(state, now, out)
    _founded(now, (("Failed", "FailureTarget"), ("Complete", "SuccessCriteriaMet")), out)
    if now.get("Complete") or now.get("Failed"):
        _finished(state, out)
    if (state.get("ready") or 0) > (state.get("active") or 0):
        out.append(status.invalid_value("status.ready", state["ready"], "cannot set more ready pods than active"))
    _indexes(new.get("spec") or {}, state, out)
    _kept(now, before, ("Failed", "Complete", "FailureTarget"), DISABLED, out)
    for field in ("failed", "succeeded"):
        if (state.get(field) or 0) < (was.get(field) or 0):
            why = f"cannot decrease the {field} counter"
            out.append(status.invalid_value(f"status.{field}", state.get(field) or 0, why))
    _times(new, old, now, before, out)
    _kept(now, before, ("SuccessCriteriaMet",), "cannot disable the {}=True condition", out)
    _together(now, (("SuccessCriteriaMet", "Failed"), ("SuccessCriteriaMet", "FailureTarget")), out)


def _refused(why: str) -> Cause:
    """Complain about the conditions, without showing them."""
    return Cause("FieldValueInvalid", f"Invalid value: {why}", CONDITIONS)


def _uncounted(pods: Obj, out: Causes) -> None:
    seen: set[str] = set()
    for how in ("succeeded", "failed"):
        for index, uid in enumerate(pods.get(how) or ()):
            at = f"status.uncountedTerminatedPods.{how}[{index}]"
            if not uid:
                out.append(status.invalid_value(at, uid, "must not be empty"))
            elif uid in seen:
                out.append(status.duplicate(at, uid))
            seen.add(uid)


def _together(now: Conditions, pairs: tuple[tuple[str, str], ...], out: Causes) -> None:
    for one, other in pairs:
        if now.get(one) and now.get(other):
            out.append(_refused(f"cannot set {one}=True and {other}=true conditions"))


def _founded(now: Conditions, pairs: tuple[tuple[str, str], ...], out: Causes) -> None:
    for one, ground in pairs:
        if now.get(one) and not now.get(ground):
            out.append(_refused(f"cannot set {one}=True condition without the {ground}=true condition"))


def _kept(now: Conditions, before: Conditions, kinds: tuple[str, ...], why: str, out: Causes) -> None:
    out.extend(_refused(why.format(kind)) for kind in kinds if before.get(kind) and not now.get(kind))


def _completion(state: Obj, now: Conditions, out: Causes) -> None:
    done, begun = state.get("completionTime"), state.get("startTime")
    if done and not now.get("Complete"):
        out.append(status.invalid_value("status.completionTime", done, NEVER_DONE))
    if now.get("Complete") and not done:
        out.append(status.required("status.completionTime", "completionTime is required for Complete jobs"))
    if done and begun and times.parse(done) < times.parse(begun):
        out.append(status.invalid_value("status.completionTime", done, "must be equal to or after `startTime`"))


def _finished(state: Obj, out: Causes) -> None:
    for field in ("active", "terminating"):
        if (state.get(field) or 0) > 0:
            out.append(status.invalid_value(f"status.{field}", state[field], f"{field}>0 is invalid for finished job"))
    if not state.get("startTime"):
        out.append(status.required("status.startTime", "startTime is required for finished job"))
    pods = state.get("uncountedTerminatedPods") or {}
    if pods.get("succeeded") or pods.get("failed"):
        shown = {"Succeeded": pods.get("succeeded"), "Failed": pods.get("failed")}
        out.append(status.invalid_value("status.uncountedTerminatedPods", shown, "must be empty for finished job"))


def _times(new: Obj, old: Obj, now: Conditions, before: Conditions, out: Causes) -> None:
    state, was = new.get("status") or {}, old.get("status") or {}
    done = was.get("completionTime")
    stays = before.get("Complete") and now.get("Complete") and state.get("completionTime")
    if done and stays and state["completionTime"] != done:
        out.append(status.immutable("status.completionTime", state["completionTime"]))
    begun = was.get("startTime")
    if begun and not (new.get("spec") or {}).get("suspend") and state.get("startTime") != begun:
        out.append(status.invalid_value("status.startTime", state.get("startTime"), MOVED))


def _indexes(spec: Obj, state: Obj, out: Causes) -> None:
    """Check the lists of indexes that are done, and of those that failed."""
    done, failed = state.get("completedIndexes") or "", state.get("failedIndexes")
    indexed = spec.get("completionMode") == "Indexed"
    completed: set[int] = set()
    lost: set[int] = set()
    if indexed and spec.get("completions") is not None:
        completed = _parsed(done, "completedIndexes", int(spec["completions"]), out)
        lost = _parsed(failed or "", "failedIndexes", int(spec["completions"]), out)
    if done and not indexed:
        why = "cannot set non-empty completedIndexes when non-indexed completion mode"
        out.append(status.invalid_value("status.completedIndexes", done, why))
    if failed is not None and spec.get("backoffLimitPerIndex") is None:
        why = "cannot set non-null failedIndexes when backoffLimitPerIndex is null"
        out.append(status.invalid_value("status.failedIndexes", failed, why))
    elif completed & lost:
        why = f"failedIndexes and completedIndexes overlap at index: {min(completed & lost)}"
        out.append(status.invalid_value("status.failedIndexes", failed, why))


def _parsed(text: str, field: str, limit: int, out: Causes) -> set[int]:
    """Return the indexes of a list, none when it can't be read."""
    try:
        return indexes.parsed(text, limit)
    except indexes.IndexesError as error:
        out.append(status.invalid_value(f"status.{field}", text, f"error parsing {field}: {error}"))
        return set()
