"""Runs a Job's Pods to their end and counts them. Models pkg/controller/job/job_controller.go.

Changes of Pods are looked at together, a second later (`syncJobBatchPeriod`): their keys are those of `BATCHED`. Pods whose Job has
gone or ended are let go by themselves: keys of "pods" (syncOrphanPod).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kit.embedded.controllers.job import ending, staffing
from kit.embedded.controllers.job.backoff import Backoff
from kit.embedded.controllers.job.census import Census, is_tracked, taken
from kit.embedded.controllers.job.counting import counted, released
from kit.embedded.core.clock import Clock
from kit.embedded.core.controller import Effects, Mapper, View, pod_key
from kit.embedded.core.effects import After, Emit
from kit.embedded.core.store import Event, Key, Obj
from kit.embedded.parts import claiming
from kit.embedded.parts.waits import Waits
from kit.kube import owners, times

JOBS = "jobs.batch"
BATCHED = "jobs.batch/batched"
BATCH_MS = 1000
OWN = "kubernetes.io/job-controller"  # spec.managedBy of those that are ours


class Job:
    """The job controller."""

    name = "job-controller"
    user = "system:serviceaccount:kube-system:job-controller"
    manager = "kube-controller-manager"
    component = "job-controller"

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._backoff = Backoff()
        self._refused = Waits(1_000, 60_000)  # for what the API refuses, by Job
        self._due: dict[Key, int] = {}  # when what was put off is looked at
        self._members = claiming.members("Job", JOBS)
        self.watches: dict[str, Mapper] = {JOBS: self._changed, "pods": self._pod_changed}

    def reconcile(self, key: Key, view: View, now: int) -> Effects:
        """Take one Job a step further, or let an orphaned Pod go."""
        if key.resource == "pods":
            yield from _orphan(key, view)
            return
        if key.resource == BATCHED:
            wait = self._due.get(key, now) - now
            if wait > 0:
                yield After(wait)
                return
            self._due.pop(key, None)
            key = Key(JOBS, key.namespace, key.name)
        job = view.at(key)
        if job is None or ending.is_finished(job):
            self._backoff.forget(key)
        elif job["spec"].get("managedBy", OWN) == OWN:
            yield from self._sync(job, view)

    def _sync(self, job: Obj, view: View) -> Any:
        wall = self._clock.wall()
        status: Obj = dict(job.get("status") or {})
        if not status.get("startTime") and not job["spec"].get("suspend"):
            status["startTime"] = times.rfc3339(wall)
        census = taken({**job, "status": status}, (yield from claiming.claimed(job, "pods", view)))
        at = Key(JOBS, job["metadata"]["namespace"], job["metadata"]["name"])
        self._backoff.note(at, census, wall)
        census.finished = ending.decided(census, wall)
        if census.finished is None:
            refusal = yield from self._go_on(at, census, status, wall)
        else:
            refusal = yield from staffing.dismissed(census, census.active)
            if census.active and census.finished["type"] in ending.FINAL:
                census.finished = None
        census.job = job
        numbers = {"active": len(census.active), "ready": census.ready, "terminating": census.terminating}
        yield from counted(census, status | numbers, wall)
        if refusal is None:
            self._refused.forget(at)
            return
        self._refused.next(at, self._clock.now)
        yield After(self._refused.left(at, self._clock.now))

    def _go_on(self, at: Key, census: Census, status: Obj, wall: int) -> Any:
        """Keep the Job at work, until all is done; return a refusal."""
        job, refusal = census.job, None
        wait = ending.deadline_in(job, wall)
        if wait is not None:
            yield After(wait)
        managed = "deletionTimestamp" not in job["metadata"]
        if managed:
            refusal = yield from staffing.staffed(census, self._backoff.left(at, wall), wall)
        if ending.reached(census):
            census.finished = ending.condition("SuccessCriteriaMet", ending.REACHED, times.rfc3339(wall))
        elif managed:
            yield from _suspension(job, status, times.rfc3339(wall))
        return refusal

    # --- what wakes it ---

    def _put_off(self, key: Key) -> Key:
        batched = Key(BATCHED, key.namespace, key.name)
        self._due.setdefault(batched, self._clock.now + BATCH_MS)
        return batched

    def _changed(self, event: Event, view: View) -> Iterable[Key]:
        """Map a Job whose spec has changed to itself, any other change to a later look; Pods of one that is gone are let go."""
        old = event.old.obj if event.old else None
        if event.type == "DELETED":
            for pod in view.owned("pods", event.obj["metadata"]["uid"]):
                if is_tracked(pod):
                    yield pod_key(pod)
            yield event.key
        elif old is None or old["metadata"].get("generation") != event.obj["metadata"].get("generation"):
            yield event.key
        else:
            yield self._put_off(event.key)

    def _pod_changed(self, event: Event, view: View) -> Iterable[Key]:
        for key in self._members(event, view):
            yield self._put_off(key)
        if event.type != "DELETED" and is_tracked(event.obj) and _is_orphan(event.obj, view):
            yield event.key


def _suspension(job: Obj, status: Obj, now: str) -> Any:
    """Note that a Job is suspended or goes on again, and tell of it."""
    suspended = bool(job["spec"].get("suspend"))
    words = ("JobSuspended", "Job suspended") if suspended else ("JobResumed", "Job resumed")
    before = status.get("conditions") or []
    status["conditions"] = ending.put(before, ending.condition("Suspended", words, now, str(suspended)))
    if status["conditions"] == before:
        return
    status.pop("startTime", None)
    if not suspended:
        status["startTime"] = now
    yield Emit(job, "Normal", "Suspended" if suspended else "Resumed", words[1])


def _orphan(key: Key, view: View) -> Any:
    pod = view.at(key)
    if pod is not None and is_tracked(pod) and _is_orphan(pod, view):
        yield from released(pod)


def _is_orphan(pod: Obj, view: View) -> bool:
    """Say whether nobody will count a Pod: its Job is not there or has ended."""
    reference = owners.controller_of(pod)
    if reference is None:
        return True
    if reference["kind"] != "Job":
        return False
    job = view.get(JOBS, pod["metadata"]["namespace"], reference["name"])
    return job is None or job["metadata"]["uid"] != reference["uid"] or ending.is_finished(job)
