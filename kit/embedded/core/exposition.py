"""Numbers that are told to a monitoring system: families of samples, put into text at the edge, where time can be measured too."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

COUNTER, GAUGE = "counter", "gauge"
Labels = tuple[str, ...]


class Sample(NamedTuple):
    """One number, with the values of its family's labels."""

    labels: Labels
    value: float


class Family(NamedTuple):
    """Numbers of one name; a counter's name ends in `_total` unless the real one's does not."""

    name: str
    help: str
    type: str
    labels: Sequence[str]
    samples: Sequence[Sample]


class Exposition(Protocol):
    """Puts numbers into text, with those that the edge measures itself."""

    def text(self, families: Iterable[Family], *, measured: bool) -> bytes:
        """Return the text; `measured` adds the durations and the process."""
        ...

    @property
    def started(self) -> int:
        """When the process began: seconds since 1970."""
        ...

    def reset(self) -> None:
        """Forget the durations."""
        ...


class Tally(Protocol):
    """Counts what becomes of requests."""

    def answered(self, labels: Labels, code: int) -> None:
        """A request was answered at once, or later."""
        ...

    def began(self, labels: Labels) -> None:
        """A request stays open."""
        ...

    def ended(self, labels: Labels, code: int) -> None:
        """One that stayed open is over."""
        ...
