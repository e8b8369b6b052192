"""The hashes in the names of ReplicaSets and revisions are a real cluster's, whatever is in the template."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from stage import MERGE, Stage

from kit.embedded.parts import hashes

APPS = "/apis/apps/v1/namespaces/default"
MADE = {"Deployment": "replicasets", "DaemonSet": "controllerrevisions", "StatefulSet": "controllerrevisions"}
MORE = {"Deployment": {"replicas": 0}, "DaemonSet": {}, "StatefulSet": {"replicas": 0, "serviceName": "s"}}


@pytest.fixture
def stage() -> Stage:
    """Return a stage."""
    return Stage()


def made(stage: Stage, kind: str, template: Any) -> Iterator[str]:
    """Make an owner of a template; yield the ends of the names of what is made for it, then take it away."""
    spec = {"selector": {"matchLabels": {"app": "web"}}, "template": template, **MORE[kind]}
    stage.create({"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": "t"}, "spec": spec})
    stage.settle()
    for one in stage.ask("GET", f"{APPS}/{MADE[kind]}")["items"]:
        yield one["metadata"]["name"].removeprefix("t-")
    stage.ask("DELETE", f"{APPS}/{kind.lower()}s/t")
    stage.settle()


def test_names_are_a_real_clusters(stage: Stage, facts: Callable[[str], Any]) -> None:
    """What a real control plane called each of the templates, as they were posted to it, they are called here."""
    cases = facts("templates.jsonl")
    assert len(cases) >= 100
    wrong = [
        f"{case['id']} {kind}"
        for case in cases
        for kind, wanted in case["hashes"].items()
        if list(made(stage, kind, case["template"])) != [wanted]
    ]
    assert not wrong


def test_recorded_names(facts: Callable[[str], Any], stage: Stage) -> None:
    """So are those of the cases that were recorded first."""
    cases = [case for case in facts("hashes.jsonl") if case["object"]["kind"] != "StatefulSet"]
    assert len(cases) >= 28
    for case in cases:
        kind, name = case["object"]["kind"], case["object"]["metadata"]["name"]
        assert list(made(stage, kind, case["object"]["spec"]["template"])) == [case["name"].removeprefix(f"{name}-")]


def test_every_field(facts: Callable[[str], Any]) -> None:
    """Templates with any field set, as Go hashes them (tests/facts/record_gotypes.py), collisions counted."""
    cases = facts("filled.jsonl")
    assert len(cases) >= 25
    assert [hashes.of_template(case["template"], case["collisions"]) for case in cases] == [
        case["hash"] for case in cases
    ]


def test_a_taken_name_counts_as_a_collision(stage: Stage, facts: Callable[[str], Any]) -> None:
    """A ReplicaSet of that name which is another's makes the Deployment count, and hash anew."""
    template = facts("templates.jsonl")[0]["template"]
    (plain,) = made(stage, "Deployment", template)
    selector = {"matchLabels": {"app": "web"}}
    other = {
        "replicas": 0,
        "selector": selector,
        "template": {**template, "spec": {"containers": [{"name": "x", "image": "y"}]}},
    }
    stage.create({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": f"t-{plain}"}, "spec": other})
    stage.ask("PATCH", f"{APPS}/replicasets/t-{plain}", {"metadata": {"labels": {"app": "not"}}}, MERGE)
    spec = {"selector": selector, "template": template, "replicas": 0}
    stage.create({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "t"}, "spec": spec})
    stage.settle()
    stored = stage.ask("GET", f"{APPS}/deployments/t")
    assert stored["status"]["collisionCount"] == 1
    wanted = f"t-{hashes.of_template(stored['spec']['template'], 1)}"
    assert {one["metadata"]["name"] for one in stage.ask("GET", f"{APPS}/replicasets")["items"]} == {
        f"t-{plain}",
        wanted,
    }
