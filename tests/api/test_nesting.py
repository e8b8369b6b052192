"""Bodies that nest deep: what nobody knows goes, what would stay is refused, and every level is read."""

from __future__ import annotations

import time
from typing import Any

import pytest

MAPS = "/api/v1/namespaces/default/configmaps"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
THINGS = "/apis/ends.io/v1/things"
YAML = {"content-type": "application/yaml"}
REFUSED = "this cluster keeps values that nest at most 200 levels deep"


def body(inside: str) -> bytes:
    return f'{{"metadata":{{"name":"deep"}},"more":{inside}}}'.encode()


def nested(depth: int, core: str = "1") -> str:
    return '{"a":' * depth + core + "}" * depth


@pytest.mark.parametrize("depth", [150, 198, 199, 200, 201, 399, 400, 401, 5000, 9998])
def test_an_unknown_field_goes_however_deep_it_is(world: Any, depth: int) -> None:
    reply = world.call("POST", MAPS, raw=body(nested(depth)))
    assert reply.code == 201 and reply.warnings == ['299 - "unknown field \\"more\\""']
    assert "more" not in reply.body


def test_ten_thousand_levels_are_the_end(world: Any) -> None:
    reply = world.call("POST", MAPS, raw=body(nested(10_000)))
    assert reply.code == 400 and "exceeded max depth" in reply.body["message"]


@pytest.mark.parametrize("core", ["tru", "1,", "}", '"a', "[1"])
def test_every_level_must_be_json(world: Any, core: str) -> None:
    reply = world.call("POST", MAPS, raw=body(nested(700, core)))
    assert reply.code == 400 and "json parse error" in reply.body["message"]


def test_yaml_is_read_so_too(world: Any) -> None:
    deep = "[" * 500 + "]" * 500
    reply = world.call("POST", MAPS, raw=f"metadata: {{name: deep}}\nmore: {deep}\n".encode(), headers=YAML)
    assert reply.code == 201 and "more" not in reply.body


def test_what_would_stay_is_refused(world: Any) -> None:
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    version = {"name": "v1", "served": True, "storage": True, "schema": schema}
    names = {"plural": "things", "singular": "thing", "kind": "Thing"}
    spec = {"group": "ends.io", "scope": "Cluster", "names": names, "versions": [version]}
    world.call("POST", CRDS, {"metadata": {"name": "things.ends.io"}, "spec": spec})
    world.run(1000)
    head = b'{"apiVersion":"ends.io/v1","kind":"Thing",'
    kept = world.call("POST", THINGS, raw=head + body(nested(150))[1:])
    assert kept.code == 201 and "more" in kept.body
    refused = world.call("POST", THINGS, raw=head + body(nested(300))[1:])
    assert refused.code == 400 and refused.body["message"] == REFUSED
    apply = {"content-type": "application/apply-patch+yaml"}
    applied = world.call("PATCH", f"{THINGS}/deep", raw=head + body(nested(300))[1:], headers=apply, fieldManager="m")
    assert applied.code == 400


def test_a_large_deep_body_is_read_in_one_pass(world: Any) -> None:
    began = time.perf_counter()
    world.call("POST", MAPS, raw=body(nested(9000, "[" + ",".join(['"x"'] * 300_000) + "]")))
    assert time.perf_counter() - began < 3
