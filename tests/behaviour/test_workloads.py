"""Jobs, CronJobs, StatefulSets and DaemonSets with real containers: what is true of them on every cluster."""

from __future__ import annotations

from typing import Any

import pytest
from shapes import SLEEP, pod

pytestmark = pytest.mark.both


def container(image: str = "busybox:1.37", *command: str) -> dict[str, Any]:
    made: dict[str, Any] = {"name": "c", "image": image, "imagePullPolicy": "IfNotPresent"}
    return {**made, **({"command": list(command)} if command else {})}


def job(name: str, line: str, restart: str = "Never", **spec: Any) -> dict[str, Any]:
    template = {"spec": {"restartPolicy": restart, "containers": [container("busybox:1.37", "sh", "-c", line)]}}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": {"template": template, **spec}}


def workload(kind: str, name: str, **spec: Any) -> dict[str, Any]:
    template = {
        "metadata": {"labels": {"app": name}},
        "spec": {"containers": [container("nginx:1.30")], "terminationGracePeriodSeconds": 1},
    }
    body = {"selector": {"matchLabels": {"app": name}}, "template": template, **spec}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name}, "spec": body}


def ends(world: Any, name: str) -> dict[str, str]:
    """Return how a Job has ended: condition and reason, empty while it goes on."""
    found = (world.objects.find("job", name) or {}).get("status", {}).get("conditions") or []
    return {one["type"]: one["reason"] for one in found if one["type"] in ("Complete", "Failed")}


def names(world: Any) -> list[str]:
    return sorted(one["metadata"]["name"] for one in world.objects.list("pod"))


def test_an_indexed_job_gives_each_pod_its_number(world: Any) -> None:
    """Every index runs once and says which it is; all done is Complete."""
    world.objects.create(job("j", "echo $JOB_COMPLETION_INDEX $(hostname)", completions=3, parallelism=2, completionMode="Indexed"))  # fmt: skip
    world.until(lambda: ends(world, "j"))
    assert ends(world, "j") == {"Complete": "CompletionsReached"}
    told = sorted(world.kubectl("logs", "-l", "job-name=j").splitlines())
    assert told == ["0 j-0", "1 j-1", "2 j-2"]
    assert world.objects.get("job", "j")["status"]["completedIndexes"] == "0-2"


def test_a_job_gives_up(world: Any) -> None:
    """Failures beyond backoffLimit end a Job, whether Pods are replaced or containers started again."""
    world.objects.create(job("pods", "exit 3", backoffLimit=0))
    world.objects.create(job("containers", "exit 3", restart="OnFailure", backoffLimit=1))
    for name in ("pods", "containers"):
        world.until(lambda name=name: ends(world, name))
        assert ends(world, name) == {"Failed": "BackoffLimitExceeded"}


def test_an_exit_code_fails_a_job_at_once(world: Any) -> None:
    """A rule of podFailurePolicy ends a Job that could try again."""
    rules = [{"action": "FailJob", "onExitCodes": {"operator": "In", "values": [42]}}]
    world.objects.create(job("j", "exit 42", backoffLimit=6, podFailurePolicy={"rules": rules}))
    world.until(lambda: ends(world, "j"))
    assert ends(world, "j") == {"Failed": "PodFailurePolicy"}


def test_a_cronjob_makes_jobs(world: Any) -> None:
    """A Job is made at the next full minute; one made by hand from the CronJob runs at once."""
    template = job("", "date")["spec"]
    spec = {"schedule": "* * * * *", "jobTemplate": {"spec": template}, "concurrencyPolicy": "Forbid"}
    world.objects.create({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "tick"}, "spec": spec})
    world.kubectl("create", "job", "now", "--from=cronjob/tick")
    world.until(lambda: ends(world, "now"), "30s")
    world.until(lambda: len([one for one in world.objects.list("job") if ends(world, one["metadata"]["name"])]) == 2)
    made = next(one for one in world.objects.list("job") if one["metadata"]["name"] != "now")
    assert made["metadata"]["name"].startswith("tick-")
    world.until(lambda: "lastSuccessfulTime" in world.objects.get("cronjob", "tick")["status"])


def test_a_statefulset_keeps_names_and_order(world: Any) -> None:
    """Pods come one after the other, are replaced under their names, go from the highest, and are known to DNS by name."""
    service = {"clusterIP": "None", "selector": {"app": "db"}, "ports": [{"port": 80}]}
    world.objects.create({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "db"}, "spec": service})
    world.objects.create(workload("StatefulSet", "db", serviceName="db", replicas=2))
    world.ready("db-1")
    before = world.pod("db-0")["metadata"]["uid"]
    world.objects.delete("pod", "db-0")
    world.until(
        lambda: (world.objects.find("pod", "db-0") or {"metadata": {"uid": before}})["metadata"]["uid"] != before
    )
    world.ready("db-0")
    assert world.run("db-0", "hostname").stdout == "db-0\n"
    world.objects.create(pod("asks", command=SLEEP))
    world.ready("asks")
    address = world.pod("db-0")["status"]["podIP"]
    world.until(
        lambda: address in world.run("asks", "nslookup", f"db-0.db.{world.objects.namespace}.svc.cluster.local").stdout
    )
    world.kubectl("scale", "statefulset/db", "--replicas=1")
    world.until(lambda: "db-1" not in names(world))


def test_a_statefulset_rolls_out_and_back(world: Any) -> None:
    """A new image reaches every Pod; undo brings the old one back as a new revision."""
    world.objects.create(workload("StatefulSet", "web", serviceName="web", replicas=2))
    world.kubectl("rollout", "status", "statefulset/web", "--timeout=60s")
    for command, image in ((("set", "image", "statefulset/web", "c=nginx:1.31"), "nginx:1.31"), (("rollout", "undo", "statefulset/web"), "nginx:1.30")):  # fmt: skip
        world.kubectl(*command)
        world.kubectl("rollout", "status", "statefulset/web", "--timeout=60s")
        assert {one["spec"]["containers"][0]["image"] for one in world.objects.list("pod")} == {image}
    listed = world.kubectl("get", "controllerrevisions", "-o", "jsonpath={.items[*].revision}")
    assert sorted(listed.split()) == ["2", "3"]


def test_a_daemonset_has_a_pod_on_every_worker(world: Any) -> None:
    """One Pod a node without taints; one that goes is made again on the same node."""
    world.objects.create(workload("DaemonSet", "agent"))
    world.kubectl("rollout", "status", "daemonset/agent", "--timeout=60s")
    found = {one["spec"]["nodeName"]: one["metadata"]["name"] for one in world.objects.list("pod")}
    assert len(found) == world.objects.get("daemonset", "agent")["status"]["desiredNumberScheduled"] >= 1
    node, first = min(found.items())
    world.objects.delete("pod", first)
    world.until(lambda: not world.objects.find("pod", first))
    world.kubectl("rollout", "status", "daemonset/agent", "--timeout=60s")
    again = {one["spec"]["nodeName"]: one["metadata"]["name"] for one in world.objects.list("pod")}
    assert again.keys() == found.keys() and again[node] != first
