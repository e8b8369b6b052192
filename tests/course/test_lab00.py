"""Lab 00: its board, its broken manifests, and its checks over a small in-memory world."""

from __future__ import annotations

import dataclasses
import types

import pytest
import yaml

from kit.checks import State, World
from kit.checks.phrases import phrase
from kit.course.build import audit
from kit.course.catalog import load
from kit.course.progress import Progress
from kit.course.quiz import Sheet
from kit.course.source import PLACEHOLDER
from kit.errors import BadInput, Status
from kit.notebook import board as boards
from kit.notebook.board import Board

LESSON = load().find("00")


class Clock:
    def __init__(self):
        self.now = 0

    def now_ms(self):
        return self.now

    def let_pass(self, ms):
        self.now += ms


class Objects:
    namespace = "lab-00"

    def __init__(self, *found, log=""):
        self.found, self.text = found, log

    def find(self, kind, name, namespace=None):
        matching = [item for item in self.found if item["kind"].lower() == kind and item["metadata"]["name"] == name]
        return matching[0] if matching else None

    def list(self, kind, labels=""):
        wanted = dict(pair.split("=") for pair in labels.split(",") if pair)
        mine = [item for item in self.found if item["kind"].lower() == kind]
        return [item for item in mine if wanted.items() <= (item["metadata"].get("labels") or {}).items()]

    def events(self, about, namespace=None):
        return []

    def log(self, name, **_):
        return self.text


def thing(kind, name, labels=None, **more):
    return {"kind": kind, "metadata": {"name": name, "uid": name, "labels": labels or {}}, **more}


def a_pod(name, image, labels=None, ports=(), ready=True, waiting=""):
    containers = [{"name": "c", "image": image, "ports": [{"containerPort": port} for port in ports]}]
    state = {"waiting": {"reason": waiting}} if waiting else {"running": {}}
    status = {
        "podIP": "10.244.1.2",
        "conditions": [{"type": "Ready", "status": str(ready)}],
        "containerStatuses": [{"name": "c", "image": image, "state": state}],
    }
    return thing("Pod", name, labels, spec={"containers": containers}, status=status)


def check(exercise, *found, answers=None):
    world = World(Objects(*found), Clock(), answers or {})
    world.http = lambda url, **_: types.SimpleNamespace(stdout="Hostname: hello\n", stderr="", error="", code=0)
    return LESSON.checks.run(exercise, world, LESSON.exercises[exercise].sentences, "en")


def test_the_source_fits_together():
    audit(LESSON)
    assert LESSON.source.seeds == (1, 2, 6, 19, 20)
    assert set(LESSON.exercises) == {"X0.1", "X0.2", "X0.3", "X0.4"}
    assert set(LESSON.predictions) == {f"E0.{number}" for number in range(1, 6)}
    assert len(LESSON.quizzes["Q0"]) == 4
    for exercise in LESSON.exercises.values():
        assert len(exercise.traps) >= 2 and exercise.alternatives


def test_nothing_starts_a_real_cluster_by_itself():
    code = [line for cell in LESSON.source.cells if cell.kind == "code" for line in cell.lines]
    assert not any("kit.cluster(" in line for line in code)
    assert any('kit.cluster(provider="kind")' in cell.text for cell in LESSON.source.cells if cell.kind == "markdown")


def test_the_exercise_edition_shows_no_solution():
    cells = LESSON.source.notebook("en", solution=False)
    assert sum(PLACEHOLDER in cell.text for cell in cells) == 3
    assert not any("answer=" in cell.text for cell in cells)


def test_the_board_makes_the_pod_and_tells_nothing():
    puzzle = LESSON.puzzles["X0.2"]
    pod = yaml.safe_load("\n".join(puzzle.lines))
    assert (pod["kind"], pod["metadata"]["name"]) == ("Pod", "hello")
    assert pod["spec"]["containers"] == [{"name": "whoami", "image": "traefik/whoami:v1.11"}]
    proper = [line.strip() for line in puzzle.lines]
    assert not set(puzzle.distractors) & set(proper)
    assert sorted(puzzle.pieces) == sorted([*proper, *puzzle.distractors])
    assert list(puzzle.pieces) == sorted(puzzle.pieces, key=str.lower)


def test_a_board_is_todo_then_says_what_the_cluster_says(monkeypatch):
    session = types.SimpleNamespace(lesson=LESSON, lang="en", progress=Progress(None), objects=None)
    empty = Board.opened(session, "X0.2", {})
    assert repr(empty).startswith("TODO X0.2: A Pod hello")
    assert "    Kind: Pod" in repr(empty)
    assert Board(session, "X0.2").send("") == "nothing to apply: the board is empty"
    wrong = Board.opened(session, "X0.2", {"answer": "apiVersion: v1\nKind: Pod\n"})
    assert "line 1: kind is missing\nyou wrote Kind: upper and lower case matter" in repr(wrong)
    assert "line 2" in Board(session, "X0.2").send("a: 1\n  b: 2\n")
    monkeypatch.setattr(boards, "apply_one", lambda objects, body: f"pod/{body['metadata']['name']} created")
    done = Board.opened(session, "X0.2", {"answer": "\n".join(LESSON.puzzles["X0.2"].lines)})
    assert repr(done).endswith("    image: traefik/whoami:v1.11\npod/hello created")
    assert "- name: whoami" in Board(session, "X0.2").text
    with pytest.raises(BadInput, match="no item reply"):
        Board.opened(session, "X0.2", {"reply": "x"})


def test_a_refusal_of_the_cluster_is_what_the_board_says(monkeypatch):
    def refuse(objects, body):
        raise Status("Invalid", 'Pod "hello" is invalid', code=422)

    monkeypatch.setattr(boards, "apply_one", refuse)
    session = types.SimpleNamespace(lang="en", objects=None)
    assert boards.applied(session, "\n".join(LESSON.puzzles["X0.2"].lines)) == 'Pod "hello" is invalid'


def test_the_manifests():
    whole = list(yaml.safe_load_all((LESSON.manifests / "guestbook-all.yaml").read_text(encoding="utf-8")))
    assert [(item["kind"], item["metadata"]["name"]) for item in whole] == [
        ("Deployment", "db"),
        ("Service", "db"),
        ("Deployment", "web"),
        ("Service", "web"),
    ]
    for workload, service in zip(whole[::2], whole[1::2], strict=True):
        labels = workload["spec"]["template"]["metadata"]["labels"]
        assert workload["spec"]["selector"]["matchLabels"] == service["spec"]["selector"] == labels
    broken = (LESSON.manifests / "broken-3.yaml").read_text(encoding="utf-8")
    with pytest.raises(yaml.YAMLError):
        yaml.safe_load(broken)
    spaced = yaml.safe_load(broken.replace("\t", "    "))
    assert "kind" not in spaced and spaced["Kind"] == "Pod" and spaced["apiVersion"] == "apps/v1"
    assert "restartPolice" in (LESSON.manifests / "hello-pod.yaml").read_text(encoding="utf-8")


def test_the_namespace():
    assert check("X0.1").state is State.TODO
    labelled = {"course": "k8s"}
    assert check("X0.1", thing("Namespace", "hello-k8s")).trap == "unlabelled"
    assert check("X0.1", thing("Namespace", "hello-k8s"), thing("Namespace", "x", labelled)).trap == "elsewhere"
    assert check("X0.1", thing("Namespace", "hello-k8s", labelled, status={"phase": "Active"})).passed
    other = thing("Namespace", "hello-k8s", {"course": "other"}, status={"phase": "Active"})
    assert check("X0.1", other).state is State.WRONG
    gone = thing("Namespace", "hello-k8s", labelled, status={"phase": "Terminating"})
    assert check("X0.1", gone).state is State.WRONG


def test_hello():
    assert check("X0.2").state is State.TODO
    assert check("X0.2", a_pod("hello", "nginx:1.30")).trap == "nginx"
    assert check("X0.2", a_pod("hello", "whoami", ready=False, waiting="ErrImagePull")).trap == "waiting"
    assert check("X0.2", a_pod("hello", "traefik/whoami:v1.11", ready=False)).trap == "waiting"
    assert check("X0.2", a_pod("hello", "traefik/whoami:v1.11")).passed


def test_site():
    right = a_pod("site", "nginx:1.30", {"app": "site"}, [80])
    assert check("X0.3").state is State.TODO
    assert check("X0.3", right).passed
    assert check("X0.3", a_pod("site", "nginx:1.30", {"app": "site"})).trap == "port"
    by_run = a_pod("site", "nginx:1.30", {"run": "site"})
    by_run["metadata"]["managedFields"] = [{"manager": "kubectl-run"}]
    assert check("X0.3", by_run).trap == "run"
    assert check("X0.3", a_pod("site", "nginx:1.30", {"app": "site"}, [8080])).state is State.WRONG
    assert check("X0.3", a_pod("site", "redis:8", {"app": "site"}, [80])).state is State.WRONG


def test_the_author():
    assert check("X0.4").state is State.TODO
    for option in ("you", "scheduler", "controller"):
        report = check("X0.4", answers={"X0.4": option})
        assert (report.state, report.trap) == (State.WRONG, option)
        assert report.sentence.en
    assert check("X0.4", answers={"X0.4": "kubelet"}).passed


@pytest.mark.parametrize(
    ("log", "outcome"),
    [
        ("", ""),
        ("00:00:01 200 web-1\n00:00:02 200 web-2\n", "nothing"),
        ("00:00:01 200 web-1\n00:00:02 refused -\n00:00:03 200 web-2\n", "blip"),
        ("00:00:01 200 web-1\n00:00:02 timeout -\n", "down"),
    ],
)
def test_what_the_prober_saw(log, outcome):
    assert LESSON.checks.observers["E0.1"](World(Objects(log=log), Clock())) == outcome


def test_what_happened_to_web():
    observers = LESSON.checks.observers

    def seen(experiment, *found):
        return observers[experiment](World(Objects(*found), Clock()))

    web = thing("Deployment", "web", spec={"replicas": 2}, status={"availableReplicas": 2})
    labels = {"app": "guestbook", "tier": "web"}
    pods = [a_pod(f"web-{number}", "guestbook:v1", labels) for number in range(4)]
    assert [seen("E0.2"), seen("E0.2", *pods[:2]), seen("E0.2", *pods)] == ["", "unchanged", "double"]
    assert [seen("E0.3"), seen("E0.3", web)] == ["", "two"]
    assert [seen("E0.4"), seen("E0.4", web)] == ["", "ignored"]
    assert seen("E0.4", {**web, "status": {"availableReplicas": 99}}) == "accepted"


def test_the_kubeconfig_is_looked_at_where_kubectl_looks(tmp_path, monkeypatch):
    entries = {"clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}], "current-context": "c"}
    entries["contexts"] = [{"name": "c", "context": {"cluster": "c"}}]
    path = tmp_path / "config"
    path.write_text(yaml.safe_dump(entries), encoding="utf-8")
    monkeypatch.setenv("KUBECONFIG", str(path))
    report = LESSON.checks.run("F0", World(Objects(), Clock()), {}, "en")
    assert report.state is State.TODO
    assert "connection refused" in repr(report)


def test_a_fault_is_taken_back_even_when_it_was_put_in_twice(tmp_path):
    import os
    import subprocess

    kubectl = tmp_path / "kubectl"
    kubectl.write_text('#!/bin/sh\necho broken > "$KUBECONFIG"\n', encoding="utf-8")
    kubectl.chmod(0o755)
    config = tmp_path / "config"
    config.write_text("good\n", encoding="utf-8")
    env = {**os.environ, "KUBECONFIG": str(config), "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}

    def play(steps):
        for step in steps:
            subprocess.run(["/bin/sh", "-c", step["sh"]], env=env, check=True)
        return config.read_text(encoding="utf-8")

    fault = LESSON.faults["F0"]
    assert [play(fault.inject), play(fault.inject), play(fault.undo), play(fault.undo)] == [
        "broken\n",
        "broken\n",
        "good\n",
        "good\n",
    ]
    assert dataclasses.asdict(fault)["needs"] == ()


def test_a_rollout_is_over_when_no_old_pod_is_left():
    def updated(**status):
        body = thing("Deployment", "web", spec={"replicas": 2}, status={"observedGeneration": 3, **status})
        body["metadata"]["generation"] = 3
        return phrase("deployment/web updated").look(World(Objects(body), Clock())).ok

    done = {"updatedReplicas": 2, "replicas": 2, "availableReplicas": 2}
    assert updated(**done)
    assert not updated(**{**done, "replicas": 3})
    assert not updated(**{**done, "updatedReplicas": 1})
    assert not updated(**{**done, "availableReplicas": 1})
    assert not updated(**{**done, "observedGeneration": 2})


def test_the_quiz_of_the_solution_is_right():
    answers = {"apply": "again", "status": "cluster", "wall": "no", "build": "no"}
    sheet = Sheet("Q0", LESSON.quizzes["Q0"], answers, "en")
    assert (sheet.right, sheet.left) == (4, 0)
    text = next(cell.text for cell in LESSON.source.cells if 'lab.quiz("Q0", ' in cell.text)
    assert all(f'{item}="{option}"' in text for item, option in answers.items())
