"""Server-side apply and managedFields: what the API server answered, and what the recordings don't reach."""

from __future__ import annotations

import copy
import json
import timeit

import pytest
from patch_player import play, report

from kit.errors import Status
from kit.kube.apply import LAST_APPLIED, apply, track_update
from kit.kube.fields import difference, has, intersection, leaves, path_text, paths, union, valid
from kit.kube.managed import readable
from kit.kube.schema import from_openapi, of

NODES = {kind: of("v1", kind) for kind in ("ConfigMap", "Pod", "Service")}


@pytest.mark.parametrize(("prefix", "at_least"), [("patch-apply", 60), ("patch-managed", 15)])
def test_recorded(facts, prefix, at_least):
    results = play([c for c in facts("patches.jsonl") if c["id"].startswith(prefix)])
    report(prefix, results)
    assert not [r for r in results if r.outcome == "different"]
    assert sum(r.outcome == "same" for r in results) >= at_least


def config_map(**data):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "cm", "uid": "u"}, "data": data}


def write(old, new, manager="m", second=0, **more):
    time = f"2026-01-01T00:00:{second:02}Z"
    return track_update(old, new, manager, node=NODES[new["kind"]], api_version="v1", time_text=time, **more)


def applied(live, patch, manager="one", *, force=False, second=0, **more):
    time = f"2026-01-01T00:00:{second:02}Z"
    more.setdefault("node", NODES.get(patch["kind"]))
    return apply(live, patch, manager, force=force, api_version=patch["apiVersion"], time_text=time, **more)


def owners(obj):
    return {(e["manager"], e["operation"]): e for e in obj["metadata"].get("managedFields", [])}


def test_a_write_that_changes_nothing_keeps_time_and_owners():
    first = write(None, config_map(a="1"))
    assert (
        write(first, config_map(a="1"), "other", 5)["metadata"]["managedFields"] == first["metadata"]["managedFields"]
    )


def test_a_changed_field_changes_hands_and_an_owner_of_nothing_goes():
    first = write(None, config_map(a="1"))
    second = write(first, config_map(a="2"), "other", 5)
    assert owners(second)["m", "Update"]["fieldsV1"] == {"f:data": {}}
    third = write(second, {k: v for k, v in config_map().items() if k != "data"}, "other", 6)
    assert owners(third) == {}


def test_without_owners_an_object_stays_untracked():
    live = config_map(a="1")
    assert "managedFields" not in write(live, config_map(a="2"))["metadata"]


def test_a_list_of_one_empty_entry_resets_and_an_empty_list_does_not():
    first = write(None, config_map(a="1"))
    for entries, left in (([{}], 0), ([], 1), (None, 1)):
        sent = config_map(a="1")
        sent["metadata"]["managedFields"] = entries
        assert len(owners(write(first, sent))) == left


def test_a_subresource_may_not_reset():
    first = write(None, config_map(a="1"))
    sent = config_map(a="1")
    sent["metadata"]["managedFields"] = [{}]
    assert len(owners(write(first, sent, subresource="status"))) == 1


def test_more_than_ten_updaters_share_a_bucket():
    obj = write(None, config_map(k0="v"), "m0", 0)
    for i in range(1, 13):
        obj = write(obj, {**obj, "data": {**obj["data"], f"k{i}": "v"}}, f"m{i}", i)
    assert len(owners(obj)) == 10
    ancient = owners(obj)["ancient-changes", "Update"]
    assert ancient["fieldsV1"] == {"f:data": {".": {}, "f:k0": {}, "f:k1": {}, "f:k2": {}, "f:k3": {}}}
    assert ancient["time"] == "2026-01-01T00:00:03Z"


def test_entries_are_ordered_by_operation_time_and_manager():
    obj = write(None, config_map(a="1"), "z", 1)
    obj = write(obj, {**obj, "data": {"a": "1", "b": "1"}}, "a", 2)
    obj = applied(
        obj, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "cm"}, "data": {"c": "1"}}, second=3
    )
    assert [e["manager"] for e in obj["metadata"]["managedFields"]] == ["one", "z", "a"]


def test_applying_to_an_untracked_object_first_books_what_is_there():
    patch = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "cm"}, "data": {"a": "2"}}
    with pytest.raises(Status) as refused:
        applied(config_map(a="1"), patch)
    assert refused.value.message == 'Apply failed with 1 conflict: conflict with "before-first-apply" using v1: .data.a'


def test_applying_twice_the_same_keeps_the_time():
    patch = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "cm"}, "data": {"a": "1"}}
    first = applied(None, patch)
    assert applied(first, patch, second=9) == first


def test_kubectl_takes_over_what_its_client_side_apply_wrote_and_nothing_else():
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "cm"}, "data": {"a": "1"}}
    live = config_map(a="1", b="1")
    live["metadata"]["annotations"] = {LAST_APPLIED: json.dumps(body)}
    live = write(None, live, "kubectl-client-side-apply")
    out = applied(live, {**body, "data": {"a": "2"}}, "kubectl")
    assert out["data"] == {"a": "2", "b": "1"}
    assert json.loads(out["metadata"]["annotations"][LAST_APPLIED])["data"] == {"a": "2"}
    with pytest.raises(Status) as refused:
        applied(live, {**body, "data": {"a": "2", "b": "2"}}, "kubectl")
    assert [c["field"] for c in refused.value.details["causes"]] == [".data.b"]


SERVICE = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}}


def service(*ports):
    return {**SERVICE, "spec": {"ports": list(ports)}}


WIDGET = {"apiVersion": "e/v1", "kind": "W", "metadata": {"name": "w"}}


def widget_node(**fields):
    strings = {k: {"type": "string"} for k in ("apiVersion", "kind")}
    return from_openapi({"type": "object", "properties": {**strings, "metadata": {"type": "object"}, **fields}})


@pytest.mark.parametrize(
    ("item", "text"),
    [
        ({"v": 1}, 'an element that omits key field "name" (and doesn\'t have default value)'),
        (None, "a null element"),
        ("x", "non-map elements"),
    ],
)
def test_items_without_their_keys(item, text):
    items = {"type": "object", "properties": {"name": {"type": "string"}, "v": {"type": "integer"}}}
    keyed = {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"], "items": items}
    with pytest.raises(Status) as refused:
        applied(None, {**WIDGET, "l": [item]}, node=widget_node(l=keyed), custom=True)
    words = "has" if isinstance(item, dict) else "may not have"
    assert refused.value.message == (
        f"failed to create typed patch object (/w; e/v1, Kind=W): .l: element 0: associative list with keys {words} {text}"
    )


def test_a_key_left_out_counts_with_its_default():
    one = applied(None, service({"port": 80}))
    two = applied(one, service({"port": 80, "protocol": "TCP"}, {"port": 80, "protocol": "UDP"}), "two", force=True)
    assert [(p["port"], p.get("protocol")) for p in two["spec"]["ports"]] == [(80, "TCP"), (80, "UDP")]


def test_a_shared_item_stays_until_its_last_owner_drops_it():
    one = applied(None, service({"port": 80}, {"port": 81}))
    both = applied(one, service({"port": 80}), "two")
    left = applied(both, service({"port": 81}))
    assert [p["port"] for p in left["spec"]["ports"]] == [80, 81]
    gone = applied(left, {**SERVICE, "spec": {}}, "two")
    assert [p["port"] for p in gone["spec"]["ports"]] == [81]


def test_an_own_item_dropped_goes_though_others_filled_in_more():
    one = applied(None, service({"port": 80}, {"port": 81}))
    ports = [{**p, "targetPort": p["port"]} for p in one["spec"]["ports"]]
    left = applied({**one, "spec": {"ports": ports}}, service({"port": 80}))
    assert [p["port"] for p in left["spec"]["ports"]] == [80]


def test_items_of_the_live_list_keep_their_place_among_those_applied():
    node = widget_node(l={"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}})
    kind = WIDGET
    live = {**kind, "l": ["a", "b", "c", "d"]}
    out = applied(live, {**kind, "l": ["d", "x", "b"]}, node=node, custom=True)
    assert out["l"] == ["a", "c", "d", "x", "b"]
    with pytest.raises(Status) as refused:
        applied(live, {**kind, "l": ["a", "a"]}, node=node, custom=True)
    assert (
        refused.value.message
        == 'failed to create typed patch object (/w; e/v1, Kind=W): .l: duplicate entries for key [="a"]'
    )


def test_inputs_stay_as_they_were():
    live = applied(None, service({"port": 80}))
    before = copy.deepcopy(live)
    applied(live, service({"port": 81}), force=True)
    write(live, service({"port": 82}), "x")
    assert live == before


A = {"f:a": {}, "f:b": {".": {}, "f:c": {}}, "f:d": {"f:e": {}, "f:g": {}}}
B = {"f:a": {}, "f:b": {"f:c": {}}, "f:d": {"f:e": {}}}


def test_sets():
    assert union(A, {"f:d": {"f:h": {}}, "f:z": {}}) == {**A, "f:d": {"f:e": {}, "f:g": {}, "f:h": {}}, "f:z": {}}
    assert difference(A, B) == {"f:b": {}, "f:d": {"f:g": {}}}
    assert intersection(A, B) == B
    assert leaves(A) == {"f:a": {}, "f:b": {"f:c": {}}, "f:d": {"f:e": {}, "f:g": {}}}
    assert has(A, ("f:b",)) and not has(A, ("f:d",)) and has(A, ("f:d", "f:e")) and not has(A, ("f:d", "f:x"))


def test_paths_are_printed_as_in_messages():
    of_all = {
        "f:s": {
            'k:{"port":443,"protocol":"TCP"}': {},
            'k:{"port":80,"protocol":"TCP"}': {"f:x": {}},
            'v:"a\\"b"': {},
            "i:3": {},
        }
    }
    assert [path_text(p) for p in paths(of_all)] == [
        '.s[port=443,protocol="TCP"]',
        '.s[="a\\"b"]',
        ".s[3]",
        '.s[port=80,protocol="TCP"].x',
    ]


def test_managed_fields_of_clients_are_checked():
    entry = {
        "manager": "m",
        "operation": "Update",
        "apiVersion": "v1",
        "fieldsType": "FieldsV1",
        "fieldsV1": {"f:a": {}},
    }
    assert readable([entry]) and readable([]) and readable(None)
    assert not readable([{**entry, "operation": "Delete"}])
    assert not readable([{**entry, "fieldsV1": {"x": {}}}])
    assert not valid({"k:{": {}}) and not valid({"f:a": []})


def test_a_status_update_of_a_pod_is_cheap():
    spec = {"containers": [{"name": f"c{i}", "image": "x", "ports": [{"containerPort": 80 + i}]} for i in range(3)]}
    pod = write(None, {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "uid": "u"}, "spec": spec}, "m")
    conditions = [{"type": t, "status": "True"} for t in ("PodScheduled", "Initialized", "ContainersReady", "Ready")]
    ready = write(pod, {**pod, "status": {"conditions": conditions}}, "kubelet", subresource="status")
    later = {**ready, "status": {"conditions": [*conditions[:3], {"type": "Ready", "status": "False"}]}}
    best = min(timeit.repeat(lambda: write(ready, later, "kubelet", subresource="status"), number=50, repeat=8)) / 50
    print(f"\ntrack_update of a Pod's status: {best * 1e6:.0f} microseconds")
    assert best < 0.001
