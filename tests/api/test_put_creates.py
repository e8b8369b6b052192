"""PUT where there is nothing: some kinds are made, others not found; what a body may say of itself there. As a real API server answers."""

from __future__ import annotations

from typing import Any

import pytest

UID = "11111111-1111-1111-1111-111111111111"
COORDINATION = "/apis/coordination.k8s.io/v1/namespaces/default/leases"
EVENTS = "/apis/events.k8s.io/v1/namespaces/default/events"
ENDPOINTS = "/api/v1/namespaces/default/endpoints"
MAPS = "/api/v1/namespaces/default/configmaps"
EVENT = {
    "eventTime": "2026-01-01T00:00:00.000000Z", "reportingController": "a/b", "reportingInstance": "c", "action": "x", "reason": "y",
    "type": "Normal", "regarding": {"kind": "Pod", "name": "p", "namespace": "default"},
}  # fmt: skip
MADE = [(COORDINATION, {}), (EVENTS, EVENT), (ENDPOINTS, {})]
FOLDERS = {COORDINATION: "leases", EVENTS: "events", ENDPOINTS: "services/endpoints"}


def put(world: Any, where: str, rest: dict[str, Any], **meta: str) -> Any:
    return world.call("PUT", f"{where}/n", {"metadata": meta, **rest})


@pytest.mark.parametrize("where,rest", MADE)
@pytest.mark.parametrize("version", ["", "0", "1"])
def test_it_is_made_whatever_version_is_named(world: Any, where: str, rest: dict[str, Any], version: str) -> None:
    reply = put(world, where, rest, name="n", resourceVersion=version, generateName="g-")
    assert reply.code == 201, reply.body
    assert reply.body["metadata"]["generateName"] == "g-" and reply.body["metadata"]["resourceVersion"] not in {
        "",
        version,
    }


@pytest.mark.parametrize("where,rest", MADE)
def test_a_uid_is_a_precondition_that_nothing_meets(world: Any, where: str, rest: dict[str, Any]) -> None:
    reply = put(world, where, rest, name="n", uid=UID)
    assert reply.code == 409
    assert reply.body["message"].endswith(
        f"StorageError: invalid object, Code: 4, Key: /registry/{FOLDERS[where]}/default/n, ResourceVersion: 0, "
        f"AdditionalErrorMsg: Precondition failed: UID in precondition: {UID}, UID in object meta: "
    )


@pytest.mark.parametrize("where,rest", [*MADE, (MAPS, {})])
def test_a_name_is_wanted_and_none_is_generated(world: Any, where: str, rest: dict[str, Any]) -> None:
    reply = put(world, where, rest, generateName="g-")
    assert reply.code == 400
    assert reply.body["message"] == "the name of the object (n based on URL) was undeterminable: name must be provided"


def test_other_kinds_are_not_found(world: Any) -> None:
    assert put(world, MAPS, {}, name="n").body["message"] == 'configmaps "n" not found'


def test_the_uid_comes_before_the_version(world: Any) -> None:
    world.call("POST", MAPS, {"metadata": {"name": "n"}})
    wrong = put(world, MAPS, {}, name="n", uid=UID, resourceVersion="1").body["message"]
    assert "Key: /registry/configmaps/default/n" in wrong
