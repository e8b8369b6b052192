"""Owns the machine and turns it: inputs in, rows to the journal, then outputs to whoever waits for them.

One asyncio loop, no thread. What arrives within one pass of the loop goes into one turn (group commit). A turn's budget of steps is
set so that it takes about 5 ms of wall time; between turns the loop serves sockets. Cluster time never advances past undone work.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from kit.embedded.core.store import Row
from kit.embedded.core.turns import (
    Answer,
    Batch,
    Begin,
    Called,
    Chunk,
    Data,
    Dial,
    End,
    Expose,
    Finish,
    Hangup,
    Input,
    Invoke,
    Output,
    Request,
    Response,
)
from kit.runtime.calling import Caller
from kit.runtime.clocks import PAUSE_MS, Clock, Realtime, Settled
from kit.runtime.measuring import Meter

TURN_S = 0.005
TOLERANCE_MS = 1_000  # kubectl takes times up to two seconds ahead of it for now
MAX_FAILURES = 20  # turns in a row
_log = logging.getLogger("kit.runtime")
MIN_BUDGET, MAX_BUDGET = 16, 20_000


class Machine(Protocol):
    """The pure machine as the driver sees it."""

    @property
    def now(self) -> int:
        """Cluster time in ms."""
        ...

    @property
    def epoch(self) -> int:
        """What cluster time 0 is, in ms since 1970."""
        ...

    def turn(self, inputs: Sequence[Input], now: int, budget: int) -> Batch:
        """Take inputs at `now` and run what is due, at most `budget` steps."""
        ...

    def jump(self, ms: int) -> None:
        """Make everything `ms` older; the driver then turns that much further."""
        ...


class Sink(Protocol):
    """Whoever waits for the outputs of one ticket."""

    def answer(self, response: Response) -> None:
        """Take the whole answer; the ticket is over."""
        ...

    def begin(self, begin: Begin) -> None:
        """Take the start of an answer."""
        ...

    def chunk(self, channel: int, data: bytes) -> None:
        """Take bytes of a channel."""
        ...

    def finish(self, channel: int | None, status: Mapping[str, Any] | None, error: str) -> None:
        """Take the end of a channel, or of the ticket when `channel` is None."""
        ...


class Keeper(Protocol):
    """Where rows are kept (the journal)."""

    def commit(self, rows: Sequence[Row]) -> None:
        """Keep rows durably."""
        ...


def wall_ms() -> float:
    """Return milliseconds of a clock that never goes back."""
    return time.monotonic() * 1000.0


def unix_ms() -> int:
    """Return milliseconds since 1970 by the wall."""
    return time.time_ns() // 1_000_000


class Driver:
    """Turns one machine. `expose` is told about ports of the host to open or close."""

    def __init__(
        self,
        machine: Machine,
        journal: Keeper,
        clock: Clock,
        *,
        wall: Callable[[], float] = wall_ms,
        unix: Callable[[], int] = unix_ms,
        expose: Callable[[Expose], None] = lambda expose: None,
        meter: Meter | None = None,
    ) -> None:
        self.machine = machine
        self.clock = clock
        self.expose = expose
        self.meter = meter or Meter()
        self.on_failure: Callable[[Exception], None] = lambda error: None
        self._caller = Caller(self.feed, unix_ms)
        self._journal = journal
        self._wall = wall
        self._unix = unix
        self._inbox: list[Input] = []
        self._held: list[Request] = []
        self._sinks: dict[int, Sink] = {}
        self._lasting: set[int] = set()
        self._waiting: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []
        self._last_id = 0
        self._budget = 500
        self._timer: asyncio.Handle | None = None
        self._timer_at = 0.0
        self._stopped = False
        self._failures = 0
        self._batch = Batch((), (), None, None, True, False)

    # --- what others call ---

    def start(self) -> None:
        """Begin turning; a new or restored machine counts as just written to."""
        self._align()
        self.clock.wrote(self.machine.now)
        self._soon()

    def stop(self) -> None:
        """Turn no more. What was acknowledged is committed already."""
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()

    def ticket(self, sink: Sink) -> int:
        """Return a fresh id whose outputs go to `sink`."""
        self._last_id += 1
        self._sinks[self._last_id] = sink
        return self._last_id

    def redirect(self, id: int, sink: Sink) -> None:
        """Let `sink` take what comes for an open ticket from now on (an upgrade)."""
        if id in self._sinks:
            self._sinks[id] = sink

    def submit(self, sink: Sink, make: Callable[[int], Request | Dial]) -> int:
        """Put a request or a dialled connection into the next turn and return its id."""
        id = self.ticket(sink)
        one = make(id)
        if isinstance(one, Request):
            self.meter.submitted(id, one.method)
            self._held.append(one)
        else:
            self._inbox.append(one)
        self._soon()
        return id

    def feed(self, one: Data | End | Hangup | Called) -> None:
        """Put what happened on an open ticket, or came of a call, into the next turn."""
        if isinstance(one, Hangup):
            self._forget(one.id)
            self.meter.left(one.id)
            self._held = [held for held in self._held if held.id != one.id]
        self._inbox.append(one)
        self._soon()

    def do(self, action: Callable[[], Any], *, writes: bool = True) -> Any:
        """Run `action` on the machine between two turns (the control surface); `writes` as for a request."""
        result = action()
        if writes:
            self.clock.wrote(self.machine.now)
        self._soon()
        return result

    async def until(self, happened: Callable[[], bool]) -> None:
        """Wait until `happened()` is true after a turn."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((happened, future))
        self._soon()
        await future

    def jump(self, ms: int) -> None:
        """Let `ms` of cluster time pass at once, with all that is due in it."""
        self.machine.jump(ms)
        self.clock.jump(ms)
        self._soon()

    def quiet(self) -> bool:
        """Tell whether nothing but housekeeping is due."""
        return self._batch.done and self._batch.busy_due is None and not self._inbox

    def level(self) -> bool:
        """Tell whether all that is due has run."""
        return self._batch.done

    @property
    def open_tickets(self) -> int:
        """How many requests, streams and connections are open."""
        return len(self._sinks)

    # --- turning ---

    def _soon(self) -> None:
        self._arm(0.0)

    def _arm(self, delay_ms: float) -> None:
        """Turn in `delay_ms` at the latest."""
        if self._stopped:
            return
        at = self._wall() + delay_ms if delay_ms > 0 else 0.0
        if self._timer is not None:
            if self._timer_at <= at:
                return
            self._timer.cancel()
        loop = asyncio.get_running_loop()
        self._timer_at = at
        self._timer = loop.call_soon(self._pass) if delay_ms <= 0 else loop.call_later(delay_ms / 1000, self._pass)

    def _pass(self) -> None:
        """Turn once, and arm the next turn. A driver that breaks stops the process: the state on disk is whole."""
        self._timer = None
        try:
            self._turn()
        except Exception as error:
            self._stopped = True
            self.on_failure(error)
            raise
        waiting = self._inbox or (self._held and not self.clock.holds())
        self._arm(0.0 if waiting else self.clock.wake(self._batch, self.machine.now))

    def _turn(self) -> None:
        self._admit()
        inputs, self._inbox = self._inbox, []
        target = max(self.clock.target(self._wall()), self.machine.now)
        began = time.perf_counter()
        batch = self._batch = self._run(inputs, target)
        self._measure(time.perf_counter() - began, batch.done)
        self._journal.commit(batch.rows)
        if batch.writes:
            self.clock.wrote(self.machine.now)
        self._release(batch.outputs)
        self.clock.turned(batch, self.machine.now)
        self._align()
        self._wake_waiting()

    def _run(self, inputs: Sequence[Input], target: int) -> Batch:
        """Turn the machine. One step that breaks is logged and left behind, as a server recovers from a handler's panic."""
        try:
            batch = self.machine.turn(inputs, target, self._budget)
        except Exception:
            self._failures += 1
            if self._failures > MAX_FAILURES:
                raise
            _log.exception("a step of the machine failed")
            return Batch((), (), None, None, False, True)
        self._failures = 0
        return batch

    def _admit(self) -> None:
        """Let waiting requests in. A settled cluster takes one write at a time: each settles before the next begins."""
        while self._held and not self.clock.holds():
            request = self._held.pop(0)
            self._inbox.append(request)
            if isinstance(self.clock, Settled) and request.method not in {"GET", "HEAD"}:
                return

    def _measure(self, seconds: float, done: bool) -> None:
        """Move the budget towards turns of 5 ms."""
        if not done or seconds > 2 * TURN_S:
            wanted = int(self._budget * TURN_S / max(seconds, 1e-6))
            self._budget = min(MAX_BUDGET, max(MIN_BUDGET, (self._budget + wanted) // 2))

    def _align(self) -> None:
        """Keep the time that clients see beside the wall's: ages stay what they were over a pause, and no time lies in the future."""
        if not isinstance(self.clock, Realtime) or not self.clock.level():
            return
        lag = self._unix() - (self.machine.epoch + self.machine.now)
        if lag > PAUSE_MS or lag < -TOLERANCE_MS:
            self.machine.jump(-(lag // 1000) * 1000)

    def _wake_waiting(self) -> None:
        still = []
        for happened, future in self._waiting:
            if future.done():
                continue
            if happened():
                future.set_result(None)
            else:
                still.append((happened, future))
        self._waiting = still

    # --- releasing ---

    def _release(self, outputs: Iterable[Output]) -> None:
        for output in outputs:
            if isinstance(output, Expose):
                self.expose(output)
            elif isinstance(output, Invoke):
                self._caller.call(output)
            elif (sink := self._sinks.get(output.id)) is not None:
                try:
                    self._hand(sink, output)
                except Exception:  # noqa: BLE001 - what is wrong with one client's answer is not the others' business
                    _log.exception("an output could not be handed on")
                    self.feed(Hangup(output.id))

    def _hand(self, sink: Sink, output: Answer | Begin | Chunk | Finish) -> None:
        if isinstance(output, Chunk):
            sink.chunk(output.channel, output.data)
            self._touch(output.id)
        elif isinstance(output, Answer):
            self._forget(output.id)
            sink.answer(output.response)
            self.meter.answered(output.id, output.about, len(output.response.body))
        elif isinstance(output, Begin):
            self.meter.left(output.id)
            if output.upgrade == "channels":
                self._lasting.add(output.id)
                self._touch(output.id)
            sink.begin(output)
        else:
            if output.channel is None:
                self._forget(output.id)
            sink.finish(output.channel, output.status, output.error)

    def _touch(self, id: int) -> None:
        if isinstance(self.clock, Settled) and id in self._lasting:
            self.clock.lasting = len(self._lasting)
            self.clock.touched(self.machine.now)

    def _forget(self, id: int) -> None:
        self._sinks.pop(id, None)
        self._lasting.discard(id)
        if isinstance(self.clock, Settled):
            self.clock.lasting = len(self._lasting)
