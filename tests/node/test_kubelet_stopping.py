"""How containers are stopped: grace periods, signals, hooks; and probes, which have them stopped."""

from __future__ import annotations

import pytest
from world import World, conditions, sh


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
    bad.run(900)
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
