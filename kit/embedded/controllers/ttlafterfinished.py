"""Deletes Jobs some time after they have ended. Models pkg/controller/ttlafterfinished/ttlafterfinished_controller.go."""

from __future__ import annotations

from kit.embedded.core.clock import Clock
from kit.embedded.core.controller import Effects, Mapper, View, itself
from kit.embedded.core.effects import After, Delete
from kit.embedded.core.store import Key
from kit.errors import Status
from kit.kube import pods, times


class TtlAfterFinished:
    """The ttl-after-finished controller."""

    name = "ttl-after-finished-controller"
    user = "system:serviceaccount:kube-system:ttl-after-finished-controller"
    manager = "kube-controller-manager"
    component = "ttl-after-finished-controller"

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.watches: dict[str, Mapper] = {"jobs.batch": itself}

    def reconcile(self, key: Key, view: View, now: int) -> Effects:
        """Delete one Job when its time is over."""
        job = view.at(key)
        if job is None or "deletionTimestamp" in job["metadata"]:
            return
        ttl = job["spec"].get("ttlSecondsAfterFinished")
        ends = [
            one for type in ("Complete", "Failed") if (one := pods.condition(job, type)) and one["status"] == "True"
        ]
        if ttl is None or not ends:
            return
        left = times.parse(ends[0]["lastTransitionTime"]) + ttl * 1000 - self._clock.wall()
        if left > 0:
            yield After(left)
            return
        only = {"uid": job["metadata"]["uid"], "resourceVersion": job["metadata"]["resourceVersion"]}
        gone = yield Delete(key, {"propagationPolicy": "Foreground", "preconditions": only})
        if isinstance(gone, Status) and gone.reason != "NotFound":
            raise gone
