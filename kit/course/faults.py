"""Faults of a lab: injected by `lab.break_("F1")`, taken back by `lab.undo()`; which ones are in is kept in the progress."""

from __future__ import annotations

from dataclasses import dataclass

from kit.course.catalog import Fault, Lesson
from kit.course.progress import Progress
from kit.course.steps import Stage
from kit.errors import BadInput

TOPIC = "faults"


@dataclass
class Faults:
    """The faults of one lesson on one cluster; `here` are the names of those that this cluster can have."""

    lesson: Lesson
    progress: Progress
    here: frozenset[str]

    def inject(self, name: str, stage: Stage) -> Fault:
        """Put a fault in; how to take it back is noted before it acts."""
        fault = self.find(name)
        self.progress.put(self.lesson.number, TOPIC, name, "in")
        stage.play(fault.inject)
        return fault

    def undo(self, stage: Stage) -> list[str]:
        """Take back every fault that is in here, the newest last named; return their names."""
        names = self._noted()
        for name in reversed(names):
            stage.play(self.find(name).undo)
            self.progress.put(self.lesson.number, TOPIC, name, None)
        return names

    def forget(self) -> None:
        """Note that the namespace is new: no fault is in it."""
        for name in self._noted():
            self.progress.put(self.lesson.number, TOPIC, name, None)

    def _noted(self) -> list[str]:
        return sorted(self.here.intersection(self.progress.all(self.lesson.number, TOPIC)))

    def find(self, name: str) -> Fault:
        """Return a fault by its id."""
        if name not in self.lesson.faults:
            raise BadInput(f"lab {self.lesson.number} has no fault {name}", f"it has {', '.join(self.lesson.faults)}")
        return self.lesson.faults[name]
