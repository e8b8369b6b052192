"""Pods on a node, from admission to removal: phases, restarts, back-off, what a node does on its own."""

from __future__ import annotations

from itertools import pairwise

import pytest
from world import World, conditions, program, sh

from kit.kube import copies


def test_a_pod_runs_and_goes(world):
    world.pod("p", sh("trap 0; sleep 999"))
    world.run(2000)
    pod = world.get()
    assert pod["status"]["phase"] == "Running"
    assert [c["type"] for c in pod["status"]["conditions"]] == [
        "PodReadyToStartContainers",
        "Initialized",
        "Ready",
        "ContainersReady",
        "PodScheduled",
    ]
    assert {c["status"] for c in pod["status"]["conditions"]} == {"True"}
    status = world.status()
    assert status["image"] == "docker.io/library/box:1"
    assert status["imageID"].startswith("sha256:") and status["containerID"].startswith("containerd://")
    assert status["user"] == {"linux": {"uid": 0, "gid": 0, "supplementalGroups": [0]}}
    assert (status["ready"], status["started"], status["restartCount"], status["lastState"]) == (True, True, 0, {})
    assert pod["status"]["podIP"] == "10.244.1.2" and pod["status"]["hostIP"] == "172.18.0.3"
    assert world.reasons() == ["Pulled", "Created", "Started"]
    assert world.messages("Pulled") == [
        'Container image "box:1" already present on machine and can be accessed by the pod'
    ]
    phases = [s["conditions"][0]["status"] for _, s in world.history["p"] if s.get("conditions")]
    assert phases == ["False", "True", "True"]
    assert next(at for at, s in world.history["p"] if s.get("phase") == "Running") <= 300
    world.delete()
    world.run(1000)
    assert world.get() is None
    final = world.history["p"][-1][1]
    assert final["phase"] == "Succeeded"
    assert final["containerStatuses"][0]["state"]["terminated"]["reason"] == "Completed"
    assert [c.get("reason") for c in final["conditions"]] == [
        "PodSandboxNotReady",
        "PodCompleted",
        "PodCompleted",
        "PodCompleted",
        None,
    ]
    assert world.reasons()[-1] == "Killing"
    assert world.messages("Killing") == ["Stopping container c"]


def test_first_status_is_container_creating(world):
    world.pod()
    world.run(0)
    pod = world.get()
    assert world.status()["state"] == {"waiting": {"reason": "ContainerCreating"}}
    assert conditions(pod)["PodReadyToStartContainers"] == ("False", "PodSandboxNotReady", "no pod sandbox exists")
    assert conditions(pod)["Ready"] == ("False", "ContainersNotReady", "containers with unready status: [c]")
    assert "podIP" not in pod["status"]


@pytest.mark.parametrize(
    "policy, code, restarts, phase",
    [
        ("Never", 0, 0, "Succeeded"),
        ("Never", 3, 0, "Failed"),
        ("OnFailure", 0, 0, "Succeeded"),
        ("OnFailure", 3, 1, "Running"),
        ("Always", 0, 1, "Running"),
    ],
)
def test_restart_policies(world, policy, code, restarts, phase):
    world.pod("p", sh(f"echo run; sleep 1; exit {code}"), restartPolicy=policy)
    world.run(5000)
    assert world.status()["restartCount"] == restarts
    assert world.get()["status"]["phase"] == phase


def test_crash_loop_waits_10_20_40(world):
    world.pod("p", sh("exit 1"))
    world.run(100_000)
    starts = [at for at, _, reason, _, _ in world.events if reason == "Started"]
    waits = [round((b - a) / 1000) for a, b in pairwise(starts)]
    assert waits == [0, 10, 20, 40]
    uid = world.get()["metadata"]["uid"]
    assert set(world.messages("BackOff")) == {f"Back-off restarting failed container c in pod p_default({uid})"}
    crash = [s["containerStatuses"][0]["state"]["waiting"]["message"] for _, s in world.history["p"]
             if s.get("containerStatuses", [{}])[0].get("state", {}).get("waiting", {}).get("reason") == "CrashLoopBackOff"]  # fmt: skip
    assert crash == [f"back-off {n}s restarting failed container=c pod=p_default({uid})" for n in (10, 20, 40)]
    status = world.status()
    assert status["state"]["terminated"]["reason"] == "Error"
    assert status["lastState"]["terminated"]["exitCode"] == 1


def test_backoff_is_forgotten_after_ten_good_minutes(world):
    world.pod("p", sh("sleep 700; exit 1"))
    world.run(1_500_000)
    starts = [at for at, _, reason, _, _ in world.events if reason == "Started"]
    assert [round((b - a) / 1000) for a, b in pairwise(starts)] == [700, 700]


def test_active_deadline(world):
    world.pod("p", sh("trap 0; sleep 99"), activeDeadlineSeconds=5)
    world.run(9000)
    assert (world.get()["status"]["phase"], world.get()["status"]["reason"]) == ("Failed", "DeadlineExceeded")


def test_oom(world):
    from kit.embedded.core.filesystem import build
    from kit.embedded.core.program import Allocate, Sleep
    from kit.embedded.images.image import Image

    def hog(ctx):
        for n in range(1, 99):
            yield Allocate(n << 22)
            yield Sleep(20)
        return 0

    world.images.box = Image("box", "1", build({"/bin/hog": program(hog)}), command=("hog",))
    world.pod("p", {"resources": {"limits": {"memory": "32Mi"}}})
    world.run(3000)
    assert world.status()["lastState"]["terminated"]["reason"] == "OOMKilled"
    assert world.status()["lastState"]["terminated"]["exitCode"] == 137
    assert world.get()["status"]["qosClass"] == "Burstable"


def test_eviction_of_ephemeral_storage(world):
    world.pod("p", sh("write /big " + "x" * 3000 + "; sleep 99"), terminationGracePeriodSeconds=2)
    stuffed = world.pod("q", sh("write /d/big " + "x" * 3000 + "; sleep 99", volumeMounts=[{"name": "d", "mountPath": "/d"}]),
                        volumes=[{"name": "d", "emptyDir": {"sizeLimit": "2Ki"}}], terminationGracePeriodSeconds=2)  # fmt: skip
    assert stuffed
    world.run(14_000)
    assert world.messages("Evicted") == ['Usage of EmptyDir volume "d" exceeds the limit "2Ki". ']
    status = world.get("q")["status"]
    assert (status["phase"], status["reason"], status["message"]) == (
        "Failed",
        "Evicted",
        'Usage of EmptyDir volume "d" exceeds the limit "2Ki". ',
    )
    assert status["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 137


def test_a_changed_image_restarts_the_container(world):
    world.pod("p", {"image": "box:9"})
    world.run(2000)
    pod = copies.deep(world.get())
    pod["spec"]["containers"][0] |= {"image": "box:1"}
    pod["metadata"]["generation"] = 2
    world.put(pod)
    world.run(1000)
    assert world.get()["status"]["phase"] == "Running"


def test_node_affinity_by_hand(world):
    world.nodes.begin()
    world.run(100)
    world.pod("p", {}, nodeSelector={"disk": "none"})
    world.run(100)
    status = world.get()["status"]
    assert (status["phase"], status["reason"]) == ("Failed", "NodeAffinity")
    assert world.messages("NodeAffinity") == [
        "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector"
    ]


def test_nodes_register_and_renew(world):
    world.nodes.begin()
    world.run(25_000)
    node = world.view.get("nodes", "", "lab-worker")
    assert {c["type"]: c["status"] for c in node["status"]["conditions"]}["Ready"] == "True"
    lease = world.view.get("leases.coordination.k8s.io", "kube-node-lease", "lab-worker")
    assert lease["spec"]["renewTime"].startswith("2026-01-01T00:00:2")
    assert world.queue.next_busy() is None
    control = world.view.get("nodes", "", "lab-control-plane")
    assert control["spec"]["taints"][0]["key"] == "node-role.kubernetes.io/control-plane"


def test_after_a_restart_of_the_process_containers_start_again(world):
    world.pod("p", sh("trap 0; sleep 999"))
    world.run(2000)
    uid = world.get()["metadata"]["uid"]
    later = World()
    later.clock.now = world.clock.now
    later.store.restore([(world.key(world.get()), world.get())], world.store.revision)
    later.nodes.restored({})
    later.engine.resync()
    later.run(2000)
    assert later.get()["metadata"]["uid"] == uid
    status = later.status()
    assert (status["restartCount"], status["ready"]) == (1, True)
    assert (
        status["lastState"]["terminated"]["reason"] == "Unknown"
        and status["lastState"]["terminated"]["exitCode"] == 255
    )
    assert later.get()["status"]["startTime"] == world.get()["status"]["startTime"]
    assert "SandboxChanged" in later.reasons()


def test_a_program_that_sleeps_for_ever_is_not_waited_for(world):
    world.pod("p", sh("trap 0; sleep 99999"))
    world.run(30_000)
    assert world.queue.next_busy() is None
