"""What a learner's cluster lacks is done on a small embedded cluster beside it; and a lab is brought to any point of its notebook."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace

import pytest

from kit.client.connect import connect
from kit.client.objects import Objects
from kit.course import beside
from kit.course.build import Edition, notebook_cells
from kit.course.catalog import load
from kit.course.progress import Progress
from kit.course.session import Session
from kit.course.stretches import places, points, stretches, way_to
from kit.errors import BadInput, Unavailable
from kit.notebook.following import go
from kit.notebook.lab import Lab
from kit.providers.base import Wanted, quiet
from kit.providers.embedded import Embedded
from kit.providers.kubeconfig import Kubeconfig

OURS = {"app.kubernetes.io/managed-by": "kit"}
LESSON = load().find("01")
FAST = 'spec: {"nodeSelector": {"disk": "ssd"}, "containers": [{"name": "web", "image": "nginx:1.30"}]}'


@pytest.fixture(scope="module")
def state(tmp_path_factory):
    """Let embedded clusters be settled, with a state of their own, for as long as this module runs."""
    folder = tmp_path_factory.mktemp("state")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(folder))
        patch.setenv("LABKIT_CLOCK", "settled")
        for name in ("KUBECONFIG", "MANIFESTS", "PATH", "LABKIT_NAME", "LABKIT_PROVIDER", "LABKIT_STATE_DIR"):
            patch.setenv(name, os.environ.get(name, ""))  # so that what a lab sets is taken back
        yield folder
        for found in Embedded().status():
            Embedded().down(found.name, delete=True)


@pytest.fixture
def shared(state):
    """Return the session of a learner who was given one namespace of a cluster."""
    school = Embedded().up(Wanted("school", clock="settled"), quiet)
    objects = Objects(connect(school.kubeconfig))
    if not objects.find("namespace", "lab-ann"):
        objects.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "lab-ann", "labels": OURS}})
    wanted = Wanted("class", options={"kubeconfig": str(school.kubeconfig), "namespace": "lab-ann"})
    session = Session(LESSON, Kubeconfig().up(wanted, quiet), "en", Progress(None))
    session.open()
    return session


def kubectl(*words, **more):
    return subprocess.run(["kubectl", *words], capture_output=True, text=True, check=True, **more).stdout


def task(exercise):
    """Return the id of an exercise's task cell in the notebook, and what the learner has made of its text."""
    line = stretches(LESSON.source.cells)[exercise][0].line
    cell_id = next(id for cell, id in notebook_cells(Edition(LESSON, "en", False)) if cell.line == line)
    return cell_id, "%%apply\nmy: own text"


def test_the_cells_of_an_exercise_run_beside_and_the_next_ones_at_home(shared, capsys):
    lab = Lab(shared)
    os.environ.update(shared.variables)
    go(lab, *task("X1.2"))
    said = capsys.readouterr().out
    assert said.startswith("X1.2 needs nodes that are yours to change, which your kubeconfig cluster does not offer.")
    assert f"export KUBECONFIG={os.environ['KUBECONFIG']}\n" in said
    assert lab.cluster.provider == "embedded"
    assert lab.cluster.name == "class-beside"
    assert kubectl("get", "nodes", "-l", "disk=ssd", "-o", "name") == "node/lab-worker2\n"
    assert lab.check("X1.2").state == "TODO"
    kubectl("apply", "-f", "-", input=f"apiVersion: v1\nkind: Pod\nmetadata: {{name: fast}}\n{FAST}\n")
    go(lab, None, "!kubectl get pods  # a cell of the learner's own")
    assert lab.wait("pod/fast ready", within="60s")
    assert lab.check("X1.2").passed
    assert capsys.readouterr().out == ""

    go(lab, *task("X1.3"))
    assert capsys.readouterr().out == "Back on your kubeconfig cluster.\n"
    assert kubectl("get", "pods", "-o", "name") == ""
    assert lab.check("X1.3").state == "TODO"
    assert shared.progress.get("01", "checks", "X1.2") == "PASS"

    lab.check("X1.2")  # where no cells are known (a plain script), the check itself goes there
    assert lab.namespace == "lab-01"
    lab.reset()
    assert lab.namespace == "lab-ann"
    assert lab.check("X1.2").state == "TODO"


def test_the_cluster_beside_is_started_again_when_it_is_gone(shared):
    first = shared.place_of("X1.2")
    assert first is shared.place_of("X1.2")
    assert shared.place_of("X1.3") is shared is first.place_of("X1.1")
    Embedded().down("class-beside", delete=True)
    again = shared.place_of("X1.2")
    assert again.objects.find("namespace", "lab-01")


def test_an_exercise_finds_beside_what_it_begins_with_once(shared, monkeypatch):
    greedy = LESSON.exercises["X1.4"]
    monkeypatch.setitem(LESSON.exercises, "X1.4", type(greedy)(**{**vars(greedy), "needs": ("nodes",)}))
    there = shared.place_of("X1.4")
    assert there.objects.get("pod", "greedy")
    there.objects.delete("pod", "greedy", grace_s=0)
    assert shared.place_of("X1.4").objects.find("pod", "greedy") is None
    assert shared.objects.find("pod", "greedy") is None


def test_a_fault_beside_is_taken_back_beside(shared, monkeypatch):
    fault = LESSON.faults["F1"]
    monkeypatch.setitem(LESSON.faults, "F1", type(fault)(**{**vars(fault), "needs": ("clock",)}))
    lab = Lab(shared)
    assert "F1 is in place" in repr(lab.break_("F1"))
    assert shared.objects.find("pod", "shop") is None
    assert lab.session.objects.find("pod", "shop")
    assert repr(Lab(shared).undo()) == "Taken back: F1"
    assert lab.session.objects.find("pod", "shop") is None


def test_what_no_cluster_has_is_refused(shared, monkeypatch):
    fast = LESSON.exercises["X1.2"]
    monkeypatch.setitem(LESSON.exercises, "X1.2", type(fast)(**{**vars(fast), "needs": ("faults",)}))
    monkeypatch.setattr(Embedded, "capabilities", replace(Embedded.capabilities, faults=False))
    with pytest.raises(Unavailable, match=r"X1\.2 needs parts that can be switched off: no cluster"):
        shared.place_of("X1.2")
    assert repr(Lab(shared).check("X1.2")).startswith("ERROR X1.2: X1.2 needs parts")


def test_names_and_needs():
    assert beside.name_of("lab") == "lab-beside"
    assert len(beside.name_of("a" * 40)) == 40
    assert beside.lacking("kind", ("nodes", "clock", "cluster")) == ("clock",)
    assert beside.lacking("embedded", ("nodes", "clock", "cluster")) == ()


def test_cells_are_known_by_id_or_by_text():
    known = places(LESSON, "en")
    cell_id, _ = task("X1.2")
    assert known.of(cell_id, "edited") == "X1.2"
    assert known.of(None, 'lab.check("X1.2")') == "X1.2"
    assert known.of(None, "lab.board()") == ""
    assert known.of("other", "%%apply\n# Write your code here.") is None  # several tasks begin so
    assert known.of("other", "print(1)") is None


@pytest.mark.parametrize("number", ["00", "01"])
def test_every_label_is_a_point(number):
    lesson = load().find(number)
    known = points(lesson)
    labels = {*lesson.predictions, *lesson.quizzes, *lesson.exercises, *lesson.faults}
    assert {"start", *labels, *(f"seed:{seed}" for seed in lesson.source.seeds)} == set(known)
    assert way_to(lesson, "start") == []
    assert list(known.values()) == sorted(known.values())


def test_a_lab_is_brought_to_a_point(state):
    handle = Embedded().up(Wanted("back", clock="settled"), quiet)
    session = Session(LESSON, handle, "en", Progress(None))
    session.open()
    session.predict("E1.1", "same")
    lab = Lab(session)
    assert repr(lab.restore("01:X1.2")) == "Namespace lab-01 is as X1.2 finds it. Go on with the cell of X1.2."
    pods = {item["metadata"]["name"]: item for item in session.objects.list("pod")}
    assert set(pods) == {"db", "web", "shell", "greedy"}
    assert pods["web"]["spec"]["containers"][0]["env"][0]["value"] == pods["db"]["status"]["podIP"]
    assert lab.check("X1.4").passed
    assert session.answers == {}
    assert session.progress.all("01", "predictions") == {"E1.1": "same"}

    lab.restore("01:E1.3")
    assert {item["metadata"]["name"] for item in session.objects.list("pod")} == {"db", "web", "shell"}
    assert session.progress.all("01", "faults") == {}
    lab.restore("01:Q1")
    assert lab.check("F1").passed
    assert repr(lab.undo()) == "Taken back: F1"
    for name in ("01:E9.9", "01", "02:E1.1"):
        with pytest.raises(BadInput) as caught:
            lab.restore(name)
        assert "01:E1.4" in caught.value.next
