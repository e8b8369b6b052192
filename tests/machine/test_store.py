"""The store: revisions, windows, indexes, rows, restoring, jumps."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kit.embedded.core.store import Key, Store
from kit.errors import Status


def obj(name: str, **more: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "a"}, **more}


def key(name: str) -> Key:
    return Key("things", "a", name)


def test_one_revision_for_everything() -> None:
    store = Store()
    store.commit(key("x"), obj("x"))
    store.commit(Key("others", "", "y"), {"metadata": {"name": "y"}})
    assert store.revision == 2
    assert [record.obj["metadata"]["resourceVersion"] for _, record in store.items("things")] == ["1"]


def test_events_in_order_and_their_kinds() -> None:
    store = Store()
    store.commit(key("x"), obj("x"))
    store.commit(key("x"), obj("x", v=2))
    store.remove(key("x"))
    assert [(e.revision, e.type) for e in store.since("things", 0)] == [(1, "ADDED"), (2, "MODIFIED"), (3, "DELETED")]


def test_a_window_forgets_and_says_so() -> None:
    store = Store(window=2)
    for number in range(5):
        store.commit(key("x"), obj("x", v=number))
    assert len(list(store.since("things", 3))) == 2
    with pytest.raises(Status) as caught:
        store.since("things", 1)
    assert caught.value.code == 410


def test_indexes_follow() -> None:
    store = Store()
    store.index("things", "colour", lambda o: (o["c"],))
    store.commit(key("x"), obj("x", c="red"))
    store.commit(key("y"), obj("y", c="red"))
    store.commit(key("x"), obj("x", c="blue"))
    assert [o["metadata"]["name"] for o in store.by_index("things", "colour", "red")] == ["y"]
    store.remove(key("y"))
    assert store.by_index("things", "colour", "red") == []


def test_rows_hold_the_last_value_and_rebuild_the_store() -> None:
    store = Store()
    store.commit(key("x"), obj("x", v=1))
    store.commit(key("x"), obj("x", v=2))
    store.commit(key("y"), obj("y"))
    store.remove(key("y"))
    rows = store.take_rows()
    assert [(row.key, row.value is None) for row in rows] == [("things/a/x", False), ("things/a/y", True)]
    assert store.take_rows() == []
    again = Store()
    again.restore([(key("x"), json.loads(rows[0].value or b""))], store.revision)
    assert again.list("things") == store.list("things")
    with pytest.raises(Status):
        again.since("things", store.revision - 1)


def test_a_jump_keeps_revisions() -> None:
    store = Store()
    store.commit(key("x"), obj("x", at=5))
    store.take_rows()
    store.rebase(lambda resource, o: {**o, "at": o["at"] - 3})
    assert store.list("things")[0]["at"] == 2
    assert store.revision == 1
    assert json.loads(store.take_rows()[0].value or b"")["at"] == 2
