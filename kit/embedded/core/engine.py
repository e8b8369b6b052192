"""Wakes the controllers that an event concerns, runs them, and applies what they yield.

Models client-go's workqueue: a key is queued once, failures come back after 5 ms doubling to 1000 s, `After` asks for a later look.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kit.embedded.core.clock import Clock
from kit.embedded.core.controller import Controller, Effects, View
from kit.embedded.core.effects import After, Answer, Effect
from kit.embedded.core.queue import Entry, Queue
from kit.embedded.core.store import Event, Key, Store
from kit.embedded.core.trace import Trace
from kit.embedded.core.waiting import Parked
from kit.errors import Status

BASE_DELAY_MS = 5
MAX_DELAY_MS = 1_000_000

Apply = Callable[[Controller, Effect], Answer]


class Engine:
    """Owns which key of which controller is due when. `apply` carries an effect through the API."""

    def __init__(self, store: Store, queue: Queue, clock: Clock, trace: Trace, apply: Apply) -> None:
        self._queue = queue
        self._clock = clock
        self._trace = trace
        self._apply = apply
        self.view = View(store)
        self.controllers: dict[str, Controller] = {}
        self._interested: dict[str, list[Controller]] = {}
        self._pending: dict[tuple[str, Key], Entry] = {}
        self._failures: dict[tuple[str, Key], int] = {}
        self._parked: dict[
            tuple[str, Key], bool
        ] = {}  # reconciles that wait for an answer; True when the key is due again
        store.listeners.append(self.notify)

    def register(self, controller: Controller) -> None:
        """Let a controller see the events of what it watches."""
        self.controllers[controller.name] = controller
        for resource in controller.watches:
            self._interested.setdefault(resource, []).append(controller)

    def rewatch(self) -> None:
        """Ask every controller anew what it watches: custom resources come and go."""
        self._interested = {}
        for controller in self.controllers.values():
            for resource in controller.watches:
                self._interested.setdefault(resource, []).append(controller)

    def notify(self, event: Event) -> None:
        """Queue the keys that an event concerns."""
        for controller in self._interested.get(event.key.resource, ()):
            for key in controller.watches[event.key.resource](event, self.view):
                self.enqueue(controller, key)

    def resync(self) -> None:
        """Queue every object of everything that is watched: after a start."""
        for resource, controllers in self._interested.items():
            for key, record in self.view._store.items(resource):
                for controller in controllers:
                    for target in controller.watches[resource](
                        Event(record.revision, "ADDED", key, record, None), self.view
                    ):
                        self.enqueue(controller, target)

    def enqueue(self, controller: Controller, key: Key, delay: int = 0, *, housekeeping: bool = False) -> None:
        """Reconcile `key` in `delay` ms; when it is queued already, the earlier time wins."""
        due = self._clock.now + delay
        waiting = self._pending.get((controller.name, key))
        if waiting is not None and waiting.run is not None:
            if waiting.due <= due:
                return
            self._queue.cancel(waiting)
        run = lambda: self._reconcile(controller, key)  # noqa: E731
        self._pending[controller.name, key] = self._queue.put(due, run, housekeeping=housekeeping)

    def _reconcile(self, controller: Controller, key: Key) -> None:
        self._pending.pop((controller.name, key), None)
        if (controller.name, key) in self._parked:
            self._parked[controller.name, key] = True
            return
        self._go_on(controller, key, controller.reconcile(key, self.view, self._clock.now), None)

    def _go_on(self, controller: Controller, key: Key, steps: Effects, answer: Answer) -> None:
        """Run a reconcile to its end, or until an effect must wait: it is parked then, as a worker of the real one would block."""
        try:
            parked = self._drive(controller, key, steps, answer)
        except Status as error:
            self._trace.add(self._clock.now, controller.name, "failed", str(key), error.message)
            self._retry(controller, key)
        else:
            if parked is not None:
                self._park(controller, key, steps, parked)
                return
            self._failures.pop((controller.name, key), None)

    def _park(self, controller: Controller, key: Key, steps: Effects, parked: Parked) -> None:
        self._parked[controller.name, key] = False

        def resume(answer: Any) -> None:
            if self._parked.pop((controller.name, key), False):
                self.enqueue(controller, key)
            self._go_on(controller, key, steps, answer)

        parked.then(resume)

    def _drive(self, controller: Controller, key: Key, steps: Effects, answer: Answer) -> Parked | None:
        """Run one reconcile on, handing each effect's answer back; return what it waits for, None at its end."""
        while True:
            try:
                effect = steps.send(answer)
            except StopIteration:
                return None
            if isinstance(effect, After):
                self.enqueue(controller, key, effect.ms, housekeeping=effect.housekeeping)
                answer = None
                continue
            found = self._apply(controller, effect)
            if isinstance(found, Parked):
                return found
            answer = found

    def _retry(self, controller: Controller, key: Key) -> None:
        failures = self._failures.get((controller.name, key), 0)
        self._failures[controller.name, key] = failures + 1
        self.enqueue(controller, key, min(BASE_DELAY_MS << min(failures, 20), MAX_DELAY_MS))
