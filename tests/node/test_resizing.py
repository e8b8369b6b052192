"""Containers that are given other resources while they run: what the API refuses, what is then true of the container."""

from __future__ import annotations

from typing import Any

from whole import Whole

MERGE = {"content-type": "application/strategic-merge-patch+json"}
PATH = "/api/v1/namespaces/klet/pods/p/resize"


def begun(**container: Any) -> Whole:
    """Return a cluster whose Pod p runs an endless loop at a tenth of a core."""
    whole = Whole("klet")
    loop = {"name": "c", "image": "busybox:1.37", "command": ["sh", "-c", "while true; do :; done"], **container}
    loop["resources"] = {"requests": {"cpu": "100m"}, "limits": {"cpu": "100m"}}
    whole.create({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [loop]}}, "klet")
    whole.pass_time(3000)
    return whole


def patched(whole: Whole, cpu: str) -> tuple[int, Any]:
    """Ask for another share of the CPU; code and body of the answer."""
    resources = {"requests": {"cpu": cpu}, "limits": {"cpu": cpu}}
    body = {"spec": {"containers": [{"name": "c", "resources": resources}]}}
    return whole.call("PATCH", PATH, body, MERGE)[:2]


def used_ms(whole: Whole, ms: int) -> float:
    """Return how much CPU time the container takes in the next `ms`."""
    unit = next(unit for kubelet in whole.cluster.nodes.kubelets.values() for found in kubelet.workers.values() for worker in found
                for unit in worker.units if worker.key.name == "p")  # fmt: skip
    before = unit.container.cpu_us
    whole.pass_time(ms)
    return (unit.container.cpu_us - before) / 1000


def test_a_container_gets_its_new_share_and_runs_on() -> None:
    whole = begun()
    assert 80 <= used_ms(whole, 1000) <= 120
    assert patched(whole, "400m")[0] == 200
    whole.pass_time(200)
    assert 350 <= used_ms(whole, 1000) <= 450
    pod = whole.pod("p")
    assert pod is not None
    assert pod["status"]["containerStatuses"][0]["restartCount"] == 0
    assert pod["status"]["containerStatuses"][0]["resources"]["limits"] == {"cpu": "400m"}
    assert {one["type"] for one in pod["status"]["conditions"]}.isdisjoint({"PodResizeInProgress"})


def test_what_no_node_has_is_forbidden() -> None:
    code, body = patched(begun(), "5")
    assert (code, body["reason"]) == (403, "Forbidden")
    assert "requested: 5000, allocatable: 4000" in body["message"]


def test_a_resize_that_needs_a_restart_is_refused() -> None:
    whole = begun(resizePolicy=[{"resourceName": "cpu", "restartPolicy": "RestartContainer"}])
    code, body = patched(whole, "200m")
    assert code == 501
    assert "--provider kind" in body["message"]
