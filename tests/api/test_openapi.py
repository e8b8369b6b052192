"""The paths of the OpenAPI v3 documents are those of a real server, to the descriptions."""

from __future__ import annotations

import json
from pathlib import Path

from kit.kube.openapi_schemas import group_versions

CUSTOM = json.loads((Path(__file__).parent / "recorded" / "custom_paths.json").read_text())


def plain(value):
    """Return a document without descriptions."""
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items() if not (key == "description" and isinstance(one, str))}
    return [plain(one) for one in value] if isinstance(value, list) else value


def told(operation, shared):
    """Return what the recorded table keeps of an operation."""
    medias = operation["responses"]["200"]["content"]
    first = next(iter(medias.values()))["schema"]
    named = {one["name"] for one in (*operation.get("parameters", ()), *shared) if one["in"] == "query"}
    out = {
        "action": operation.get("x-kubernetes-action"),
        "gvk": operation.get("x-kubernetes-group-version-kind"),
        "codes": sorted(operation["responses"]),
        "produces": sorted(medias),
        "query": sorted(named),
    }
    if "$ref" in first:
        out["returns"] = first["$ref"].rpartition("/")[2]
    if "requestBody" in operation and operation.get("x-kubernetes-action") not in {"delete", "deletecollection"}:
        out["consumes"] = sorted(operation["requestBody"]["content"])
    return out


def test_every_path_is_described_as_the_real_ones(world, facts):
    recorded, seen = facts("paths.json")["paths"], {}
    for name in group_versions():
        for path, operations in world.call("GET", f"/openapi/v3/{name}").body["paths"].items():
            shared = operations.pop("parameters", [])
            seen[path] = {method.upper(): told(one, shared) for method, one in operations.items()}
    assert len(recorded) == 428
    assert {path for path in recorded if path not in seen} == set()
    for path, methods in recorded.items():
        for method, want in methods.items():
            wanted = {
                key: value for key, value in want.items() if key in seen[path][method] or key in {"returns", "query"}
            }
            assert seen[path][method] == wanted, (method, path)


def test_names_of_operations_are_one_of_a_kind(world):
    names = [
        operation["operationId"]
        for name in group_versions()
        for operations in world.call("GET", f"/openapi/v3/{name}").body["paths"].values()
        for method, operation in operations.items()
        if method != "parameters"
    ]
    assert len(names) == len(set(names)) > 850
    assert {"createCoreV1NamespacedPodEviction", "watchAppsV1DeploymentListForAllNamespaces"} <= set(names)


def test_paths_of_custom_resources(world):
    for scope, plural, kind in (("Namespaced", "widgets", "Widget"), ("Cluster", "gears", "Gear")):
        count = {"type": "object", "properties": {"replicas": {"type": "integer"}}}
        version = {
            "name": "v1",
            "served": True,
            "storage": True,
            "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": count, "status": count}}},
            "subresources": {
                "status": {},
                "scale": {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"},
            },
        }
        names = {"plural": plural, "kind": kind, "singular": kind.lower()}
        made = {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": f"{plural}.shop.example.com"},
            "spec": {"group": "shop.example.com", "scope": scope, "names": names, "versions": [version]},
        }
        assert world.call("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", made).code == 201
    world.run(1000)
    document = world.call("GET", "/openapi/v3/apis/shop.example.com/v1").body
    assert plain(document["paths"]) == CUSTOM
    assert "io.k8s.api.autoscaling.v1.ScaleStatus" in document["components"]["schemas"]
