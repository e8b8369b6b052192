"""ControllerRevisions: their names, numbers and data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from stage import MERGE, Stage

REVISIONS = "/apis/apps/v1/namespaces/default/controllerrevisions"
TEMPLATE = {"metadata": {"labels": {"app": "x"}}, "spec": {"containers": [{"name": "c", "image": "facts/ready:1"}]}}
SPEC = {"selector": {"matchLabels": {"app": "x"}}, "template": TEMPLATE, "revisionHistoryLimit": 2}
KINDS = {"StatefulSet": {**SPEC, "serviceName": "x", "replicas": 1}, "DaemonSet": SPEC}


@pytest.fixture
def stage() -> Stage:
    """Return a stage."""
    return Stage()


def kept(stage: Stage) -> dict[int, Any]:
    """Return the revisions by number."""
    return {one["revision"]: one for one in stage.ask("GET", REVISIONS)["items"]}


def test_names_and_data_are_upstreams(stage: Stage, facts: Callable[[str], Any]) -> None:
    """The hash of a StatefulSet's revision is the one of a real cluster, and so is what it keeps."""
    cases = [case for case in facts("hashes.jsonl") if case["object"]["kind"] == "StatefulSet"]
    assert len(cases) >= 6
    for case in cases:
        stage.create(case["object"])
        stage.settle()
        (found,) = stage.ask("GET", REVISIONS)["items"]
        assert found["metadata"]["name"] == case["name"]
        assert (found["metadata"]["labels"], found["revision"]) == (case["labels"], case["revision"])
        assert found["data"] == case["data"]
        stage.ask("DELETE", f"/apis/apps/v1/namespaces/default/statefulsets/{case['object']['metadata']['name']}")
        stage.settle()


@pytest.mark.parametrize("kind", KINDS)
def test_history(stage: Stage, kind: str) -> None:
    """A template that comes back has its revision renumbered; the oldest beyond the limit go, none that is in use."""
    path = f"/apis/apps/v1/namespaces/default/{kind.lower()}s/s"
    stage.create({"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": "s"}, "spec": KINDS[kind]})
    stage.settle()
    first = kept(stage)[1]["metadata"]["name"]
    for image in ("facts/ready:2", "facts/ready:1"):
        spec = {"template": {"spec": {"containers": [{"name": "c", "image": image}]}}}
        stage.ask("PATCH", path, {"spec": spec}, MERGE)
        stage.settle()
    assert sorted(kept(stage)) == [2, 3]
    assert kept(stage)[3]["metadata"]["name"] == first
    for number in range(3, 7):
        spec = {"template": {"spec": {"containers": [{"name": "c", "image": f"facts/ready:{number}"}]}}}
        stage.ask("PATCH", path, {"spec": spec}, MERGE)
        stage.settle()
    assert sorted(kept(stage)) == [5, 6, 7]
