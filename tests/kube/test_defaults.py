"""Defaulting against recorded truth: object in, object out."""

from __future__ import annotations

import copy
import json

import pytest

from kit.kube.defaults import apply_defaults
from kit.kube.kinds import builtin
from kit.kube.strategy import prepare_create

NOW = "2026-01-31T09:00:00Z"
USER = {"username": "kubernetes-admin", "uid": "admin", "groups": ["system:masters", "system:authenticated"]}
REGISTRY = builtin()

# What neither defaulting nor a strategy explains, by who does it.
SYSTEM = ("uid", "creationTimestamp", "resourceVersion", "managedFields", "namespace")
ALLOCATED = ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "healthCheckNodePort")
ANSWERED = {"SubjectAccessReview", "SelfSubjectRulesReview", "TokenReview"}  # the authorizer's answer is the status
PROTECTED = {"PersistentVolume", "PersistentVolumeClaim", "VolumeAttributesClass"}  # admission adds a finalizer


def _without_admission(kind, body):
    """Take out what admission, allocation and the caller add; on both sides."""
    meta = {key: value for key, value in body["metadata"].items() if key not in SYSTEM}
    body = {**body, "metadata": meta}
    if kind in PROTECTED:
        meta.pop("finalizers", None)
    if kind in ANSWERED:
        body.pop("status", None)
        body["spec"].pop("namespace", None)
    if kind == "Node":
        taints = [t for t in body["spec"].pop("taints", []) if t["key"] != "node.kubernetes.io/not-ready"]
        body["spec"] |= {"taints": taints} if taints else {}
    if kind == "Service":
        body["spec"] = {key: value for key, value in body["spec"].items() if key not in ALLOCATED}
        for port in body["spec"].get("ports", []):
            port.pop("nodePort", None)
    if kind == "Pod":
        _pod(body["spec"])
    return body


def _pod(spec):
    for key in ("priority", "preemptionPolicy", "serviceAccount", "serviceAccountName"):
        spec.pop(key, None)
    _drop(spec, "volumes", lambda item: item["name"].startswith("kube-api-access-"))
    _drop(spec, "tolerations", lambda item: item.get("tolerationSeconds") == 300)
    for container in [*spec["containers"], *spec.get("initContainers", [])]:
        _drop(container, "volumeMounts", lambda item: item["name"].startswith("kube-api-access-"))


def _drop(obj, key, gone):
    items = [item for item in obj.pop(key, []) if not gone(item)]
    if items:
        obj[key] = items


def _text(value):
    text = json.dumps(value, sort_keys=True)
    return text.replace(NOW, "<time>").replace("https://127.0.0.1:1/", "https://<server>/")


def test_every_recorded_object_comes_out_as_recorded(facts):
    cases, wrong = facts("defaulting.jsonl"), []
    for case in cases:
        body = case["request"]["body"]
        before = copy.deepcopy(body)
        resource = REGISTRY.by_kind(body["apiVersion"], body["kind"])
        defaulted = apply_defaults(body)
        assert body == before, case["id"]
        named = {**defaulted, "metadata": {**defaulted["metadata"], "uid": "<uuid>"}}
        got = prepare_create(named, resource, now=NOW, user=USER)
        want = _without_admission(body["kind"], copy.deepcopy(case["expect"]["body"]))
        if _text(_without_admission(body["kind"], copy.deepcopy(got))) != _text(want):
            wrong.append(case["id"])
    print(f"defaulting: {len(cases) - len(wrong)}/{len(cases)}")
    assert wrong == []


def test_what_is_defaulted_stays_the_same_object(facts):
    for case in facts("defaulting.jsonl"):
        once = apply_defaults(case["request"]["body"])
        assert apply_defaults(once) is once, case["id"]


def test_parts_that_do_not_change_are_shared():
    labels = {"app": "web"}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "labels": labels}, "spec": {"containers": []}}
    out = apply_defaults(pod)
    assert out["metadata"] is pod["metadata"]
    assert out["spec"]["restartPolicy"] == "Always"
    assert "restartPolicy" not in pod["spec"]


def test_default_structs_are_not_shared_between_objects():
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [{"name": "c"}]}}
    one, two = apply_defaults(pod), apply_defaults(pod)
    assert one["spec"]["securityContext"] == {}
    assert one["spec"]["securityContext"] is not two["spec"]["securityContext"]


def test_empty_fields_go_and_zeros_behind_pointers_stay():
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "d", "labels": {}, "annotations": None},
        "spec": {"replicas": 0, "paused": False, "minReadySeconds": 0, "template": {"spec": {"nodeName": ""}}},
    }
    out = apply_defaults(deployment)
    assert out["metadata"] == {"name": "d"}
    assert out["spec"]["replicas"] == 0
    assert "paused" not in out["spec"]
    assert "minReadySeconds" not in out["spec"]
    assert "nodeName" not in out["spec"]["template"]["spec"]
    assert out["spec"]["template"]["metadata"] == {}
    assert out["spec"]["template"]["spec"]["containers"] is None


@pytest.mark.parametrize(
    ("given", "want"),
    [("1000m", "1"), ("1.5G", "1500M"), ("0.5", "500m"), ("0.0001", "1m"), (2, "2"), ("1024Mi", "1Gi"), ("x", "x")],
)
def test_quantities_are_canonical(given, want):
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q"}, "spec": {"hard": {"cpu": given}}}
    assert apply_defaults(quota)["spec"]["hard"]["cpu"] == want


def test_times_are_utc():
    lease = {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": "l", "creationTimestamp": "2026-01-01T00:30:00+01:00"},
        "spec": {"renewTime": "2026-01-01T00:30:00.1234567Z"},
    }
    out = apply_defaults(lease)
    assert out["metadata"]["creationTimestamp"] == "2025-12-31T23:30:00Z"
    assert out["spec"]["renewTime"] == "2026-01-01T00:30:00.123456Z"


def test_custom_resources_come_back_as_they_are():
    obj = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w", "labels": {}}}
    assert apply_defaults(obj) is obj
