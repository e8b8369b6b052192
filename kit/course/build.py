"""Derive the notebooks of a lab from its source: exercise and executed solution, English and Chinese.

Exercise notebooks have no outputs and are compared byte by byte. A solution's cells are compared byte by byte too; its
stored outputs are compared by nbval, which knows what kubectl computes from the wall clock.
"""

from __future__ import annotations

import copy
import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kit.checks.text import LANGUAGES
from kit.course.catalog import Lesson
from kit.course.settled import settled_cluster
from kit.course.source import Cell, SourceError
from kit.errors import KitError

Notebook = dict[str, Any]
_WIDGET = "application/vnd.jupyter.widget-view+json"
_CALLS = {"predict": "predictions", "quiz": "quizzes", "check": "exercises", "break_": "faults"}
_CALL = re.compile(r'\blab\.(predict|quiz|check|break_|hint)\("([^"]+)"')
_CELL_TIMEOUT_S = 180


@dataclass(frozen=True)
class Edition:
    """One notebook that a lab is derived into."""

    lesson: Lesson
    lang: str
    solution: bool

    def path(self, root: Path) -> Path:
        """Return where it lies in a course's folder."""
        folder = root / ("solutions" if self.solution else "labs")
        return (folder if self.lang == "en" else folder / self.lang) / f"{self.lesson.name}.ipynb"


def editions(lesson: Lesson) -> Iterator[Edition]:
    """Yield the four notebooks of a lab."""
    for lang in LANGUAGES:
        for solution in (False, True):
            yield Edition(lesson, lang, solution)


def derive(edition: Edition) -> Notebook:
    """Return a notebook without outputs; the same source gives the same bytes."""
    lesson = edition.lesson
    return {
        "cells": [_cell(cell, cell_id) for cell, cell_id in notebook_cells(edition)],
        "metadata": {
            "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
            "kit": {
                "lab": lesson.number,
                "lang": edition.lang,
                "edition": "solution" if edition.solution else "exercise",
            },
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def notebook_cells(edition: Edition) -> Iterator[tuple[Cell, str]]:
    """Yield the cells of a notebook with their ids; the first one opens the lab."""
    number, lang = edition.lesson.number, edition.lang
    first = Cell("code", 0, ("import kit", "", f'lab = kit.lab("{number}", lang="{lang}")', "lab"))
    for place, cell in enumerate([first, *edition.lesson.source.notebook(lang, solution=edition.solution)]):
        yield cell, hashlib.sha256(f"{place}:{cell.kind}:{cell.text}".encode()).hexdigest()[:12]


def write(notebook: Notebook) -> str:
    """Return the text of a notebook file."""
    return json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def build(lesson: Lesson, root: Path, *, execute: bool = True) -> list[Path]:
    """Write the notebooks of a lab; solutions are executed, each on a new settled cluster. Return what was written."""
    audit(lesson)
    written = []
    for edition in editions(lesson):
        notebook = derive(edition)
        target = edition.path(root)
        if edition.solution and execute:
            notebook = executed(notebook, "lab", target.parent if target.parent.is_dir() else root)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(write(notebook), encoding="utf-8")
        written.append(target)
    return written


def drift(lesson: Lesson, root: Path) -> list[str]:
    """Return a line for each notebook that is not what its source says."""
    audit(lesson)
    found = []
    for edition in editions(lesson):
        target = edition.path(root)
        if not target.is_file():
            found.append(f"{target.relative_to(root)} is missing")
            continue
        text = target.read_text(encoding="utf-8")
        if edition.solution:
            text = write(without_outputs(json.loads(text)))
        if text != write(derive(edition)):
            found.append(f"{target.relative_to(root)} differs from {lesson.source.path.relative_to(root)}")
    return found


def executed(notebook: Notebook, name: str, folder: Path) -> Notebook:
    """Return a notebook with the outputs it has on a new settled cluster called `name`."""
    with settled_cluster(name) as cluster:
        return run(notebook, cluster.variables, folder)


def run(notebook: Notebook, variables: Mapping[str, str], folder: Path) -> Notebook:
    """Execute a notebook in a kernel under `variables`; an exception in a cell raises `KitError`."""
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

    node = nbformat.reads(json.dumps(notebook), as_version=4)  # type: ignore[no-untyped-call]
    client = NotebookClient(
        node, timeout=_CELL_TIMEOUT_S, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )
    try:
        client.execute(env={**os.environ, **variables})
    except CellExecutionError as error:
        raise KitError(f"a cell of the notebook failed:\n{error}", "run it by hand: labkit lab") from error
    return normalised(json.loads(nbformat.writes(node)), variables)  # type: ignore[no-untyped-call]


def normalised(notebook: Notebook, variables: Mapping[str, str]) -> Notebook:
    """Drop what differs from run to run without meaning: execution times, widget state, model ids, split streams, folders."""
    found = copy.deepcopy(notebook)
    found["metadata"].pop("widgets", None)
    found["metadata"]["language_info"] = {"name": "python"}
    for cell in found["cells"]:
        cell["metadata"].pop("execution", None)
        if cell["cell_type"] == "code":
            cell["outputs"] = [_output(output, variables) for output in _joined(cell["outputs"])]
    return found


def without_outputs(notebook: Notebook) -> Notebook:
    """Return a notebook as it was before it ran."""
    found = copy.deepcopy(notebook)
    for cell in found["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
    return found


def audit(lesson: Lesson) -> None:
    """Raise where cells, lab.toml and checks.py do not fit: an id that is called but not written, or written but not called."""
    called: dict[str, set[str]] = {kind: set() for kind in _CALLS}
    known = {
        "predict": set(lesson.predictions),
        "quiz": {*lesson.quizzes, *lesson.puzzles},
        "check": set(lesson.checks.checks),
        "break_": set(lesson.faults),
        "hint": {*lesson.exercises, *lesson.faults},
    }
    for cell in lesson.source.cells:
        for word, name in _CALL.findall(cell.text):
            if name not in known[word]:
                raise SourceError(lesson.source.path, cell.line, f'lab.{word}("{name}"): there is no {name}')
            called.setdefault(word, set()).add(name)
    for word in _CALLS:
        if missing := known[word] - called[word]:
            raise SourceError(lesson.source.path, 1, f"never used: {', '.join(sorted(missing))} (lab.{word})")
    if unchecked := set(lesson.exercises) ^ (known["check"] - set(lesson.faults)):
        raise SourceError(
            lesson.folder / "checks.py", 1, f"exercise and check do not match: {', '.join(sorted(unchecked))}"
        )
    _audit_traps(lesson)


def _audit_traps(lesson: Lesson) -> None:
    for exercise in lesson.exercises.values():
        if len(exercise.traps) < 1:
            raise SourceError(lesson.folder / "lab.toml", 1, f"{exercise.id} has no trap")
        for trap in exercise.traps:
            if not trap.sentence:
                raise SourceError(lesson.folder / "lab.toml", 1, f"trap {trap.id} of {exercise.id} has no sentence")
    for name, question in lesson.predictions.items():
        if not question.answer and name not in lesson.checks.observers:
            raise SourceError(
                lesson.folder / "lab.toml", 1, f"{name} has neither an answer nor an outcome in checks.py"
            )


def _cell(cell: Cell, cell_id: str) -> dict[str, Any]:
    lines = cell.text.splitlines(keepends=True)
    found: dict[str, Any] = {"cell_type": cell.kind, "id": cell_id, "metadata": {}, "source": lines}
    if cell.tags:
        found["metadata"]["tags"] = list(cell.tags)
    if cell.kind == "code":
        found |= {"execution_count": None, "outputs": []}
    return found


def _joined(outputs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Join neighbouring pieces of one stream: where they were cut depends on the moment."""
    found: list[dict[str, Any]] = []
    for output in outputs:
        if (
            found
            and output["output_type"] == "stream" == found[-1]["output_type"]
            and output["name"] == found[-1]["name"]
        ):
            found[-1]["text"] = _text(found[-1]["text"]) + _text(output["text"])
        else:
            found.append(output)
    return found


def _output(output: dict[str, Any], variables: Mapping[str, str]) -> dict[str, Any]:
    if output["output_type"] == "stream":
        text = _text(output["text"])
        for name in ("LABKIT_FOLDER", "LABKIT_STATE_DIR"):
            text = text.replace(variables.get(name) or "\0", "…")
        return {**output, "text": text.splitlines(keepends=True)}
    if "data" in output:
        output["data"].pop(_WIDGET, None)
    return output


def _text(text: str | list[str]) -> str:
    return text if isinstance(text, str) else "".join(text)
