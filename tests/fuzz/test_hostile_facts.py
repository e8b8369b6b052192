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
_DEEP = "nesting is bounded at 200, there at 10,000"
_BYTES = "what is no UTF-8 is replaced when it is read"
OTHERWISE: dict[str, str] = {
    **dict.fromkeys(
        ("deep-arr-250", "deep-arr-5000", "deep-arr-9990", "deep-unknown-obj-250", "deep-unknown-obj-5000", "deep-unknown-obj-9990",
         "deep-ann", "yamldeep", "yamldeep10k", "jp30", "merge25", "strategic-merge25", "apply25"), _DEEP,
    ),
    **dict.fromkeys(
        ("pb19", "q4 labelSelector=%FF", "path /api/v1/namespaces/default/configmaps/%00", "path /api/v1/namespaces/default/configmaps/%ff", "pq5 fieldManager=%01"),
        _BYTES,
    ),
    "yamlint": "an integer of 400 digits is a float there",
    "merge30": "a float's spelling is not kept when an object is printed",
    "strategic-merge30": "Go lets a float that is too large for an int64 run over",
    "strategic-merge31": "a null of the patch is shown in the refusal",
    "q15 fieldSelector=%3D": "a field without a name is refused",
    "q40 limit=%zz": "broken escapes are passed over by the edge, which is not part of this test",
    "q41 watch=1&timeoutSeconds=-5&resourceVersio": "a watch without time shows what is there before it ends",
    "jp22": "the order of the members of an object of no kind",
    "path /openapi/v3/../v3": "paths are not cleaned",
    "pq3 dryRun=All&dryRun=x": "of several equal names in a query the first counts",
}  # fmt: skip


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
