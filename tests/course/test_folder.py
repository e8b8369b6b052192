"""The learner's folder and progress: new things come, edited things stay, damaged things are kept aside."""

from __future__ import annotations

import json

import pytest

from kit.course.folder import bring, learners_folder
from kit.course.progress import Progress, write_whole
from kit.errors import Damaged


def notebook(text, outputs=()):
    cell = {"cell_type": "code", "source": [text], "outputs": list(outputs), "metadata": {}, "execution_count": None}
    return json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


@pytest.fixture
def course(tmp_path):
    root = tmp_path / "course"
    for name, text in {
        "labs/01_pods.ipynb": notebook("one"),
        "labs/zh/01_pods.ipynb": notebook("一"),
        "labs/src/01_pods/x.yaml": "hidden: true",
        "solutions/01_pods.ipynb": notebook("solved"),
        "manifests/01_pods/db.yaml": "a: 1",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def test_first_time_everything_is_new(course, tmp_path):
    brought = bring(course, tmp_path / "work")
    assert brought.new == ["01_pods.ipynb", "zh/01_pods.ipynb", "solutions/01_pods.ipynb", "manifests/01_pods/db.yaml"]
    again = bring(course, tmp_path / "work")
    assert (again.new, again.updated, again.beside) == ([], [], [])


def test_a_notebook_that_only_ran_is_updated_an_edited_one_stays(course, tmp_path):
    work = tmp_path / "work"
    bring(course, work)
    (work / "01_pods.ipynb").write_text(notebook("one", [{"output_type": "stream", "name": "stdout", "text": "ran"}]))
    (work / "zh/01_pods.ipynb").write_text(notebook("我的"))
    (course / "labs/01_pods.ipynb").write_text(notebook("two"))
    (course / "labs/zh/01_pods.ipynb").write_text(notebook("二"))
    brought = bring(course, work)
    assert brought.updated == ["01_pods.ipynb"]
    assert brought.beside == ["zh/01_pods.new.ipynb"]
    assert "我的" in json.loads((work / "zh/01_pods.ipynb").read_text())["cells"][0]["source"]
    assert json.loads((work / "zh/01_pods.new.ipynb").read_text())["cells"][0]["source"] == ["二"]
    assert "zh/01_pods.new.ipynb" in str(brought)
    assert bring(course, work).beside == []


def test_an_edited_notebook_without_news_is_left_alone(course, tmp_path):
    work = tmp_path / "work"
    bring(course, work)
    (work / "01_pods.ipynb").write_text(notebook("mine"))
    brought = bring(course, work)
    assert (brought.updated, brought.beside) == ([], [])
    assert not list(work.rglob("*.new.*"))


def test_a_damaged_record_is_reported(course, tmp_path):
    bring(course, tmp_path / "work")
    (tmp_path / "work/.labkit.json").write_text("{")
    with pytest.raises(Damaged, match="damaged"):
        bring(course, tmp_path / "work")


def test_where_learners_work(course, tmp_path):
    assert learners_folder(course, tmp_path) == tmp_path / "kubernetes-labs"
    (course / "pyproject.toml").write_text("")
    assert learners_folder(course, tmp_path) == course / "work"


def test_progress_survives(tmp_path):
    progress = Progress(tmp_path / "sub/progress.json")
    progress.put("01", "checks", "X1.1", "PASS")
    progress.put("01", "hints", "X1.1", 2)
    progress.put("01", "hints", "X1.1", None)
    again = Progress(tmp_path / "sub/progress.json")
    assert again.get("01", "checks", "X1.1") == "PASS"
    assert again.all("01", "hints") == {}
    assert [path.name for path in (tmp_path / "sub").iterdir()] == ["progress.json"]


@pytest.mark.parametrize(
    "text", ["{", '{"version": 1, "labs": {"01": {"checks": 3}}}', '{"version": 9, "labs": {}}', "[]"]
)
def test_a_damaged_progress_file_is_kept_aside(tmp_path, text):
    path = tmp_path / "progress.json"
    path.write_text(text)
    progress = Progress(path)
    assert progress.damaged == tmp_path / "progress.damaged-1.json"
    assert progress.damaged.read_text() == text
    progress.put("01", "checks", "X1.1", "TODO")
    assert Progress(path).get("01", "checks", "X1.1") == "TODO"


def test_a_failed_write_leaves_the_old_text(tmp_path, monkeypatch):
    path = tmp_path / "x.json"
    path.write_text("old")

    def broken(_):
        raise OSError("disk full")

    monkeypatch.setattr("os.fsync", broken)
    with pytest.raises(OSError, match="disk full"):
        write_whole(path, "new")
    assert path.read_text() == "old"
    assert [found.name for found in tmp_path.iterdir()] == ["x.json"]
