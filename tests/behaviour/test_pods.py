"""Pods: what is true of them on every cluster."""

from __future__ import annotations

from typing import Any

import pytest
from shapes import SLEEP, pod

from kit.errors import Status

pytestmark = pytest.mark.both


def container(world: Any, name: str) -> dict[str, Any]:
    """Return the status of a Pod's only container, empty until the kubelet has written one."""
    found: list[dict[str, Any]] = world.pod(name).get("status", {}).get("containerStatuses") or [{}]
    return found[0]


def test_starts_and_says_so(world: Any) -> None:
    world.objects.create(pod("p", command=SLEEP))
    found = world.ready("p")
    assert found["status"]["phase"] == "Running"
    assert found["status"]["qosClass"] == "BestEffort"
    reasons = [event["reason"] for event in world.objects.list("event") if event["involvedObject"]["name"] == "p"]
    assert reasons[:1] == ["Scheduled"]
    assert {"Pulled", "Created", "Started"} <= set(reasons)


def test_logs_and_exec(world: Any) -> None:
    world.objects.create(pod("p", command=["sh", "-c", "echo one; echo two >&2; " + SLEEP[2]]))
    world.ready("p")
    assert sorted(world.objects.log("p").splitlines()) == ["one", "two"]  # two streams: nothing orders them
    ran = world.run("p", "sh", "-c", "echo out; echo err >&2; exit 3")
    assert (ran.stdout, ran.stderr, ran.code) == ("out\n", "err\n", 3)


def test_crash_restarts_the_container_in_the_same_pod(world: Any) -> None:
    world.objects.create(pod("p", command=["sh", "-c", "test -e /tmp/x && exit 1; " + SLEEP[2]]))
    before = world.ready("p")
    world.run("p", "sh", "-c", "kill -9 -1; kill -TERM 1")
    world.until(lambda: world.pod("p")["status"]["containerStatuses"][0]["restartCount"] >= 1)
    after = world.ready("p")
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert after["status"]["podIP"] == before["status"]["podIP"]


def test_exit_codes_and_policies(world: Any) -> None:
    world.objects.create(pod("good", command=["true"], restartPolicy="Never"))
    world.objects.create(pod("bad", command=["sh", "-c", "exit 4"], restartPolicy="Never"))
    world.until(lambda: world.pod("good")["status"]["phase"] == "Succeeded")
    world.until(lambda: world.pod("bad")["status"]["phase"] == "Failed")
    ended = world.pod("bad")["status"]["containerStatuses"][0]["state"]["terminated"]
    assert (ended["exitCode"], ended["reason"]) == (4, "Error")


def test_a_deleted_bare_pod_stays_away(world: Any) -> None:
    world.objects.create(pod("p", command=SLEEP))
    world.ready("p")
    world.objects.delete("pod", "p")
    world.until(lambda: world.objects.find("pod", "p") is None)
    assert world.objects.list("pod") == []


def test_too_large_a_request_stays_pending(world: Any) -> None:
    world.objects.create(pod("p", command=SLEEP, resources={"requests": {"cpu": "100"}}))
    event = world.until(lambda: [e for e in world.objects.list("event") if e["reason"] == "FailedScheduling"])[0]
    assert "Insufficient cpu" in event["message"]
    assert "preemption: 0/3 nodes are available" in event["message"]
    assert world.pod("p")["status"]["phase"] == "Pending"


def test_node_selector(world: Any) -> None:
    world.objects.create(pod("p", command=SLEEP, nodeSelector={"disk": "ssd"}))
    found = world.ready("p")
    node = world.objects.get("node", found["spec"]["nodeName"])
    assert node["metadata"]["labels"]["disk"] == "ssd"


def test_an_unknown_image_is_an_event_not_a_crash(world: Any) -> None:
    world.objects.create(pod("p", image="ngnix:1.30"))
    world.until(lambda: [e for e in world.objects.list("event") if e["message"] == "Error: ErrImagePull"])
    told = ("ErrImagePull", "ImagePullBackOff")  # the status follows the event
    assert world.until(lambda: container(world, "p").get("state", {}).get("waiting", {}).get("reason") in told)
    assert container(world, "p")["restartCount"] == 0


def test_downward_api(world: Any) -> None:
    env = [{"name": "MY_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}]
    world.objects.create(pod("p", command=SLEEP, env=env))
    found = world.ready("p")
    assert world.run("p", "sh", "-c", "echo $MY_IP").stdout.strip() == found["status"]["podIP"]


def test_readiness_gates_traffic_liveness_restarts(world: Any) -> None:
    check = {"exec": {"command": ["test", "-e", "/tmp/ok"]}, "periodSeconds": 1, "failureThreshold": 1}
    world.objects.create(pod("r", command=SLEEP, readinessProbe=check))
    world.until(lambda: world.pod("r")["status"]["phase"] == "Running")
    world.run("r", "touch", "/tmp/ok")
    world.ready("r")
    world.run("r", "rm", "/tmp/ok")
    world.until(lambda: not container(world, "r")["ready"])
    assert container(world, "r")["restartCount"] == 0
    world.objects.create(pod("l", command=SLEEP, livenessProbe={**check, "initialDelaySeconds": 1}))
    world.until(lambda: container(world, "l").get("restartCount", 0) >= 1)


def test_what_may_change_and_what_may_not(world: Any) -> None:
    world.objects.create(pod("p", command=SLEEP, ports=[{"containerPort": 80}]))
    world.ready("p")
    changed = {"spec": {"containers": [{"name": "c", "image": "busybox:1.37.0"}]}}
    world.objects.patch("pod", "p", changed)
    refused = {"spec": {"containers": [{"name": "c", "ports": [{"containerPort": 81}]}]}}
    with pytest.raises(Status) as caught:
        world.objects.patch("pod", "p", refused)
    assert caught.value.code == 422
    assert "pod updates may not change fields other than" in caught.value.message


def test_strict_fields(world: Any) -> None:
    bad = pod("p", command=SLEEP)
    bad["spec"]["containers"][0]["imagee"] = "x"
    with pytest.raises(Status) as caught:
        world.objects.create(bad)
    assert 'strict decoding error: unknown field "spec.containers[0].imagee"' in caught.value.message


def test_init_containers_run_first(world: Any) -> None:
    mount = [{"name": "shared", "mountPath": "/shared"}]
    init = {
        "name": "i",
        "image": "busybox:1.37",
        "command": ["sh", "-c", "echo made > /shared/f"],
        "volumeMounts": mount,
    }
    body = pod(
        "p", command=SLEEP, volumeMounts=mount, volumes=[{"name": "shared", "emptyDir": {}}], initContainers=[init]
    )
    world.objects.create(body)
    world.ready("p")
    assert world.run("p", "cat", "/shared/f").stdout == "made\n"


def test_config_and_secret(world: Any) -> None:
    world.objects.create(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "conf"},
            "data": {"a": "1", "file.txt": "text\n"},
        }
    )
    world.objects.create(
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "sec"}, "stringData": {"p": "word"}}
    )
    env = [
        {"name": "A", "valueFrom": {"configMapKeyRef": {"name": "conf", "key": "a"}}},
        {"name": "P", "valueFrom": {"secretKeyRef": {"name": "sec", "key": "p"}}},
    ]
    volumes = [{"name": "v", "configMap": {"name": "conf"}}]
    world.objects.create(
        pod("p", command=SLEEP, env=env, volumes=volumes, volumeMounts=[{"name": "v", "mountPath": "/etc/conf"}])
    )
    world.ready("p")
    assert world.run("p", "sh", "-c", "echo $A $P; cat /etc/conf/file.txt").stdout == "1 word\ntext\n"
