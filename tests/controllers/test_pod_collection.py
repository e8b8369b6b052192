"""Pods that no kubelet will remove are removed: words and times as a real controller manager (1.37.2) has them."""

from __future__ import annotations

from typing import Any

import pytest
from stage import MERGE, Stage

from kit.embedded.controllers import podgc

PODS = "/api/v1/namespaces/default/pods"
HELD = {"finalizers": ["example.com/look"]}


@pytest.fixture
def stage() -> Stage:
    """Return a stage."""
    return Stage()


def make(stage: Stage, name: str, image: str, metadata: dict[str, Any] | None = None, **spec: Any) -> None:
    """Make a Pod."""
    spec = {"containers": [{"name": "c", "image": f"facts/{image}:1"}], "restartPolicy": "Never", **spec}
    stage.create({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, **(metadata or {})}, "spec": spec})
    stage.settle()


def names(stage: Stage) -> list[str]:
    """Return the names of the Pods."""
    return [one["metadata"]["name"] for one in stage.ask("GET", PODS)["items"]]


def test_pods_of_a_node_that_is_gone(stage: Stage) -> None:
    """They stay for 40 s, then fail with a condition that says why, and go; those of other nodes stay."""
    make(stage, "orphan", "ready", HELD, nodeName="facts-node-1")
    make(stage, "ended", "succeed", HELD, nodeName="facts-node-1")
    make(stage, "gone", "ready", nodeName="facts-node-1")
    make(stage, "other", "ready", nodeName="facts-node-2")
    stage.ask("DELETE", "/api/v1/nodes/facts-node-1")
    stage.pass_time(39_000)
    assert names(stage) == ["ended", "gone", "orphan", "other"]
    stage.pass_time(22_000)
    assert names(stage) == ["ended", "orphan", "other"]
    orphan, ended = (stage.ask("GET", f"{PODS}/{name}") for name in ("orphan", "ended"))
    assert (orphan["status"]["phase"], orphan["status"]["observedGeneration"]) == ("Failed", 1)
    (told,) = [one for one in orphan["status"]["conditions"] if one["type"] == "DisruptionTarget"]
    del told["lastTransitionTime"]
    assert told == {
        "type": "DisruptionTarget",
        "status": "True",
        "reason": "DeletionByPodGC",
        "message": "PodGC: node no longer exists",
        "observedGeneration": 1,
        "lastProbeTime": None,
    }
    assert orphan["metadata"]["deletionGracePeriodSeconds"] == 0
    assert ended["status"]["phase"] == "Succeeded"
    assert "deletionTimestamp" in ended["metadata"]


def test_a_node_that_comes_back_keeps_its_pods(stage: Stage) -> None:
    """A node that was made again within the time has its Pods as before."""
    make(stage, "orphan", "ready", nodeName="facts-node-1")
    stage.ask("DELETE", "/api/v1/nodes/facts-node-1")
    stage.pass_time(25_000)
    stage.add_node({"name": "facts-node-1"})
    stage.pass_time(120_000)
    assert names(stage) == ["orphan"]


def test_a_deleted_pod_that_never_had_a_node(stage: Stage) -> None:
    """Within 20 s it has failed, without a condition; its finalizers are left to their owners."""
    make(stage, "unplaced", "ready", HELD, nodeSelector={"no": "where"})
    stage.ask("DELETE", f"{PODS}/unplaced")
    stage.pass_time(20_000)
    status = stage.ask("GET", f"{PODS}/unplaced")["status"]
    assert (status["phase"], status["observedGeneration"]) == ("Failed", 2)
    assert [one["type"] for one in status["conditions"]] == ["PodScheduled"]
    stage.ask("PATCH", f"{PODS}/unplaced", {"metadata": {"finalizers": None}}, MERGE)
    assert names(stage) == []


def test_a_deleted_pod_on_a_node_out_of_service(stage: Stage) -> None:
    """A Pod whose kubelet does not answer goes when somebody taints its node out-of-service."""
    make(stage, "stuck", "linger", nodeName="facts-node-1")
    ready = {"type": "Ready", "status": "False", "reason": "Lost", "message": "lost"}
    stage.ask("PATCH", "/api/v1/nodes/facts-node-1/status", {"status": {"conditions": [ready]}}, MERGE)
    stage.ask("DELETE", f"{PODS}/stuck")
    stage.pass_time(60_000)
    assert names(stage) == ["stuck"]
    taint = {"key": "node.kubernetes.io/out-of-service", "value": "shut", "effect": "NoSchedule"}
    stage.ask("PATCH", "/api/v1/nodes/facts-node-1", {"spec": {"taints": [taint]}}, MERGE)
    stage.pass_time(20_000)
    assert names(stage) == []


def test_too_many_ended_pods(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest Pods that have ended go when there are more than the cluster keeps."""
    monkeypatch.setattr(podgc, "ENDED_MAX", 2)
    for name in ("first", "second", "third"):
        make(stage, name, "succeed", nodeName="facts-node-1")
        stage.pass_time(1000)
    make(stage, "running", "ready", nodeName="facts-node-1")
    stage.pass_time(20_000)
    assert names(stage) == ["running", "second", "third"]
