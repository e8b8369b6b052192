"""Makes a Job of a CronJob's template at each due time, and clears old ones away.

Models pkg/controller/cronjob/cronjob_controllerv2.go. The wait for the next due time is housekeeping: a cluster with CronJobs
comes to rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kit.embedded.controllers.cronjob.due import Calendar
from kit.embedded.core.clock import Clock
from kit.embedded.core.controller import Effects, Mapper, View, itself, owner
from kit.embedded.core.effects import After, Create, Delete, Emit
from kit.embedded.core.ports import Zones
from kit.embedded.core.store import Key, Obj
from kit.embedded.parts import podcontrol, writing
from kit.errors import Status
from kit.kube import copies, owners, pods, schedules, times

CRONJOBS, JOBS = "cronjobs.batch", "jobs.batch"
SCHEDULED = "batch.kubernetes.io/cronjob-scheduled-timestamp"
LATE_MS = 100  # so much later than due a CronJob is looked at (nextScheduleDelta)
# how a Job ended -> the limit of how many of such are kept
LIMITS = {"Complete": "successfulJobsHistoryLimit", "Failed": "failedJobsHistoryLimit"}
MISSED = "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew"
RUNNING = "Not starting job because prior execution is running and concurrency policy is Forbid"


class CronJob:
    """The cronjob controller."""

    name = "cronjob-controller"
    user = "system:serviceaccount:kube-system:cronjob-controller"
    manager = "kube-controller-manager"
    component = "cronjob-controller"

    def __init__(self, clock: Clock, zones: Zones | None) -> None:
        self._clock = clock
        self._zones = zones
        self.watches: dict[str, Mapper] = {CRONJOBS: itself, JOBS: owner("CronJob", CRONJOBS)}

    def reconcile(self, key: Key, view: View, now: int) -> Effects:
        """Take notice of Jobs that have ended, make the one that is due, clear old ones away."""
        cronjob = view.at(key)
        if cronjob is None:
            return
        jobs = [one for one in view.owned(JOBS, cronjob["metadata"]["uid"]) if owners.is_controlled_by(one, cronjob)]
        status: Obj = {**(cronjob.get("status") or {})}
        active = list(status.get("active") or ())
        yield from _cleared(cronjob, active, jobs)
        yield from _noticed(cronjob, status, active, jobs)
        refusal = yield from self._started(cronjob, status, active, view)
        status.pop("active", None)
        yield from writing.status(cronjob, {**status, **({"active": active} if active else {})})
        if isinstance(refusal, Status):
            raise refusal

    def _started(self, cronjob: Obj, status: Obj, active: list[Obj], view: View) -> Any:
        """Make the Job that is due, if one is and may be; return a refusal."""
        spec, wall = cronjob["spec"], self._clock.wall()
        if "deletionTimestamp" in cronjob["metadata"] or spec.get("suspend"):
            return None
        try:
            calendar = Calendar(cronjob, self._zones)
        except LookupError as error:
            words = f'invalid timeZone: "{spec["timeZone"]}": {error.args[0]}'
            yield Emit(cronjob, "Warning", "UnknownTimeZone", words)
            return None
        except schedules.BadSchedule as error:
            words = f'unparseable schedule: "{spec["schedule"]}" : {error}'
            yield Emit(cronjob, "Warning", "UnparseableSchedule", words)
            return None
        try:
            due = calendar.unmet(cronjob, wall)
        except schedules.BadSchedule as error:
            yield Emit(cronjob, "Warning", "InvalidSchedule", f"invalid schedule: {spec['schedule']} : {error}")
            return None
        following = calendar.next(wall)
        if following is not None:
            yield After(following + LATE_MS - wall, housekeeping=True)
        if due.many:
            yield Emit(cronjob, "Warning", "TooManyMissedTimes", MISSED)
        if due.at is None or (yield from self._skipped(cronjob, status, active, due.at)):
            return None
        if spec.get("concurrencyPolicy") == "Replace":
            for one in list(active):
                yield from _deleted(cronjob, active, Key(JOBS, cronjob["metadata"]["namespace"], one["name"]))
        return (yield from self._made(cronjob, status, active, due.at, calendar, view))

    def _skipped(self, cronjob: Obj, status: Obj, active: Sequence[Obj], at: int) -> Any:
        """Say whether a due start is not made: too late, made before, or one too many."""
        limit = cronjob["spec"].get("startingDeadlineSeconds")
        if limit is not None and at + limit * 1000 < self._clock.wall():
            words = f"Missed scheduled time to start a job: {times.rfc1123z(at)}"
            yield Emit(cronjob, "Warning", "MissSchedule", words)
            return True
        if status.get("lastScheduleTime") == times.rfc3339(at) or any(
            one["name"] == _name(cronjob, at) for one in active
        ):
            return True
        if cronjob["spec"].get("concurrencyPolicy") == "Forbid" and active:
            yield Emit(cronjob, "Normal", "JobAlreadyActive", RUNNING)
            return True
        return False

    def _made(self, cronjob: Obj, status: Obj, active: list[Obj], at: int, calendar: Calendar, view: View) -> Any:
        name = _name(cronjob, at)
        made = yield Create(_job(cronjob, name, times.rfc3339(at, calendar.offset(at))))
        if isinstance(made, Status):
            if podcontrol.of_ending_namespace(made):
                return None
            there = view.get(JOBS, cronjob["metadata"]["namespace"], name)
            if made.reason != "AlreadyExists" or there is None:
                yield Emit(cronjob, "Warning", "FailedCreate", f"Error creating job: {made.message}")
                return made
            if not owners.is_controlled_by(there, cronjob) or _ended(there):
                return None
            made = there
        else:
            yield Emit(cronjob, "Normal", "SuccessfulCreate", f"Created job {name}")
        kept = {key: made["metadata"][key] for key in ("name", "namespace", "uid", "resourceVersion")}
        active.append({"apiVersion": "batch/v1", "kind": "Job", **kept})
        status["lastScheduleTime"] = times.rfc3339(at)
        return None


def _noticed(cronjob: Obj, status: Obj, active: list[Obj], jobs: Sequence[Obj]) -> Any:
    """Take Jobs that have ended or gone off the list of active ones."""
    for job in jobs:
        listed, end = any(one["uid"] == job["metadata"]["uid"] for one in active), _ended(job)
        name = job["metadata"]["name"]
        if not listed and not end:
            words = f"Saw a job that the controller did not create or forgot: {name}"
            yield Emit(cronjob, "Warning", "UnexpectedJob", words)
        elif listed and end:
            _forget(active, job["metadata"]["uid"])
            yield Emit(cronjob, "Normal", "SawCompletedJob", f"Saw completed job: {name}, condition: {end}")
        completion = (job.get("status") or {}).get("completionTime")
        if end == "Complete" and completion and completion > status.get("lastSuccessfulTime", ""):
            status["lastSuccessfulTime"] = completion
    there = {job["metadata"]["uid"] for job in jobs}
    for one in [one for one in active if one["uid"] not in there]:
        _forget(active, one["uid"])
        yield Emit(cronjob, "Normal", "MissingJob", f"Active job went missing: {one['name']}")


def _cleared(cronjob: Obj, active: list[Obj], jobs: Sequence[Obj]) -> Any:
    """Delete the oldest of the Jobs that have ended beyond the limits of the history."""
    for end, limit in LIMITS.items():
        most = cronjob["spec"].get(limit)
        found = sorted((job for job in jobs if _ended(job) == end), key=_begin)
        for job in found[: max(0, len(found) - most)] if most is not None else ():
            yield from _deleted(cronjob, active, Key(JOBS, job["metadata"]["namespace"], job["metadata"]["name"]))


def _deleted(cronjob: Obj, active: list[Obj], key: Key) -> Any:
    gone = yield Delete(key, {"propagationPolicy": "Background"})
    if isinstance(gone, Status):
        if gone.reason == "NotFound":
            return
        yield Emit(cronjob, "Warning", "FailedDelete", f"Deleted job: {gone.message}")
        raise gone
    active[:] = [one for one in active if one["name"] != key.name]
    yield Emit(cronjob, "Normal", "SuccessfulDelete", f"Deleted job {key.name}")


def _job(cronjob: Obj, name: str, stamp: str) -> Obj:
    template = copies.deep(cronjob["spec"]["jobTemplate"])
    had = template.get("metadata") or {}
    metadata: Obj = {
        "name": name,
        "namespace": cronjob["metadata"]["namespace"],
        "labels": had.get("labels") or {},
        "annotations": {**(had.get("annotations") or {}), SCHEDULED: stamp},
        "ownerReferences": [owners.owner_reference(cronjob, controller=True)],
    }
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": template["spec"]}


def _name(cronjob: Obj, at: int) -> str:
    """Return the name of the Job of a due time: it holds the minute."""
    return f"{cronjob['metadata']['name']}-{at // times.MINUTE}"


def _ended(job: Obj) -> str:
    """Return the condition by which a Job has ended, "" for one that goes on."""
    for end in LIMITS:
        if (pods.condition(job, end) or {}).get("status") == "True":
            return end
    return ""


def _begin(job: Obj) -> tuple[str, str]:
    return (job.get("status") or {}).get("startTime") or "~", job["metadata"]["name"]


def _forget(active: list[Obj], uid: str) -> None:
    active[:] = [one for one in active if one["uid"] != uid]
