"""Probes: when they run, how results are counted, what they say. Models pkg/kubelet/prober; the first run is not jittered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kit.embedded.core.queue import Entry
from kit.embedded.core.store import Obj
from kit.embedded.node.actions import Action, Outcome
from kit.embedded.node.runtime import World
from kit.embedded.node.units import Unit

FIRST_MS = 100
TYPES = ("startup", "readiness", "liveness")
Tell = Callable[[str, str, str], None]  # (event type, reason, message)


class Prober:
    """One probe of one running instance. `tell` emits an event, `changed` hears that a result changed."""

    def __init__(self, world: World, unit: Unit, type: str, tell: Tell, changed: Callable[[], None]) -> None:
        self._world = world
        self._unit = unit
        self._type = type
        self._probe: Obj = unit.spec[f"{type}Probe"]
        self._tell = tell
        self._changed = changed
        self._streak = 0
        self._good: bool | None = None  # the outcome the streak counts
        self.result = {"readiness": False, "liveness": True, "startup": False}[type]
        self._known = False
        self._action: Action | None = None
        self._entry: Entry | None = None
        self._over = False
        self._schedule(max(FIRST_MS, self._probe.get("initialDelaySeconds", 0) * 1000))

    def stop(self) -> None:
        """Probe no more."""
        self._over = True
        self._world.queue.cancel(self._entry)
        if self._action is not None:
            self._action.cancel()

    def _schedule(self, ms: int) -> None:
        """Run again in `ms`. A probe whose result is settled is housekeeping."""
        queue, clock = self._world.queue, self._world.clock
        self._entry = queue.put(clock.now + ms, self._run, housekeeping=self._settled)

    @property
    def _settled(self) -> bool:
        return self._known and (self._good is self.result or self._type != "liveness")

    def _run(self) -> None:
        if self._over or not self._unit.running:
            return
        self._schedule(self._probe.get("periodSeconds", 10) * 1000)
        if self._type != "startup" and "startupProbe" in self._unit.spec and not self._unit.started:
            return
        if self._type == "startup" and self._unit.started:
            self.stop()
            return
        if self._action is None:
            timeout = self._probe.get("timeoutSeconds", 1) * 1000
            self._action = Action(
                self._world, self._unit, self._probe, timeout, self._ended, housekeeping=self._settled
            )

    def _ended(self, outcome: Outcome) -> None:
        self._action = None
        if self._over:
            return
        title = self._type.capitalize()
        if outcome.result == "unknown":
            self._known = True
            self._tell(
                "Warning", "Unhealthy", f"{title} probe errored and resulted in unknown state: {outcome.message}"
            )
            return
        if outcome.result == "warning":
            self._tell("Warning", "ProbeWarning", f"{title} probe warning: {outcome.message}")
        if outcome.result == "failure":
            self._tell("Warning", "Unhealthy", f"{title} probe failed: {outcome.message}")
        self._count(outcome.result != "failure")

    def _count(self, good: bool) -> None:
        self._streak = self._streak + 1 if good is self._good else 1
        self._good = good
        needed = self._probe.get("successThreshold", 1) if good else self._probe.get("failureThreshold", 3)
        if self._streak < needed:
            return
        first, self._known = not self._known, True
        if good is not self.result or (not good and self._type != "readiness") or first:
            self.result = good
            self._apply(good)
        if not good and self._type != "readiness":
            self.stop()

    def _apply(self, good: bool) -> None:
        unit = self._unit
        if self._type == "readiness":
            unit.ready = good
        elif self._type == "startup" and good:
            unit.started = True
            unit.ready = "readinessProbe" not in unit.spec
        elif not good:
            text = f"Container {unit.name} failed {self._type} probe, will be restarted"
            grace: Any = self._probe.get("terminationGracePeriodSeconds")
            unit.failed_probe = (text, grace)
        self._changed()
