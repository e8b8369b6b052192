"""Work that waits for a webhook: nothing is done before its answer, nothing twice after it, and nothing is left when nobody waits."""

from __future__ import annotations

import json
from typing import Any

import pytest
from test_determinism import TOKEN, Signer, deployment

from kit.embedded.cluster import Cluster
from kit.embedded.core.settings import Settings
from kit.embedded.core.store import Row
from kit.embedded.core.turns import Answer, Called, Hangup, Invoke, Request

SETTINGS = Settings(seed=3, admin_token=TOKEN, webhook_urls=True)
HOOKS = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
MAPS, PODS, EVENTS = (f"/api/v1/namespaces/default/{plural}" for plural in ("configmaps", "pods", "events"))


class World:
    """A cluster whose webhooks answer when a test says so; `journal` is what a disk would hold."""

    def __init__(self, journal: dict[tuple[str, str], bytes | None] | None = None) -> None:
        rows = [Row(table, key, value) for (table, key), value in journal.items()] if journal else None
        self.cluster = Cluster(SETTINGS, Signer(), rows)
        self.journal = dict(journal or {})
        self.calls: list[Invoke] = []
        self.answers: dict[int, Answer] = {}
        self.outputs: list[Any] = []
        self.number = 0
        self.turn()

    def turn(self, *inputs: Any, ms: int = 0) -> None:
        batch = self.cluster.turn(inputs, self.cluster.now + ms, 10_000_000)
        self.journal |= {(row.table, row.key): row.value for row in batch.rows}
        self.outputs += batch.outputs
        self.calls += [one for one in batch.outputs if isinstance(one, Invoke)]
        self.answers |= {one.id: one for one in batch.outputs if isinstance(one, Answer)}

    def send(self, method: str, path: str, body: Any = None) -> int:
        """Send a request -> its number."""
        self.number += 1
        headers = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json", "user-agent": "test/1"}
        raw = b"" if body is None else json.dumps(body).encode()
        self.turn(Request(self.number, method, path, (), headers, raw))
        return self.number

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        return self.said(self.send(method, path, body))

    def said(self, number: int) -> tuple[int, Any]:
        response = self.answers[number].response
        return response.status, json.loads(response.body)

    def reply(self, call: Invoke, *, allowed: bool = True) -> None:
        """Answer a call as a webhook would."""
        uid = json.loads(call.body)["request"]["uid"]
        said = {"uid": uid, "allowed": allowed, "status": {"message": "not today"}}
        body = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": said}
        self.turn(Called(call.id, 200, json.dumps(body).encode()))

    def hook(self, *resources: str) -> None:
        """Have a webhook asked about what is created of some resources."""
        rule = {"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["CREATE"], "resources": list(resources)}
        one = {
            "name": "a.example.com", "clientConfig": {"url": "https://hook.example.com/a", "caBundle": "Zm9v"}, "rules": [rule],
            "sideEffects": "None", "admissionReviewVersions": ["v1"],
        }  # fmt: skip
        assert self.ask("POST", HOOKS, {"metadata": {"name": "h"}, "webhooks": [one]})[0] == 201


@pytest.fixture
def world() -> World:
    return World()


def test_nothing_is_done_before_the_answer(world: World) -> None:
    world.hook("configmaps")
    number = world.send("POST", MAPS, {"metadata": {"name": "c"}})
    world.turn(ms=5000)
    assert number not in world.answers
    assert world.ask("GET", f"{MAPS}/c")[0] == 404
    world.reply(world.calls[0])
    assert world.said(number)[0] == 201
    assert len(world.calls) == 1


def test_a_client_that_goes_leaves_nothing(world: World) -> None:
    world.hook("configmaps")
    number = world.send("POST", MAPS, {"metadata": {"name": "c"}})
    world.turn(Hangup(number))
    world.reply(world.calls[0])
    world.reply(world.calls[0])  # an answer that nobody waits for
    assert number not in world.answers
    assert world.ask("GET", f"{MAPS}/c")[0] == 404


def test_a_restart_forgets_what_waited(world: World) -> None:
    world.hook("configmaps")
    world.send("POST", MAPS, {"metadata": {"name": "c"}})
    again = World(world.journal)
    again.reply(world.calls[0])
    assert again.ask("GET", f"{MAPS}/c")[0] == 404
    number = again.send("POST", MAPS, {"metadata": {"name": "c"}})
    again.reply(again.calls[0])
    assert again.said(number)[0] == 201


def test_two_that_wait_for_one_name(world: World) -> None:
    world.hook("configmaps")
    first, second = (world.send("POST", MAPS, {"metadata": {"name": "c"}, "data": {"a": str(i)}}) for i in range(2))
    world.reply(world.calls[1])
    world.reply(world.calls[0])
    assert (world.said(second)[0], world.said(first)[0]) == (201, 409)
    assert world.ask("GET", f"{MAPS}/c")[1]["data"] == {"a": "1"}


def test_a_controller_waits_and_goes_on(world: World) -> None:
    world.hook("pods")
    assert world.ask("POST", DEPLOYMENTS, deployment("nginx:1.30"))[0] == 201
    world.turn(ms=1000)
    assert world.ask("GET", PODS)[1]["items"] == []
    while world.calls:
        world.reply(world.calls.pop(0))
        world.turn(ms=100)
    assert len(world.ask("GET", PODS)[1]["items"]) == 4


def test_a_controller_is_refused_and_tells_so(world: World) -> None:
    world.hook("pods")
    world.ask("POST", DEPLOYMENTS, deployment("nginx:1.30"))
    for _ in range(3):
        world.turn(ms=100)
        while world.calls:
            world.reply(world.calls.pop(0), allowed=False)
    told = {one["message"] for one in world.ask("GET", EVENTS)[1]["items"] if one["reason"] == "FailedCreate"}
    assert told == {'Error creating: admission webhook "a.example.com" denied the request: not today'}
    assert world.ask("GET", PODS)[1]["items"] == []


def test_a_restart_while_a_controller_waits(world: World) -> None:
    world.hook("pods")
    world.ask("POST", DEPLOYMENTS, deployment("nginx:1.30"))
    world.turn(ms=100)
    assert world.calls
    again = World(world.journal)
    again.turn(ms=2000)
    while again.calls:
        again.reply(again.calls.pop(0))
        again.turn(ms=100)
    assert len(again.ask("GET", PODS)[1]["items"]) == 4


def test_the_same_answers_give_the_same_bytes() -> None:
    def play() -> list[Any]:
        world = World()
        world.hook("pods", "configmaps")
        world.ask("POST", DEPLOYMENTS, deployment("nginx:1.30"))
        world.send("POST", MAPS, {"metadata": {"generateName": "c-"}})
        for step in range(60):
            world.turn(ms=50)
            if world.calls:
                world.reply(world.calls.pop(-1), allowed=step % 5 > 0)
        world.ask("GET", PODS)
        return world.outputs

    assert play() == play()
