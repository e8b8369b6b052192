"""The roles and bindings a cluster begins with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kit.embedded.api import roles
from kit.embedded.core.store import Key

CLUSTER_ROLES = "/apis/rbac.authorization.k8s.io/v1/clusterroles"


def lasting(obj: dict[str, Any]) -> dict[str, Any]:
    """Return an object without what differs from run to run."""
    meta = {
        key: value
        for key, value in obj["metadata"].items()
        if key not in {"uid", "resourceVersion", "creationTimestamp"}
    }
    entries = [{key: value for key, value in one.items() if key != "time"} for one in meta["managedFields"]]
    return {**obj, "metadata": {**meta, "managedFields": entries}}


def test_they_equal_those_of_a_real_server(facts: Callable[[str], Any], world: Any) -> None:
    recorded = facts("rbac.json")["items"]
    assert len(recorded) == 141
    for obj in recorded:
        key = Key(roles.RESOURCES[obj["kind"]], obj["metadata"].get("namespace", ""), obj["metadata"]["name"])
        assert lasting(world.store.get(key)) == obj


def test_gathered_rules_follow_labels(staffed: Callable[[], Any]) -> None:
    world = staffed()
    rules = [{"verbs": ["get"], "apiGroups": ["acme.com"], "resources": ["anvils"]}]
    label = {"rbac.authorization.k8s.io/aggregate-to-view": "true"}
    world.call("POST", CLUSTER_ROLES, {"metadata": {"name": "anvils", "labels": label}, "rules": rules})
    world.run(1000)
    for name in ("view", "edit", "admin"):
        assert rules[0] in world.call("GET", f"{CLUSTER_ROLES}/{name}").body["rules"]
    world.call("DELETE", f"{CLUSTER_ROLES}/anvils")
    world.run(1000)
    for name in ("view", "edit", "admin"):
        assert rules[0] not in world.call("GET", f"{CLUSTER_ROLES}/{name}").body["rules"]


def test_a_restored_cluster_gets_the_roles_it_lacks_and_keeps_the_others(world: Any) -> None:
    key = Key(roles.RESOURCES["ClusterRole"], "", "view")
    kept = world.store.get(key)
    gone = world.store.get(Key(roles.RESOURCES["ClusterRole"], "", "edit"))
    world.call("DELETE", f"{CLUSTER_ROLES}/edit")
    world.api.restored()
    assert world.store.get(key) is kept
    back = world.store.get(Key(roles.RESOURCES["ClusterRole"], "", "edit"))
    assert back["metadata"]["uid"] == gone["metadata"]["uid"]


def test_what_else_is_drawn_does_not_depend_on_them(world_of: Callable[[], Any]) -> None:
    world = world_of()
    drawn = world.ids.drawn
    world.api.restored()
    assert world.ids.drawn == drawn
