"""The probe strip: one mark per request, its row the Pod that answered, a gap where nobody did."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from kit.view.scene import Box, Scene

STEP = 12
LAST = 60


class Probe(NamedTuple):
    """One line of the prober's log: when (text), the HTTP status (0: no answer) and who answered."""

    time: str
    status: int
    pod: str

    @property
    def ok(self) -> bool:
        """Say whether the answer was a good one."""
        return 200 <= self.status < 400


def scene(probes: Sequence[Probe], title: str) -> Scene:
    """Return the strip of the last 60 probes; each answering Pod has a row of its own, failures one at the bottom."""
    recent = list(enumerate(probes))[-LAST:]
    pods = sorted({probe.pod or "answer" for _, probe in recent if probe.ok})
    rows = {pod: index for index, pod in enumerate(pods)}
    boxes = [Box(f"Row/{pod}", "Row", pod, "plain", "", 8, 8 + 26 * row, 150, 22) for pod, row in rows.items()]
    for place, (number, probe) in enumerate(recent):
        row = rows[probe.pod or "answer"] if probe.ok else len(rows)
        what = probe.pod or "answer" if probe.ok else "no answer"
        note = f"{probe.status or 'failed'}"
        boxes.append(
            Box(
                f"Probe/{number}",
                "Probe",
                what,
                "good" if probe.ok else "bad",
                note,
                170 + place * STEP,
                8 + 26 * row,
                8,
                22,
            )
        )
    failed = any(not probe.ok for _, probe in recent)
    return Scene(title, boxes, (), 180 + LAST * STEP, 24 + 26 * (len(rows) + failed))


def summary(probes: Sequence[Probe]) -> str:
    """Say in one line how many were answered."""
    good = sum(probe.ok for probe in probes)
    return f"{good} of {len(probes)} requests answered"
