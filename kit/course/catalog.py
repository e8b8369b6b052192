"""The lessons of the course: `labs/course.toml` (order, minutes, needs) and the folders it names."""

from __future__ import annotations

import importlib.util
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from kit.checks.hints import TIERS, Hints
from kit.checks.registry import Checks
from kit.checks.text import Text, from_table
from kit.course.source import Source, read
from kit.errors import BadInput, Damaged

_PACKAGE = Path(__file__).resolve().parent.parent
Step = Mapping[str, Any]


@dataclass(frozen=True)
class Variant:
    """A trap (it has a sentence) or an alternative: a script applied in place of the solution."""

    id: str
    script: Sequence[Step]
    undo: Sequence[Step] = ()
    sentence: Text | None = None


@dataclass(frozen=True)
class Exercise:
    """One exercise: what it needs, its hints, and the wrong and right solutions it is proven with."""

    id: str
    title: Text
    needs: tuple[str, ...]
    start: Sequence[Step]
    hints: Hints
    traps: tuple[Variant, ...]
    alternatives: tuple[Variant, ...]

    @property
    def sentences(self) -> dict[str, Text]:
        """Return the sentence of each trap."""
        return {trap.id: trap.sentence for trap in self.traps if trap.sentence}


@dataclass(frozen=True)
class Option:
    """One answer of a question; `says` is what choosing it is answered with."""

    id: str
    text: Text
    says: Text


@dataclass(frozen=True)
class Question:
    """A question with options; `answer` is empty where the cluster decides (a prediction)."""

    id: str
    text: Text
    options: tuple[Option, ...]
    answer: str = ""

    def option(self, id: str) -> Option:
        """Return an option by its id."""
        for option in self.options:
            if option.id == id:
                return option
        raise BadInput(f"{self.id} has no option {id!r}", f"it has {', '.join(option.id for option in self.options)}")


@dataclass(frozen=True)
class Puzzle:
    """A manifest taken apart: its lines as they belong, and lines that do not belong."""

    id: str
    text: Text
    lines: tuple[str, ...]
    distractors: tuple[str, ...]

    @property
    def pieces(self) -> tuple[str, ...]:
        """Return all lines without indentation, in an order that tells nothing: the alphabet's."""
        return tuple(sorted((line.strip() for line in (*self.lines, *self.distractors)), key=str.lower))


@dataclass(frozen=True)
class Fault:
    """Something to repair: how it is put into the cluster and taken back, and hints for who looks for it."""

    id: str
    title: Text
    symptom: Text
    needs: tuple[str, ...]
    hints: Hints
    inject: Sequence[Step]
    undo: Sequence[Step]


@dataclass
class Lesson:
    """One lab: its line in course.toml and what its folder says."""

    number: str
    folder: Path
    minutes: int
    needs: tuple[str, ...]
    manifests: Path
    data: Mapping[str, Any] = field(repr=False)

    @property
    def name(self) -> str:
        """Return `01_pods`."""
        return self.folder.name

    @property
    def namespace(self) -> str:
        """Return the namespace the lab works in."""
        return f"lab-{self.number}"

    @property
    def title(self) -> Text:
        """Return the title."""
        return from_table(self.data["title"])

    @property
    def goal(self) -> Text:
        """Return what the learner can do afterwards."""
        return from_table(self.data["goal"])

    @property
    def setup(self) -> Sequence[Step]:
        """Return the steps that furnish the namespace."""
        return self.data.get("setup") or []

    @cached_property
    def source(self) -> Source:
        """Return the parsed cells."""
        return read(self.folder / "cells.py")

    @cached_property
    def exercises(self) -> dict[str, Exercise]:
        """Return the exercises by id."""
        return {entry["id"]: _exercise(entry) for entry in self.data.get("exercise", [])}

    @cached_property
    def predictions(self) -> dict[str, Question]:
        """Return the predictions by id."""
        return {entry["id"]: _question(entry) for entry in self.data.get("predict", [])}

    @cached_property
    def quizzes(self) -> dict[str, tuple[Question, ...]]:
        """Return the quizzes by id; a single question is a quiz of one."""
        found = {entry["id"]: tuple(_question(item) for item in entry["items"]) for entry in self.data.get("quiz", [])}
        return found | {entry["id"]: (_question(entry),) for entry in self.data.get("question", [])}

    @cached_property
    def puzzles(self) -> dict[str, Puzzle]:
        """Return the Parsons boards by the id of their exercise."""
        return {entry["id"]: _puzzle(entry) for entry in self.data.get("board", [])}

    @cached_property
    def faults(self) -> dict[str, Fault]:
        """Return the faults by id."""
        return {entry["id"]: _fault(entry) for entry in self.data.get("fault", [])}

    def task(self, name: str) -> Exercise | Fault | None:
        """Return an exercise or a fault by its id."""
        return self.exercises.get(name) or self.faults.get(name)

    @cached_property
    def checks(self) -> Checks:
        """Return what the lab's checks.py registers."""
        return _load_checks(self.folder / "checks.py", f"kit_lab_{self.number}_checks")


@dataclass(frozen=True)
class Catalog:
    """The course in a folder that holds labs/, manifests/ and solutions/."""

    root: Path
    lessons: tuple[Lesson, ...]

    def find(self, number: str | int) -> Lesson:
        """Return a lesson by its number (`1`, `"01"`) or name (`"01_pods"`)."""
        wanted = str(number)
        for lesson in self.lessons:
            if wanted in {lesson.number, lesson.name, lesson.number.lstrip("0") or "0"}:
                return lesson
        raise BadInput(
            f"the course has no lab {wanted}", f"it has {', '.join(lesson.number for lesson in self.lessons)}"
        )


def course_root() -> Path:
    """Return the folder of the course: the clone we run from, else what the wheel carries."""
    for folder in (_PACKAGE.parent, _PACKAGE / "course_files"):
        if (folder / "labs" / "course.toml").is_file():
            return folder
    raise Damaged(
        "the course's files are missing", "install kubernetes-lab-kit again, or run in a clone of its repository"
    )


def is_clone(root: Path) -> bool:
    """Tell whether the course is a clone's (sources, to work in), not a wheel's."""
    return (root / "pyproject.toml").is_file()


def load(root: Path | None = None) -> Catalog:
    """Read the catalogue of the course in `root` (found when not given)."""
    root = root or course_root()
    table = _toml(root / "labs" / "course.toml")
    return Catalog(root, tuple(_lesson(entry, root) for entry in table["lab"]))


def images(root: Path | None = None) -> list[dict[str, Any]]:
    """Return the rows of `labs/images.toml`."""
    found: list[dict[str, Any]] = _toml((root or course_root()) / "labs" / "images.toml")["image"]
    return found


def _lesson(entry: Mapping[str, Any], root: Path) -> Lesson:
    folder = root / "labs" / "src" / entry["name"]
    needs = tuple(entry.get("needs", []))
    return Lesson(
        entry["name"][:2],
        folder,
        entry["minutes"],
        needs,
        root / "manifests" / entry["name"],
        _toml(folder / "lab.toml"),
    )


def _exercise(entry: Mapping[str, Any]) -> Exercise:
    return Exercise(
        entry["id"],
        from_table(entry["title"]),
        tuple(entry.get("needs", [])),
        entry.get("start") or [],
        _hints(entry),
        tuple(_variant(trap) for trap in entry.get("trap", [])),
        tuple(_variant(other) for other in entry.get("alternative", [])),
    )


def _hints(entry: Mapping[str, Any]) -> Hints:
    special = {name: _tiers(hints, entry["id"]) for name, hints in (entry.get("hint") or {}).items()}
    return Hints(_tiers(entry.get("hints") or [], entry["id"]), special)


def _tiers(tables: Sequence[Mapping[str, Any]], exercise: str) -> tuple[Text, ...]:
    if len(tables) != TIERS:
        raise BadInput(f"{exercise} has {len(tables)} hints", "a question, where to look, the field's name: three")
    return tuple(from_table(table) for table in tables)


def _variant(entry: Mapping[str, Any]) -> Variant:
    sentence = from_table(entry["sentence"]) if "sentence" in entry else None
    return Variant(entry["id"], entry["script"], entry.get("undo") or [], sentence)


def _question(entry: Mapping[str, Any]) -> Question:
    options = tuple(Option(item["id"], from_table(item["text"]), from_table(item["says"])) for item in entry["options"])
    return Question(entry["id"], from_table(entry["question"]), options, entry.get("answer", ""))


def _puzzle(entry: Mapping[str, Any]) -> Puzzle:
    return Puzzle(entry["id"], from_table(entry["question"]), tuple(entry["lines"]), tuple(entry["distractors"]))


def _fault(entry: Mapping[str, Any]) -> Fault:
    title, symptom = from_table(entry["title"]), from_table(entry["symptom"])
    hints = _hints(entry)
    return Fault(entry["id"], title, symptom, tuple(entry.get("needs", [])), hints, entry["inject"], entry["undo"])


def _load_checks(path: Path, name: str) -> Checks:
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise Damaged(f"can't load {path}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    checks = module.checks
    if not isinstance(checks, Checks):
        raise BadInput(f"{path} has no `checks = Checks()`")
    return checks


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Damaged(f"{path} is missing", "install kubernetes-lab-kit again") from error
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"{path}: {error}") from error
