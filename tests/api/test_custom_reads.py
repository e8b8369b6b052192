"""Custom objects are shown as their definition reads them today, without being written: the answers of a real API server."""

from __future__ import annotations

import json
from typing import Any

import pytest

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
THINGS = "/apis/ends.io/v1/namespaces/default/things"
TEXT = {"type": "string"}
DEFAULT = {"type": "string", "default": "D"}


def version(name: str, properties: dict[str, Any], *, storage: bool) -> dict[str, Any]:
    spec = {"type": "object", "properties": properties}
    schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}}
    return {"name": name, "served": True, "storage": storage, "schema": schema}


def define(world: Any, properties: dict[str, Any], second: dict[str, Any] | None = None) -> None:
    """Make the definition, or change it."""
    names = {"plural": "things", "singular": "thing", "kind": "Thing"}
    versions = [version("v1", properties, storage=True)]
    versions += [version("v2", second, storage=False)] if second else []
    spec = {"group": "ends.io", "scope": "Namespaced", "names": names, "versions": versions}
    meta = {"name": "things.ends.io"}
    found = world.call("GET", f"{CRDS}/things.ends.io")
    if found.code == 200:
        meta["resourceVersion"] = found.body["metadata"]["resourceVersion"]
        assert world.call("PUT", f"{CRDS}/things.ends.io", {"metadata": meta, "spec": spec}).code == 200
    else:
        assert world.call("POST", CRDS, {"metadata": meta, "spec": spec}).code == 201
    world.run(1000)


def seen(world: Any, where: str = f"{THINGS}/t") -> Any:
    return world.call("GET", where).body["spec"]


@pytest.fixture
def thing(world: Any) -> Any:
    define(world, {"a": TEXT, "b": TEXT})
    body = {"apiVersion": "ends.io/v1", "kind": "Thing", "metadata": {"name": "t"}, "spec": {"a": "x", "b": "y"}}
    assert world.call("POST", THINGS, body).code == 201
    return world


def test_a_new_default_is_seen_and_a_field_that_went_is_not(thing: Any) -> None:
    before = thing.call("GET", f"{THINGS}/t").body["metadata"]["resourceVersion"]
    define(thing, {"a": TEXT, "c": DEFAULT})
    assert seen(thing) == {"a": "x", "c": "D"}
    listed = thing.call("GET", THINGS).body["items"]
    assert [one["spec"] for one in listed] == [{"a": "x", "c": "D"}]
    assert thing.call("GET", f"{THINGS}/t").body["metadata"]["resourceVersion"] == before


def test_what_was_not_written_anew_comes_back(thing: Any) -> None:
    define(thing, {"a": TEXT})
    assert seen(thing) == {"a": "x"}
    define(thing, {"a": TEXT, "b": TEXT})
    assert seen(thing) == {"a": "x", "b": "y"}


def test_a_write_keeps_what_is_seen(thing: Any) -> None:
    define(thing, {"a": TEXT, "c": DEFAULT})
    merge = {"content-type": "application/merge-patch+json"}
    reply = thing.call("PATCH", f"{THINGS}/t", {"metadata": {"labels": {"l": "1"}}}, headers=merge)
    assert reply.warnings == [] and reply.body["metadata"]["generation"] == 1
    define(thing, {"a": TEXT, "b": TEXT, "c": TEXT})
    assert seen(thing) == {"a": "x", "c": "D"}


def test_an_update_that_changes_nothing_writes_what_is_seen(thing: Any) -> None:
    define(thing, {"a": TEXT, "c": DEFAULT})
    body = thing.call("GET", f"{THINGS}/t").body
    after = thing.call("PUT", f"{THINGS}/t", body).body["metadata"]
    assert int(after["resourceVersion"]) > int(body["metadata"]["resourceVersion"]) and after["generation"] == 1
    assert thing.call("PUT", f"{THINGS}/t", thing.call("GET", f"{THINGS}/t").body).body["metadata"] == after


def test_another_version_has_no_defaults_of_its_own(thing: Any) -> None:
    define(thing, {"a": TEXT, "b": TEXT, "c": DEFAULT}, {"a": TEXT, "z": DEFAULT})
    assert seen(thing, "/apis/ends.io/v2/namespaces/default/things/t") == {"a": "x"}


def test_the_journal_keeps_what_was_written(thing: Any) -> None:
    thing.store.take_rows()
    define(thing, {"a": TEXT})
    thing.store.rebase(thing.api.shift(1000))  # a jump of the clock writes every object
    rows = {row.key: row.value for row in thing.store.take_rows()}
    assert json.loads(rows["things.ends.io/default/t"])["spec"] == {"a": "x", "b": "y"}
    assert seen(thing) == {"a": "x"}
