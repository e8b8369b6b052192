"""APIServices: those of built-in groups, of definitions, and of servers that are not there."""

from __future__ import annotations

from typing import Any

import pytest

from kit.embedded.controllers.apiservices import ApiServices

SERVICES = "/apis/apiregistration.k8s.io/v1/apiservices"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
WIDGETS = "/apis/example.com/v1/namespaces/default/widgets"


@pytest.fixture
def keeping(world: Any) -> Any:
    world.engine.register(ApiServices(world.clock))
    return world


def definition() -> dict[str, Any]:
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    version = {"name": "v1", "served": True, "storage": True, "schema": schema}
    names = {"plural": "widgets", "kind": "Widget"}
    spec = {"group": "example.com", "scope": "Namespaced", "names": names, "versions": [version]}
    head = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition"}
    return {**head, "metadata": {"name": "widgets.example.com"}, "spec": spec}


def remote(world: Any, name: str) -> None:
    spec = {"group": "far.io", "version": "v1", "groupPriorityMinimum": 1, "versionPriority": 1}
    spec |= {"insecureSkipTLSVerify": True, "service": {"name": name, "namespace": "default"}}
    head = {"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": {"name": "v1.far.io"}}
    assert world.call("POST", SERVICES, {**head, "spec": spec}).code == 201


def told(world: Any) -> tuple[str, str]:
    (condition,) = world.call("GET", f"{SERVICES}/v1.far.io").body["status"]["conditions"]
    assert (condition["type"], condition["status"]) == ("Available", "False")
    return condition["reason"], condition["message"]


def test_every_built_in_version_has_one_and_they_are_local(world: Any) -> None:
    served = {f"{v}.{group}" for group, versions in world.api.context.registry.groups().items() for v in versions}
    items = world.call("GET", SERVICES).body["items"]
    assert {one["metadata"]["name"] for one in items} == served - {"v1.apiregistration.k8s.io"}
    assert {one["status"]["conditions"][0]["reason"] for one in items} == {"Local"}


def test_a_definition_brings_one_and_takes_it_away(keeping: Any) -> None:
    keeping.call("POST", CRDS, definition())
    keeping.run(1000)
    made = keeping.call("GET", f"{SERVICES}/v1.example.com").body
    assert made["metadata"]["labels"] == {"kube-aggregator.kubernetes.io/automanaged": "true"}
    assert made["spec"] == {
        "group": "example.com",
        "version": "v1",
        "groupPriorityMinimum": 1000,
        "versionPriority": 100,
    }
    assert made["status"]["conditions"][0]["reason"] == "Local"
    assert [entry["manager"] for entry in made["metadata"]["managedFields"]] == ["kube-apiserver"]
    keeping.call("DELETE", f"{SERVICES}/v1.example.com")
    keeping.run(1000)
    assert keeping.call("GET", f"{SERVICES}/v1.example.com").code == 200
    keeping.call("DELETE", f"{CRDS}/widgets.example.com")
    keeping.run(10_000)
    assert keeping.call("GET", f"{SERVICES}/v1.example.com").code == 404


def test_a_remote_one_says_why_it_is_not_available(keeping: Any) -> None:
    remote(keeping, "far")
    keeping.run(1000)
    assert told(keeping) == ("ServiceNotFound", 'service/far in "default" is not present')
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "far"}, "spec": {"ports": [{"port": 80}]}}
    keeping.call("POST", "/api/v1/namespaces/default/services", service)
    keeping.run(1000)
    assert told(keeping) == ("ServicePortError", 'service/far in "default" is not listening on port 443')
    patch = {"spec": {"ports": [{"port": 443}]}}
    merge = {"content-type": "application/merge-patch+json"}
    keeping.call("PATCH", "/api/v1/namespaces/default/services/far", patch, headers=merge)
    keeping.run(1000)
    assert told(keeping) == ("EndpointsNotFound", 'cannot find endpointslices for service/far in "default"')
    piece = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": "far-x", "labels": {"kubernetes.io/service-name": "far"}},
        "addressType": "IPv4",
        "endpoints": [],
        "ports": [],
    }
    keeping.call("POST", "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", piece)
    keeping.run(1000)
    words = 'endpointslices for service/far in "default" have no addresses with port name ""'
    assert told(keeping) == ("MissingEndpoints", words)
    answer = keeping.call("GET", "/apis/far.io/v1/things")
    assert (answer.code, answer.response.body) == (503, b"service unavailable\n")


def test_the_watches_of_a_definition_end_with_it(keeping: Any) -> None:
    keeping.call("POST", CRDS, definition())
    keeping.run(1000)
    widget = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}}
    keeping.call("POST", WIDGETS, widget)
    watch = keeping.call("GET", WIDGETS, watch="true", allowWatchBookmarks="true")
    keeping.call("DELETE", f"{CRDS}/widgets.example.com")
    keeping.run(10_000)
    assert [event["type"] for event in watch.events] == ["ADDED", "DELETED", "BOOKMARK"] and watch.finished


def test_a_list_can_be_had_as_it_was(world: Any) -> None:
    maps = "/api/v1/namespaces/default/configmaps"
    for name in "abc":
        world.call("POST", maps, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}})
    first = world.call("GET", maps, limit="1").body["metadata"]
    merge = {"content-type": "application/merge-patch+json"}
    world.call("PATCH", f"{maps}/b", {"data": {"k": "v"}}, headers=merge)
    world.call("DELETE", f"{maps}/c")
    world.call("POST", maps, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "aa"}})
    rest = world.call("GET", maps, **{"continue": first["continue"]}).body
    assert [(one["metadata"]["name"], one.get("data")) for one in rest["items"]] == [("b", None), ("c", None)]
    assert rest["metadata"] == {"resourceVersion": first["resourceVersion"]}
    exact = world.call("GET", maps, resourceVersion=first["resourceVersion"], resourceVersionMatch="Exact").body
    assert [one["metadata"]["name"] for one in exact["items"]] == ["a", "b", "c"]
    assert [one["metadata"]["name"] for one in world.call("GET", maps).body["items"]] == ["a", "aa", "b"]


def test_objects_begin_with_kind_and_version_after_a_status_update(world: Any) -> None:
    pods = "/api/v1/namespaces/default/pods"
    spec = {"containers": [{"name": "c", "image": "nginx"}]}
    world.call("POST", pods, {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec})
    merge = {"content-type": "application/merge-patch+json"}
    assert world.call("PATCH", f"{pods}/p/status", {"status": {"phase": "Running"}}, headers=merge).code == 200
    assert list(world.call("GET", f"{pods}/p").body) == ["kind", "apiVersion", "metadata", "spec", "status"]
    (item,) = world.call("GET", pods).body["items"]
    assert list(item) == ["metadata", "spec", "status"]
