"""One Pod on its node: a script that goes from admission to removal. Models pkg/kubelet/pod_workers.go and SyncPod.

The script yields effects, which the kubelet carries out, and `Wait`s. As in the real kubelet the status is written at the start
of a sync, from what is known then: why a container failed shows at the next one.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from kit.embedded.core.effects import After, Delete, Effect, Emit, Update
from kit.embedded.core.inodes import File
from kit.embedded.core.store import Key, Obj
from kit.embedded.node import admission, eviction, resizing, starting, terminating
from kit.embedded.node.lifecycle import ended, phase
from kit.embedded.node.probes import TYPES, Prober
from kit.embedded.node.recall import recall
from kit.embedded.node.runtime import Container
from kit.embedded.node.sandbox import Sandbox
from kit.embedded.node.site import Script, Site, Wait
from kit.embedded.node.status import Writer
from kit.embedded.node.stopping import Stop
from kit.embedded.node.units import Ending, Unit, adopt, termination_message
from kit.embedded.node.volumes import Volumes
from kit.kube import times

PLEG_MS = 20  # how soon the kubelet sees that a container ended
RELIST_MS = 1_000  # how often the kubelet asks the runtime what runs
FRESH_MS = 60  # the second look at a Pod whose sandbox is new
RETRY_MS = 11_000  # after an error that is not a back-off of its own
REFRESH_MS = 60_000
SANDBOX_MS = 90
MOUNT_RETRY_MS = 500
MOUNT_RETRY_MAX_MS = 122_000


class Worker:
    """The kubelet's goroutine for one Pod. `drive` runs its script as far as it goes."""

    def __init__(self, site: Site, key: Key, pod: Obj, *, rebooted: bool = False, disk: Volumes | None = None) -> None:
        self.site = site
        self.key = key
        self.pod = pod
        self.uid: str = pod["metadata"]["uid"]
        self.units: list[Unit] = []
        self.sandbox: Sandbox = None  # type: ignore[assignment]
        self.began = site.world.clock.now
        self.gone = False  # from the API
        self.done = False
        self.failed = False  # something has to be tried again later
        self.broken = False  # a container could not be started: look again at once
        self.failure = ("", "")
        self.resizing = False  # running containers are being given other resources
        self._over = False
        self._sandbox_state = "gone" if rebooted else ""
        self._fresh = False
        self._killed: set[str] = set()  # names of units that this sync has stopped
        self._twice = False  # a container ended twice within one relist: its second end is seen by the next one
        self._rebooted = rebooted
        self.dirty = False
        self._due: int | None = None
        self._patient = False
        self._outbox: list[Effect] = []
        self._probers: dict[str, list[Prober]] = {}
        self._writer = Writer(site.world.clock, site.host.address)
        self._addresses: dict[str, str] = {
            "hostIP": site.host.address,
            "seen": times.rfc3339_micro(site.world.clock.wall()),
        }
        self.volumes = Volumes(site.view, site.tree, site.token, self._addresses)
        if disk is not None:
            self.volumes.take_over(disk, pod)
        self._seen: Any = None
        self._refresh_due: int | None = None
        self._answer: Any = None
        self._wait: Wait | None = None
        self._script: Generator[Any, Any, None] = self._life()
        self.observe(pod)
        if rebooted:
            recall(self)
        self._before = {unit.name: unit.instances for unit in self.units}  # that ran in a sandbox before this one

    @property
    def now(self) -> int:
        """Cluster time in ms."""
        return self.site.world.clock.now

    @property
    def deleting(self) -> bool:
        """Say whether the Pod is to go."""
        return self.gone or "deletionTimestamp" in self.pod["metadata"]

    @property
    def policy(self) -> str:
        """The Pod's restartPolicy."""
        return str(self.pod["spec"].get("restartPolicy") or "Always")

    # --- being woken ---

    def observe(self, pod: Obj | None) -> None:
        """Take note of the Pod as it is now; what the kubelet wrote itself is no news."""
        if pod is None or pod["metadata"]["uid"] != self.uid:
            self.dirty |= not self.gone
            self.gone = True
            return
        self.pod = pod
        metadata = pod["metadata"]
        seen = (metadata.get("generation"), metadata.get("deletionTimestamp"), metadata.get("deletionGracePeriodSeconds"),
                metadata.get("labels"), metadata.get("annotations"))  # fmt: skip
        if seen != self._seen:
            self._seen, self.dirty = seen, True
            adopt(self.units, pod["spec"], self.site.name)

    def poke(self) -> None:
        """Have the script look again, now."""
        self.dirty = True
        self.site.wake(self.key, 0)

    def tell(self, unit: Unit, type: str, reason: str, message: str) -> None:
        """Emit an event from outside the script."""
        self._outbox.append(Emit(self.pod, type, reason, message, unit.path))
        self.site.wake(self.key, 0)

    def again(self, until: int, *, patient: bool = False) -> None:
        """Sync again at `until`; `patient` waits are the steady life of a failing Pod, which nobody waits for."""
        if self._due is None or until < self._due:
            self._due, self._patient = until, patient

    def drive(self, now: int) -> Generator[Effect, Any, None]:
        """Run the script until it waits; ask to be called when that is over."""
        while True:
            while self._outbox:
                yield self._outbox.pop(0)
            if self.done or (self._wait is not None and not self._wait.over(now)):
                break
            self._wait = None
            try:
                item = self._script.send(self._answer)
            except StopIteration:
                self.done = True
                break
            self._answer = None
            if isinstance(item, Wait):
                self._wait = item
            else:
                self._answer = yield item
                if isinstance(self._answer, dict) and isinstance(item, Update):
                    self.observe(self._answer)
        if not self.done and self._wait is not None and self._wait.until is not None:
            yield After(max(0, self._wait.until - now), self._wait.housekeeping)

    # --- the script ---

    def _life(self) -> Script:
        rejection = admission.rejection(self.pod, self.site.view, self.site.name)
        if rejection:
            yield from self._reject(*rejection)
        elif not self._finished_before():
            yield from self._report()
            # What has nothing left to start gets no new sandbox (computePodActions).
            if not self._ended() and (yield from self._prepare()):
                while not (self.deleting or self._ended()):
                    yield from self._sync()
                    yield from self._idle()
            yield from self._terminate()
        yield Wait(ready=lambda: self.deleting)
        if not self.gone:
            yield Delete(self.key, {"gracePeriodSeconds": 0, "preconditions": {"uid": self.uid}})

    def _finished_before(self) -> bool:
        return (self.pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")

    def _reject(self, reason: str, event: str, message: str) -> Script:
        yield Emit(self.pod, "Warning", reason, event)
        old = self.pod.get("status") or {}
        status = {
            **old,
            "phase": "Failed",
            "reason": reason,
            "message": message,
            "observedGeneration": self.pod["metadata"].get("generation", 1),
            "startTime": self._writer.time(self.now),
        }
        yield Update({**self.pod, "status": status}, "status")

    def _prepare(self) -> Script:
        """Set up volumes and sandbox; False when the Pod is to go meanwhile."""
        delay = MOUNT_RETRY_MS
        while (trouble := self.volumes.trouble(self.pod, self.site.world.clock.wall())) is not None:
            yield Emit(self.pod, "Warning", "FailedMount", trouble)
            yield Wait(until=self.now + delay, ready=lambda: self.deleting, housekeeping=delay > 8000)
            delay = min(delay * 2, MOUNT_RETRY_MAX_MS)
            if self.deleting:
                return False
        yield Wait(until=self.now + SANDBOX_MS, ready=lambda: self.deleting)
        if self.deleting:
            return False
        if self._rebooted:
            yield Emit(self.pod, "Normal", "SandboxChanged", "Pod sandbox changed, it will be killed and re-created.")
        self.sandbox = Sandbox(self.site, self.pod)
        self._addresses["podIP"] = self.sandbox.address
        self._sandbox_state, self._fresh = "ready", True
        yield from self._report(address="")
        return True

    def _sync(self) -> Script:
        """One look at everything: write the status, then start and restart what should run. Models SyncPod."""
        self.dirty = self.failed = self.broken = False
        self._due, self._patient = None, False
        if not self._fresh or any(unit.instances or unit.problem for unit in self.units):
            yield from self._report()
        yield from resizing.resize(self, self._report)
        yield from self._kill_failed()
        if (yield from self._start_inits()):
            for unit in self.units:
                if unit.kind == "main" and unit.wants(self.policy) and not self.deleting:
                    yield from starting.start(self, unit)
        for unit in self.units:
            if unit.kind == "ephemeral" and unit.ending is None and not unit.running and not self.deleting:
                yield from starting.start(self, unit)
        if self._fresh and any(unit.problem for unit in self.units):
            self.again(self.now + FRESH_MS)
        elif self.broken:
            self.again(self.now + PLEG_MS)
        elif self.failed:
            self.again(self.now + RETRY_MS, patient=True)
        if self._twice and not self.broken:
            self._twice = False
            self.again(self.now + RELIST_MS)
        self._fresh = False

    def _start_inits(self) -> Script:
        """Start init containers and sidecars in order; say whether the main ones may run."""
        settled = any(unit.kind == "main" and unit.instances > self._before.get(unit.name, 0) for unit in self.units)
        for unit in self.units:
            if unit.kind == "sidecar":
                if not unit.running and not self.deleting:
                    yield from starting.start(self, unit)
                if not unit.started and not settled:
                    return False
            elif unit.kind == "init" and not settled and not (unit.ending is not None and unit.ending.code == 0):
                if unit.wants(self.policy) and not self.deleting:
                    yield from starting.start(self, unit)
                return False
        return True

    def past(self, unit: Unit) -> Ending | None:
        """Return the end from which a start now backs off: of what this sync has killed, the runtime's status knows only the one before."""
        return unit.last if unit.name in self._killed else unit.ending

    def _kill_failed(self) -> Script:
        self._killed.clear()
        for unit in self.units:
            if unit.running and unit.failed_probe is not None:
                message, grace = unit.failed_probe
                self._killed.add(unit.name)
                yield from self.kill([unit], message, grace)
            elif unit.running and (wanted := self._wanted(unit)) is not None and wanted["image"] != unit.spec["image"]:
                yield from self.kill([unit], f"Container {unit.name} definition changed, will be restarted")
                unit.spec = wanted

    def _wanted(self, unit: Unit) -> Obj | None:
        spec = self.pod["spec"]
        return next(
            (one for one in (*spec["containers"], *(spec.get("initContainers") or ())) if one["name"] == unit.name),
            None,
        )

    def _idle(self) -> Script:
        """Wait for the next reason to look."""
        due, patient = self._due, self._patient
        deadline = self.pod["spec"].get("activeDeadlineSeconds")
        limit = self.began + deadline * 1000 if deadline else None
        periodic = eviction.PERIOD_MS if eviction.watched(self) else REFRESH_MS if self._configured() else None
        moments = [(due, patient), (limit, False), (self.now + periodic if periodic else None, True)]
        until, housekeeping = min(((at, quiet) for at, quiet in moments if at is not None), default=(None, True))
        yield Wait(until=until, ready=lambda: self.dirty, housekeeping=housekeeping)
        if limit is not None and self.now >= limit and not self.deleting:
            self.failure = ("DeadlineExceeded", "Pod was active on the node longer than the specified deadline")
            yield Emit(self.pod, "Normal", *self.failure)
        elif (trouble := eviction.trouble(self)) is not None and not self.deleting:
            self.failure = ("Evicted", trouble)
            yield Emit(self.pod, "Warning", *self.failure)
        self._refresh()

    def _configured(self) -> bool:
        return any("configMap" in volume or "secret" in volume for volume in self.pod["spec"].get("volumes") or ())

    def _refresh(self) -> None:
        """Bring configuration volumes up to date once a minute."""
        if self._configured() and (self._refresh_due is None or self.now >= self._refresh_due):
            self.volumes.refresh(self.pod, self.site.world.clock.wall())
            self._refresh_due = self.now + REFRESH_MS

    def _ended(self) -> bool:
        """Say whether the Pod has run its course."""
        return bool(self.failure[0]) or ended(self.units, self.policy)

    # --- stopping ---

    def kill(self, units: Sequence[Unit], message: str, grace_s: int | None = None) -> Script:
        """Stop units and wait until they are down."""
        yield from terminating.kill(self, units, message, grace_s)

    def silence(self, unit: Unit) -> None:
        """Stop a unit's probes."""
        for prober in self._probers.pop(unit.name, ()):
            prober.stop()

    def _terminate(self) -> Script:
        """Stop everything, sidecars last, and write the last status."""
        if self._ended() and not self.deleting:
            yield from self._report()
        stopped = any(unit.running for unit in self.units)
        yield from terminating.everything(self)
        self.close()
        if stopped and not self.deleting:
            yield from self._report()
        self._over = True
        yield from self._report()

    def close(self) -> None:
        """Stop all probes and give the sandbox's address back."""
        for unit in self.units:
            self.silence(unit)
        if self._sandbox_state == "ready":
            self._sandbox_state = "gone"
            self.sandbox.close()

    # --- what containers tell ---

    def running(self, unit: Unit) -> None:
        """A container has started, its hook is done: probes begin."""
        unit.started = "startupProbe" not in unit.spec
        unit.ready = unit.started and "readinessProbe" not in unit.spec and unit.kind != "init"
        self._probers[unit.name] = [
            Prober(self.site.world, unit, type, lambda *event: self.tell(unit, *event), self.poke)
            for type in TYPES
            if f"{type}Probe" in unit.spec and unit.kind != "init"
        ]
        self.poke()

    def note_end(self, unit: Unit) -> None:
        """Note that an instance ends now: soon after the one before, the kubelet looks once more when it next asks the runtime."""
        self._twice = unit.last is not None and self.now - unit.last.finished < RELIST_MS

    def exited(self, unit: Unit, id: str, code: int, container: Container, message: File) -> None:
        """A container has ended."""
        self.site.spent_us += container.cpu_us
        if unit.id != id:
            return
        self.silence(unit)
        reason = "OOMKilled" if container.oom else "Error" if code else "Completed"
        log = unit.log
        if log is not None:
            log.close(self.now)
        stop = unit.stop
        self.note_end(unit)
        unit.finish(Ending(id, code, reason, termination_message(unit, message, code), unit.started_ms, self.now))
        if isinstance(stop, Stop):
            stop.finished()
            unit.stop = None
        self.dirty = True
        self.site.wake(self.key, PLEG_MS)

    # --- status ---

    def _report(self, address: str | None = None) -> Script:
        """Write the status when it differs from what the API has."""
        if self.gone:
            return
        ip = address if address is not None else self._addresses.get("podIP", "")
        if self.pod["spec"].get("hostNetwork"):  # known before the sandbox (kubelet_pods.go, generateAPIPodStatus)
            ip = self.site.host.address
        now_phase = phase(self.units, self.policy, over=self._over)
        failure = (
            self.failure
            if self._over and (now_phase == "Failed" or self.failure[0] == "DeadlineExceeded")
            else ("", "")
        )
        if failure[0] == "DeadlineExceeded":
            now_phase = "Failed"
        status = self._writer.status(
            self.pod, self.units, now_phase, self._sandbox_state, ip, self.began, failure, self.policy,
            over=self._over, resizing=self.resizing,
        )  # fmt: skip
        old = self.pod.get("status") or {}
        if self._over is not (status["phase"] in ("Succeeded", "Failed")):
            # Final only when nothing can run any more (mergePodStatus); what never ran to its end has failed (TerminatePod).
            status["phase"] = "Failed" if self._over else old.get("phase", "Pending")
        kept = {name: old[name] for name in ("nominatedNodeName", "resourceClaimStatuses", "resize") if name in old}
        whole = {**status, **kept}
        if whole != old:
            yield Update({**self.pod, "status": whole}, "status")
