"""The registry equals what a real server's discovery says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from kit.kube.kinds import Resource, builtin

ROOT = Path(__file__).parents[2]


def test_tables_are_current():
    command = [sys.executable, "tests/facts/compile_data.py", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_resource_of_discovery(facts):
    registry = builtin()
    recorded = facts("discovery.json")["groupResources"]
    assert len(registry) == len(recorded)
    for row in recorded:
        resource = registry.by_path(row["group"], row["version"], row["resource"])
        assert resource
        assert resource is registry.by_kind(resource.api_version, row["kind"])
        assert resource.namespaced == (row["scope"] == "Namespaced")
        assert [resource.singular, list(resource.short_names)] == [row["singular"], row["shortNames"]]
        assert [list(resource.categories), list(resource.verbs)] == [row["categories"], row["verbs"]]
        found = [[s.name, s.kind, s.group, s.version, list(s.verbs)] for s in resource.subresources]
        assert found == [[s["name"], s["kind"], s["group"], s["version"], s["verbs"]] for s in row["subresources"]]


def test_storage_hashes(facts):
    for path, document in facts("discovery.json")["legacy"].items():
        if document["kind"] != "APIResourceList":
            continue
        group, version = ("", "v1") if path == "/api/v1" else path.split("/")[2:]
        for row in document["resources"]:
            if "/" not in row["name"]:
                resource = builtin().by_path(group, version, row["name"])
                assert resource
                assert resource.storage_hash == row.get("storageVersionHash", "")


def test_groups_in_discovery_order(facts):
    groups = facts("discovery.json")["legacy"]["/apis"]["groups"]
    served = builtin().groups()
    assert list(served) == ["", *(group["name"] for group in groups)]
    for group in groups:
        assert list(served[group["name"]]) == [version["version"] for version in group["versions"]]
        assert served[group["name"]][0] == group["preferredVersion"]["version"]


def test_names_in_urls_and_messages():
    registry = builtin()
    deployment = registry.by_group_resource("deployments.apps")
    assert deployment
    assert deployment.path == "/apis/apps/v1"
    assert deployment.collection("shop") == "/apis/apps/v1/namespaces/shop/deployments"
    assert registry.find("deploy") is deployment
    assert registry.find("Deployment.apps") is deployment
    pod = registry.find("po")
    assert pod
    assert [pod.group_resource, pod.collection(), pod.api_version] == ["pods", "/api/v1/pods", "v1"]
    node = registry.find("nodes")
    assert node
    assert node.collection("ignored") == "/api/v1/nodes"
    hpa = registry.by_group_resource("horizontalpodautoscalers.autoscaling")
    assert hpa
    assert hpa.version == "v2"
    assert registry.find("nothing") is None


def test_custom_resources_come_and_go():
    registry = builtin()
    old = Resource("example.com", "v1alpha1", "Widget", "widgets", "widget", namespaced=True)
    new = Resource("example.com", "v1", "Widget", "widgets", "widget", namespaced=True)
    registry.add(old)
    registry.add(new, preferred=True)
    assert registry.groups()["example.com"] == ("v1", "v1alpha1")
    assert registry.by_group_resource("widgets.example.com") is new
    registry.remove(new)
    assert registry.by_group_resource("widgets.example.com") is old
    registry.remove(old)
    assert "example.com" not in registry.groups()
    assert builtin().find("widget") is None
