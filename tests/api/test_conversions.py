"""Custom resources that a webhook converts, as a real API server dealt with them (`record_conversions.py` asks it again)."""

from __future__ import annotations

import json
import re
import runpy
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kit.embedded.core.turns import Called, Invoke
from kit.embedded.core.waiting import Calls

HERE = Path(__file__).parent
RECORDER = runpy.run_path(str(HERE / "record_conversions.py"))
RECORDED = json.loads((HERE / "recorded" / "conversions.json").read_text())
URL = "https://127.0.0.1:9/convert"
CHANCE = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?<=revision=)\d+")
V1, V2 = RECORDER["V1"], RECORDER["V2"]
host = RECORDER["host"]


class Webhook:
    """The conversion webhook: answers all that it is asked, in a mode."""

    def __init__(self, world: Any) -> None:
        self.world, self.mode = world, ""
        self.waiting: list[Invoke] = []
        self.asked: list[tuple[str, int]] = []
        world.settings = world.api.context.settings = replace(world.settings, webhook_urls=True)
        self.calls = world.api.context.calls = Calls(self.waiting.append, lambda question, take: None)
        assert world.call("POST", RECORDER["CRDS"], RECORDER["definition"](URL, "Zm9v")).code == 201
        world.run(1000)

    def answer(self) -> None:
        """Answer every call, also those that an answer leads to."""
        while self.waiting:
            call = self.waiting.pop(0)
            assert call.url == f"{URL}?timeout=30s"
            review = json.loads(call.body)
            self.asked.append((review["request"]["desiredAPIVersion"], len(review["request"]["objects"])))
            self.calls.answered(Called(call.id, *RECORDER["response"](self.mode, review)))

    def send(self, method: str, path: str, body: Any = None) -> Any:
        reply = self.world.call(method, path, *([body] if body is not None else []))
        self.answer()
        return reply


@pytest.fixture
def webhook(world: Any) -> Webhook:
    return Webhook(world)


def told(code: int, body: Any) -> Any:
    """Return what is compared of an answer."""
    if body.get("kind") == "Status":
        return code, CHANCE.sub("*", str(body.get("message"))), body.get("reason")
    if "items" in body:
        return code, body["apiVersion"], [(one["apiVersion"], one["spec"]) for one in body["items"]]
    meta = {key: body["metadata"].get(key) for key in ("name", "labels", "finalizers", "generation")}
    return code, body["apiVersion"], body["spec"], meta


def modes(recorded: list[Any]) -> Iterator[tuple[str, str, str, Any, Any]]:
    """Return the recorded answers with the requests that they answer."""
    answers, mode = iter(recorded), ""
    for method, path, body in RECORDER["requests"]():
        if method == "MODE":
            mode = path
        else:
            yield mode, method, path, body, next(answers)


def test_answers_are_those_of_the_real_one(webhook: Webhook) -> None:
    wrong = []
    for mode, method, path, body, (_, _, code, said) in modes(RECORDED):
        webhook.mode = mode
        if method == "PUT":
            body["metadata"]["resourceVersion"] = webhook.send("GET", path).body["metadata"]["resourceVersion"]
        reply = webhook.send(method, path, body)
        ours, theirs = told(reply.code, reply.body), told(code, said)
        if ours != theirs:
            wrong.append(f"{mode} {method} {path}\n  real {theirs}\n  ours {ours}")
    print(f"conversions: {len(RECORDED) - len(wrong)}/{len(RECORDED)}")
    assert not wrong, "\n".join(wrong)


def test_nothing_is_written_before_the_webhook_has_answered(webhook: Webhook) -> None:
    waits = webhook.world.call("POST", V2, host("a", "v2", host="x", port="1"))
    assert not waits.outputs
    assert webhook.world.call("GET", f"{V1}/a").code == 404
    webhook.answer()
    assert (waits.code, waits.body["spec"]) == (201, {"host": "x", "port": "1"})
    kept = webhook.world.call("GET", f"{V1}/a").body
    assert (kept["spec"], kept["metadata"]["generation"]) == ({"hostPort": "x:1"}, 1)


def test_a_list_asks_once_and_remembers_what_has_not_changed(webhook: Webhook) -> None:
    for name in "abc":
        webhook.send("POST", V1, host(name, hostPort=f"{name}:1"))
    webhook.asked.clear()
    assert len(webhook.send("GET", V2).body["items"]) == 3
    webhook.send("GET", V2)
    assert webhook.asked == [("example.com/v2", 3)]
    changed = webhook.send("GET", f"{V1}/b").body
    webhook.send("PUT", f"{V1}/b", {**changed, "spec": {"hostPort": "b:2"}})
    assert [one["spec"]["port"] for one in webhook.send("GET", V2).body["items"]] == ["1", "2", "1"]
    assert webhook.asked[1:] == [("example.com/v2", 1)]


def test_a_watch_shows_events_converted_and_in_order(webhook: Webhook) -> None:
    webhook.send("POST", V1, host("a", hostPort="a:1"))
    watch = webhook.world.call("GET", V2, query=(("watch", "1"),))
    webhook.answer()
    for name in "bc":
        webhook.world.call("POST", V1, host(name, hostPort=f"{name}:1"))
    webhook.world.call("DELETE", f"{V1}/a")
    webhook.answer()
    seen = [(one["type"], one["object"]["metadata"]["name"], one["object"]["spec"]["host"]) for one in watch.events]
    assert seen == [("ADDED", "a", "a"), ("ADDED", "b", "b"), ("ADDED", "c", "c"), ("DELETED", "a", "a")]


def test_a_write_that_changes_nothing_is_none(webhook: Webhook) -> None:
    before = webhook.send("POST", V2, host("a", "v2", host="x", port="1")).body
    again = webhook.send("PUT", f"{V2}/a", before).body
    assert again["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]


def test_what_is_asked_is_written_as_the_real_one_writes_it(webhook: Webhook) -> None:
    webhook.world.call("POST", V1, host("a", hostPort="<x>:1"))
    webhook.world.call("GET", f"{V2}/a")
    body = CHANCE.sub("*", webhook.waiting[0].body.decode())
    assert body.startswith(
        '{"kind":"ConversionReview","apiVersion":"apiextensions.k8s.io/v1","request":{"uid":"*","desiredAPIVersion":"example.com/v2",'
        '"objects":[{"apiVersion":"example.com/v1","kind":"Host","metadata":{"creationTimestamp":"'
    )
    assert body.endswith(
        r'"name":"a","namespace":"default","uid":"*"},"spec":{"hostPort":"\u003cx\u003e:1"}}]},'
        '"response":{"uid":"","convertedObjects":null,"result":{"metadata":{}}}}\n'
    )
