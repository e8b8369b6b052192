"""What counts of a Job's Pods: who is active, ending, newly ended, and which indexes are done.

Models the counting half of syncJob in pkg/controller/job/job_controller.go and of indexed_job_utils.go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from kit.embedded.controllers.job import indexes, policies
from kit.embedded.core.store import Obj
from kit.kube import pods, times

FINALIZER = "batch.kubernetes.io/job-tracking"  # a Pod has it until it is counted


@dataclass(slots=True)
class Census:
    """One count: `job` as read, the numbers of its status to be, and which indexes are done; `finished` is how it will end."""

    job: Obj
    pods: Sequence[Obj]
    active: list[Obj]
    terminating: int
    ready: int
    succeeded: int
    failed: int
    new_succeeded: Sequence[Obj]
    new_failed: Sequence[Obj]
    done: frozenset[int] = frozenset()
    lost: frozenset[int] = frozenset()
    waiting: Mapping[int, Obj] = field(
        default_factory=dict
    )  # the last failed Pod of each index that will be tried again
    finished: Obj | None = None


def taken(job: Obj, owned: Sequence[Obj]) -> Census:
    """Count the Pods of a Job."""
    status = job.get("status") or {}
    uncounted = status.get("uncountedTerminatedPods") or {}
    counted = {*(uncounted.get("succeeded") or ()), *(uncounted.get("failed") or ())}
    fresh = [pod for pod in owned if is_tracked(pod) and pod["metadata"]["uid"] not in counted]
    won = [pod for pod in fresh if pod["status"].get("phase") == "Succeeded"]
    lost = [pod for pod in fresh if is_failed(pod, job)]
    active = [pod for pod in owned if pods.is_active(pod)]
    census = Census(
        job,
        owned,
        active,
        terminating=sum("deletionTimestamp" in pod["metadata"] and not pods.is_terminal(pod) for pod in owned),
        ready=sum(map(pods.is_ready, active)),
        succeeded=status.get("succeeded", 0) + len(won) + len(uncounted.get("succeeded") or ()),
        failed=status.get("failed", 0)
        + sum(policies.matched(job, pod).counts for pod in lost)
        + len(uncounted.get("failed") or ()),
        new_succeeded=won,
        new_failed=lost,
    )
    if indexes.is_indexed(job):
        _index(census)
    return census


def _index(census: Census) -> None:
    """Note which indexes are done, lost for good, or to be tried again."""
    job = census.job
    status = job.get("status") or {}
    tracked = [(index, pod) for pod in census.pods if is_tracked(pod) and (index := indexes.of(pod, job)) is not None]
    won = {index for index, pod in tracked if pod["status"].get("phase") == "Succeeded"}
    census.done = indexes.parse(status.get("completedIndexes")) | won
    census.succeeded = len(census.done)
    if not indexes.per_index(job):
        return
    lost = {index for index, pod in tracked if _is_last(pod, job)}
    census.lost = indexes.parse(status.get("failedIndexes")) | (lost - census.done)
    over = census.done | census.lost | {indexes.of(pod, job) for pod in census.active}
    waiting: dict[int, Obj] = {}
    for index, pod in tracked:
        if is_failed(pod, job) and index not in over:
            before = waiting.get(index)
            if before is None or sum(indexes.failures(before)) <= sum(indexes.failures(pod)):
                waiting[index] = pod
    census.waiting = waiting


def _is_last(pod: Obj, job: Obj) -> bool:
    """Say whether a Pod's failure is the last that its index may have. Models isIndexFailed."""
    if not is_failed(pod, job):
        return False
    found = policies.matched(job, pod)
    spent = indexes.failures(pod)[0] >= job["spec"]["backoffLimitPerIndex"]
    return found.action == "FailIndex" or (found.counts and spent)


def is_tracked(pod: Obj) -> bool:
    """Say whether a Pod still waits to be counted."""
    return FINALIZER in (pod["metadata"].get("finalizers") or ())


def is_failed(pod: Obj, job: Obj) -> bool:
    """Say whether a Pod counts as failed: it has, or it is being deleted and need not be waited for."""
    phase = (pod.get("status") or {}).get("phase")
    if phase == "Failed" or policies.only_failed_are_replaced(job):
        return bool(phase == "Failed")
    return "deletionTimestamp" in pod["metadata"] and phase != "Succeeded"


def finish_time(pod: Obj, wall: int) -> int:
    """Return when a Pod ended, in ms since 1970. Models getFinishedTime of backoff_utils.go."""
    states = (pod.get("status") or {}).get("containerStatuses") or ()
    ends = [((one.get("state") or {}).get("terminated") or {}).get("finishedAt") for one in states]
    if ends and all(ends):
        return max(times.parse(end) for end in ends)
    ready = pods.condition(pod, "Ready")
    if ready and ready.get("lastTransitionTime"):
        return times.parse(ready["lastTransitionTime"])
    stamp = pod["metadata"].get("deletionTimestamp")
    return times.parse(stamp) - pod["metadata"].get("deletionGracePeriodSeconds", 0) * 1000 if stamp else wall
