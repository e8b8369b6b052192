"""create, get, list, update, patch and delete as clients see them."""

from __future__ import annotations

from typing import Any

import pytest

MAPS = "/api/v1/namespaces/default/configmaps"
PODS = "/api/v1/namespaces/default/pods"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"


def config_map(name: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": {"n": name}}, "data": data}


def pod(name: str, **spec: Any) -> dict[str, Any]:
    containers = [{"name": "c", "image": "nginx"}]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {"containers": containers, **spec}}


def test_a_created_object_is_read_back_byte_for_byte(world: Any) -> None:
    made = world.call("POST", MAPS, config_map("a", k="ü"))
    assert made.code == 201 and made.wrote
    assert world.call("GET", f"{MAPS}/a").response.body == made.response.body
    assert made.body["metadata"]["creationTimestamp"] == "2026-03-01T12:00:00Z"


def test_generated_names_are_new(world: Any) -> None:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "g-"}}
    names = {world.call("POST", MAPS, body).body["metadata"]["name"] for _ in range(20)}
    assert len(names) == 20 and all(len(name) == 7 for name in names)


def test_a_write_that_changes_nothing_keeps_the_version(world: Any) -> None:
    world.call("POST", MAPS, config_map("a", k="v"))
    before = world.store.revision
    live = world.call("GET", f"{MAPS}/a").body
    assert world.call("PUT", f"{MAPS}/a", live).code == 200
    patch = {"content-type": "application/merge-patch+json"}
    assert world.call("PATCH", f"{MAPS}/a", {"data": {"k": "v"}}, headers=patch).code == 200
    assert world.store.revision == before


def test_a_stale_update_conflicts(world: Any) -> None:
    old = world.call("POST", MAPS, config_map("a", k="v")).body
    world.call("PUT", f"{MAPS}/a", {**old, "data": {"k": "w"}})
    refused = world.call("PUT", f"{MAPS}/a", {**old, "data": {"k": "x"}})
    assert refused.code == 409 and refused.body["reason"] == "Conflict"


def test_dry_run_keeps_nothing(world: Any) -> None:
    before = world.store.revision
    assert world.call("POST", MAPS, config_map("a"), dryRun="All").code == 201
    assert world.store.revision == before
    assert world.call("GET", f"{MAPS}/a").code == 404


def test_pages_cover_a_list_once(world: Any) -> None:
    for number in range(7):
        world.call("POST", MAPS, config_map(f"m{number}"))
    names, more, pages = [], {}, 0
    while True:
        page = world.call("GET", MAPS, limit="3", **more).body
        names += [item["metadata"]["name"] for item in page["items"]]
        pages += 1
        if "continue" not in page["metadata"]:
            break
        assert page["metadata"]["remainingItemCount"] == 7 - len(names)
        more = {"continue": page["metadata"]["continue"]}
    assert names == [f"m{number}" for number in range(7)] and pages == 3


def test_lists_leave_out_kind_and_version_of_items(world: Any) -> None:
    world.call("POST", MAPS, config_map("a"))
    (item,) = world.call("GET", MAPS).body["items"]
    assert "kind" not in item and "apiVersion" not in item


@pytest.mark.parametrize("grace,left", [(None, 30), (3, 3), (-5, 1)])
def test_a_running_pod_is_given_time(world: Any, grace: int | None, left: int) -> None:
    world.call("POST", PODS, pod("p", nodeName="n"))
    world.clock.now += 5000
    body = {} if grace is None else {"gracePeriodSeconds": grace}
    meta = world.call("DELETE", f"{PODS}/p", body).body["metadata"]
    assert meta["deletionGracePeriodSeconds"] == left and meta["generation"] == 2
    assert meta["deletionTimestamp"] == f"2026-03-01T12:00:{5 + left:02d}Z"
    assert world.call("GET", f"{PODS}/p").code == 200
    assert world.call("DELETE", f"{PODS}/p", {"gracePeriodSeconds": 0}).code == 200
    assert world.call("GET", f"{PODS}/p").code == 404


def test_a_grace_period_only_becomes_shorter(world: Any) -> None:
    world.call("POST", PODS, pod("p", nodeName="n"))
    first = world.call("DELETE", f"{PODS}/p", {"gracePeriodSeconds": 10}).body["metadata"]
    longer = world.call("DELETE", f"{PODS}/p", {"gracePeriodSeconds": 20}).body["metadata"]
    shorter = world.call("DELETE", f"{PODS}/p", {"gracePeriodSeconds": 4}).body["metadata"]
    assert longer["deletionTimestamp"] == first["deletionTimestamp"] == "2026-03-01T12:00:10Z"
    assert shorter["deletionTimestamp"] == "2026-03-01T12:00:04Z" and shorter["deletionGracePeriodSeconds"] == 4


def test_the_last_finalizer_lets_go(world: Any) -> None:
    body = config_map("a")
    body["metadata"]["finalizers"] = ["x.io/hold"]
    world.call("POST", MAPS, body)
    held = world.call("DELETE", f"{MAPS}/a")
    assert held.code == 200 and "deletionTimestamp" in held.body["metadata"]
    patch = {"content-type": "application/merge-patch+json"}
    assert world.call("PATCH", f"{MAPS}/a", {"metadata": {"finalizers": None}}, headers=patch).code == 200
    assert world.call("GET", f"{MAPS}/a").code == 404


@pytest.mark.parametrize("policy,finalizers", [("Foreground", ["foregroundDeletion"]), ("Orphan", ["orphan"])])
def test_propagation_leaves_its_finalizer(world: Any, policy: str, finalizers: list[str]) -> None:
    world.call("POST", MAPS, config_map("a"))
    meta = world.call("DELETE", f"{MAPS}/a", {"propagationPolicy": policy}).body["metadata"]
    assert meta["finalizers"] == finalizers


def test_a_namespace_terminates_until_finalized(world: Any) -> None:
    world.call("POST", "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "x"}})
    gone = world.call("DELETE", "/api/v1/namespaces/x").body
    assert gone["status"]["phase"] == "Terminating"
    refused = world.call("POST", "/api/v1/namespaces/x/configmaps", config_map("a"))
    assert refused.code == 403 and "because it is being terminated" in refused.body["message"]
    live = world.call("GET", "/api/v1/namespaces/x").body
    assert world.call("PUT", "/api/v1/namespaces/x/finalize", {**live, "spec": {}}).code == 200
    assert world.call("GET", "/api/v1/namespaces/x").code == 404


def test_apply_creates_updates_and_conflicts(world: Any) -> None:
    apply = {"content-type": "application/apply-patch+yaml"}
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"k": "1"}}
    assert world.call("PATCH", f"{MAPS}/a", body, headers=apply, fieldManager="one").code == 201
    assert world.call("PATCH", f"{MAPS}/a", body, headers=apply, fieldManager="one").code == 200
    other = {**body, "data": {"k": "2"}}
    assert world.call("PATCH", f"{MAPS}/a", other, headers=apply, fieldManager="two").code == 409
    assert world.call("PATCH", f"{MAPS}/a", other, headers=apply, fieldManager="two", force="true").code == 200


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b"\xff\xfe",
        b"k8s\0\x0a\xff",
        b'{"metadata":{"name":5}}',
        b'{"metadata":[]}',
        b"null",
        b"0",
    ],
)
@pytest.mark.parametrize(
    "media", ["application/json", "application/yaml", "application/vnd.kubernetes.protobuf", "x/y"]
)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_every_hostile_body_is_answered_with_a_status(world: Any, raw: bytes, media: str, method: str) -> None:
    world.call("POST", MAPS, config_map("a"))
    path = MAPS if method == "POST" else f"{MAPS}/a"
    patches = ("application/merge-patch+json", "application/json-patch+json", "application/strategic-merge-patch+json")
    for one in (media, *patches, "application/apply-patch+yaml") if method == "PATCH" else (media,):
        answer = world.call(method, path, raw=raw, headers={"content-type": one}, fieldManager="m")
        assert answer.body["kind"] in {"Status", "ConfigMap"}
        assert not [step for step in world.trace.since(0) if step.verb == "panic"]


def test_scale_changes_replicas(world: Any) -> None:
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "n"}]}}
    spec = {"replicas": 2, "selector": {"matchLabels": {"a": "b"}}, "template": template}
    world.call(
        "POST", DEPLOYMENTS, {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}, "spec": spec}
    )
    scale = world.call("GET", f"{DEPLOYMENTS}/d/scale").body
    assert scale["spec"] == {"replicas": 2} and scale["status"] == {"replicas": 0, "selector": "a=b"}
    assert world.call("PUT", f"{DEPLOYMENTS}/d/scale", {**scale, "spec": {"replicas": 5}}).code == 200
    live = world.call("GET", f"{DEPLOYMENTS}/d").body
    assert live["spec"]["replicas"] == 5 and live["metadata"]["generation"] == 2


def test_binding_puts_a_pod_on_a_node_once(world: Any) -> None:
    world.call("POST", PODS, pod("p"))
    binding = {
        "apiVersion": "v1",
        "kind": "Binding",
        "metadata": {"name": "p"},
        "target": {"kind": "Node", "name": "n1"},
    }
    assert world.call("POST", f"{PODS}/p/binding", binding).code == 201
    bound = world.call("GET", f"{PODS}/p").body
    assert bound["spec"]["nodeName"] == "n1"
    assert [(one["type"], one["status"]) for one in bound["status"]["conditions"]] == [("PodScheduled", "True")]
    assert world.call("POST", f"{PODS}/p/binding", binding).code == 409


def test_a_scaler_without_policies_is_refused(world: Any) -> None:
    behavior = {"scaleUp": {"policies": []}, "scaleDown": {"policies": []}}
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "x"}
    spec = {"maxReplicas": 3, "scaleTargetRef": target, "behavior": behavior}
    path = "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers"
    refused = world.call("POST", path, {"metadata": {"name": "h"}, "spec": spec})
    why = "Required value: must specify at least one Policy"
    places = [f"spec.behavior.{direction}.policies: {why}" for direction in ("scaleUp", "scaleDown")]
    assert refused.code == 422
    assert refused.body["message"].endswith(f"is invalid: [{', '.join(places)}]")
