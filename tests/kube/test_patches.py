"""JSON, merge and strategic merge patches: what the API server answered, and what the recordings don't reach."""

from __future__ import annotations

import json

import pytest
from patch_player import play, report

from kit.errors import Status
from kit.kube.patches import JSON, MERGE, STRATEGIC, decode_patch, merge_patch, patched
from kit.kube.pointers import json_patch
from kit.kube.schema import of
from kit.kube.strategic import strategic_merge_patch

POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "spec": {"containers": [{"name": "a", "image": "x"}, {"name": "b", "image": "y"}]},
}


@pytest.mark.parametrize(
    ("prefix", "at_least"),
    [("patch-json", 27), ("patch-merge", 15), ("patch-smp", 46), ("patch-contenttype", 4), ("patch-cr-json", 1)],
)
def test_recorded(facts, prefix, at_least):
    results = play([c for c in facts("patches.jsonl") if c["id"].startswith(prefix)])
    report(prefix, results)
    assert not [r for r in results if r.outcome == "different"]
    assert sum(r.outcome == "same" for r in results) >= at_least


def names(pod):
    return [c["name"] for c in pod["spec"]["containers"]]


def test_the_object_stays_as_it_was():
    before = json.dumps(POD)
    smaller = '{"spec":{"containers":[{"name":"a","image":"z"},{"$patch":"delete","name":"b"}]}}'
    changes = (
        (STRATEGIC, smaller, of("v1", "Pod")),
        (JSON, '[{"op":"remove","path":"/spec/containers/0"}]', None),
        (MERGE, '{"spec":{"containers":null}}', None),
    )
    for media, body, node in changes:
        assert patched(media, POD, decode_patch(media, body).value, node) != POD
    assert json.dumps(POD) == before


def test_element_order_puts_items_of_the_server_between():
    patch = {
        "spec": {
            "$setElementOrder/containers": [{"name": "c"}, {"name": "a"}],
            "containers": [{"name": "c", "image": "z"}],
        }
    }
    assert names(strategic_merge_patch(POD, patch, of("v1", "Pod"))) == ["c", "a", "b"]


def test_replace_directive_in_a_list_drops_all_others():
    patch = {"spec": {"containers": [{"$patch": "replace"}, {"name": "n", "image": "z"}]}}
    assert names(strategic_merge_patch(POD, patch, of("v1", "Pod"))) == ["n"]


def test_an_item_without_merge_key_is_named():
    with pytest.raises(Status) as refused:
        strategic_merge_patch(POD, {"spec": {"containers": [{"image": "z"}]}}, of("v1", "Pod"))
    assert refused.value.message == "map: map[image:z] does not contain declared merge key: name"
    assert refused.value.code == 500


def test_nulls_and_directives_do_not_survive_in_new_places():
    patch = {"spec": {"securityContext": {"runAsUser": None, "fsGroup": 1, "seLinuxOptions": {"$patch": "replace"}}}}
    assert strategic_merge_patch(POD, patch, of("v1", "Pod"))["spec"]["securityContext"] == {"fsGroup": 1}


# RFC 7386, appendix A
@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_merge_patch(target, patch, result):
    assert merge_patch(target, patch) == result


@pytest.mark.parametrize(
    "op",
    [
        {"op": "add", "path": "/a/" + "x/" * 5000, "value": 1},
        {"op": "remove", "path": "/l/99999999999999999999999"},
        {"op": "add", "path": "/l/-9", "value": 1},
        {"op": "replace", "path": "", "value": 5},
        {"op": "test", "path": "/l/0", "value": True},
        {"op": "copy", "from": "/nothing/here", "path": "/a"},
        {"op": ["add"], "path": {}},
        {"op": "add", "path": 5},
    ],
)
def test_hostile_operations_are_refused(op):
    with pytest.raises(Status) as refused:
        json_patch({"a": {}, "l": [1, 2]}, [op])
    assert refused.value.code == 422


def test_copies_that_double_are_bounded():
    ops = [{"op": "copy", "from": "/a", "path": f"/a/{i}"} for i in range(60)]
    with pytest.raises(Status) as refused:
        json_patch({"a": {"x": "y" * 1000}}, ops)
    assert refused.value.code == 422


def test_more_operations_than_allowed():
    with pytest.raises(Status) as refused:
        json_patch({}, [{}] * 10_001)
    assert refused.value.code == 413


@pytest.mark.parametrize("media_type", [JSON, MERGE, STRATEGIC])
def test_deep_bodies_are_refused(media_type):
    for depth in (300, 100_000):
        body = "[" * depth + "]" * depth
        with pytest.raises(Status) as refused:
            decode_patch(media_type, body if media_type == JSON else f'{{"a":{body}}}')
        assert refused.value.code == 400


def test_strict_decoding_names_doubles_and_unknown_operation_fields():
    assert decode_patch(MERGE, '{"a":{"b":1,"b":2},"l":[{"c":1,"c":1,"c":1}]}').strict == (
        'duplicate field "a.b"',
        'duplicate field "l[0].c"',
    )
    assert decode_patch(JSON, '[{"op":"add","path":"/a","valu":1}]').strict == ('json patch unknown field "[0].valu"',)
