"""A real kind cluster by our own command line: made, looked at, adopted, stopped, started again, interrupted, removed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading

import pytest

pytestmark = [pytest.mark.kind, pytest.mark.timeout(1200)]
NAME = "smoke"


@pytest.fixture(scope="module")
def cluster(labkit, course_images):
    """Make the cluster and return its kubeconfig."""
    made = labkit("up", "--provider", "kind", "--name", NAME)
    assert made.returncode == 0, made.stderr
    course_images(NAME)
    again = labkit("up", "--provider", "kind", "--name", NAME)
    assert again.returncode == 0, again.stderr
    yield labkit("kubeconfig", "--provider", "kind", "--name", NAME).stdout.strip()
    assert labkit("down", "--provider", "kind", "--name", NAME, "--delete").stdout == f"cluster {NAME} is removed\n"
    assert json.loads(labkit("status", "--provider", "kind", "--json").stdout) == []


@pytest.fixture
def kubectl(machine, cluster):
    """Run kubectl on it."""

    def run(*words):
        command = ["kubectl", "--kubeconfig", cluster, *words]
        return subprocess.run(command, check=True, capture_output=True, text=True, env=machine, timeout=120).stdout

    return run


def nodes_of(machine, name):
    command = ["docker", "ps", "-a", "-q", "--filter", f"label=io.x-k8s.kind.cluster={name}"]
    return subprocess.run(command, check=True, capture_output=True, text=True, env=machine).stdout.split()


def test_the_nodes_are_the_course_s(kubectl):
    nodes = json.loads(kubectl("get", "nodes", "-o", "json"))["items"]
    assert [node["metadata"]["name"] for node in nodes] == [
        f"{NAME}-control-plane",
        f"{NAME}-worker",
        f"{NAME}-worker2",
    ]
    assert [node["metadata"]["labels"].get("disk") for node in nodes] == [None, None, "ssd"]
    for node in nodes:
        assert {one["type"]: one["status"] for one in node["status"]["conditions"]}["Ready"] == "True"
    assert [taint["key"] for taint in nodes[0]["spec"]["taints"]] == ["node-role.kubernetes.io/control-plane"]


def test_status_says_how_to_reach_it(labkit, cluster):
    (found,) = json.loads(labkit("status", "--provider", "kind", "--json").stdout)
    assert (found["name"], found["state"], found["kubeconfig"]) == (NAME, "running", cluster)
    assert found["url"].startswith("https://127.0.0.1:")
    assert len(found["ports"]) == 3
    assert {port["address"] for port in found["ports"]} == {"127.0.0.1"}


def test_both_guestbooks_run_from_the_nodes(kubectl, labkit):
    (found,) = json.loads(labkit("status", "--provider", "kind", "--json").stdout)
    assert not any("guestbook" in note for note in found["notes"])
    for version in ("v1", "v2"):
        kubectl("run", f"guestbook-{version}", f"--image=guestbook:{version}", "--image-pull-policy=Never")
    kubectl("wait", "--for=condition=Ready", "pod/guestbook-v1", "pod/guestbook-v2", "--timeout=90s")


def test_a_node_port_answers_on_this_machine(kubectl, labkit):
    import urllib.request

    kubectl("run", "web", "--image=nginx:1.30", "--port=80", "--labels=app=web")
    kubectl("create", "service", "nodeport", "web", "--tcp=80", "--node-port=30080")
    kubectl("wait", "--for=condition=Ready", "pod/web", "--timeout=90s")
    (found,) = json.loads(labkit("status", "--provider", "kind", "--json").stdout)
    port = next(port["host_port"] for port in found["ports"] if port["port"] == 30080)
    for _ in range(50):  # kube-proxy learns of the endpoint a moment later
        try:
            answer = urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5)
            break
        except OSError:
            threading.Event().wait(0.2)
    assert answer.headers["Server"].startswith("nginx/")


def test_other_nodes_are_refused_and_a_stop_keeps_everything(labkit, kubectl):
    other = labkit("up", "--provider", "kind", "--name", NAME, "--nodes", "2")
    assert other.returncode == 1
    assert "with 3 nodes, not 2" in other.stderr
    kubectl("create", "configmap", "kept", "--from-literal=a=b")
    assert labkit("down", "--provider", "kind", "--name", NAME).returncode == 0
    assert json.loads(labkit("status", "--provider", "kind", "--json").stdout)[0]["state"] == "stopped"
    assert labkit("up", "--provider", "kind", "--name", NAME).returncode == 0
    assert kubectl("get", "configmap", "kept", "-o", "jsonpath={.data.a}") == "b"


def test_an_interrupt_leaves_no_node(machine, labkit):
    words = [sys.executable, "-m", "kit.cli.main", "up", "--provider", "kind", "--name", "cut", "--nodes", "1"]
    started = subprocess.Popen(words, env=machine, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    while not nodes_of(machine, "cut") and started.poll() is None:
        threading.Event().wait(0.1)
    os.kill(started.pid, signal.SIGINT)
    started.communicate(timeout=120)
    assert started.returncode == 130
    assert nodes_of(machine, "cut") == []
    assert all(one["name"] != "cut" for one in json.loads(labkit("status", "--provider", "kind", "--json").stdout))


def test_what_a_killed_start_left_is_named_and_made_anew(machine, labkit):
    words = [sys.executable, "-m", "kit.cli.main", "up", "--provider", "kind", "--name", "cut", "--nodes", "1"]
    started = subprocess.Popen(words, env=machine, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    while not nodes_of(machine, "cut") and started.poll() is None:
        threading.Event().wait(0.1)
    started.kill()
    started.wait()
    for line in subprocess.run(
        ["ps", "-eo", "pid,args"], capture_output=True, text=True, check=True
    ).stdout.splitlines():
        pid, _, command = line.strip().partition(" ")
        if "create cluster --name cut " in command:
            os.kill(int(pid), signal.SIGKILL)  # the orphan would go on
    try:
        ended = labkit("up", "--provider", "kind", "--name", "cut")
        assert ended.returncode == 1
        assert "labkit reset --provider kind --name cut" in ended.stderr
        assert labkit("reset", "--provider", "kind", "--name", "cut").returncode == 0
        found = json.loads(labkit("status", "--provider", "kind", "--name", "cut", "--json").stdout)
        assert [one["state"] for one in found] == ["running"]
    finally:
        labkit("down", "--provider", "kind", "--name", "cut", "--delete")
