"""A node without power: what the others see, what comes back with it, and what a restart of the process keeps."""

from __future__ import annotations

import json
from typing import Any

import pytest
from test_determinism import TOKEN, Signer

from kit.embedded.cluster import Cluster
from kit.embedded.core.faults import UnknownFault
from kit.embedded.core.settings import Settings
from kit.embedded.core.store import Row
from kit.embedded.core.turns import Answer, Finish, Request

SETTINGS = Settings(seed=1, admin_token=TOKEN)
WORKER = SETTINGS.node_names[1]
PODS = "/api/v1/namespaces/default/pods"
SCRIPT = "echo $$ >> /disk/starts; echo $$ >> /memory/starts; trap 'exit 0' TERM; while true; do sleep 1; done"


class World:
    """A cluster with one Pod on a worker; `journal` is what a disk would hold."""

    def __init__(self, journal: dict[tuple[str, str], bytes | None] | None = None) -> None:
        rows = [Row(table, key, value) for (table, key), value in journal.items()] if journal else None
        self.cluster = Cluster(SETTINGS, Signer(), rows)
        self.journal = dict(journal or {})
        self.outputs: list[Any] = []
        self.number = 0
        self.turn(5_000)

    def turn(self, ms: int = 0, *inputs: Any) -> None:
        batch = self.cluster.turn(inputs, self.cluster.now + ms, 10_000_000)
        self.journal |= {(row.table, row.key): row.value for row in batch.rows}
        self.outputs += batch.outputs

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> int:
        """Send a request -> its number."""
        self.number += 1
        plain, _, query = path.partition("?")
        pairs = tuple((part.partition("=")[0], part.partition("=")[2]) for part in query.split("&") if part)
        sent = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json", **headers}
        self.turn(
            0, Request(self.number, method, plain, pairs, sent, b"" if body is None else json.dumps(body).encode())
        )
        return self.number

    def ask(self, method: str, path: str, body: Any = None, *, ms: int = 10, **headers: str) -> tuple[int, Any]:
        number = self.send(method, path, body, **headers)
        self.turn(ms)
        found = next(one.response for one in self.outputs if isinstance(one, Answer) and one.id == number)
        return found.status, json.loads(found.body)

    def run(self, *argv: str) -> str:
        """Run a program in the Pod -> its output."""
        query = "&".join(f"command={word}" for word in argv)
        number = self.send("GET", f"{PODS}/p/exec?stdout=1&{query}", upgrade="websocket")
        self.turn(2_000)
        assert any(isinstance(one, Finish) and one.id == number for one in self.outputs)
        return b"".join(one.data for one in self.outputs if getattr(one, "data", None) and one.id == number).decode()

    def pod(self) -> dict[str, Any]:
        return self.ask("GET", f"{PODS}/p")[1]

    def ready(self) -> str:
        conditions = self.ask("GET", f"/api/v1/nodes/{WORKER}")[1]["status"]["conditions"]
        return next(one["status"] for one in conditions if one["type"] == "Ready")


@pytest.fixture
def world() -> World:
    """Return a cluster whose Pod writes each start into a volume of the disk and into one of memory."""
    made = World()
    mounts = [{"name": name, "mountPath": f"/{name}"} for name in ("disk", "memory")]
    container = {"name": "c", "image": "busybox:1.37", "command": ["sh", "-c", SCRIPT], "volumeMounts": mounts}
    volumes = [{"name": "disk", "emptyDir": {}}, {"name": "memory", "emptyDir": {"medium": "Memory"}}]
    spec = {"nodeName": WORKER, "containers": [container], "volumes": volumes}
    made.ask("POST", PODS, {"metadata": {"name": "p"}, "spec": spec})
    made.turn(5_000)
    assert made.pod()["status"]["phase"] == "Running"
    return made


def test_off_and_on(world: World) -> None:
    before = world.pod()["status"]
    assert world.cluster.break_("node-off", WORKER)
    assert not world.cluster.break_("node-off", WORKER)
    world.turn(40_000)
    assert world.ready() == "True"  # nobody has noticed yet
    world.turn(20_000)
    assert world.ready() == "Unknown"
    code, said = world.ask("GET", f"{PODS}/p/log?tailLines=3&follow=true")
    assert code == 500
    assert said["message"].startswith(
        'Get "https://172.18.0.3:10250/containerLogs/default/p/c?follow=true&tailLines=3": '
    )
    assert said["message"].endswith("dial tcp 172.18.0.3:10250: connect: no route to host")
    code, said = world.ask("GET", f"{PODS}/p/exec?command=ls&stdout=1", upgrade="websocket")
    assert (code, said["message"]) == (
        500,
        "error dialing backend: dial tcp 172.18.0.3:10250: connect: no route to host",
    )
    code, said = world.ask("GET", f"{PODS}/p:80/proxy/", ms=4_000)
    assert (code, said["message"].partition("10.244")[0]) == (503, "error trying to reach service: dial tcp ")
    assert said["message"].endswith(":80: connect: no route to host")

    assert world.cluster.mend("node-off", WORKER)
    world.turn(15_000)
    assert world.ready() == "True"
    after = world.pod()["status"]
    assert after["containerStatuses"][0]["restartCount"] == 1
    assert after["containerStatuses"][0]["lastState"]["terminated"]["reason"] == "Unknown"
    assert after["podIP"] != before["podIP"]
    assert world.run("wc", "-l", "/disk/starts").split() == ["2", "/disk/starts"]
    assert world.run("wc", "-l", "/memory/starts").split() == ["1", "/memory/starts"]


def test_open_streams_break(world: World) -> None:
    """An exec and an attach end without an exit code, a log that is followed just ends."""
    numbers = {
        what: world.send("GET", f"{PODS}/p/{what}", upgrade="websocket")
        for what in ("exec?command=sleep&command=900&stdout=1", "attach?stdout=1", "log?follow=true")
    }
    world.turn(1_000)
    assert not any(isinstance(one, Finish) for one in world.outputs)
    world.cluster.break_("node-off", WORKER)
    world.turn(100)
    finished = {one.id: (one.status, one.error) for one in world.outputs if isinstance(one, Finish)}
    assert [finished[number] for number in numbers.values()] == [(None, "reset"), (None, "reset"), (None, "")]


def test_a_restart_of_the_process_leaves_it_off(world: World) -> None:
    world.cluster.break_("node-off", WORKER)
    world.turn()
    again = World(world.journal)
    assert again.cluster.faults.lasting == [("node-off", WORKER)]
    again.turn(60_000)
    assert again.ready() == "Unknown"
    again.cluster.reset([])
    again.turn(15_000)
    assert again.ready() == "True"
    assert World(again.journal).cluster.faults.lasting == []


def test_pods_move_away(world: World) -> None:
    container = {"name": "c", "image": "nginx:1.30"}
    soon = [
        {"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 5}
    ]
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [container], "tolerations": soon}}
    spec = {"replicas": 4, "selector": {"matchLabels": {"a": "b"}}, "template": template}
    world.ask("POST", "/apis/apps/v1/namespaces/default/deployments", {"metadata": {"name": "d"}, "spec": spec})
    world.turn(5_000)
    world.cluster.break_("node-off", WORKER)
    world.turn(75_000)
    items = world.ask("GET", f"{PODS}?labelSelector=a=b")[1]["items"]
    alive = [one for one in items if "deletionTimestamp" not in one["metadata"]]
    assert len(alive) == 4
    assert {one["spec"]["nodeName"] for one in alive} == {SETTINGS.node_names[2]}


INIT = {"name": "i", "image": "busybox:1.37", "command": ["sh", "-c", "sleep 1"]}
MAIN = {
    "name": "c",
    "image": "busybox:1.37",
    "command": ["sh", "-c", "trap 'exit 0' TERM; while true; do sleep 1; done"],
}
SIDECAR = {**MAIN, "name": "s", "restartPolicy": "Always"}


@pytest.mark.parametrize(
    "policy, init, phase, states, changed",
    [
        # container: (restarts, state, its exit code, that of lastState), as kind shows them
        ("Always", [INIT], "Running", {"i": (1, "terminated", 0, 0), "c": (1, "running", None, 255)}, True),
        (
            "Always",
            [INIT, SIDECAR],
            "Running",
            {"i": (1, "terminated", 0, 0), "s": (1, "running", None, 255), "c": (1, "running", None, 255)},
            True,
        ),
        ("OnFailure", [], "Running", {"c": (1, "running", None, 255)}, True),
        ("Never", [INIT], "Failed", {"i": (0, "terminated", 0, None), "c": (0, "terminated", 255, None)}, False),
    ],
)
def test_what_begins_again(
    world: World, policy: str, init: list[Any], phase: str, states: dict[str, Any], changed: bool
) -> None:
    """A new sandbox begins with its init containers; where nothing may start again there is none."""
    spec = {"nodeName": WORKER, "restartPolicy": policy, "initContainers": init, "containers": [MAIN]}
    world.ask("POST", PODS, {"metadata": {"name": "q"}, "spec": spec})
    world.turn(8_000)
    world.cluster.break_("node-off", WORKER)
    world.turn(5_000)
    world.cluster.mend("node-off", WORKER)
    world.turn(10_000)
    status = world.ask("GET", f"{PODS}/q")[1]["status"]
    assert status["phase"] == phase
    shown = {}
    for one in (*status.get("initContainerStatuses", ()), *status["containerStatuses"]):
        ((state, more),) = one["state"].items()
        last = one.get("lastState", {}).get("terminated", {}).get("exitCode")
        shown[one["name"]] = (one["restartCount"], state, more.get("exitCode"), last)
    assert shown == states
    events = world.ask("GET", "/api/v1/namespaces/default/events?fieldSelector=involvedObject.name=q")[1]["items"]
    assert any(one["reason"] == "SandboxChanged" for one in events) is changed


def test_a_restart_of_the_process_is_a_new_sandbox_too(world: World) -> None:
    spec = {"nodeName": WORKER, "initContainers": [INIT], "containers": [MAIN]}
    world.ask("POST", PODS, {"metadata": {"name": "q"}, "spec": spec})
    world.turn(8_000)
    again = World(world.journal)
    again.turn(10_000)
    status = again.ask("GET", f"{PODS}/q")[1]["status"]
    assert status["initContainerStatuses"][0]["state"]["terminated"]["reason"] == "Completed"
    assert status["containerStatuses"][0]["ready"] is True
    assert [one["restartCount"] for one in (*status["initContainerStatuses"], *status["containerStatuses"])] == [1, 1]


def test_a_kubelet_that_started_again(world: World) -> None:
    """It says what it says at its start in events of its own, and looks at Pods only then."""
    world.cluster.break_("node-off", WORKER)
    world.turn(60_000)
    world.cluster.mend("node-off", WORKER)
    world.ask(
        "PATCH", f"{PODS}/p", {"metadata": {"labels": {"a": "b"}}}, **{"content-type": "application/merge-patch+json"}
    )
    world.turn(1_500)
    assert world.ready() == "Unknown"  # still booting
    assert world.pod()["status"]["containerStatuses"][0]["restartCount"] == 0
    world.turn(1_000)
    assert world.ready() == "True"
    assert world.pod()["status"]["containerStatuses"][0]["restartCount"] == 0
    world.turn(2_000)
    assert world.pod()["status"]["containerStatuses"][0]["restartCount"] == 1
    path = "/api/v1/namespaces/default/events?fieldSelector=involvedObject.name="
    node = world.ask("GET", path + WORKER)[1]["items"]
    said = [one["message"] for one in sorted(node, key=lambda one: one["metadata"]["resourceVersion"].zfill(9))]
    assert said[-6:] == [
        "Starting kubelet.",
        "Updated Node Allocatable limit across pods",
        f"Node {WORKER} status is now: NodeHasSufficientMemory",
        f"Node {WORKER} status is now: NodeHasNoDiskPressure",
        f"Node {WORKER} status is now: NodeHasSufficientPID",
        f"Node {WORKER} status is now: NodeReady",
    ]
    started = [one for one in world.ask("GET", path + "p")[1]["items"] if one["reason"] == "Started"]
    assert [one["count"] for one in started] == [1, 1]


def test_a_node_that_nobody_missed(world: World) -> None:
    """Back before its grace period is over it was ready all the time: nothing says that it has become so."""
    said = "/api/v1/namespaces/default/events?fieldSelector=reason="
    world.cluster.break_("node-off", WORKER)
    world.turn(5_000)
    world.cluster.mend("node-off", WORKER)
    world.turn(15_000)
    ready = [one for one in world.ask("GET", f"{said}NodeReady")[1]["items"] if one["involvedObject"]["name"] == WORKER]
    assert [one["count"] for one in ready] == [1]
    assert [one["count"] for one in world.ask("GET", f"{said}Starting")[1]["items"]] == [1]


def test_off_again_while_it_boots(world: World) -> None:
    world.cluster.break_("node-off", WORKER)
    world.turn(1_000)
    world.cluster.mend("node-off", WORKER)
    world.turn(500)
    world.cluster.break_("node-off", WORKER)
    world.turn(60_000)
    assert world.ready() == "Unknown"
    assert world.pod()["status"]["containerStatuses"][0]["restartCount"] == 0
    world.cluster.mend("node-off", WORKER)
    world.turn(15_000)
    assert world.pod()["status"]["containerStatuses"][0]["restartCount"] == 1


@pytest.mark.parametrize(
    "fault, target, words",
    [
        ("node-off", SETTINGS.node_names[0], "the API server runs there"),
        ("node-off", "nowhere", f'there is no node "nowhere": the nodes are {SETTINGS.node_names[0]}, '),
        ("earthquake", WORKER, "the faults are node-off"),
    ],
)
def test_what_cannot_break(fault: str, target: str, words: str) -> None:
    cluster = Cluster(SETTINGS, Signer())
    with pytest.raises(UnknownFault, match=words):
        cluster.break_(fault, target)
    assert cluster.faults.lasting == []
    assert not cluster.mend(fault, target)
