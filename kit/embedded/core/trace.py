"""What happened, in order: every write, every decision, every network hop. The debugger, the diagrams and the tests read it."""

from __future__ import annotations

from collections import deque
from typing import Any, NamedTuple


class Step(NamedTuple):
    """One line of the trace. `ms` is cluster time, `actor` who did it, `verb` what, `what` to which thing."""

    seq: int
    ms: int
    actor: str
    verb: str
    what: str
    detail: Any = None


class Trace:
    """The last `limit` steps."""

    def __init__(self, limit: int = 20_000) -> None:
        self._steps: deque[Step] = deque(maxlen=limit)
        self.seq = 0

    def add(self, ms: int, actor: str, verb: str, what: str, detail: Any = None) -> None:
        """Append a step; `detail` is plain data that JSON can hold."""
        self.seq += 1
        self._steps.append(Step(self.seq, ms, actor, verb, what, detail))

    def since(self, seq: int, limit: int = 5000) -> list[Step]:
        """Return the steps after `seq`, oldest first."""
        skip = max(0, len(self._steps) - (self.seq - seq))
        return [step for index, step in enumerate(self._steps) if index >= skip][:limit]
