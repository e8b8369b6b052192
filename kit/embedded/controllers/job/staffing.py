"""Makes the Pods that a Job lacks and deletes those it has too many of. Models manageJob of pkg/controller/job/job_controller.go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kit.embedded.controllers.job import backoff, counting, indexes, policies
from kit.embedded.controllers.job.census import FINALIZER, Census, finish_time
from kit.embedded.core.effects import After
from kit.embedded.core.store import Obj
from kit.embedded.parts import podcontrol, ranking
from kit.errors import Status
from kit.kube import pods

BURST = 500
VARIABLE = {
    "name": "JOB_COMPLETION_INDEX",
    "valueFrom": {"fieldRef": {"fieldPath": f"metadata.labels['{indexes.INDEX}']"}},
}


def staffed(census: Census, wait: int, wall: int) -> Any:
    """Bring the number of active Pods to what the Job wants; no Pod is made for `wait` ms. Return a refusal."""
    job = census.job
    if job["spec"].get("suspend"):
        return (yield from _released(census, census.active))
    wanted = _wanted(census)
    surplus = _surplus(census, max(0, len(census.active) - wanted), wall)
    if surplus:
        return (yield from _released(census, surplus[:BURST]))
    ending = census.terminating if policies.only_failed_are_replaced(job) else 0
    missing = min(wanted - ending - len(census.active), BURST)
    if missing <= 0:
        return None
    if wait and not indexes.per_index(job):
        yield After(wait)
        return None
    if not indexes.is_indexed(job):
        return (yield from _hired(census, [None] * missing))
    chosen: Sequence[int] = _pending(census, missing)
    if indexes.per_index(job):
        waits = {index: _wait(census, index, wall) for index in chosen}
        chosen = [index for index in chosen if not waits[index]]
        if not chosen and waits:
            yield After(min(waits.values()))
    return (yield from _hired(census, chosen))


def _released(census: Census, surplus: Sequence[Obj]) -> Any:
    """Delete Pods that are not wanted any more: let go first, so that they do not count as failed. Models deleteJobPods."""
    for pod in surplus:
        yield from counting.released(pod)
    gone = {pod["metadata"]["uid"] for pod in surplus}
    census.pods = [pod for pod in census.pods if pod["metadata"]["uid"] not in gone]
    return (yield from dismissed(census, surplus))


def dismissed(census: Census, surplus: Sequence[Obj]) -> Any:
    """Delete active Pods; those that go are terminating from now on. Return a refusal."""
    refusal = None
    for pod in surplus:
        refused = yield from podcontrol.delete(census.job, pod)
        if refused is not None:
            refusal = refused
            continue
        census.active = [one for one in census.active if one is not pod]
        census.terminating += 1
        census.ready -= pods.is_ready(pod)
    return refusal


def _wanted(census: Census) -> int:
    spec = census.job["spec"]
    if spec.get("completions") is None:
        return len(census.active) if census.succeeded else int(spec.get("parallelism", 1))
    return max(0, min(int(spec["completions"]) - census.succeeded, int(spec.get("parallelism", 1))))


def _surplus(census: Census, least: int, wall: int) -> list[Obj]:
    """Return the Pods to delete: of an Indexed Job those without an index of their own, then as many as are too many."""
    job, over, left = census.job, [], list(census.active)
    if indexes.is_indexed(job):
        seen: set[int] = set()
        for pod in sorted(census.active, key=lambda pod: ranking.for_deletion(pod, {}, wall), reverse=True):
            index = indexes.of(pod, job)
            if index is None or index in seen:
                over.append(pod)
            else:
                seen.add(index)
        left = [pod for pod in left if pod not in over]
    left.sort(key=lambda pod: ranking.for_deletion(pod, {}, wall))
    return over + left[: max(0, least - len(over))]


def _pending(census: Census, count: int) -> list[int]:
    """Return the first indexes that are neither done nor lost nor under way. Models firstPendingIndexes."""
    job = census.job
    busy = census.pods if policies.only_failed_are_replaced(job) else census.active
    over = census.done | census.lost | {indexes.of(pod, job) for pod in busy if not pods.is_terminal(pod)}
    out: list[int] = []
    for index in range(job["spec"]["completions"]):
        if len(out) == count:
            break
        if index not in over:
            out.append(index)
    return out


def _wait(census: Census, index: int, wall: int) -> int:
    failed = census.waiting.get(index)
    return backoff.left(sum(indexes.failures(failed)) + 1, finish_time(failed, wall), wall) if failed else 0


def _hired(census: Census, chosen: Sequence[int | None]) -> Any:
    """Create Pods, one for each index; stop at the first refusal and return it."""
    for index in chosen:
        made = yield from podcontrol.create(census.job, _pod(census, index))
        if isinstance(made, Status):
            return None if podcontrol.of_ending_namespace(made) else made
        census.active = [*census.active, made]
    return None


def _pod(census: Census, index: int | None) -> Obj:
    job = census.job
    pod = podcontrol.pod_of(job, job["spec"]["template"])
    metadata, spec = pod["metadata"], pod["spec"]
    metadata["finalizers"] = [*(metadata.get("finalizers") or ()), FINALIZER]
    if index is None:
        return pod
    name = job["metadata"]["name"]
    metadata["generateName"] = f"{name[: 56 - len(str(index))]}-{index}-"
    notes = {**(metadata.get("annotations") or {}), indexes.INDEX: str(index)}
    metadata["annotations"] = {**notes, **(_counts(census, index) if indexes.per_index(job) else {})}
    metadata["labels"] = {**(metadata.get("labels") or {}), indexes.INDEX: str(index)}
    spec["hostname"] = f"{name}-{index}"
    for container in (*spec["containers"], *(spec.get("initContainers") or ())):
        if all(one["name"] != VARIABLE["name"] for one in container.get("env") or ()):
            container["env"] = [*(container.get("env") or ()), VARIABLE]
    return pod


def _counts(census: Census, index: int) -> dict[str, str]:
    """Return the annotations that carry the failures of an index on. Models addIndexFailureCountAnnotation."""
    before = census.waiting.get(index)
    if before is None:
        return {indexes.FAILURES: "0"}
    counted, ignored = indexes.failures(before)
    if policies.matched(census.job, before).counts:
        counted += 1
    else:
        ignored += 1
    return {indexes.FAILURES: str(counted), **({indexes.IGNORED: str(ignored)} if ignored else {})}
