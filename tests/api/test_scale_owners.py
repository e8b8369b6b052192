"""Who owns replicas that are set through /scale: the answers of a real API server, one story a test."""

from __future__ import annotations

from typing import Any

import pytest

D = "/apis/apps/v1/namespaces/default/deployments"
APPLY = {"content-type": "application/apply-patch+yaml"}
TEMPLATE = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}}
WEB = {
    "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
    "spec": {"replicas": 2, "selector": {"matchLabels": {"a": "b"}}, "template": TEMPLATE},
}  # fmt: skip
SCALE = {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "web"}}
EMPTY = {**SCALE, "spec": {}}
POSTED, OLD = "facts/Update/", "facts/Update/ without"
BEFORE = "before-first-apply/Update/scale"


def state(world: Any) -> tuple[int, list[str]]:
    """Return the replicas, and who owns them (`without`: only other fields)."""
    obj = world.call("GET", f"{D}/web").body
    owners = []
    for entry in obj["metadata"]["managedFields"]:
        has = "f:replicas" in entry["fieldsV1"].get("f:spec", {})
        owners.append(
            "/".join((entry["manager"], entry["operation"], entry.get("subresource", ""))) + ("" if has else " without")
        )
    return obj["spec"]["replicas"], owners


def apply(world: Any, manager: str, body: dict[str, Any]) -> tuple[int, list[str]]:
    assert world.call("PATCH", f"{D}/web/scale", body, headers=APPLY, fieldManager=manager, force="true").code == 200
    return state(world)


def at(replicas: int) -> dict[str, Any]:
    return {**SCALE, "spec": {"replicas": replicas}}


def owner(name: str) -> str:
    return f"{name}/Apply/scale"


def test_who_posted_the_replicas_loses_them_to_the_first_that_applies_and_drops_them(world: Any) -> None:
    world.call("POST", D, WEB)
    assert state(world) == (2, [POSTED])
    assert apply(world, "m1", at(2)) == (2, [owner("m1"), POSTED, OLD])
    assert apply(world, "m1", SCALE) == (0, [OLD])


def test_the_last_of_two_takes_the_replicas_with_it(world: Any) -> None:
    world.call("POST", D, WEB)
    apply(world, "m1", at(2))
    assert apply(world, "m2", at(2)) == (2, [owner("m1"), owner("m2"), OLD])
    assert apply(world, "m1", SCALE) == (2, [owner("m2"), OLD])
    assert apply(world, "m2", SCALE) == (0, [OLD])


def test_who_still_applies_a_spec_keeps_them(world: Any) -> None:
    world.call("POST", D, WEB)
    apply(world, "m1", at(2))
    assert apply(world, "m1", EMPTY) == (0, [owner("m1"), OLD])


def test_two_that_still_apply_a_spec_keep_the_number(world: Any) -> None:
    world.call("POST", D, WEB)
    apply(world, "m1", at(2))
    apply(world, "m2", at(2))
    apply(world, "m1", EMPTY)
    assert apply(world, "m2", EMPTY) == (2, [owner("m1"), owner("m2"), OLD])


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_after_an_update_of_the_scale_that_changes_nothing_the_replicas_were_there_before(
    world: Any, method: str
) -> None:
    world.call("POST", D, WEB)
    media = {"content-type": "application/merge-patch+json" if method == "PATCH" else "application/json"}
    assert world.call(method, f"{D}/web/scale", at(2), headers=media).code == 200
    assert state(world) == (2, [POSTED, OLD])
    assert apply(world, "m1", at(2)) == (2, [owner("m1"), BEFORE, OLD])
    assert apply(world, "m1", SCALE) == (2, [BEFORE, OLD])


def test_an_update_that_changes_them_owns_them_without_a_time(world: Any) -> None:
    world.call("POST", D, WEB)
    media = {"content-type": "application/merge-patch+json"}
    world.call("PATCH", f"{D}/web/scale", {"spec": {"replicas": 3}}, headers=media, fieldManager="mm")
    assert state(world) == (3, ["mm/Update/scale", OLD])
    assert "time" not in world.call("GET", f"{D}/web").body["metadata"]["managedFields"][0]
