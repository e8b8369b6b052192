"""Watches: what they begin with, what they see, how they end."""

from __future__ import annotations

from typing import Any

MAPS = "/api/v1/namespaces/default/configmaps"
MERGE = {"content-type": "application/merge-patch+json"}
TABLE = {"accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}


def make(world: Any, name: str, **labels: str) -> Any:
    return world.call(
        "POST", MAPS, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": labels}}
    )


def seen(reply: Any) -> list[tuple[str, str]]:
    return [(event["type"], event["object"]["metadata"].get("name", "")) for event in reply.events]


def test_a_watch_without_a_version_begins_with_what_is(world: Any) -> None:
    make(world, "a")
    watch = world.call("GET", MAPS, watch="true")
    make(world, "b")
    world.call("DELETE", f"{MAPS}/a")
    assert seen(watch) == [("ADDED", "a"), ("ADDED", "b"), ("DELETED", "a")]


def test_a_watch_from_a_version_sees_what_came_after(world: Any) -> None:
    version = make(world, "a").body["metadata"]["resourceVersion"]
    make(world, "b")
    watch = world.call("GET", MAPS, watch="1", resourceVersion=version)
    assert seen(watch) == [("ADDED", "b")]


def test_a_selection_is_entered_and_left(world: Any) -> None:
    version = make(world, "a", app="x").body["metadata"]["resourceVersion"]
    watch = world.call("GET", MAPS, watch="true", labelSelector="app=y", resourceVersion=version)
    for app in ("y", "y2", "y", None):
        world.call("PATCH", f"{MAPS}/a", {"metadata": {"labels": {"app": app}}}, headers=MERGE)
    assert [kind for kind, _ in seen(watch)] == ["ADDED", "DELETED", "ADDED", "DELETED"]
    assert watch.events[1]["object"]["metadata"]["labels"] == {"app": "y"}


def test_a_watch_list_marks_the_end_of_what_was_there(world: Any) -> None:
    make(world, "a")
    query = {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan", "allowWatchBookmarks": "true"}
    watch = world.call("GET", MAPS, watch="true", **query)
    end = watch.events[-1]
    assert end["type"] == "BOOKMARK" and end["object"]["metadata"]["annotations"] == {
        "k8s.io/initial-events-end": "true"
    }
    world.run(61_000)
    assert watch.events[-1]["type"] == "BOOKMARK" and "annotations" not in watch.events[-1]["object"]["metadata"]


def test_a_table_watch_sends_its_columns_once(world: Any) -> None:
    make(world, "a")
    watch = world.call("GET", MAPS, headers=TABLE, watch="true")
    make(world, "b")
    tables = [event["object"] for event in watch.events]
    assert tables[0]["columnDefinitions"] and tables[1]["columnDefinitions"] is None
    assert [table["rows"][0]["cells"][0] for table in tables] == ["a", "b"]


def test_a_watch_ends_at_its_time_and_when_the_client_goes(world: Any) -> None:
    timed = world.call("GET", MAPS, watch="true", timeoutSeconds="5")
    left = world.call("GET", MAPS, watch="true")
    world.ticket.hangup()
    world.run(5000)
    assert timed.finished
    make(world, "a")
    assert not timed.events and not left.events


def test_a_forgotten_version_is_an_error_event(world: Any) -> None:
    watch = world.call("GET", MAPS, watch="true", resourceVersion="1")
    (event,) = watch.events
    assert event["type"] == "ERROR" and event["object"]["code"] == 410 and watch.finished


def test_watchers_of_one_form_share_the_bytes(world: Any) -> None:
    first, second = world.call("GET", MAPS, watch="true"), world.call("GET", MAPS, watch="true")
    make(world, "a")
    assert first.outputs[-1].data is second.outputs[-1].data
