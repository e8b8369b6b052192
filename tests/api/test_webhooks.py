"""Webhooks outside the cluster, as a real API server dealt with them (`record_webhooks.py` asks it again)."""

from __future__ import annotations

import json
import re
import runpy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kit.embedded.core.turns import Called, Invoke
from kit.embedded.core.waiting import Calls

HERE = Path(__file__).parent
RECORDER = runpy.run_path(str(HERE / "record_webhooks.py"))
ANSWER = runpy.run_path(str(HERE / "record_policies.py"))["answer"]
RECORDED = json.loads((HERE / "recorded" / "webhooks.json").read_text())
BASE = "https://127.0.0.1:9"
UID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
UNTRUSTED = "tls: failed to verify certificate: x509: certificate signed by unknown authority"


class Outside:
    """The webhooks of a case, which answer when they are told to."""

    def __init__(self, world: Any, replies: dict[str, Any]) -> None:
        self.replies, self.waiting, self.sent = replies, [], []
        world.settings = world.api.context.settings = replace(world.settings, webhook_urls=True)
        self.calls = world.api.context.calls = Calls(self.waiting.append, lambda question, take: None)

    def answer(self) -> None:
        """Answer every call, also those that an answer leads to."""
        while self.waiting:
            call = self.waiting.pop(0)
            self.calls.answered(self._reply(call))

    def _reply(self, call: Invoke) -> Called:
        path = call.url.removeprefix(BASE).partition("?")[0]
        if path not in self.replies:
            return Called(call.id, error="dial tcp 127.0.0.1:9: connect: connection refused")
        if not call.authority:
            return Called(call.id, error=UNTRUSTED)
        self.sent.append([call.url.removeprefix(BASE), json.loads(call.body)])
        reply = self.replies[path]
        if reply.get("hang", 0) * 1000 > call.timeout_ms:
            return Called(call.id, error="context deadline exceeded")
        return Called(call.id, *RECORDER["replied"](reply, json.loads(call.body)))


def configured(world: Any, hooks: list[dict[str, Any]]) -> None:
    for index, hook in enumerate(hooks):
        path, obj = RECORDER["configuration"](hook, index, BASE, "Zm9v")
        assert world.call("POST", path, obj).code == 201


def settled(value: Any) -> Any:
    return json.loads(UID.sub("*", json.dumps(value)))


@pytest.mark.parametrize("case", RECORDED, ids=lambda case: case["id"])
def test_answers_are_those_of_the_real_one(case: dict[str, Any], world_of: Callable[[], Any]) -> None:
    world = world_of()
    if case["id"] == "collection":  # the real one's namespaces have one from their first second on
        world.call("POST", MAPS, {"metadata": {"name": "kube-root-ca.crt"}})
    configured(world, case["hooks"])
    outside = Outside(world, case["replies"])
    answers = []
    for method, path, *body in case["requests"]:
        path, _, query = path.partition("?")
        asked = (("dryRun", "All"),) if query else ()
        media = {"content-type": "application/strategic-merge-patch+json"} if method == "PATCH" else {}
        reply = world.call(method, path, *body, headers=media, query=asked)
        outside.answer()
        answers.append(ANSWER(reply.code, sorted(reply.warnings), reply.body, case["show"]))
    wanted = [{**one, "warnings": sorted(one["warnings"])} if "warnings" in one else one for one in case["answers"]]
    assert settled(answers) == settled(wanted)
    assert [path for path, _ in outside.sent] == [path for path, _ in sorted(case["sent"], key=order(case))]
    for (_, ours), (_, theirs) in zip(outside.sent, sorted(case["sent"], key=order(case)), strict=True):
        assert list(ours["request"]) == list(theirs["request"])
        for field in ("kind", "resource", "name", "namespace", "operation", "dryRun", "options"):
            assert ours["request"].get(field) == theirs["request"].get(field)
        assert (ours["request"]["object"] or {}).get("data") == (theirs["request"]["object"] or {}).get("data")
        for part in () if case["id"] == "collection" else ("object", "oldObject"):
            assert set((ours["request"][part] or {}).get("metadata", {})) == set(
                (theirs["request"][part] or {}).get("metadata", {})
            )


def order(case: dict[str, Any]) -> Callable[[Any], Any]:
    """Validating webhooks are asked all at once: the real one's order is chance."""
    several = case["id"] == "two-validating"
    return lambda one: one[0] if several else ""


MAPS = "/api/v1/namespaces/default/configmaps"
ALLOWED = next(case for case in RECORDED if case["id"] == "allowed")


def test_others_are_served_while_one_waits(world: Any) -> None:
    configured(world, ALLOWED["hooks"])
    outside = Outside(world, ALLOWED["replies"])
    waits = world.call("POST", MAPS, {"metadata": {"name": "c"}})
    assert not waits.outputs
    assert world.call("GET", f"{MAPS}/c").code == 404
    assert world.call("POST", "/api/v1/namespaces/default/secrets", {"metadata": {"name": "s"}}).code == 201
    outside.answer()
    assert waits.code == 201
    assert (
        world.call("GET", f"{MAPS}/c").body["metadata"]["uid"]
        == outside.sent[0][1]["request"]["object"]["metadata"]["uid"]
    )


def test_two_that_wait_for_one_name_meet_at_the_end(world: Any) -> None:
    configured(world, ALLOWED["hooks"])
    outside = Outside(world, ALLOWED["replies"])
    first, second = (world.call("POST", MAPS, {"metadata": {"name": "c"}}) for _ in range(2))
    outside.answer()
    assert (first.code, second.code) == (201, 409)
