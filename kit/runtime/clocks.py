"""How far cluster time may go: one class a mode (design §5). Plain arithmetic; the wall is passed in as milliseconds.

A clock answers two questions of the driver: `target`, how far the next turn runs, and `wake`, how long (wall ms) the driver may
sleep. What the driver learns from a turn it tells by `turned`.
"""

from __future__ import annotations

from dataclasses import dataclass

from kit.embedded.core.turns import Batch

PAUSE_MS = 5_000  # a longer gap between two looks at the wall is not lived through
LOOK_MS = 1_000  # how often a real-time clock looks at the wall at least
SETTLE_MS = 30_000  # how far a write may move a settled cluster
LASTING_MS = 3_600_000  # how far an open exec may move it without a byte passing


class Realtime:
    """Cluster time follows the wall, `speed` times as fast; it stands still while work is undone and while nobody looks."""

    mode = "realtime"

    def __init__(self, now: int, wall_ms: float, speed: float = 1.0) -> None:
        self.speed = speed
        self._now = float(now)
        self._wall = wall_ms
        self._owed = 0  # a jump that is not yet run through
        self._behind = False

    def target(self, wall_ms: float) -> int:
        """Return how far the next turn runs."""
        gap, self._wall = wall_ms - self._wall, wall_ms
        if not self._behind and 0 < gap <= PAUSE_MS:
            self._now += gap * self.speed
        self._now += self._owed
        self._owed = 0
        return int(self._now)

    def turned(self, batch: Batch, now: int) -> None:
        """Note what a turn gave."""
        self._behind = not batch.done
        self._now = max(self._now, float(now))

    def wake(self, batch: Batch, now: int) -> float:
        """Return the wall ms until the next turn is needed."""
        if self._behind or self._owed:
            return 0.0
        if batch.next_due is None or self.speed <= 0:
            return LOOK_MS
        return min(max(0.0, (batch.next_due - self._now) / self.speed), LOOK_MS)

    def wrote(self, now: int) -> None:
        """A write came: nothing changes, time passes anyway."""

    def jump(self, ms: int) -> None:
        """Go `ms` further with the next turns."""
        self._owed += ms

    def holds(self) -> bool:
        """Tell whether requests wait until the cluster is quiet: never here."""
        return False

    def idle(self) -> bool:
        """Tell whether time stands still until something comes in: never here."""
        return False

    def level(self) -> bool:
        """Tell whether the machine has come as far as it should: then its time may be laid beside the wall's."""
        return not self._behind and not self._owed


@dataclass
class _Run:
    """A stretch of time that is being run through: to `until`, or to quiet if that comes first and `to_quiet`."""

    until: int
    to_quiet: bool = True


class Settled:
    """Cluster time moves only after a write, while an exec is open, and by `jump` or `run`."""

    mode = "settled"
    speed = 1.0

    def __init__(self, now: int) -> None:
        self.lasting = 0  # how many exec sessions are open
        self._now = now
        self._runs: list[_Run] = []
        self._settling = now  # requests wait until here
        self._touched = now  # when bytes last passed through an open exec
        self._busy: int | None = None
        self._behind = False
        self._unknown = True  # something came in that no turn has looked at yet

    def target(self, wall_ms: float) -> int:
        """Return how far the next turn runs: to the next thing that is due, never past the end of the run."""
        if not self._behind and not self._unknown and self._runs:
            self._now = max(self._now, self._next())
        return self._now

    def turned(self, batch: Batch, now: int) -> None:
        """Note what a turn gave, and drop the runs that are over."""
        self._now = max(self._now, now)
        self._busy = batch.busy_due
        self._unknown = False
        self._behind = not batch.done
        if self._behind:
            return
        quiet = batch.busy_due is None
        self._runs = [run for run in self._runs if run.until > self._now and not (quiet and run.to_quiet)]
        if self.lasting and not quiet and not self._runs and self._now < self._touched + LASTING_MS:
            self._runs.append(_Run(self._touched + LASTING_MS))

    def wake(self, batch: Batch, now: int) -> float:
        """Return 0 while a run goes on, else a long time."""
        return 3_600_000.0 if self.idle() else 0.0

    def wrote(self, now: int) -> None:
        """A write came: run to quiet, at most 30 s of cluster time."""
        self._touched = now
        self.run(SETTLE_MS)

    def touched(self, now: int) -> None:
        """Bytes passed through an open exec."""
        self._touched = now

    def jump(self, ms: int) -> None:
        """Go exactly `ms` further."""
        self.run(ms, to_quiet=False)

    def run(self, ms: int, *, to_quiet: bool = True) -> None:
        """Go `ms` further, or to quiet if that comes first and is enough."""
        self._settling = max(self._settling, self._now + ms)
        self._runs.append(_Run(self._now + ms, to_quiet))
        self._unknown = True

    def holds(self) -> bool:
        """Tell whether requests wait: while a write settles, so that whoever reads next sees what came of it."""
        return not self.idle() and self._now < self._settling

    def idle(self) -> bool:
        """Tell whether time stands still until something comes in."""
        return not (self._behind or self._runs)

    def _next(self) -> int:
        if self._busy is not None:
            return min(self._busy, max(run.until for run in self._runs))
        return max((run.until for run in self._runs if not run.to_quiet), default=self._now)


Clock = Realtime | Settled
