"""Prove the checks of a lab: TODO untouched, PASS solved, PASS for each alternative, WRONG with its own sentence for each trap."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kit.checks.report import Report, State
from kit.course.build import Edition, derive, run
from kit.course.catalog import Exercise, Lesson, Variant
from kit.course.progress import Progress
from kit.course.session import Session
from kit.course.settled import Ground, environment, settled_cluster
from kit.course.source import Cell, check_of
from kit.errors import KitError, Status


@dataclass(frozen=True)
class Proof:
    """One thing that was to be shown, and whether it was."""

    exercise: str
    case: str
    wanted: str
    found: str
    shown: bool

    def __str__(self) -> str:
        mark = "ok  " if self.shown else "FAIL"
        return f"{mark} {self.exercise} {self.case}: {self.wanted}" + ("" if self.shown else f", found {self.found}")


def verify(lesson: Lesson, root: Path, ground: Ground = settled_cluster) -> Iterator[Proof]:
    """Yield the proofs of a lab; notebooks run in kernels, traps and alternatives in this process, each on ground of its own."""
    yield from by_notebook(lesson, root, ground)
    with ground(f"verify-{lesson.number}") as cluster, environment(cluster.variables):
        yield from by_script(Session(lesson, cluster.handle, "en", Progress(None)))


def by_notebook(lesson: Lesson, root: Path, ground: Ground = settled_cluster) -> Iterator[Proof]:
    """Yield the proofs that the untouched exercises end with TODO and the solutions with PASS."""
    for solution, wanted in ((False, State.TODO), (True, State.PASS)):
        yield from _executed(lesson, root, ground, solution=solution, wanted=wanted)


def by_script(session: Session) -> Iterator[Proof]:
    """Yield the proofs of untouched starts, alternatives and traps on the cluster of `session`."""
    for exercise in session.lesson.exercises.values():
        yield _proof(session, exercise, None, State.TODO)
        for other in exercise.alternatives:
            yield _proof(session, exercise, other, State.PASS)
        for trap in exercise.traps:
            yield _proof(session, exercise, trap, State.WRONG)


def _executed(lesson: Lesson, root: Path, ground: Ground, *, solution: bool, wanted: State) -> Iterator[Proof]:
    edition = Edition(lesson, "en", solution)
    case = "solved" if solution else "untouched"
    name = f"verify-{lesson.number}-{case}"
    with ground(name) as cluster:
        notebook = run(derive(edition), cluster.variables, root)
    found = dict(_reports(notebook))
    for exercise in lesson.source.checks:
        text = found.get(exercise, "no output")
        state = text.split(" ", 1)[0]
        yield Proof(exercise, case, wanted.value, text, state == wanted.value)


def _reports(notebook: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for cell in notebook["cells"]:
        if "check" not in cell["metadata"].get("tags", []):
            continue
        name = check_of_text("".join(cell["source"]))
        for output in cell["outputs"]:
            yield name, "".join(output.get("data", {}).get("text/plain", output.get("text", [])))


def check_of_text(text: str) -> str:
    """Return the exercise that the text of a check cell names."""
    return check_of(Cell("code", 0, tuple(text.splitlines()), "", ("check",)))


def _proof(session: Session, exercise: Exercise, variant: Variant | None, wanted: State) -> Proof:
    case = "start" if variant is None else f"{'trap' if variant.sentence else 'alternative'} {variant.id}"
    try:
        report = _checked(session, exercise, variant)
    except (KitError, Status) as error:
        return Proof(exercise.id, case, wanted.value, f"an error: {error}", False)
    right = report.state is wanted
    if variant is not None and variant.sentence:
        right = right and report.trap == variant.id and variant.sentence.en in repr(report)
        return Proof(exercise.id, case, f"WRONG, {variant.sentence.en}", repr(report), right)
    return Proof(exercise.id, case, wanted.value, repr(report), right)


def _checked(session: Session, exercise: Exercise, variant: Variant | None) -> Report:
    """Make the namespace new, furnish it as the exercise finds it, apply the script, check, and clean up outside the namespace.

    What the cluster lacks for it is done on the small one beside.
    """
    session = session.place_of(exercise.id)
    session.reset()
    for question in session.answers:
        session.progress.put(session.lesson.number, "answers", question, None)
    stage = session.stage()
    stage.play(exercise.start)
    if variant is None:
        return session.check(exercise.id)
    try:
        stage.play(variant.script)
        return session.check(exercise.id)
    finally:
        stage.play(variant.undo)
