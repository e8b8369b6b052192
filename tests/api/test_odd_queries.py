"""Requests that ask for odd things are answered as a real 1.37 API server answers them (asked of the rig's)."""

from __future__ import annotations

from typing import Any

import pytest

MAPS = "/api/v1/namespaces/default/configmaps"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
ONLY = "only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf"
PARSING = 'resourceVersion: Invalid value: "x": strconv.ParseUint: parsing "x": invalid syntax'
NO_METHOD = "the server does not allow this method on the requested resource"
UNLESS = "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided"
FURTHER = "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden when continue is provided"
WORDS = 'resourceVersionMatch: Unsupported value: "x": supported values: "Exact", "NotOlderThan", ""'
INCLUDE = "includeObject: Invalid value: \"x\": must be 'Metadata', 'Object', 'None', or empty"


@pytest.fixture
def made(world: Any) -> Any:
    """Return a world with a ConfigMap."""
    assert world.call("POST", MAPS, {"metadata": {"name": "a"}, "data": {"k": "v"}}).code == 201
    return world


@pytest.mark.parametrize(
    "path, query, accept, code, words",
    [
        (f"{MAPS}/a", {"resourceVersion": "x"}, "", 500, PARSING),
        (f"{MAPS}/none", {"resourceVersion": "x"}, "", 500, PARSING),
        ("/apis/apps/v1/namespaces/default/deployments/x/scale", {"resourceVersion": "x"}, "", 500, PARSING),
        ("/api/v1/namespaces/default/pods/x/log", {"resourceVersion": "x"}, "", 404, 'pods "x" not found'),
        (MAPS, {"resourceVersionMatch": "x"}, "", 422, f'ListOptions.meta.k8s.io "" is invalid: [{UNLESS}, {WORDS}]'),
        (
            MAPS,
            {"resourceVersionMatch": "x", "continue": "abc"},
            "",
            422,
            f'ListOptions.meta.k8s.io "" is invalid: [{UNLESS}, {FURTHER}, {WORDS}]',
        ),
        (
            MAPS,
            {"labelSelector": "app=a,", "resourceVersionMatch": "Exact"},
            "",
            400,
            "found '', expected: identifier after ','",
        ),
        (MAPS, {"includeObject": "x"}, TABLE, 400, f"Unable to convert to Table as requested: {INCLUDE}"),
        ("/api/v1", {}, TABLE, 406, ONLY),
        ("/apis/apps", {}, TABLE, 406, ONLY),
        ("/apis/apps/v1", {}, "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io", 406, ONLY),
    ],
)
def test_what_is_refused(made: Any, path: str, query: dict[str, str], accept: str, code: int, words: str) -> None:
    reply = made.call("GET", path, headers={"Accept": accept or "application/json"}, query=tuple(query.items()))
    assert (reply.code, reply.body["message"]) == (code, words)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", ["/api/v1", "/apis/apps/v1"])
def test_lists_of_resources_are_only_read(made: Any, method: str, path: str) -> None:
    reply = made.call(method, path)
    assert (reply.code, reply.body["message"]) == (405, NO_METHOD)


@pytest.mark.parametrize("key, field", [("uid", "UID"), ("resourceVersion", "ResourceVersion")])
def test_a_deletion_s_preconditions_may_stand_in_the_query(made: Any, key: str, field: str) -> None:
    meta = made.call("GET", f"{MAPS}/a").body["metadata"]
    reply = made.call("DELETE", f"{MAPS}/a", query=((key, "5"),))
    assert reply.code == 409
    assert reply.body["message"].startswith(
        f'Operation cannot be fulfilled on ConfigMap "a": the {field} in the precondition (5) does not match'
    )
    assert made.call("DELETE", f"{MAPS}/a", query=((key, meta[key]),)).code == 200


def test_a_list_of_no_metadata_has_no_items(made: Any) -> None:
    accept = {"Accept": "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"}
    assert made.call("GET", "/api/v1/namespaces/default/pods", headers=accept).body["items"] is None
    assert made.call("GET", "/api/v1/namespaces/default/pods").body["items"] == []
