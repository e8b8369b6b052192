"""Custom resources from their definition on: served, documented, selected, converted, scaled, and gone with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
WIDGETS = "/apis/example.com/v1/namespaces/default/widgets"
TABLE = {"accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}
SPEC = {
    "type": "object",
    "properties": {
        "size": {"type": "integer", "default": 1},
        "colour": {"type": "string"},
        "inner": {
            "type": "object",
            "x-kubernetes-embedded-resource": True,
            "x-kubernetes-preserve-unknown-fields": True,
        },
    },
}


def definition(*versions: dict[str, Any], **names: Any) -> dict[str, Any]:
    """Return a definition of widgets."""
    first = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": SPEC}}},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.example.com"},
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": {"plural": "widgets", "kind": "Widget", **names},
            "versions": [{**first, **version} for version in versions or ({},)],
        },
    }


def widget(name: str = "w", version: str = "v1", **more: Any) -> dict[str, Any]:
    """Return a widget."""
    return {"apiVersion": f"example.com/{version}", "kind": "Widget", "metadata": {"name": name}, **more}


def define(world: Any, crd: dict[str, Any]) -> None:
    """Make a definition and let its names be settled."""
    assert world.call("POST", CRDS, crd).code == 201
    world.run(0)


def test_a_definition_is_established_and_served_at_once(world: Any) -> None:
    assert world.call("GET", WIDGETS).code == 404
    define(world, definition(shortNames=["wd"]))
    told = world.call("GET", f"{CRDS}/widgets.example.com").body["status"]
    assert [(one["type"], one["status"], one["reason"]) for one in told["conditions"]] == [
        ("NamesAccepted", "True", "NoConflicts"),
        ("Established", "True", "InitialNamesAccepted"),
    ]
    assert told["acceptedNames"] == {
        "plural": "widgets", "singular": "widget", "shortNames": ["wd"], "kind": "Widget", "listKind": "WidgetList",
    }  # fmt: skip
    body = world.call("GET", WIDGETS).response.body
    assert body.startswith(b'{"apiVersion":"example.com/v1","items":[],"kind":"WidgetList","metadata":{"continue":"",')


def test_names_that_are_taken_are_refused_one_by_one(world: Any) -> None:
    define(world, definition())
    other = definition(plural="gadgets")
    other["metadata"]["name"] = "gadgets.example.com"
    define(world, other)
    told = world.call("GET", f"{CRDS}/gadgets.example.com").body["status"]
    assert [(one["status"], one["reason"], one["message"]) for one in told["conditions"]] == [
        ("False", "ListKindConflict", '"WidgetList" is already in use'),
        ("False", "NotAccepted", "not all names are accepted"),
    ]
    assert told["acceptedNames"] == {"plural": "gadgets", "kind": ""}
    world.call("DELETE", f"{CRDS}/widgets.example.com")
    world.run(0)
    assert world.call("GET", "/apis/example.com/v1/namespaces/default/gadgets").code == 200


def test_discovery_and_openapi_follow(world: Any) -> None:
    world.call("GET", "/apis")  # documents that must not be kept
    world.call("GET", "/openapi/v3")
    define(world, definition(categories=["all"]))
    accept = {"accept": "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"}
    last = world.call("GET", "/apis", headers=accept).body["items"][-1]
    assert last["metadata"] == {"name": "example.com"}
    assert last["versions"][0]["resources"][0]["responseKind"] == {
        "group": "example.com",
        "version": "v1",
        "kind": "Widget",
    }
    url = world.call("GET", "/openapi/v3").body["paths"]["apis/example.com/v1"]["serverRelativeURL"]
    document = world.call("GET", url.partition("?")[0]).body
    schema = document["components"]["schemas"]["com.example.v1.Widget"]
    assert list(schema["properties"]) == ["apiVersion", "kind", "metadata", "spec"]
    assert schema["x-kubernetes-group-version-kind"] == [{"group": "example.com", "kind": "Widget", "version": "v1"}]
    patch = document["paths"]["/apis/example.com/v1/namespaces/{namespace}/widgets/{name}"]["patch"]
    assert "application/strategic-merge-patch+json" not in patch["requestBody"]["content"]
    world.call("PATCH", f"{CRDS}/widgets.example.com", [{"op": "add", "path": "/spec/names/categories/-", "value": "x"}],
               headers={"content-type": "application/json-patch+json"})  # fmt: skip
    assert world.call("GET", "/openapi/v3").body["paths"]["apis/example.com/v1"]["serverRelativeURL"] == url


def test_a_definition_takes_its_objects_with_it(world: Any) -> None:
    define(world, definition())
    held = widget("held")
    held["metadata"]["finalizers"] = ["example.com/hold"]
    for obj in (widget(), held):
        assert world.call("POST", WIDGETS, obj).code == 201
    reply = world.call("DELETE", f"{CRDS}/widgets.example.com")
    assert reply.body["metadata"]["finalizers"] == ["customresourcecleanup.apiextensions.k8s.io"]
    assert reply.body["status"]["conditions"][-1]["reason"] == "InstanceDeletionPending"
    world.run(0)
    assert [one["metadata"]["name"] for one in world.call("GET", WIDGETS).body["items"]] == ["held"]
    refused = world.call("POST", WIDGETS, widget("new"))
    assert (refused.code, refused.body["message"]) == (
        403,
        'widgets.example.com "new" is forbidden: create not allowed while custom resource definition is terminating',
    )
    merge = {"content-type": "application/merge-patch+json"}
    world.call("PATCH", f"{WIDGETS}/held", {"metadata": {"finalizers": None}}, headers=merge)
    world.run(10_000)
    assert world.call("GET", f"{CRDS}/widgets.example.com").code == 404
    assert world.call("GET", WIDGETS).code == 404
    assert "example.com" not in world.call("GET", "/apis").text


def test_versions_are_one_object(world: Any) -> None:
    define(world, definition({}, {"name": "v1beta1", "storage": False, "deprecated": True}))
    posted = world.call("POST", WIDGETS.replace("v1", "v1beta1"), widget(version="v1beta1", spec={"size": 3}))
    assert posted.body["apiVersion"] == "example.com/v1beta1"
    assert posted.warnings == ['299 - "example.com/v1beta1 Widget is deprecated"']
    read = world.call("GET", f"{WIDGETS}/w").body
    assert (read["apiVersion"], read["spec"]) == ("example.com/v1", {"size": 3})
    assert read["metadata"]["managedFields"][0]["apiVersion"] == "example.com/v1beta1"
    groups = world.call("GET", "/apis/example.com").body
    assert [one["version"] for one in groups["versions"]] == ["v1", "v1beta1"]


def test_a_conversion_webhook_outside_is_not_called_unasked(world: Any) -> None:
    crd = definition({}, {"name": "v2", "storage": False})
    hook = {"clientConfig": {"url": "https://example.com/"}, "conversionReviewVersions": ["v1"]}
    crd["spec"]["conversion"] = {"strategy": "Webhook", "webhook": hook}
    define(world, crd)
    assert world.call("POST", WIDGETS, widget()).code == 201
    reply = world.call("GET", WIDGETS.replace("v1", "v2"))
    assert (reply.code, "calls no webhooks outside itself" in reply.body["message"]) == (500, True)


def test_objects_of_the_whole_cluster(world: Any) -> None:
    crd = definition({"subresources": {"status": {}}})
    crd["spec"]["scope"] = "Cluster"
    define(world, crd)
    path = "/apis/example.com/v1/widgets"
    assert world.call("POST", path, widget()).body["metadata"].get("namespace") is None
    assert world.call("GET", WIDGETS).code == 404
    merge = {"content-type": "application/merge-patch+json"}
    world.call("PATCH", f"{path}/w/status", {"status": {"x": 1}}, headers=merge)
    changed = world.call("PATCH", f"{path}/w", {"spec": {"size": 2}}, headers=merge).body
    assert changed["metadata"]["generation"] == 2


def test_columns_selectable_fields_and_watch(world: Any) -> None:
    columns = [{"name": "Size", "type": "integer", "jsonPath": ".spec.size"}]
    define(world, definition({"additionalPrinterColumns": columns, "selectableFields": [{"jsonPath": ".spec.colour"}]}))
    for name, colour in (("a", "red"), ("b", "blue")):
        world.call("POST", WIDGETS, widget(name, spec={"colour": colour}))
    table = world.call("GET", WIDGETS, headers=TABLE, fieldSelector="spec.colour=red").body
    assert [row["cells"] for row in table["rows"]] == [["a", 1]]
    assert [column["name"] for column in table["columnDefinitions"]] == ["Name", "Size"]
    assert (
        world.call("GET", WIDGETS, fieldSelector="spec.size=1").body["message"]
        == "field label not supported: spec.size"
    )
    watch = world.call("GET", WIDGETS, watch="true", resourceVersion="0", fieldSelector="spec.colour=blue")
    assert [(one["type"], one["object"]["metadata"]["name"]) for one in watch.events] == [("ADDED", "b")]


def test_embedded_objects_are_typed(world: Any) -> None:
    define(world, definition())
    bad = widget(spec={"inner": {"apiVersion": "v1", "kind": "Pod", "metadata": {"labels": {"x": 1}}}})
    assert world.call("POST", WIDGETS, bad).body["message"] == (
        'Widget in version "v1" cannot be handled as a Widget: spec.inner.metadata: Invalid value: {"labels":{"x":1}}: '
        "json: cannot unmarshal number into Go struct field ObjectMeta.labels of type string"
    )


def test_an_update_is_not_blamed_for_what_was_wrong_before(world: Any) -> None:
    """Ratcheting: a stricter schema lets old values stay."""
    define(world, definition())
    world.call("POST", WIDGETS, widget(spec={"size": 9, "colour": "red"}))
    stricter = [
        {
            "op": "add",
            "path": "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/size/maximum",
            "value": 5,
        }
    ]
    json_patch, merge = ({"content-type": f"application/{kind}-patch+json"} for kind in ("json", "merge"))
    assert world.call("PATCH", f"{CRDS}/widgets.example.com", stricter, headers=json_patch).code == 200
    assert world.call("PATCH", f"{WIDGETS}/w", {"spec": {"colour": "blue"}}, headers=merge).code == 200
    refused = world.call("PATCH", f"{WIDGETS}/w", {"spec": {"size": 8}}, headers=merge)
    assert refused.body["message"].endswith("spec.size in body should be less than or equal to 5")


@pytest.mark.parametrize(
    "body", [[], [1], "x", {"metadata": []}, {"metadata": {"labels": []}}, {"spec": {"size": [[[]]]}}]
)
def test_misshapen_bodies_are_refused_in_words(world: Any, body: Any) -> None:
    define(world, definition())
    whole = {**widget(), **body} if isinstance(body, dict) else body
    assert 400 <= world.call("POST", WIDGETS, whole).code < 500
    world.call("POST", WIDGETS, widget())
    for kind in ("json", "merge"):
        patch = [{"op": "replace", "path": "", "value": whole}] if kind == "json" else whole
        reply = world.call("PATCH", f"{WIDGETS}/w", patch, headers={"content-type": f"application/{kind}-patch+json"})
        assert 400 <= reply.code < 500, reply.response.body


PARTS = ("values", "rules", "libraries")


def test_recorded_values_and_definitions(world_of: Any) -> None:
    """What a real server said of values and of definitions (tests/api/recorded): all but what hangs on the order of Go's maps."""
    recorded = json.loads((Path(__file__).parent / "recorded" / "custom.json").read_text())
    missed = []
    for part in PARTS:
        world = world_of()
        crd = definition({"schema": {"openAPIV3Schema": recorded[part]["schema"]}})
        define(world, crd)
        for spec, want in recorded[part]["cases"]:
            got = world.call("POST", WIDGETS, widget(spec=spec), dryRun="All").body
            if (got["message"] if got["kind"] == "Status" else got["spec"]) != want:
                missed.append((spec, want, got))
    world = world_of()
    for crd, want in recorded["definitions"]:
        got = world.call("POST", CRDS, crd, dryRun="All").body
        if (got["message"] if got["kind"] == "Status" else "") != want:
            missed.append((crd, want, got))
    total = len(recorded["definitions"]) + sum(len(recorded[part]["cases"]) for part in PARTS)
    print(f"\nrecorded answers about custom resources: {total - len(missed)}/{total}")
    assert not missed, [(one[0], one[1][:300], str(one[2].get("message", one[2].get("spec")))[:300]) for one in missed]
