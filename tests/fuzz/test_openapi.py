"""schemathesis reads our own OpenAPI: what it says is accepted gets one proper answer, and what is answered is what it says."""

from __future__ import annotations

import json
from urllib.parse import quote, urlencode

import pytest
import requests
import schemathesis
from fuzzing import TIMES, Machine, check_answer, explore
from schemathesis import GenerationMode
from schemathesis.core.transport import Response

EVERY = 29  # a short look takes one operation in so many
TRIES = 3
LONGER = 4  # times as many in a long look, of every operation: ten minutes
FIXED = {"namespace": "default"}  # else every answer is that there is no such namespace
FOREVER = {"watch", "follow", "sendInitialEvents"}  # streams have a test of their own


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    made = Machine(tmp_path_factory.mktemp("ca"))
    yield made
    made.settle(120_000)
    assert made.ask("GET", "/readyz")[0] == 200
    assert [step for step in made.cluster.trace.since(0) if step.verb == "panic"] == []


@pytest.fixture(scope="module")
def operations(machine):
    """Every operation of every document, in the order of the index."""
    root = json.loads(machine.ask("GET", "/openapi/v3")[1])["paths"]
    documents = [json.loads(machine.ask("GET", root[name]["serverRelativeURL"])[1]) for name in sorted(root)]
    found = [result.ok() for one in documents if one["paths"] for result in schemathesis.openapi.from_dict(one).get_all_operations()]  # fmt: skip
    assert len(found) > 300
    return found


@pytest.mark.parametrize(
    "times", [pytest.param(TIMES, id="short"), pytest.param(LONGER * TIMES, id="long", marks=pytest.mark.long)]
)
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=lambda mode: mode.value)
@pytest.mark.timeout(1500)
def test_operations(machine, operations, mode, times):
    every = EVERY if times == 1 else 1
    fitting = [one for one in operations if mode is GenerationMode.POSITIVE or one.body]
    for operation in fitting[every // 2 :: every]:
        explore(operation.as_strategy(generation_mode=mode), lambda case: _check(machine, case), TRIES, times)


def _check(machine, case):
    path, body = _target(case), _body(case)
    headers = {"Content-Type": case.media_type or "", "Accept": "application/json"}
    code, answer, stream = machine.ask(case.method.upper(), path, body, headers)
    check_answer(code, answer, (case.method, path, body[:500], headers))
    if code < 300 and not stream and answer[:1] == b"{":
        sent = requests.Request(case.method.upper(), f"https://cluster{case.formatted_path}").prepare()
        said, body = {"content-type": ["application/json"]}, json.dumps(_without_nulls(json.loads(answer))).encode()
        case.operation.validate_response(Response(code, said, body, sent, 0.0, verify=True))


NEEDED = {"eventTime": "2026-01-01T00:00:00.000000Z"}  # null though required: stands for any time


def _without_nulls(value):
    """Go writes null where nothing is in a field that is never left out (a slice's ports, eventTime); its own schema denies it."""
    if isinstance(value, list):
        return [_without_nulls(one) for one in value]
    if not isinstance(value, dict):
        return value
    told = {key: NEEDED.get(key) if one is None else one for key, one in value.items()}
    return {key: _without_nulls(one) for key, one in told.items() if one is not None}


def _target(case):
    """Return path and query; names are escaped once more than needed by nobody."""
    path = case.operation.path
    for name, value in (case.path_parameters or {}).items():
        path = path.replace(f"{{{name}}}", quote(str(FIXED.get(name, value)), safe="", errors="replace"))
    query = {name: value for name, value in (case.query or {}).items() if name not in FOREVER}
    return f"{path}?{urlencode(query, errors='replace')}" if query else path


def _body(case):
    if not case.operation.body:
        return b""
    try:
        return json.dumps(case.body).encode()
    except TypeError:  # there is none, or one that is no JSON
        return b"\xff"
