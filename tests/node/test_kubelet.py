"""Pods on a node, from admission to removal: events, statuses, restarts, probes, hooks, volumes, logs, exec."""

from __future__ import annotations

import importlib.util
from itertools import pairwise
from pathlib import Path

import pytest

from kit.errors import Status

spec = importlib.util.spec_from_file_location("world", Path(__file__).with_name("world.py"))
world_module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(world_module)
World, Stub = world_module.World, world_module.Stub


@pytest.fixture
def world():
    return World()


def sh(script, **more):
    return {"command": ["sh", "-c", script], **more}


def conditions(pod):
    return {c["type"]: (c["status"], c.get("reason"), c.get("message")) for c in pod["status"]["conditions"]}


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


def test_term_is_ignored_until_the_grace_is_over(world):
    world.pod("p", {"command": ["sleep", "1000"]}, terminationGracePeriodSeconds=5)
    world.run(2000)
    world.delete()
    world.run(4900)
    assert world.get()["status"]["phase"] == "Running"
    world.run(500)
    final = world.history["p"][-1][1]
    assert (final["phase"], final["containerStatuses"][0]["state"]["terminated"]["exitCode"]) == ("Failed", 137)
    assert world.get() is None


def test_a_shorter_grace_while_stopping(world):
    world.pod("p", {"command": ["sleep", "1000"]})
    world.run(2000)
    world.delete()
    world.run(1000)
    world.delete(grace=2)
    world.run(2500)
    assert world.get() is None


def test_force_deletion_kills_soon(world):
    world.pod("p", {"command": ["sleep", "1000"]})
    world.run(2000)
    from kit.embedded.core.store import Key

    world.store.remove(Key("pods", "default", "p"))
    world.run(3000)
    assert world.nodes.kubelets["lab-worker"].workers == {}
    assert "10.244.1.2" not in world.fabric.hosts


def test_hooks(world):
    world.pod("p", sh("trap 0; echo main; sleep 999", lifecycle={"postStart": {"exec": {"command": ["sh", "-c", "write /tmp/hook x"]}},
              "preStop": {"exec": {"command": ["sleep", "60"]}}}), terminationGracePeriodSeconds=4)  # fmt: skip
    world.run(2000)
    assert world.get()["status"]["phase"] == "Running"
    world.delete()
    world.run(3000)
    assert world.get() is not None
    world.run(2000)
    assert world.messages("FailedPreStopHook") == ["PreStopHook failed"]
    assert world.history["p"][-1][1]["phase"] == "Succeeded"
    bad = World()
    bad.pod("p", sh("trap 0; sleep 999", lifecycle={"postStart": {"httpGet": {"path": "/", "port": 9999}}}))
    bad.run(1500)
    assert bad.reasons()[:5] == ["Pulled", "Created", "Started", "FailedPostStartHook", "Killing"]
    uid = bad.get()["metadata"]["uid"]
    assert bad.status()["state"]["waiting"] == {
        "reason": "PostStartHookError",
        "message": f'HTTP lifecycle hook (/) for Container "c" in Pod "p_default({uid})" failed - error: '
        'Get "http://10.244.1.2:9999/": dial tcp 10.244.1.2:9999: connect: connection refused',
    }


@pytest.mark.parametrize(
    "probe, text",
    [
        ({"httpGet": {"path": "/nope", "port": 80}}, "HTTP probe failed with statuscode: 404"),
        (
            {"httpGet": {"path": "/", "port": 81}},
            'Get "http://10.244.1.2:81/": dial tcp 10.244.1.2:81: connect: connection refused',
        ),
        ({"tcpSocket": {"port": 81}}, "dial tcp 10.244.1.2:81: connect: connection refused"),
        ({"exec": {"command": ["sh", "-c", "echo out; warn err; exit 3"]}}, "out\nerr\n"),
        ({"exec": {"command": ["sh", "-c", "sleep 5"]}}, 'command timed out: "sh -c sleep 5" timed out after 1s'),
        (
            {"grpc": {"port": 80}},
            'timeout: failed to connect service "10.244.1.2:80" within 1s: context deadline exceeded',
        ),
    ],
)
def test_liveness(world, probe, text):
    world.pod(
        "p",
        sh("serve 80", livenessProbe={**probe, "periodSeconds": 2, "timeoutSeconds": 1}),
        terminationGracePeriodSeconds=2,
    )
    world.run(9500)
    assert world.messages("Unhealthy")[:3] == [f"Liveness probe failed: {text}"] * 3
    assert world.messages("Killing") == ["Container c failed liveness probe, will be restarted"]
    assert world.status()["restartCount"] == 1


def test_an_exec_probe_without_its_program_restarts_nothing(world):
    world.pod("p", sh("trap 0; sleep 99", livenessProbe={"exec": {"command": ["nosuch"]}, "periodSeconds": 1}))
    world.run(8000)
    assert world.status()["restartCount"] == 0
    message = world.messages("Unhealthy")[0]
    assert message.startswith(
        "Liveness probe errored and resulted in unknown state: rpc error: code = Unknown desc = failed to exec in container"
    )
    assert message.endswith('exec: "nosuch": executable file not found in $PATH')


def test_readiness_and_startup(world):
    world.pod("p", sh("sleep 3; serve 80", startupProbe={"tcpSocket": {"port": 80}, "periodSeconds": 1, "failureThreshold": 9},
              readinessProbe={"httpGet": {"path": "/", "port": 80}, "periodSeconds": 1}))  # fmt: skip
    world.run(2500)
    assert (world.status()["started"], world.status()["ready"]) == (False, False)
    assert conditions(world.get())["Ready"][0] == "False"
    world.run(3500)
    assert (world.status()["started"], world.status()["ready"]) == (True, True)
    assert conditions(world.get())["Ready"][0] == "True"
    assert set(world.messages("Unhealthy")) == {
        "Startup probe failed: dial tcp 10.244.1.2:80: connect: connection refused"
    }


def test_steady_probes_are_housekeeping(world):
    world.pod("p", sh("serve 80", readinessProbe={"httpGet": {"path": "/", "port": 80}, "periodSeconds": 5},
              livenessProbe={"tcpSocket": {"port": 80}, "periodSeconds": 5}))  # fmt: skip
    world.run(20_000)
    assert world.status()["ready"]
    assert world.queue.next_busy() is None


def test_oom(world):
    from kit.embedded.core.filesystem import build
    from kit.embedded.core.program import Allocate, Sleep
    from kit.embedded.images.image import Image

    def hog(ctx):
        for n in range(1, 99):
            yield Allocate(n << 22)
            yield Sleep(20)
        return 0

    world.images.box = Image("box", "1", build({"/bin/hog": world_module.program(hog)}), command=("hog",))
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


def test_active_deadline(world):
    world.pod("p", sh("trap 0; sleep 99"), activeDeadlineSeconds=5)
    world.run(9000)
    assert (world.get()["status"]["phase"], world.get()["status"]["reason"]) == ("Failed", "DeadlineExceeded")


def test_volumes(world):
    world.put(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "conf", "namespace": "default"},
            "data": {"a": "1\n", "b": "2\n"},
        }
    )
    volumes = [
        {"name": "c", "configMap": {"name": "conf", "defaultMode": 0o644}},
        {"name": "e", "emptyDir": {}},
        {"name": "t", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}},
                                                {"downwardAPI": {"items": [
                                                    {"path": "ns", "fieldRef": {"fieldPath": "metadata.namespace"}}]}}]}},
    ]  # fmt: skip
    mounts = [{"name": "c", "mountPath": "/c", "readOnly": True}, {"name": "e", "mountPath": "/e"},
              {"name": "t", "mountPath": "/t", "readOnly": True},
              {"name": "c", "mountPath": "/one", "subPath": "a"}]  # fmt: skip
    world.pod("p", sh("cat /c/a; write /e/f shared; sleep 1; cat /t/token; cat /t/ns; cat /one; trap 0; sleep 9999", volumeMounts=mounts),
              sh("sleep 1; cat /e/f; echo; trap 0; sleep 999", volumeMounts=mounts[1:2]), volumes=volumes)  # fmt: skip
    world.run(4000)
    assert world.log().data() == b"1\njwt.system:serviceaccount:default:defaultdefault1\n"
    assert world.log(container="c1").data() == b"shared\n"
    world.put(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "conf", "namespace": "default"},
            "data": {"a": "new\n", "b": "2\n"},
        }
    )
    world.run(130_000)
    tree = world.nodes.worker(world.get()).units[0].container.tree
    assert (tree.read("/c/a"), tree.read("/one")) == (b"new\n", b"1\n")
    assert tree.listdir("/c")[1] == "..data"


@pytest.mark.parametrize(
    "volume, text",
    [
        ({"configMap": {"name": "gone"}}, 'configmap "gone" not found'),
        ({"secret": {"secretName": "gone"}}, 'secret "gone" not found'),
        ({"hostPath": {"path": "/opt/x", "type": "Directory"}},
         'hostPath type check failed, /opt/x is not a directory, unable to determine its type: path "/opt/x" does not exist'),
    ],
)  # fmt: skip
def test_volumes_that_are_missing(world, volume, text):
    world.pod("p", {}, volumes=[{"name": "v", **volume}])
    world.run(3000)
    assert world.messages("FailedMount")[0] == f'MountVolume.SetUp failed for volume "v" : {text}'
    assert world.status()["state"]["waiting"]["reason"] == "ContainerCreating"


def test_logs(world):
    world.pod("p", sh("echo one; warn two; sleep 2; echo three; sleep 3; exit 1"))
    world.run(1000)
    follow = world.log(follow=True)
    assert follow.data() == b"one\ntwo\n" and follow.finish is None
    assert world.log(tailLines=1).data() == b"two\n"
    assert world.log(limitBytes=5).data() == b"one\nt"
    stamped = world.log(timestamps=True).data().split(b"\n")[0]
    assert stamped.startswith(b"2026-01-01T00:00:00.") and stamped.endswith(b"Z one")
    with pytest.raises(Status) as error:
        world.log(previous=True)
    assert error.value.message == 'previous terminated container "c" in pod "p" not found'
    world.run(5000)
    assert follow.data() == b"one\ntwo\nthree\n" and follow.finish is not None
    assert world.log(previous=True).data() == b"one\ntwo\nthree\n"
    world.run(6000)
    assert "terminated" in world.status()["state"]
    assert world.log(previous=True).data().startswith(b"unable to retrieve container logs for containerd://")


def test_exec(world):
    world.pod("p", sh("trap 0; sleep 999"))
    world.run(1000)

    def run(argv):
        stub = Stub()
        world.nodes.execute(world.get(), "c", argv, {"stdout": True, "stderr": True}, stub.ticket)
        world.run(200)
        return stub

    good = run(["sh", "-c", "echo out; warn err"])
    assert (good.data(1), good.data(2), good.finish.status) == (
        b"out\n",
        b"err\n",
        {"metadata": {}, "status": "Success"},
    )
    assert good.outputs[0].upgrade == "channels"
    bad = run(["sh", "-c", "exit 7"])
    assert bad.finish.status["reason"] == "NonZeroExitCode" and bad.finish.status["details"]["causes"] == [
        {"reason": "ExitCode", "message": "7"}
    ]
    missing = run(["nosuch"])
    assert missing.finish.status["message"].startswith(
        "Internal error occurred: Internal error occurred: error executing command in container: "
        "failed to exec in container: failed to start exec"
    )
    piped = Stub()
    world.nodes.execute(world.get(), "c", ["sh", "-c", "stdin"], {"stdin": True, "stdout": True}, piped.ticket)
    world.run(10)
    piped.ticket.on_data(0, b"abc")
    world.run(10)
    assert piped.data(1) == b"ABC" and piped.finish is None
    piped.ticket.on_end(0)
    world.run(10)
    assert piped.finish.status["status"] == "Success"
    shown = Stub()
    world.nodes.execute(world.get(), "c", ["sh", "-c", "stdin"], {"stdin": True, "tty": True}, shown.ticket)
    world.run(10)
    shown.ticket.on_data(0, b"hX\x7fi\r\x04")
    world.run(10)
    assert shown.data(1) == b"hX\b \bi\r\nHI\r\n" and shown.finish is not None
    world.pod("w", {"image": "box:9"})
    world.run(1000)
    with pytest.raises(Status) as error:
        world.nodes.execute(world.get("w"), "c", ["sh"], {}, Stub().ticket)
    assert (error.value.reason, error.value.message) == ("", 'container not found ("c")')
    with pytest.raises(Status) as error:
        world.nodes.attach(world.get("w"), "c", {}, Stub().ticket)
    assert error.value.message == "container c not found in pod w_default"


def test_attach(world):
    world.pod("p", sh("stdin; exit 3", stdin=True, stdinOnce=True), restartPolicy="Never")
    world.run(1000)
    stub = Stub()
    world.nodes.attach(world.get(), "c", {"stdin": True, "stdout": True}, stub.ticket)
    stub.ticket.on_data(0, b"hi\n")
    world.run(20)
    stub.ticket.on_end(0)
    world.run(1000)
    assert stub.data(1) == b"HI\n"
    assert stub.finish is not None
    assert world.status()["state"]["terminated"]["exitCode"] == 3


def test_termination_messages(world):
    world.pod("p", sh("write /dev/termination-log mine; exit 1"), restartPolicy="Never")
    world.pod(
        "q", sh("echo last words; exit 1", terminationMessagePolicy="FallbackToLogsOnError"), restartPolicy="Never"
    )
    world.run(2000)
    assert world.status("p")["state"]["terminated"]["message"] == "mine"
    assert world.status("q")["state"]["terminated"]["message"] == "last words\n"


def test_a_changed_image_restarts_the_container(world):
    from kit.embedded.core.controller import plain

    world.pod("p", {"image": "box:9"})
    world.run(2000)
    pod = plain(world.get())
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
