"""Deployments and ReplicaSets: what is true of them on every cluster."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.both


def deployment(name: str, replicas: int = 2, image: str = "nginx:1.30", **spec: Any) -> dict[str, Any]:
    container = {"name": "web", "image": image, "imagePullPolicy": "IfNotPresent", "ports": [{"containerPort": 80}]}
    template = {
        "metadata": {"labels": {"app": name}},
        "spec": {"containers": [container], "terminationGracePeriodSeconds": 1},
    }
    body = {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": template, **spec}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": body}


def complete(world: Any, name: str, replicas: int) -> bool:
    found = world.objects.get("deployment", name)
    status = found.get("status") or {}
    fresh = status.get("observedGeneration", 0) >= found["metadata"]["generation"]
    counts = [status.get(key, 0) for key in ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")]
    return fresh and counts == [replicas] * 4


def set_image(world: Any, name: str, image: str) -> None:
    world.objects.patch(
        "deployment", name, {"spec": {"template": {"spec": {"containers": [{"name": "web", "image": image}]}}}}
    )


def test_makes_what_it_wants(world: Any) -> None:
    world.objects.create(deployment("d"))
    world.until(lambda: complete(world, "d", 2))
    sets = world.objects.list("replicaset")
    assert len(sets) == 1
    assert {p["metadata"]["ownerReferences"][0]["name"] for p in world.objects.list("pod")} == {
        sets[0]["metadata"]["name"]
    }
    conditions = {c["type"]: c["reason"] for c in world.objects.get("deployment", "d")["status"]["conditions"]}
    assert conditions == {"Available": "MinimumReplicasAvailable", "Progressing": "NewReplicaSetAvailable"}


def test_replaces_a_deleted_pod(world: Any) -> None:
    world.objects.create(deployment("d"))
    world.until(lambda: complete(world, "d", 2))
    first = world.objects.list("pod")[0]["metadata"]["name"]
    world.objects.delete("pod", first)
    world.until(lambda: complete(world, "d", 2) and not world.objects.find("pod", first))
    assert len(world.objects.list("pod")) == 2


def test_scales_both_ways(world: Any) -> None:
    world.objects.create(deployment("d", 1))
    world.kubectl("scale", "deployment/d", "--replicas=3")
    world.until(lambda: complete(world, "d", 3))
    world.kubectl("scale", "deployment/d", "--replicas=1")
    world.until(lambda: complete(world, "d", 1) and len(world.objects.list("pod")) == 1)


def test_rolls_and_rolls_back(world: Any) -> None:
    world.objects.create(deployment("d"))
    world.until(lambda: complete(world, "d", 2))
    set_image(world, "d", "nginx:1.31")
    world.until(lambda: complete(world, "d", 2))
    assert {
        p["spec"]["containers"][0]["image"]
        for p in world.objects.list("pod")
        if "deletionTimestamp" not in p["metadata"]
    } == {"nginx:1.31"}
    world.kubectl("rollout", "undo", "deployment/d")
    world.until(lambda: complete(world, "d", 2))
    revisions = sorted(
        rs["metadata"]["annotations"]["deployment.kubernetes.io/revision"] for rs in world.objects.list("replicaset")
    )
    assert revisions == ["2", "3"]


def test_a_broken_image_stalls_and_the_old_ones_serve(world: Any) -> None:
    world.objects.create(deployment("d", progressDeadlineSeconds=20))
    world.until(lambda: complete(world, "d", 2))
    set_image(world, "d", "ngnix:1.30")

    def late() -> bool:
        conditions = world.objects.get("deployment", "d")["status"]["conditions"]
        return any(c["type"] == "Progressing" and c["reason"] == "ProgressDeadlineExceeded" for c in conditions)

    world.until(late)
    assert world.objects.get("deployment", "d")["status"]["availableReplicas"] >= 1
    world.kubectl("rollout", "undo", "deployment/d")
    world.until(lambda: complete(world, "d", 2))


def test_deleting_it_takes_its_pods(world: Any) -> None:
    world.objects.create(deployment("d"))
    world.until(lambda: complete(world, "d", 2))
    world.objects.delete("deployment", "d")
    world.until(lambda: not world.objects.list("replicaset") and not world.objects.list("pod"))
