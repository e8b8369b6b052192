"""The real kind command with an engine that misbehaves: every failure has a cause and a next step, and nothing is left behind."""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import threading

import pytest

from kit.errors import BadInput, Damaged, KitError, Refused, Unavailable
from kit.providers import engine, kindcli, readiness, topology
from kit.providers.base import Wanted, quiet
from kit.providers.kind import Kind
from kit.providers.kindcli import KindCli

pytestmark = pytest.mark.kindcommand


@pytest.fixture
def ready(monkeypatch):
    """Take every cluster for ready: there is no API behind the fake engine."""
    monkeypatch.setattr(readiness, "lacks", lambda kubeconfig, ready: "")
    monkeypatch.setattr(readiness, "server_version", lambda kubeconfig: "v1.37.2")


def calls(state):
    return [json.loads(line) for line in (state / "calls").read_text().splitlines()]


def nodes(state):
    return sorted(file.stem for file in state.glob("*.json"))


@pytest.mark.parametrize(
    "mode, what, next",
    [
        ("perm", "may not use it", "usermod"),
        ("down", "does not run", "start Docker"),
        ("port", "port 30080 of this machine is taken", "a free port is taken"),
        ("disk", "disk of the container engine is full", "docker system df"),
        ("inotify", "too few file watches", "max_user_instances=512"),
    ],
)
def test_a_start_that_fails_says_why_and_leaves_nothing(shim, home, mode, what, next):
    state = shim(mode)
    with pytest.raises(Unavailable, match=what) as raised:
        Kind().up(Wanted("lab", nodes=1), quiet)
    assert next in raised.value.next
    assert nodes(state) == []
    assert Kind().status() == []
    assert not list(home.rglob("kubeconfig"))


def test_a_node_image_that_is_not_there_is_asked_for_once_and_by_name(shim, monkeypatch):
    state = shim("pull")
    monkeypatch.setenv("LABKIT_KIND_IMAGE", "kindest/node:v9")
    with pytest.raises(Unavailable, match="could not be downloaded"):
        Kind().up(Wanted("lab", nodes=1), quiet)
    assert [words for words in calls(state) if words[0] == "pull"] == [["pull", "--quiet", "kindest/node:v9"]]
    assert not any(words[0] == "run" for words in calls(state))


def test_nodes_of_an_earlier_start_are_damage_and_stay(shim):
    state = shim("exists")
    with pytest.raises(Damaged, match="there but broken") as raised:
        Kind().up(Wanted("lab"), quiet)
    assert raised.value.next == "make it anew: labkit reset --provider kind --name lab"
    assert not any(words[0] == "rm" for words in calls(state))


def test_kind_itself_refuses_nodes_that_exist(shim, home):
    shim("exists")
    kind = KindCli(kindcli.where(), "docker", os.environ)
    with pytest.raises(Damaged, match="part of the cluster lab behind"):
        kind.create("lab", topology.configuration(1, ()), home / "kubeconfig", None, lambda step: None)


def test_created_adopted_stopped_resumed_removed(shim, ready, home):
    state, said = shim("ok"), []
    handle = Kind().up(Wanted("lab"), said.append)
    assert nodes(state) == ["lab-control-plane", "lab-worker", "lab-worker2"]
    assert said[0].startswith("• Ensuring node image")
    assert "✓ Joining worker nodes" in said
    assert stat.S_IMODE(handle.kubeconfig.stat().st_mode) == 0o600
    assert handle.kubeconfig.is_relative_to(home / "state")
    assert not (home / ".kube").exists()

    said.clear()
    assert Kind().up(Wanted("lab", nodes=3), said.append) == handle
    assert said == ["adopting lab"]
    with pytest.raises(Refused, match="with 3 nodes, not 2"):
        Kind().up(Wanted("lab", nodes=2), quiet)

    assert Kind().down("lab")
    assert not Kind().down("other")
    said.clear()
    Kind().up(Wanted("lab"), said.append)
    assert said == ["starting 3 nodes of lab again"]
    assert [words[1] for words in calls(state) if words[0] == "start"] == nodes(state)

    assert Kind().down("lab", delete=True)
    assert nodes(state) == []
    assert not handle.kubeconfig.exists()
    assert not Kind().down("lab", delete=True)


def test_node_ports_are_bound_to_the_loopback_only(shim, ready):
    state = shim("ok")
    Kind().up(Wanted("lab", nodes=1), quiet)
    published = [word for words in calls(state) if words[0] == "run" for word in words if word.startswith("--publish=")]
    assert len(published) == 4
    assert all(word.startswith("--publish=127.0.0.1:") for word in published)


def test_ports_are_known_when_the_state_folder_is_gone(shim, ready, home):
    shim("ok")
    made = Kind().up(Wanted("lab", nodes=1), quiet)
    assert [port["name"] for port in made.ports] == ["NodePort", "Ingress HTTP", "Ingress HTTPS"]
    shutil.rmtree(home / "state")
    assert Kind().up(Wanted("lab"), quiet).ports == made.ports
    assert Kind().status()[0].ports == made.ports


def test_images_that_the_engine_lacks_are_named_not_fetched(shim, ready):
    state = shim("ok")
    Kind().up(Wanted("lab", nodes=1), quiet)
    notes = " ".join(Kind().status()[0].notes)
    assert "redis:8 is not preloaded" in notes
    assert "guestbook:v1 is not preloaded: it is built on python:3.13-slim" in notes
    assert not any(words[0] in {"pull", "save"} for words in calls(state))


def test_images_that_the_engine_has_are_loaded_once(shim, ready, monkeypatch):
    state = shim("ok")
    monkeypatch.setenv("SHIM_DOCKER_IMAGES", "kindest/node: nginx:1.30 redis:8")
    monkeypatch.setattr(KindCli, "load", lambda self, name, archive: None)
    Kind().up(Wanted("lab", nodes=1), quiet)
    Kind().up(Wanted("lab"), quiet)
    (saved,) = [words for words in calls(state) if words[0] == "save"]
    assert saved[:3] == ["save", "--platform", "linux/amd64"]
    assert {"nginx:1.30", "redis:8"} < set(saved)
    assert "nginx:1.30 is" not in " ".join(Kind().status()[0].notes)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_removes_what_was_begun(shim, monkeypatch, number):
    state = shim("ok")
    monkeypatch.setenv("SHIM_DOCKER_SLOW", "30")

    def progress(message):
        if "Starting control-plane" in message:
            threading.Timer(0, os.kill, (os.getpid(), number)).start()

    with pytest.raises(KeyboardInterrupt):
        Kind().up(Wanted("lab", nodes=1), progress)
    assert any(words[0] == "run" for words in calls(state))
    assert nodes(state) == []
    assert Kind().status() == []
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_two_at_once_make_one_cluster(shim, ready):
    state, said = shim("ok"), []
    threads = [threading.Thread(target=lambda: Kind().up(Wanted("lab", nodes=1), said.append)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(words[0] == "run" for words in calls(state)) == 1
    assert "waiting for another labkit that works on lab" in said
    assert "adopting lab" in said


def test_a_reset_makes_a_broken_cluster_anew(shim, ready):
    state = shim("ok")
    Kind().up(Wanted("lab", nodes=2), quiet)
    (state / "lab-worker.json").unlink()
    Kind().reset("lab", [])
    assert nodes(state) == ["lab-control-plane", "lab-worker"]
    with pytest.raises(Unavailable, match="no kind cluster named other"):
        Kind().reset("other", [])


def test_a_damaged_kubeconfig_of_the_user_is_never_touched(shim, ready, home, monkeypatch):
    shim("ok")
    theirs = home / ".kube" / "config"
    theirs.parent.mkdir()
    theirs.write_text("{ this is no YAML")
    monkeypatch.setenv("KUBECONFIG", str(theirs))
    Kind().up(Wanted("lab", nodes=1), quiet)
    Kind().down("lab", delete=True)
    assert theirs.read_text() == "{ this is no YAML"
    assert list(theirs.parent.iterdir()) == [theirs]


def test_a_stopped_engine_is_said_in_status(shim, ready):
    shim("ok")
    Kind().up(Wanted("lab", nodes=1), quiet)
    shim("down")
    (found,) = Kind().status()
    assert found.state == "stopped"
    assert "does not run" in found.notes[0]


def test_a_settled_clock_is_refused(shim):
    with pytest.raises(BadInput, match="no settled clock"):
        Kind().up(Wanted("lab", clock="settled"), quiet)


def test_the_version_is_read(shim):
    assert KindCli(kindcli.where(), "docker", os.environ).version() >= (0, 27, 0)
    assert kindcli.where({"LABKIT_KIND": "/x/kind", "PATH": ""}) == "/x/kind"


def test_a_machine_without_kind_or_engine(home, monkeypatch):
    monkeypatch.setenv("PATH", str(home))
    with pytest.raises(KitError, match="kind command is not installed"):
        Kind().up(Wanted("lab"), quiet)
    with pytest.raises(KitError, match="no container engine: docker is not installed"):
        engine.find()
