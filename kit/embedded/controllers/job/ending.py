"""How a Job ends: by failures, deadline or lost indexes, by a policy, or because all is done.

Models the conditions of syncJob in pkg/controller/job/job_controller.go.
"""

from __future__ import annotations

from collections.abc import Sequence

from kit.embedded.controllers.job import indexes, policies
from kit.embedded.controllers.job.census import Census, is_failed
from kit.embedded.core.store import Obj
from kit.kube import pods, times

FINAL = ("Complete", "Failed")
# the condition that says a Job is about to end -> the one that says it has
FOLLOWS = {"SuccessCriteriaMet": "Complete", "FailureTarget": "Failed"}
BACKOFF = ("BackoffLimitExceeded", "Job has reached the specified backoff limit")
DEADLINE = ("DeadlineExceeded", "Job was active longer than specified deadline")
INDEXES = ("FailedIndexes", "Job has failed indexes")
MAXIMUM = ("MaxFailedIndexesExceeded", "Job has exceeded the specified maximal number of failed indexes")
REACHED = ("CompletionsReached", "Reached expected number of succeeded pods")


def condition(type: str, words: tuple[str, str], now: str, status: str = "True") -> Obj:
    """Return a Job's condition; `words` are reason and message."""
    reason, message = words
    about = {"lastProbeTime": now, "lastTransitionTime": now, "reason": reason, "message": message}
    return {"type": type, "status": status, **about}


def is_finished(job: Obj) -> bool:
    """Say whether a Job has ended for good."""
    return any(holds(job, type) for type in FINAL)


def holds(job: Obj, type: str) -> Obj | None:
    """Return a condition of a Job that is true, or None."""
    found = pods.condition(job, type)
    return found if found is not None and found["status"] == "True" else None


def put(conditions: Sequence[Obj], fresh: Obj) -> list[Obj]:
    """Return conditions with one set; one that is not there is not added as false. Models ensureJobConditionStatus."""
    there = any(one["type"] == fresh["type"] for one in conditions)
    if not there:
        return [*conditions, *([fresh] if fresh["status"] != "False" else [])]
    return [_changed(one, fresh) if one["type"] == fresh["type"] else one for one in conditions]


def _changed(before: Obj, fresh: Obj) -> Obj:
    same = all(before.get(name) == fresh[name] for name in ("status", "reason", "message"))
    return before if same else fresh


def decided(census: Census, wall: int) -> Obj | None:
    """Return the condition by which a Job ends now, None while it goes on."""
    job, now = census.job, times.rfc3339(wall)
    for type, last in FOLLOWS.items():
        found = holds(job, type)
        if found is not None:
            return condition(last, (found["reason"], found["message"]), now)
    words = _policy(census) or _limits(census, wall) or _indexes(census)
    if words:
        return condition("FailureTarget", words, now)
    message = policies.met(job, census.done) if indexes.is_indexed(job) else None
    return condition("SuccessCriteriaMet", ("SuccessPolicy", message), now) if message else None


def deadline_in(job: Obj, wall: int) -> int | None:
    """Return in how many ms activeDeadlineSeconds is over (0: it is), None when it does not run."""
    limit, start = job["spec"].get("activeDeadlineSeconds"), (job.get("status") or {}).get("startTime")
    if limit is None or not start or job["spec"].get("suspend"):
        return None
    return max(0, times.parse(start) + int(limit) * 1000 - wall)


def reached(census: Census) -> bool:
    """Say whether all that was wanted has succeeded."""
    completions = census.job["spec"].get("completions")
    enough = census.succeeded > 0 if completions is None else census.succeeded >= completions
    return enough and not census.active


def _policy(census: Census) -> tuple[str, str] | None:
    if not census.job["spec"].get("podFailurePolicy"):
        return None
    failed = (pod for pod in census.pods if is_failed(pod, census.job))
    message = next(filter(None, (policies.matched(census.job, pod).message for pod in failed)), None)
    return ("PodFailurePolicy", message) if message else None


def _limits(census: Census, wall: int) -> tuple[str, str] | None:
    job = census.job
    if census.failed > job["spec"].get("backoffLimit", 6) or _restarted(census):
        return BACKOFF
    return DEADLINE if deadline_in(job, wall) == 0 else None


def _restarted(census: Census) -> bool:
    """Say whether containers that are started again in place were too often. Models pastBackoffLimitOnFailure."""
    spec = census.job["spec"]
    if spec["template"]["spec"].get("restartPolicy") != "OnFailure":
        return False
    states = [pod["status"] for pod in census.pods if pod["status"].get("phase") in ("Running", "Pending")]
    lists = [one.get(name) or () for one in states for name in ("initContainerStatuses", "containerStatuses")]
    restarts = sum(one.get("restartCount", 0) for each in lists for one in each)
    return bool(restarts >= max(spec.get("backoffLimit", 6), 1))


def _indexes(census: Census) -> tuple[str, str] | None:
    job = census.job
    if not indexes.is_indexed(job) or not indexes.per_index(job):
        return None
    most = job["spec"].get("maxFailedIndexes")
    if most is not None and len(census.lost) > most:
        return MAXIMUM
    return INDEXES if census.lost and len(census.lost) + len(census.done) >= job["spec"]["completions"] else None
