"""Hostile requests are answered as a real API server answered them (tests/facts/hostile.jsonl.xz), but for what is listed here."""

from __future__ import annotations

import json

import hostile_queries
import pytest
from fuzzing import Machine, check_answer
from hostile_cases import CASES, CM
from record_hostile import X, shown

assert hostile_queries
# Each with its reason; a case that matches must leave the list.
_DEEP = "a patch nests at most 200 levels here, 10,000 there: its refusal would print them all"
_BYTES = "what is no UTF-8 is replaced when it is read: no text in here may hold half a letter"
OTHERWISE: dict[str, str] = {
    **dict.fromkeys(("jp30", "merge25", "strategic-merge25"), _DEEP),
    **dict.fromkeys(("pb19", "q4 labelSelector=%FF", "path /api/v1/namespaces/default/configmaps/%ff"), _BYTES),
}


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """What we answer to every case."""
    machine = Machine(tmp_path_factory.mktemp("ca"))
    made = machine.ask("POST", CM, json.dumps(X).encode(), {"Content-Type": "application/json"})
    assert made[0] == 201
    found = {}
    for one in CASES:
        code, body, stream = machine.ask(one.method, one.path, one.body, one.headers)
        check_answer(code, body, one.id)
        if one.method == "HEAD":
            body = b""
        found[one.id] = (code, shown(body.partition(b"\n")[0] if stream else body))
    return found


def test_answers_are_those_of_a_real_server(facts, answers):
    real = {line["id"]: (line["code"], line["shown"]) for line in facts("hostile.jsonl")}
    assert set(real) == set(answers)
    differ = {id for id in real if real[id] != answers[id]}
    print(f"\nhostile.jsonl: {len(real) - len(differ)}/{len(real)} matched")
    new = [f"{id}\n  real {real[id]}\n  ours {answers[id]}" for id in real if id in differ and id not in OTHERWISE]
    assert not new, "\n".join(new)
    assert not (stale := [id for id in OTHERWISE if id not in differ]), f"these match now: {stale}"
