"""The client and a lab's session against a real API server (control plane of the rig, no kubelet)."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from kit.client.apply import apply
from kit.client.capabilities import offers
from kit.client.connect import connect
from kit.client.objects import Objects
from kit.client.watch import watch
from kit.course.catalog import load
from kit.course.progress import Progress
from kit.course.session import Session
from kit.errors import BadInput, Status
from kit.notebook.lab import Lab
from kit.notebook.magics import apply_cell

RIG = os.environ.get("KUBE_RIG", "")
pytestmark = [pytest.mark.rig, pytest.mark.slow]

POD = """apiVersion: v1
kind: Pod
metadata:
  name: db
spec:
  containers:
  - name: redis
    image: redis:8
"""


@pytest.fixture(scope="module")
def kubeconfig(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rig")
    program = str(Path(RIG) / "control-plane")
    subprocess.run([program, "up", "--dir", str(folder), "--nodes", "3"], check=True, capture_output=True)
    yield folder / "admin.conf"
    subprocess.run([program, "down", "--dir", str(folder)], check=True, capture_output=True)


@pytest.fixture
def session(kubeconfig, tmp_path, monkeypatch):
    monkeypatch.setenv("LABKIT_STATE_DIR", str(tmp_path))
    handle = SimpleNamespace(name="rig", provider="kind", kubeconfig=kubeconfig, control=None)
    made = Session(load().find("01"), handle, "en", Progress(None))
    made.open()
    yield made
    for pod in made.objects.list("pod"):
        made.objects.delete("pod", pod["metadata"]["name"], grace_s=0)


def test_apply_says_what_kubectl_says(kubeconfig):
    objects = Objects(connect(kubeconfig))
    assert [str(one) for one in apply(objects, POD)] == ["pod/db created"]
    assert [str(one) for one in apply(objects, POD)] == ["pod/db unchanged"]
    assert [str(one) for one in apply(objects, POD.replace("redis:8", "redis:9"))] == ["pod/db configured"]
    with pytest.raises(Status) as caught:
        apply(objects, POD.replace("image:", "imagee:"))
    assert "imagee: field not declared in schema" in caught.value.message
    assert next(iter(watch(objects, "po", timeout_s=1))).object["kind"] == "Pod"
    assert objects.delete("pod", "db", grace_s=0)
    assert not objects.delete("pod", "db")
    with pytest.raises(Status) as caught:
        objects.get("pod", "db")
    assert (caught.value.reason, caught.value.message) == ("NotFound", 'pods "db" not found')
    assert not offers(objects.connection)


def test_kinds_have_many_names(kubeconfig):
    resources = Objects(connect(kubeconfig)).resources
    assert {resources.find(name).path("x") for name in ("Deployment", "deploy", "deployments.apps")} == {
        "/apis/apps/v1/namespaces/x/deployments"
    }
    assert resources.find("no").path("x") == "/api/v1/nodes"
    with pytest.raises(BadInput, match="no kind Pod in v7"):
        resources.find("Pod", "v7")


def test_every_exercise_begins_as_todo(session):
    for exercise in session.lesson.checks.checks:
        report = session.check(exercise)
        assert report.state == "TODO", report


def test_traps_that_need_no_kubelet(session):
    session.objects.create({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "fast"}, "spec": _sleeper()})
    session.clock.let_pass(500)
    assert session.check("X1.2").trap == "lucky"
    session.objects.delete("pod", "fast", grace_s=0)
    session.objects.create(
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "fast"}, "spec": {**_sleeper(), "nodeName": "node-1"}}
    )
    assert session.check("X1.2").trap == "named"
    session.objects.create({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "greedy"}, "spec": _sleeper()})
    assert session.check("X1.4").trap == "removed"
    env = [{"name": "MY_POD_IP", "value": "10.1.2.3"}]
    spec = {"containers": [{**_sleeper()["containers"][0], "env": env}]}
    session.objects.create({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "mirror"}, "spec": spec})
    assert session.check("X1.3").trap == "literal"
    assert session.hint("X1.3")[0] == 1


def test_a_fault_comes_and_goes(session):
    session.faults.inject("F1", session.stage())
    assert session.objects.get("pod", "shop")["spec"]["containers"][0]["image"] == "ngnix:1.30"
    assert session.check("F1").state == "TODO"
    session.objects.delete("pod", "shop", grace_s=0)
    assert session.faults.undo(session.stage()) == ["F1"]
    assert session.faults.undo(session.stage()) == []


def test_reset_gives_a_new_namespace(session):
    session.objects.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}})
    before = session.objects.get("namespace", "lab-01")["metadata"]["uid"]
    session.reset()
    assert session.objects.find("configmap", "x") is None
    assert session.objects.get("namespace", "lab-01")["metadata"]["uid"] != before
    session.reset()


def test_kubectl_needs_no_set_up(session):
    from kit.course.terminal import shell

    assert shell("kubectl config view --minify -o jsonpath={..namespace}", session.variables) == "lab-01"
    assert shell("kubectl apply -f $MANIFESTS/db-pod.yaml", session.variables) == "pod/db created\n"


def test_the_magic(session, capsys):
    names = {"lab": Lab(session), "image": ["redis:8"]}
    apply_cell("", "# Write your code here.\n", names)
    assert capsys.readouterr().out.startswith("TODO Nothing to apply yet")
    apply_cell("--fill image", POD.replace("redis:8", "$image"), names)
    assert capsys.readouterr().out == "pod/db created\n"
    apply_cell("", POD.replace("    image", "    imagee"), names)
    assert capsys.readouterr().err.startswith("line 8: the cluster refuses Pod db\n")
    apply_cell("", POD.replace("  - name", "\t- name"), names)
    assert capsys.readouterr().err == "line 7: a tab is used for indentation\nYAML wants spaces: two for each level\n"


def test_the_lab_s_members(session):
    lab = Lab(session)
    assert repr(lab) == "Lab 01 · Nodes and Pods (50 min). Namespace lab-01 on the kind cluster."
    assert not lab.wait("pod/db exists", within="100ms")
    assert repr(lab.wait("pod/db gone", within="1s")) == "pod/db gone: yes"
    assert repr(lab.http("http://127.0.0.1:1/")) == "refused: nothing listens at 127.0.0.1:1"
    assert repr(lab.http("http://no-such-name.invalid/")).startswith(("NXDOMAIN", "no route"))
    assert repr(lab.undo()) == "Nothing to take back."
    assert "node-1, node-2, node-3" in repr(lab.cluster)
    assert (
        lab.predict("E1.4", answer="kubelet")
        .explain()
        .text.startswith("E1.4: what happened: Nobody.\nYou predicted: The kubelet")
    )


def _sleeper():
    return {"containers": [{"name": "c", "image": "busybox:1.37", "command": ["sleep", "9"]}]}
