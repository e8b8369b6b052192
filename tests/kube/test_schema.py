"""Schemas: the recorded OpenAPI, and nodes that read it."""

from __future__ import annotations

import pytest

from kit.kube import schema
from kit.kube.openapi_schemas import group_versions, openapi_document


def test_documents_equal_the_recorded_ones(facts):
    recorded = facts("schema.json")
    assert set(group_versions()) == set(recorded["groupVersions"])
    for path, members in recorded["groupVersions"].items():
        found = {name: silent(one) for name, one in openapi_document(path).items()}
        assert found == {name: recorded["definitions"][name] for name in members}, path


def silent(definition):
    """Return a definition without what is said of it and its fields."""
    out = {key: value for key, value in definition.items() if key != "description"}
    if "properties" in out:
        out["properties"] = {
            name: {key: value for key, value in part.items() if key != "description"}
            for name, part in out["properties"].items()
        }
    return out


def test_every_field_says_what_a_real_server_says(facts):
    said = facts("descriptions.json")["definitions"]
    for path in group_versions():
        for name, definition in openapi_document(path).items():
            parts = {"": definition, **definition.get("properties", {})}
            found = {field: part["description"] for field, part in parts.items() if "description" in part}
            assert found == said.get(name, {}), name


def test_every_kind_has_a_node_with_all_its_fields(facts):
    recorded = facts("schema.json")
    for kind, name in recorded["kinds"].items():
        node = schema.of(*kind.rsplit("/", 1))
        assert node
        assert set(node.fields) == set(recorded["definitions"][name].get("properties", {}))


def test_every_node_can_be_walked(facts):
    seen: set[str] = set()
    stack = [schema.definition(name) for name in facts("schema.json")["definitions"]]
    while stack:
        node = stack.pop()
        if node.name in seen:
            continue
        seen.add(node.name)
        for child in [*node.fields.values(), node.items, node.values]:
            if child:
                assert child.type or child.open or child.int_or_string
                stack.append(child)
    assert len(seen) > 500


def test_how_lists_merge():
    pod = schema.of("v1", "Pod")
    assert pod
    containers = pod.fields["spec"].fields["containers"]
    assert [containers.type, containers.list_type, containers.map_keys] == ["array", "map", ("name",)]
    assert [containers.merge_key, containers.patch_strategy] == ["name", ("merge",)]
    assert containers.items
    container = containers.items
    assert container.name == "io.k8s.api.core.v1.Container"
    assert container.required == ("name",)
    assert container.fields["imagePullPolicy"].enum == ("Always", "IfNotPresent", "Never")
    assert container.fields["ports"].map_keys == ("containerPort", "protocol")
    assert pod.fields["spec"].fields["volumes"].patch_strategy == ("merge", "retainKeys")
    assert pod.fields["spec"].fields["nodeSelector"].map_type == "atomic"


def test_defaults_belong_to_the_place():
    pod = schema.of("v1", "Pod")
    assert pod
    container = pod.fields["spec"].fields["containers"].items
    assert container
    assert container.fields["resources"].default == {}
    assert container.fields["image"].default is schema.MISSING
    assert schema.definition("io.k8s.api.core.v1.ResourceRequirements").default is schema.MISSING


def test_maps_quantities_and_raw_json():
    limits = schema.definition("io.k8s.api.core.v1.ResourceRequirements").fields["limits"]
    assert limits.values
    assert limits.values.name == schema.QUANTITY
    assert not limits.values.open
    assert schema.definition("io.k8s.apimachinery.pkg.runtime.RawExtension").open
    assert schema.definition("io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1").open
    target = schema.definition("io.k8s.api.core.v1.ServicePort").fields["targetPort"]
    assert target.int_or_string
    assert not target.open


def test_custom_schemas():
    node = schema.from_openapi(
        {
            "type": "object",
            "properties": {
                "spec": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                "size": {"type": "integer", "default": 1, "nullable": True, "minimum": 0},
                "port": {"x-kubernetes-int-or-string": True},
            },
        }
    )
    assert node.fields["spec"].open
    assert not node.open
    assert [node.fields["size"].default, node.fields["size"].nullable, node.fields["size"].raw("minimum")] == [
        1,
        True,
        0,
    ]
    assert node.fields["port"].int_or_string


def test_unknown_kinds():
    assert schema.of("v1", "Nothing") is None
    with pytest.raises(KeyError):
        schema.definition("nothing")
