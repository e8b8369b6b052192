"""How containers come to run: images, commands, configuration, environment, init containers and sidecars."""

from __future__ import annotations

import pytest
from world import World, conditions, sh

from kit.errors import Status


def test_images_that_cannot_be_pulled_alternate(world):
    world.pod("p", {"image": "box:9"})
    world.run(40_000)
    assert world.reasons()[:5] == ["Pulling", "Failed", "Failed", "BackOff", "Failed"]
    assert world.messages("Failed")[:3] == [
        'Failed to pull image "box:9": failed to pull and unpack image "docker.io/library/box:9": not found',
        "Error: ErrImagePull", "Error: ImagePullBackOff",
    ]  # fmt: skip
    words = []
    for at, s in world.history["p"]:
        reason = s.get("containerStatuses", [{}])[0].get("state", {}).get("waiting", {}).get("reason")
        if reason and (not words or words[-1][1] != reason):
            words.append((round(at / 1000), reason))
    assert [w for _, w in words] == [
        "ContainerCreating",
        "ErrImagePull",
        "ImagePullBackOff",
        "ErrImagePull",
        "ImagePullBackOff",
    ]
    with pytest.raises(Status) as error:
        world.log()
    assert error.value.message == 'container "c" in pod "p" is waiting to start: trying and failing to pull image'


def test_pull_policies(world):
    cold = World(preloaded=False)
    cold.pod("a")
    cold.run(3000)
    assert cold.messages("Pulled") == [
        'Successfully pulled image "box:1" in 420ms (420ms including waiting). Image size: 5000000 bytes.'
    ]
    cold.pod("b")
    cold.run(1000)
    assert cold.messages("Pulled")[1].startswith("Container image")
    world.pod("n", {"image": "gone:1", "imagePullPolicy": "Never"})
    world.run(1000)
    assert world.status("n")["state"]["waiting"]["reason"] == "ErrImageNeverPull"
    world.pod("u", {"image": "Box:UPPER"})
    world.run(1000)
    assert world.messages("InspectFailed")[0] == (
        'Failed to apply default image tag "Box:UPPER": couldn\'t parse image name "Box:UPPER": '
        "invalid reference format: repository name (library/Box) must be lowercase"
    )


@pytest.mark.parametrize(
    "command, text",
    [
        ("nosuch", 'exec: "nosuch": executable file not found in $PATH'),
        ("/etc", 'exec: "/etc": permission denied'),
        ("/etc/passwd", 'exec: "/etc/passwd": permission denied'),
        ("/bin/none", 'exec: "/bin/none": stat /bin/none: no such file or directory'),
    ],
)
def test_commands_that_cannot_start(world, command, text):
    world.pod("p", {"command": [command]})
    world.run(3000)
    status = world.status()
    assert status["lastState"]["terminated"]["reason"] == "StartError"
    assert status["lastState"]["terminated"]["exitCode"] == 128
    assert status["lastState"]["terminated"]["message"].endswith(text)
    assert status["restartCount"] == 1
    never = World()
    never.pod("p", {"command": [command]}, restartPolicy="Never")
    never.run(3000)
    assert never.get()["status"]["phase"] == "Failed"
    assert never.status()["state"]["terminated"]["reason"] == "StartError"


def test_configuration_that_is_missing_and_comes(world):
    reference = {"name": "A", "valueFrom": {"configMapKeyRef": {"name": "conf", "key": "a"}}}
    world.pod("p", sh("env; trap 0; sleep 999", env=[reference]))
    world.run(3000)
    assert world.status()["state"]["waiting"] == {
        "reason": "CreateContainerConfigError",
        "message": 'configmap "conf" not found',
    }
    assert world.messages("Failed") == ['Error: configmap "conf" not found'] * 2
    assert world.reasons()[:4] == ["Pulled", "Failed", "Pulled", "Failed"]
    world.put(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "conf", "namespace": "default"},
            "data": {"a": "1"},
        }
    )
    world.run(15_000)
    assert b"\nA=1\n" in world.log().data()


def test_environment(world):
    service = {"clusterIP": "10.96.7.7", "ports": [{"name": "http", "port": 80, "protocol": "TCP"}]}
    world.put(
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "my-db", "namespace": "default"}, "spec": service}
    )
    env = [
        {"name": "ONE", "value": "1"}, {"name": "TWO", "value": "$(ONE)$(NONE) $$(ONE) $(MY_DB_SERVICE_HOST)"},
        {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
        {"name": "NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        {"name": "CPU", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu", "divisor": "1m"}}},
    ]  # fmt: skip
    world.pod("p", sh("env; trap 0; sleep 99", env=env, resources={"limits": {"cpu": "250m"}}))
    world.run(2000)
    out = dict(line.split("=", 1) for line in world.log().data().decode().splitlines())
    assert (out["TWO"], out["NAME"], out["CPU"], out["IP"]) == ("1$(NONE) $(ONE) 10.96.7.7", "p", "250", "10.244.1.2")
    assert (out["MY_DB_PORT_80_TCP"], out["MY_DB_SERVICE_PORT_HTTP"], out["IMAGE"], out["HOSTNAME"]) == (
        "tcp://10.96.7.7:80",
        "80",
        "box",
        "p",
    )


def test_init_containers_run_in_order_and_block(world):
    inits = [
        {"name": "i1", "image": "box:1", **sh("echo one; sleep 1")},
        {"name": "i2", "image": "box:1", **sh("exit 3")},
    ]
    world.pod("p", {}, initContainers=inits, restartPolicy="Never")
    world.run(900)
    pod = world.get()
    assert pod["status"]["containerStatuses"][0]["state"] == {"waiting": {"reason": "PodInitializing"}}
    assert conditions(pod)["Initialized"] == (
        "False",
        "ContainersNotInitialized",
        "containers with incomplete status: [i1 i2]",
    )
    world.run(3000)
    pod = world.get()
    assert pod["status"]["phase"] == "Failed"
    first, second = pod["status"]["initContainerStatuses"]
    assert (first["ready"], first["state"]["terminated"]["exitCode"], second["state"]["terminated"]["exitCode"]) == (
        True,
        0,
        3,
    )


def test_sidecars_start_first_and_stop_last(world):
    side = [
        {"name": f"s{n}", "image": "box:1", "restartPolicy": "Always", **sh(f"trap 0; echo s{n}; sleep 999")}
        for n in (1, 2)
    ]
    world.pod("p", {"name": "main", **sh("trap 0; sleep 999")}, initContainers=side)
    world.run(3000)
    pod = world.get()
    assert [s["ready"] for s in pod["status"]["initContainerStatuses"]] == [True, True]
    assert pod["status"]["phase"] == "Running"
    assert [p for _, _, r, _, p in world.events if r == "Started"] == [
        "spec.initContainers{s1}",
        "spec.initContainers{s2}",
        "spec.containers{main}",
    ]
    world.delete()
    world.run(3000)
    final = world.history["p"][-1][1]
    assert final["phase"] == "Succeeded"
    assert world.get() is None
    assert sorted(world.messages("Killing")) == [
        "Stopping container main",
        "Stopping container s1",
        "Stopping container s2",
    ]


def test_a_job_like_pod_ends_with_its_sidecar(world):
    side = [{"name": "s", "image": "box:1", "restartPolicy": "Always", **sh("trap 0; sleep 999")}]
    world.pod("p", {"name": "main", **sh("sleep 1")}, initContainers=side, restartPolicy="Never")
    world.run(5000)
    assert world.get()["status"]["phase"] == "Succeeded"
    assert world.messages("Killing") == ["Stopping container s"]
