"""How a real API server writes its answers: which form, protobuf byte by byte, headers, discovery, the paths at the root."""

from __future__ import annotations

import base64
import json
import runpy
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from kit.kube import protobuf, protowriting

recorder = runpy.run_path(str(Path(__file__).parent / "record_wire.py"))
RECORDED = json.loads((Path(__file__).parent / "recorded" / "wire.json").read_text())


def asked(world: Any, method: str, target: str, headers: dict[str, Any], body: Any) -> list[Any]:
    path, _, query = target.partition("?")
    pairs = tuple(parse_qsl(query, keep_blank_values=True))
    reply = world.call(method, path, body, headers={"accept": "*/*", "user-agent": "facts/v1", **headers}, query=pairs)
    if reply.begun is None:
        body = b"" if method == "HEAD" else reply.response.body
        return recorder["told"](target, reply.code, reply.response.headers, body)
    world.run(1000)
    assert reply.finished
    return recorder["told"](target, reply.begun.status, reply.begun.headers, reply.data)


def test_answers_are_written_as_the_real_ones(world: Any) -> None:
    world.api.stand()
    for path, body in RECORDED["before"]:
        assert world.call("POST", path, body).code == 201
        world.run(1000)
    wrong = [
        f"{method} {path} {headers}\n  real {real}\n  ours {ours}"
        for method, path, headers, body, real in RECORDED["cases"]
        if (ours := asked(world, method, path, headers, body)) != real
    ]
    assert not wrong, f"{len(wrong)} of {len(RECORDED['cases'])}:\n" + "\n".join(wrong)


def test_protobuf_is_written_as_it_was_read() -> None:
    for case, data in RECORDED["bytes"]:
        body = base64.b64decode(data)
        assert protowriting.encode(protobuf.read(body)) == body, case


def test_an_eviction_of_the_old_version_is_taken_in_protobuf_too(world: Any) -> None:
    """As recorded: what kubectl before 1.22 sends when it drains a node."""
    pods = "/api/v1/namespaces/default/pods"
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p"},
        "spec": {"containers": [{"name": "c", "image": "i"}]},
    }
    assert world.call("POST", pods, pod).code == 201
    for version in ("policy/v1", "policy/v1beta1"):
        body = protowriting.encode({"apiVersion": version, "kind": "Eviction", "metadata": {"name": "p"}})
        headers = {"Content-Type": "application/vnd.kubernetes.protobuf"}
        reply = world.call("POST", f"{pods}/p/eviction", raw=body, headers=headers, dryRun="All")
        assert (reply.code, reply.body["status"]) == (201, "Success")
