"""What a real API server answered, asked again: health, negotiation, selectors, lists, watches in the old form, scale, APIServices."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

told = runpy.run_path(str(Path(__file__).parent / "record_answers.py"))["told"]
RECORDED = json.loads((Path(__file__).parent / "recorded" / "answers.json").read_text())


def asked(world: Any, method: str, target: str, headers: dict[str, str], body: Any) -> list[Any]:
    path, _, query = target.partition("?")
    pairs = tuple(parse_qsl(query, keep_blank_values=True))
    sent = {"accept": "*/*", "user-agent": "facts/v1", **headers}
    reply = world.call(method, path, body, headers=sent, query=pairs)
    if reply.begun is None:
        return told(reply.code, reply.headers, reply.response.body)
    world.run(1000)
    assert reply.finished
    return told(reply.begun.status, dict(reply.begun.headers), reply.text.encode())


def test_answers_are_the_real_ones(world: Any) -> None:
    for path, body in RECORDED["before"]:
        assert world.call("POST", path, body).code == 201
    wrong = [
        f"{method} {path} {headers}\n  real {real}\n  ours {ours}"
        for method, path, headers, body, real in RECORDED["cases"]
        if (ours := asked(world, method, path, headers, body)) != real
    ]
    assert not wrong, f"{len(wrong)} of {len(RECORDED['cases'])}:\n" + "\n".join(wrong)


def test_every_answer_has_the_escapes_of_go(world: Any) -> None:
    path = "/api/v1/namespaces/default/configmaps"
    obj = {"metadata": {"name": "c", "annotations": {"a": "<x>"}}, "data": {"p": "<b>&\u2028</b>"}}
    for made in (world.call("POST", path, obj), world.call("GET", f"{path}/c"), world.call("GET", path)):
        assert rb'"annotations":{"a":"\u003cx\u003e"}' in made.response.body
        assert rb'"p":"\u003cb\u003e\u0026\u2028\u003c/b\u003e"' in made.response.body
    assert rb"configmaps \"\u003cx\u003e\" not found" in world.call("GET", f"{path}/<x>").response.body
