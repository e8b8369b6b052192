"""The probe strip of a running prober Pod."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Protocol

from kit.view import strip
from kit.widgets.picture import Picture

INTERVAL_S = 0.5


class Sample(Protocol):
    """One request of a prober: when, the HTTP status as text, who answered."""

    @property
    def time(self) -> str:
        """When it was sent."""
        ...

    @property
    def status(self) -> str:
        """HTTP status, or a word for what went wrong."""
        ...

    @property
    def pod(self) -> str:
        """The Pod that answered, `-` when none is known."""
        ...


class Prober(Protocol):
    """Where the record comes from."""

    def samples(self) -> Sequence[Sample]:
        """Return every request so far."""
        ...

    def stop(self) -> Sequence[Sample]:
        """Remove the prober and return all it saw."""
        ...


class ProbeStrip(Picture):
    """One mark per request of a prober Pod; reads its log twice a second until `stop`."""

    def __init__(self, prober: Prober, *, live: bool = True, title: str = "Probes") -> None:
        self._prober = prober
        self._title = title
        self._stopped = threading.Event()
        super().__init__(strip.scene(self.probes(), title))
        if live:
            threading.Thread(target=self._follow, name="kit-strip", daemon=True).start()

    def probes(self) -> list[strip.Probe]:
        """Return the record so far."""
        return [_probe(sample) for sample in self._prober.samples()]

    def stop(self) -> str:
        """Remove the prober, draw its whole record, and say how many requests were answered."""
        self._stopped.set()
        probes = [_probe(sample) for sample in self._prober.stop()]
        self.show(strip.scene(probes, self._title))
        return strip.summary(probes)

    def _follow(self) -> None:
        while not self._stopped.wait(INTERVAL_S):
            self.show(strip.scene(self.probes(), self._title))

    def __repr__(self) -> str:
        return (
            f"{self._title}: running; .stop() ends it and sums it up"
            if not self._stopped.is_set()
            else super().__repr__()
        )


def _probe(sample: Sample) -> strip.Probe:
    return strip.Probe(
        sample.time, int(sample.status) if sample.status.isdigit() else 0, "" if sample.pod == "-" else sample.pod
    )
