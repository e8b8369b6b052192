"""Quotas are kept whatever way objects come: one by one, refused, tried."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

QUOTAS = "/api/v1/namespaces/default/resourcequotas"
MAPS = "/api/v1/namespaces/default/configmaps"


@pytest.fixture
def limited(staffed: Callable[[], Any]) -> Any:
    world = staffed()
    world.call("POST", QUOTAS, {"metadata": {"name": "q"}, "spec": {"hard": {"count/configmaps": "3"}}})
    world.run(1000)
    return world


def used(world: Any) -> str:
    return world.call("GET", f"{QUOTAS}/q").body["status"]["used"]["count/configmaps"]


def test_what_is_kept_is_counted_at_once(limited: Any) -> None:
    before = int(used(limited))
    assert limited.call("POST", MAPS, {"metadata": {"name": "a"}}).code == 201
    assert int(used(limited)) == before + 1


def test_a_dry_run_and_a_name_that_is_taken_count_for_nothing(limited: Any) -> None:
    limited.call("POST", MAPS, {"metadata": {"name": "a"}})
    before = used(limited)
    assert limited.call("POST", MAPS, {"metadata": {"name": "b"}}, dryRun="All").code == 201
    assert limited.call("POST", MAPS, {"metadata": {"name": "a"}}).code == 409
    assert used(limited) == before


def test_what_goes_away_makes_room(limited: Any) -> None:
    names = iter("abcdef")
    while limited.call("POST", MAPS, {"metadata": {"name": next(names)}}).code == 201:
        pass
    limited.call("DELETE", f"{MAPS}/a")
    limited.run(1000)
    assert limited.call("POST", MAPS, {"metadata": {"name": "z"}}).code == 201


def test_a_quota_nobody_has_counted_yet_lets_nothing_unknown_in(world: Any) -> None:
    world.call("POST", QUOTAS, {"metadata": {"name": "q"}, "spec": {"hard": {"count/configmaps": "3"}}})
    state = {"status": {"hard": {"count/configmaps": "3"}, "used": {}}}
    world.call("PATCH", f"{QUOTAS}/q/status", state, headers={"content-type": "application/merge-patch+json"})
    refused = world.call("POST", MAPS, {"metadata": {"name": "a"}})
    assert refused.code == 403
    assert refused.body["message"].endswith("status unknown for quota: q, resources: count/configmaps")


def test_what_somebody_wrote_into_a_status_is_put_right_within_five_minutes(limited: Any) -> None:
    before = used(limited)
    state = {"status": {"used": {"count/configmaps": "2500"}}}
    merge = {"content-type": "application/merge-patch+json"}
    assert limited.call("PATCH", f"{QUOTAS}/q/status", state, headers=merge).code == 200
    limited.run(1000)
    assert used(limited) == "2500"
    limited.run(300_000)
    assert used(limited) == before
