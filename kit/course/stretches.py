"""Which cells of a notebook belong to an exercise or a fault, and where the points are that a lab can be brought to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from kit.course.build import Edition, notebook_cells
from kit.course.catalog import Lesson
from kit.course.source import Cell, check_of
from kit.errors import BadInput

START = "start"
_BEGINS = {"task", "break"}
_LEFT_OUT = {"check", "predict", "quiz"}
_CALL = re.compile(r'\blab\.(?:predict|quiz|break_|check)\("([^"]+)"')
_LOOKS = {"lab.graph()", "lab.board()"}
_ANSWER = re.compile(r'^lab\.quiz\("([^"]+)",', re.MULTILINE)


@dataclass(frozen=True)
class Places:
    """What a running cell belongs to: the name of an exercise or fault, empty for a cell of the text between them."""

    by_id: Mapping[str, str]
    by_text: Mapping[str, str]

    def of(self, cell_id: str | None, text: str) -> str | None:
        """Return what a cell belongs to, None when it is the learner's own; the text decides where no id is sent."""
        found = self.by_id.get(cell_id or "")
        return self.by_text.get(text.strip()) if found is None else found


def places(lesson: Lesson, lang: str) -> Places:
    """Return the places of a lesson's cells in one language."""
    owner = {cell.line: name for name, cells in stretches(lesson.source.cells).items() for cell in cells}
    by_id: dict[str, str] = {}
    by_text: dict[str, set[str]] = {}
    for solution in (False, True):
        for cell, cell_id in notebook_cells(Edition(lesson, lang, solution)):
            name = owner.get(cell.line, "")
            by_id[cell_id] = name
            by_text.setdefault(cell.text.strip(), set()).add(name)
    return Places(by_id, {text: name for text, (name, *others) in by_text.items() if not others})


def stretches(cells: Sequence[Cell]) -> dict[str, tuple[Cell, ...]]:
    """Return the code cells of each exercise and fault: from its first task (or its break) to its check."""
    found: dict[str, tuple[Cell, ...]] = {}
    open_: list[Cell] = []
    for cell in (cell for cell in cells if cell.kind == "code"):
        if open_ or _BEGINS & set(cell.tags) or "check" in cell.tags:
            open_.append(cell)
        if "check" in cell.tags:
            found[check_of(cell)] = tuple(open_)
            open_ = []
    return found


def points(lesson: Lesson) -> dict[str, int]:
    """Return every point that a lab can be brought to, and how many of its source's cells lie before it."""
    cells = lesson.source.cells
    lines = {cell.line: number for number, cell in enumerate(cells)}
    found = {START: 0}
    for name, number in _named(cells):
        found.setdefault(name, number)
    for name, own in stretches(cells).items():
        found[name] = min(lines[own[0].line], found.get(name, len(cells)))
    return dict(sorted(found.items(), key=lambda entry: entry[1]))


def way_to(lesson: Lesson, point: str) -> list[Cell]:
    """Return the cells that bring a lab that is as new to `point`: what the learner runs before it, tasks solved."""
    known = points(lesson)
    if point not in known:
        names = ", ".join(f"{lesson.number}:{name}" for name in known)
        raise BadInput(f"lab {lesson.number} has no point {point!r} to go back to", f"there are {names}")
    before = lesson.source.cells[: known[point]]
    lines = {cell.line for cell in before if cell.kind == "code" and _acts(cell, lesson)}
    return [cell for cell in lesson.source.notebook("en", solution=True) if cell.line in lines]


def _named(cells: Sequence[Cell]) -> Iterator[tuple[str, int]]:
    for number, cell in enumerate(cells):
        yield from ((f"seed:{seed}", number) for seed in cell.seeds)
        if cell.kind == "code":
            yield from ((name, number) for name in _CALL.findall(cell.text))


def _acts(cell: Cell, lesson: Lesson) -> bool:
    """Tell whether a cell does something to the cluster; answers are the learner's own, but for a board's, which are applied."""
    if _LEFT_OUT & set(cell.tags) or cell.text in _LOOKS:
        return False
    return all(name in lesson.puzzles for name in _ANSWER.findall(cell.text))
