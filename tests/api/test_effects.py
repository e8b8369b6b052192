"""What controllers do, by the same verbs; events; times after a jump."""

from __future__ import annotations

from typing import Any

import pytest

from kit.embedded.core.effects import Call, Create, Delete, Emit, Patch, Update
from kit.embedded.core.store import Key
from kit.errors import Status

POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "p", "namespace": "default"},
    "spec": {"containers": [{"name": "c", "image": "n"}]},
}
KEY = Key("pods", "default", "p")


class Worker:
    """A controller's names."""

    name, user = "worker", "system:serviceaccount:kube-system:worker"
    manager, component = "kube-controller-manager", "worker-controller"


class Agent:
    """A kubelet's names."""

    name, user, manager, component = "agent", "system:node:n1", "kubelet", "kubelet"


@pytest.fixture
def do(world: Any) -> Any:
    return lambda effect: world.api.apply(Worker(), effect)


def test_effects_are_verbs(world: Any, do: Any) -> None:
    made = do(Create(POD))
    assert made["metadata"]["managedFields"][0]["manager"] == "kube-controller-manager"
    assert "status" not in POD and "uid" not in POD["metadata"]
    do(
        Call(
            KEY, "binding", {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": "p"}, "target": {"name": "n1"}}
        )
    )
    do(Patch(KEY, {"status": {"phase": "Running"}}, "strategic", "status"))
    live = world.store.get(KEY)
    assert live["status"]["phase"] == "Running" and live["spec"]["nodeName"] == "n1"
    assert (
        do(Update({**live, "status": {**live["status"], "phase": "Failed"}}, "status"))["status"]["phase"] == "Failed"
    )
    assert do(Delete(KEY, {"gracePeriodSeconds": 0}))["metadata"]["name"] == "p"
    assert world.store.get(KEY) is None


def test_refusals_are_answers(do: Any) -> None:
    do(Create(POD))
    again = do(Create(POD))
    assert isinstance(again, Status) and again.reason == "AlreadyExists"
    assert do(Delete(Key("pods", "default", "zz"))).reason == "NotFound"


def events(world: Any) -> list[dict[str, Any]]:
    return sorted(world.store.list("events"), key=lambda event: event["metadata"]["creationTimestamp"])


def test_an_event_is_counted(world: Any, do: Any) -> None:
    pod = do(Create(POD))
    for _ in range(3):
        world.clock.now += 1000
        world.api.apply(Agent(), Emit(pod, "Normal", "Pulled", "here", "spec.containers{c}"))
    (event,) = events(world)
    assert event["count"] == 3 and event["source"] == {"component": "kubelet", "host": "n1"}
    assert event["firstTimestamp"] == "2026-03-01T12:00:01Z" and event["lastTimestamp"] == "2026-03-01T12:00:03Z"
    assert event["involvedObject"]["fieldPath"] == "spec.containers{c}" and event["reportingComponent"] == "kubelet"
    assert event["metadata"]["name"].startswith("p.") and event["eventTime"] is None


def test_similar_events_are_combined_and_floods_stopped(world: Any, do: Any) -> None:
    pod = do(Create(POD))
    for number in range(40):
        do(Emit(pod, "Warning", "Odd", f"message {number}"))
    combined = [event for event in events(world) if event["message"].startswith("(combined from similar events): ")]
    assert len(events(world)) == 10 and combined[0]["count"] == 16


def test_a_jump_makes_everything_older(world: Any, do: Any) -> None:
    pod = do(Create(POD))
    do(Emit(pod, "Normal", "X", "y"))
    world.store.rebase(world.api.shift(61_500))
    meta = world.call("GET", "/api/v1/namespaces/default/pods/p").body["metadata"]
    assert meta["creationTimestamp"] == meta["managedFields"][0]["time"] == "2026-03-01T11:58:59Z"
    assert events(world)[0]["firstTimestamp"] == "2026-03-01T11:58:59Z"
    lease = {"metadata": {"name": "l"}, "spec": {"renewTime": "2026-03-01T12:00:00.123456Z"}}
    world.call("POST", "/apis/coordination.k8s.io/v1/namespaces/default/leases", lease)
    world.store.rebase(world.api.shift(1000))
    found = world.store.get(Key("leases.coordination.k8s.io", "default", "l"))
    assert found["spec"]["renewTime"] == "2026-03-01T11:59:59.123456Z"
