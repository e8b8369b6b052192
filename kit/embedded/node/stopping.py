"""Stopping containers: preStop, TERM, grace, KILL; sidecars after the others, the last first.

Models kuberuntime_container.go killContainer and kuberuntime_termination_order.go.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kit.embedded.core.program import SIGNALS
from kit.embedded.core.queue import Entry
from kit.embedded.node.actions import Action, Outcome
from kit.embedded.node.runtime import World
from kit.embedded.node.units import Unit

MINIMUM_GRACE_MS = 2_000


class Stop:
    """One container on its way down. `after` are stops that must be over before TERM is sent here (sidecars wait for the others)."""

    def __init__(
        self, world: World, unit: Unit, grace_ms: int, after: Sequence[Stop], hook_failed: Callable[[Unit], None]
    ) -> None:
        self._world = world
        self._unit = unit
        self._after = list(after)
        self._hook_failed = hook_failed
        self._termed = False
        self._action: Action | None = None
        self.deadline = world.clock.now + grace_ms
        self._entry: Entry | None = None
        self._container = unit.container
        unit.stop = self
        self._arm()
        self.turn()

    @property
    def over(self) -> bool:
        """Say whether the container has ended."""
        return self._container is None or self._container.exit_code is not None

    def turn(self) -> None:
        """Go on, when those that come before are down."""
        if self._termed or self._action is not None or self.over or any(not stop.over for stop in self._after):
            return
        hook = (self._unit.spec.get("lifecycle") or {}).get("preStop")
        if hook:
            remaining = max(1, self.deadline - self._world.clock.now)
            self._action = Action(self._world, self._unit, hook, remaining, self._hooked, housekeeping=False)
        else:
            self._term()

    def shorten(self, grace_ms: int) -> None:
        """Leave less time than before."""
        deadline = self._world.clock.now + grace_ms
        if deadline < self.deadline and not self.over:
            self.deadline = deadline
            self._world.queue.cancel(self._entry)
            self._arm()

    def _arm(self) -> None:
        self._entry = self._world.queue.put(self.deadline, self._expire)

    def _hooked(self, outcome: Outcome) -> None:
        self._action = None
        if outcome.result in ("failure", "unknown"):
            self._hook_failed(self._unit)
        if self._world.clock.now >= self.deadline:  # the hook took all: the runtime still gives the program 2 s
            self.deadline = self._world.clock.now + MINIMUM_GRACE_MS
            self._world.queue.cancel(self._entry)
            self._arm()
        self._term()

    def _term(self) -> None:
        self._termed = True
        if self._container is not None:
            image = self._unit.image
            name = (image.stop_signal if image else "TERM").removeprefix("SIG")
            self._container.signal(SIGNALS.get(name, SIGNALS["TERM"]))

    def _expire(self) -> None:
        if self._action is not None:
            action, self._action = self._action, None
            action.cancel()
            self._hooked(Outcome("failure"))
        elif not self._termed and any(not stop.over for stop in self._after):
            self._after = []
            self.deadline = self._world.clock.now + MINIMUM_GRACE_MS
            self._arm()
            self.turn()
        elif self._container is not None and not self.over:
            self._container.signal(SIGNALS["KILL"])

    def finished(self) -> None:
        """Hear that the container has ended: drop what is under way."""
        self._world.queue.cancel(self._entry)
        if self._action is not None:
            self._action.cancel()
            self._action = None
