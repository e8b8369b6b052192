"""Validation of Jobs and CronJobs. Models pkg/apis/batch/validation/validation.go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from kit.kube import names, schedules, selectors, status
from kit.kube.validation import checks, indexes
from kit.kube.validation.checks import Causes, Obj, natural, rows
from kit.kube.validation.internal import CORE, internal
from kit.kube.validation.templates import MISMATCH, template

BATCH: Final = "io.k8s.api.batch.v1."
CRONJOB_NAME_MAX: Final = 52
OWN_LABEL: Final = "batch.kubernetes.io/controller-uid"
ENDING: Final = ("OnFailure", "Never")
RUNS: Final = 'valid values: "OnFailure", "Never"'
INDEXED: Final = "requires indexed completion mode"
RULES_MAX: Final = 20
ACTIONS: Final = ("Count", "FailIndex", "FailJob", "Ignore")
# What of its template a Job that has not begun may still change.
DIRECTIVES: Final = ("nodeSelector", "tolerations", "schedulingGates", "affinity")

_NUMBERS: Final = rows(
    ("parallelism", natural),
    ("completions", natural),
    ("activeDeadlineSeconds", natural),
    ("backoffLimit", natural),
    ("ttlSecondsAfterFinished", natural),
    ("backoffLimitPerIndex", natural),
    ("maxFailedIndexes", natural),
)


def job(obj: Obj, out: Causes) -> None:
    """Check a Job."""
    spec = obj.get("spec") or {}
    _selector(obj, spec, out)
    job_spec(spec, "spec", out)
    name, completions = obj["metadata"].get("name") or "", spec.get("completions") or 0
    last = f"{name}-{completions - 1}"
    if spec.get("completionMode") == "Indexed" and completions > 0 and names.label(last):
        why = f"will not able to create pod with invalid DNS label: {last}"
        out.append(status.invalid_value("metadata.name", name, why))


def own_metadata(obj: Obj) -> Obj:
    """Return a Job's metadata without labels that are only its template's: the API server adds them when it reads it."""
    meta = obj["metadata"]
    labels = (((obj.get("spec") or {}).get("template") or {}).get("metadata") or {}).get("labels")
    if meta.get("labels") != labels:
        return dict(meta)
    return {key: value for key, value in meta.items() if key != "labels"}


def _selector(obj: Obj, spec: Obj, out: Causes) -> None:
    selector = spec.get("selector")
    labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels")
    if selector is None:
        out.append(status.required("spec.selector"))
        shown = dict(sorted(labels.items())) if labels is not None else None
        out.append(status.invalid_value("spec.template.metadata.labels", shown, MISMATCH))
        return
    found = selectors.complaints(selector, "spec.selector")
    out.extend(found)
    generated = {"matchLabels": {OWN_LABEL: obj["metadata"].get("uid")}}
    if not spec.get("manualSelector") and selector != generated:
        out.append(status.invalid_value("spec.selector", selector, "`selector` not auto-generated"))
    if not found and not selectors.of_object(selector).matches(labels):
        shown = dict(sorted(labels.items())) if labels is not None else None  # Go writes maps in that order
        out.append(status.invalid_value("spec.template.metadata.labels", shown, MISMATCH))


def job_spec(spec: Obj, at: str, out: Causes) -> None:
    """Check the spec of a Job, or of those a CronJob makes."""
    _NUMBERS(spec, at, out)
    mode = spec.get("completionMode")
    checks.one_of("NonIndexed", "Indexed")(mode, f"{at}.completionMode", out)
    if mode == "Indexed" and spec.get("completions") is None:
        out.append(status.required(f"{at}.completions", "when completion mode is Indexed"))
    if mode in (None, "NonIndexed") and spec.get("backoffLimitPerIndex") is not None:
        out.append(status.invalid_value(f"{at}.backoffLimitPerIndex", spec["backoffLimitPerIndex"], INDEXED))
    if spec.get("maxFailedIndexes") is not None and spec.get("backoffLimitPerIndex") is None:
        why = "when maxFailedIndexes is specified"
        out.append(status.required(f"{at}.backoffLimitPerIndex", why))
    if spec.get("podFailurePolicy"):
        _failure_policy(spec, f"{at}.podFailurePolicy", out)
    if spec.get("successPolicy"):
        _success_policy(spec, f"{at}.successPolicy", out)
    _replacement(spec, f"{at}.podReplacementPolicy", out)
    pod = spec.get("template") or {}
    template(pod, f"{at}.template", out)
    policy = (pod.get("spec") or {}).get("restartPolicy")
    where = f"{at}.template.spec.restartPolicy"
    if policy in (None, "", "Always"):
        out.append(status.required(where, RUNS))
    elif policy not in ENDING:
        out.append(status.not_supported(where, policy, ENDING))
    elif spec.get("podFailurePolicy") and policy != "Never":
        why = 'only "Never" is supported when podFailurePolicy is specified'
        out.append(status.invalid_value(where, policy, why))


def _failure_policy(spec: Obj, at: str, out: Causes) -> None:
    rules = spec["podFailurePolicy"].get("rules") or ()
    pod = (spec.get("template") or {}).get("spec") or {}
    known = {one.get("name") for key in ("containers", "initContainers") for one in pod.get(key) or ()}
    if len(rules) > RULES_MAX:
        out.append(status.too_many(f"{at}.rules", len(rules), RULES_MAX))
    for index, rule in enumerate(rules):
        where = f"{at}.rules[{index}]"
        checks.always_one_of(*ACTIONS)(rule.get("action"), f"{where}.action", out)
        codes, conditions = rule.get("onExitCodes"), rule.get("onPodConditions")
        if codes is not None:
            _exit_codes(codes, f"{where}.onExitCodes", known, out)
        if conditions and codes is not None:
            why = "specifying both OnExitCodes and OnPodConditions is not supported"
            out.append(status.invalid_value(where, internal(rule, BATCH + "PodFailurePolicyRule"), why))
        if not conditions and codes is None:
            why = "specifying one of OnExitCodes and OnPodConditions is required"
            out.append(status.invalid_value(where, internal(rule, BATCH + "PodFailurePolicyRule"), why))


def _exit_codes(codes: Obj, at: str, known: set[Any], out: Causes) -> None:
    operator, values = codes.get("operator"), codes.get("values") or []
    checks.always_one_of("In", "NotIn")(operator, f"{at}.operator", out)
    name = codes.get("containerName")
    if name is not None and name not in known:
        why = "must be one of the container or initContainer names in the pod template"
        out.append(status.invalid_value(f"{at}.containerName", name, why))
    if not values:
        out.append(status.invalid_value(f"{at}.values", values, "at least one value is required"))
    for index, value in enumerate(values):
        if operator == "In" and value == 0:
            out.append(status.invalid_value(f"{at}.values[{index}]", value, "must not be 0 for the In operator"))
        if value in values[:index]:
            out.append(status.duplicate(f"{at}.values[{index}]", value))


def _success_policy(spec: Obj, at: str, out: Causes) -> None:
    policy = spec["successPolicy"]
    if spec.get("completionMode") != "Indexed":
        out.append(status.invalid_value(at, internal(policy, BATCH + "SuccessPolicy"), INDEXED))
        return
    if not policy.get("rules"):
        out.append(
            status.required(f"{at}.rules", "at least one rules must be specified when the successPolicy is specified")
        )
    for index, rule in enumerate(policy.get("rules") or ()):
        if rule.get("succeededCount") is None and rule.get("succeededIndexes") is None:
            why = "at least one of succeededCount or succeededIndexes must be specified"
            out.append(status.required(f"{at}.rules[{index}]", why))
        if spec.get("completions") is not None:
            _success_rule(rule, int(spec["completions"]), f"{at}.rules[{index}]", out)


def _success_rule(rule: Obj, completions: int, at: str, out: Causes) -> None:
    count, listed = rule.get("succeededCount"), rule.get("succeededIndexes")
    total = 0
    try:
        total = len(indexes.parsed(listed or "", completions))
    except indexes.IndexesError as error:
        out.append(status.invalid_value(f"{at}.succeededIndexes", listed, f"error parsing succeededIndexes: {error}"))
    if count is None:
        return
    natural(count, f"{at}.succeededCount", out)
    least = "must be less than or equal to"
    if count > completions:
        why = f"{least} {completions} (the number of specified completions)"
        out.append(status.invalid_value(f"{at}.succeededCount", count, why))
    if listed is not None and count > total:
        why = f"{least} {total} (the number of indexes in the specified succeededIndexes field)"
        out.append(status.invalid_value(f"{at}.succeededCount", count, why))


def _replacement(spec: Obj, at: str, out: Causes) -> None:
    policy = spec.get("podReplacementPolicy")
    allowed = ("Failed",) if spec.get("podFailurePolicy") else ("Failed", "TerminatingOrFailed")
    checks.one_of(*allowed)(policy, at, out)


def keep_job(new: Obj, old: Obj, out: Causes) -> None:
    """Check what changes in a Job, after the Job itself."""
    wanted, before = new["spec"], old["spec"]
    if wanted.get("completions") != before.get("completions") and not _elastic(wanted, before):
        out.append(status.immutable("spec.completions", wanted.get("completions")))
    if wanted.get("selector") != before.get("selector"):
        out.append(status.immutable("spec.selector", wanted.get("selector")))
    _keep_template(wanted, before, out, old)
    for key, kind in _KEPT.items():
        value = wanted.get(key)
        if value != before.get(key):
            out.append(status.immutable(f"spec.{key}", internal(value, kind) if kind and value else value))


_KEPT: Final[Mapping[str, str]] = {
    "completionMode": "",
    "podFailurePolicy": BATCH + "PodFailurePolicy",
    "backoffLimitPerIndex": "",
    "managedBy": "",
    "successPolicy": BATCH + "SuccessPolicy",
}


def _elastic(new: Obj, old: Obj) -> bool:
    """Return whether an indexed Job's size changes with its parallelism."""
    return (
        old.get("completionMode") == "Indexed"
        and new.get("completions") is not None
        and new.get("completions") == new.get("parallelism")
    )


def _keep_template(new: Obj, old: Obj, out: Causes, job: Obj) -> None:
    wanted, before = new.get("template") or {}, old.get("template") or {}
    if old.get("suspend") and not (job.get("status") or {}).get("startTime"):
        inner, was = dict(wanted.get("spec") or {}), before.get("spec") or {}
        for key in DIRECTIVES:
            inner.pop(key, None)
            if key in was:
                inner[key] = was[key]
        _same_resources(inner, was)
        masked = {**wanted, "metadata": before.get("metadata"), "spec": inner}
    else:
        masked = wanted
    if masked != before:
        out.append(status.immutable("spec.template", internal(masked, CORE + "PodTemplateSpec")))


def _same_resources(spec: Obj, was: Obj) -> None:
    for key in ("containers", "initContainers"):
        if len(spec.get(key) or ()) == len(was.get(key) or ()) and spec.get(key):
            pairs = zip(spec[key], was[key], strict=True)
            spec[key] = [{**one, **{k: then[k] for k in ("resources",) if k in then}} for one, then in pairs]


NO_ZONE: Final = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"


def new_cron_job(obj: Obj, out: Causes) -> None:
    """Check a new CronJob, whose name must leave room for those of its Jobs."""
    name = obj["metadata"].get("name") or ""
    if len(name) > CRONJOB_NAME_MAX:
        why = f"must be no more than {CRONJOB_NAME_MAX} characters"
        out.append(status.invalid_value("metadata.name", name, why))
    schedule = (obj.get("spec") or {}).get("schedule") or ""
    if "TZ" in schedule:
        out.append(status.invalid_value("spec.schedule", schedule, NO_ZONE))
    cron_job(obj, out)


def cron_job(obj: Obj, out: Causes) -> None:
    """Check a CronJob."""
    spec = obj.get("spec") or {}
    schedule = spec.get("schedule")
    if not schedule:
        out.append(status.required("spec.schedule"))
    else:
        why = schedules.complaint(schedule)
        if why:
            out.append(status.invalid_value("spec.schedule", schedule, why))
    natural(spec.get("startingDeadlineSeconds"), "spec.startingDeadlineSeconds", out)
    if spec.get("timeZone") is not None:
        _zone(spec["timeZone"], "spec.timeZone", out)
    checks.always_one_of("Allow", "Forbid", "Replace")(spec.get("concurrencyPolicy"), "spec.concurrencyPolicy", out)
    made = spec.get("jobTemplate") or {}
    checks.labels((made.get("metadata") or {}).get("labels"), "spec.jobTemplate.labels", out)
    inner = made.get("spec") or {}
    if inner.get("manualSelector"):
        out.append(status.not_supported("spec.jobTemplate.spec.manualSelector", True, ("nil", "false")))
    job_spec(inner, "spec.jobTemplate.spec", out)
    _HISTORY(spec, "spec", out)


_HISTORY: Final = rows(("successfulJobsHistoryLimit", natural), ("failedJobsHistoryLimit", natural))


def _zone(name: str, at: str, out: Causes) -> None:
    if not name:
        out.append(status.invalid_value(at, name, "timeZone must be nil or non-empty string"))
    elif name.lower() == "local":
        why = "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"
        out.append(status.invalid_value(at, name, why))
