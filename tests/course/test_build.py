"""Derived notebooks: deterministic, valid, complete; ids that do not fit are errors; what differs by accident is dropped."""

from __future__ import annotations

import copy
import json
import shutil
from dataclasses import replace

import nbformat
import pytest

from kit.course import build
from kit.course.catalog import course_root, images, load
from kit.course.source import SourceError, parse

LESSONS = load().lessons


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
def test_every_edition_is_a_valid_notebook(lesson):
    build.audit(lesson)
    for edition in build.editions(lesson):
        notebook = build.derive(edition)
        nbformat.validate(nbformat.from_dict(copy.deepcopy(notebook)))
        assert "".join(notebook["cells"][0]["source"]) == (
            f'import kit\n\nlab = kit.lab("{lesson.number}", lang="{edition.lang}")\nlab'
        )
        ids = [cell["id"] for cell in notebook["cells"]]
        assert len(ids) == len(set(ids))
        assert build.write(notebook) == build.write(build.derive(edition))
        text = build.write(notebook)
        assert "BEGIN SOLUTION" not in text
        assert "# zh:" not in text
        assert ("Write your code here" in text) is not edition.solution


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
def test_exercise_and_solution_have_the_same_checks(lesson):
    exercise = build.derive(build.Edition(lesson, "en", False))
    found = ["".join(cell["source"]) for cell in exercise["cells"] if "check" in cell["metadata"].get("tags", [])]
    assert found == [f'lab.check("{name}")' for name in lesson.source.checks]


def test_unknown_ids_are_errors():
    lesson = load().find("01")
    text = (lesson.folder / "cells.py").read_text(encoding="utf-8")
    wrong = copy.copy(lesson)
    wrong.__dict__["source"] = parse(text.replace('lab.predict("E1.1")', 'lab.predict("E9.9")', 1), lesson.source.path)
    with pytest.raises(SourceError, match=r'lab.predict\("E9.9"\): there is no E9.9'):
        build.audit(wrong)
    wrong.__dict__["source"] = parse(
        text.replace('lab.quiz("Q1")', "1").replace(
            'lab.quiz("Q1", death="delete", waiting="pull", unit="pod", move="replaced")', "1"
        ),
        lesson.source.path,
    )
    with pytest.raises(SourceError, match="never used: Q1"):
        build.audit(wrong)


def test_drift_is_seen(tmp_path):
    lesson = load().find("01")
    source = tmp_path / "labs/src/01_pods"
    shutil.copytree(lesson.folder, source)
    copied = replace(lesson, folder=source)
    assert len(build.drift(copied, tmp_path)) == 4
    build.build(copied, tmp_path, execute=False)
    assert build.drift(copied, tmp_path) == []
    target = tmp_path / "labs/01_pods.ipynb"
    target.write_text(target.read_text().replace("Nodes and Pods", "Nodes"))
    assert build.drift(copied, tmp_path) == ["labs/01_pods.ipynb differs from labs/src/01_pods/cells.py"]


def test_outputs_are_normalised():
    output = [
        {"output_type": "stream", "name": "stdout", "text": "a"},
        {"output_type": "stream", "name": "stdout", "text": "b in /tmp/x\n"},
        {"output_type": "stream", "name": "stderr", "text": "c\n"},
        {
            "output_type": "execute_result",
            "data": {"text/plain": "w", build._WIDGET: {"model_id": "1"}},
            "metadata": {},
        },
    ]
    cell = {
        "cell_type": "code",
        "metadata": {"execution": {"a": 1}},
        "outputs": output,
        "execution_count": 1,
        "source": [],
    }
    notebook = {"cells": [cell], "metadata": {"widgets": {}, "language_info": {"name": "python", "version": "3"}}}
    found = build.normalised(notebook, {"LABKIT_STATE_DIR": "/tmp/x"})
    assert [entry.get("text") for entry in found["cells"][0]["outputs"]] == [["ab in …\n"], ["c\n"], None]
    assert found["cells"][0]["outputs"][2]["data"] == {"text/plain": "w"}
    assert found["cells"][0]["metadata"] == {}
    assert "widgets" not in found["metadata"]
    assert build.without_outputs(found)["cells"][0]["outputs"] == []


def test_manifests_use_images_of_the_table():
    known = {f"{row['name']}:{tag}" for row in images() for tag in [row["tag"], *row["aliases"]]}
    used = set()
    for path in (course_root() / "manifests").rglob("*.yaml"):
        used |= {
            line.split("image:")[1].strip().strip("\"'") for line in path.read_text().splitlines() if "image:" in line
        }
    assert used
    assert used <= known | {"k8s.gcr.io/nginx-slim:0.8"}


def test_json_is_readable():
    notebook = build.derive(build.Edition(LESSONS[0], "zh", False))
    assert "\\u" not in build.write(notebook)
    assert json.loads(build.write(notebook)) == notebook
