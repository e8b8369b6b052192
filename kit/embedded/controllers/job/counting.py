"""Counts Pods that have ended into the status, each exactly once, and lets them go by their finalizer.

Models trackJobStatusAndRemoveFinalizers of pkg/controller/job/job_controller.go: a Pod's uid stands in uncountedTerminatedPods until
its finalizer is off; only then is it in the numbers.
"""

from __future__ import annotations

from typing import Any

from kit.embedded.controllers.job import ending, indexes, policies
from kit.embedded.controllers.job.census import FINALIZER, Census, is_failed, is_tracked
from kit.embedded.core.controller import pod_key
from kit.embedded.core.effects import Emit, Patch
from kit.embedded.core.store import Obj
from kit.embedded.parts import writing
from kit.errors import Status
from kit.kube import times

_LISTS = ("succeeded", "failed")


def counted(census: Census, status: Obj, wall: int) -> Any:
    """Write the status in two steps around the removal of finalizers; end the Job when nothing is left to count."""
    job = census.job
    gone = [pod for pod in census.pods if is_tracked(pod) and _may_go(census, pod)]
    status = {**status, "uncountedTerminatedPods": _uncounted(census, gone)}
    if indexes.is_indexed(job):
        status |= _indexes(census)
    finished = census.finished
    if finished is not None and finished["type"] in ending.FOLLOWS:
        status["conditions"] = ending.put(status.get("conditions") or [], finished)
        words = (finished["reason"], finished["message"])
        finished = ending.condition(ending.FOLLOWS[finished["type"]], words, times.rfc3339(wall))
    job = yield from writing.status(job, _compact(status))
    for pod in gone:
        yield from released(pod)
    status = _settled(status)
    ended = finished is not None and not status["terminating"]
    if ended and finished is not None:
        status["conditions"] = ending.put(status.get("conditions") or [], finished)
        if finished["type"] == "Complete":
            status["completionTime"] = finished["lastTransitionTime"]
    job = yield from writing.status(job, _compact(status))
    if ended and finished is not None:
        yield from _told(job, finished)


def released(pod: Obj) -> Any:
    """Take the finalizer off a Pod."""
    patch = {"metadata": {"uid": pod["metadata"]["uid"], "$deleteFromPrimitiveList/finalizers": [FINALIZER]}}
    answer = yield Patch(pod_key(pod), patch)
    if isinstance(answer, Status) and answer.reason != "NotFound":
        raise answer


def _may_go(census: Census, pod: Obj) -> bool:
    """Say whether a Pod has been seen to its end. Models canRemoveFinalizer."""
    over = "deletionTimestamp" in census.job["metadata"] or census.finished is not None
    if over or pod["status"].get("phase") == "Succeeded":
        return True
    kept = any(one is pod for one in census.waiting.values())  # carries the failures of its index to the next Pod
    return is_failed(pod, census.job) and not kept


def _uncounted(census: Census, gone: list[Obj]) -> dict[str, list[str]]:
    """Return the uids that wait to be in the numbers: those of before that are still tracked, and the new ones."""
    job, by_index = census.job, indexes.is_indexed(census.job)
    before = (job.get("status") or {}).get("uncountedTerminatedPods") or {}
    lists = {name: list(before.get(name) or ()) for name in _LISTS}
    given_up = census.finished is not None and census.finished["type"] in ("FailureTarget", "Failed")
    for pod in gone:
        uid, failed = pod["metadata"]["uid"], is_failed(pod, job) or given_up
        if any(uid in uids for uids in lists.values()):
            continue
        if pod["status"].get("phase") == "Succeeded":
            lists["succeeded"] += [] if by_index else [uid]
        elif failed and policies.matched(job, pod).counts and (not by_index or indexes.of(pod, job) is not None):
            lists["failed"].append(uid)
    return {name: uids for name, uids in lists.items() if uids}


def _indexes(census: Census) -> Obj:
    found: Obj = {"succeeded": len(census.done), "completedIndexes": indexes.text(census.done)}
    return found | ({"failedIndexes": indexes.text(census.lost)} if indexes.per_index(census.job) else {})


def _settled(status: Obj) -> Obj:
    """Move what was uncounted into the numbers."""
    uncounted = status["uncountedTerminatedPods"]
    sums = {name: status.get(name, 0) + len(uncounted.get(name) or ()) for name in _LISTS}
    return {**status, **sums, "uncountedTerminatedPods": {}}


def _compact(status: Obj) -> Obj:
    """Drop what the API does not show when it is empty."""
    optional = ("active", "succeeded", "failed", "completedIndexes", "conditions")
    return {key: value for key, value in status.items() if value or key not in optional}


def _told(job: Obj, finished: Obj) -> Any:
    if finished["type"] == "Failed":
        yield Emit(job, "Warning", finished["reason"], finished["message"])
        return
    completions = job["spec"].get("completions")
    if completions is not None and job["status"].get("succeeded", 0) > completions:
        words = "Too many succeeded pods running after completion count reached"
        yield Emit(job, "Warning", "TooManySucceededPods", words)
    yield Emit(job, "Normal", "Completed", "Job completed")
