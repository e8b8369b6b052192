"""What the registry of each kind does to objects beyond defaulting."""

from __future__ import annotations

import copy

import pytest

from kit.kube.defaults import apply_defaults
from kit.kube.kinds import Resource, Subresource, builtin
from kit.kube.qos import qos_class
from kit.kube.strategy import GENERATIONS, prepare_create, prepare_status, prepare_update

NOW = "2026-01-31T09:00:00Z"
REGISTRY = builtin()
WIDGET = Resource(
    group="example.com",
    version="v1",
    kind="Widget",
    plural="widgets",
    singular="widget",
    namespaced=True,
    subresources=(Subresource("status", "example.com", "v1", "Widget", ("get", "patch", "update")),),
)


def _made(api_version, kind, spec, **metadata):
    obj = {"apiVersion": api_version, "kind": kind, "metadata": {"name": "x", "uid": "u", **metadata}, "spec": spec}
    resource = REGISTRY.by_kind(api_version, kind) or WIDGET
    return prepare_create(apply_defaults(obj), resource, now=NOW), resource


TEMPLATE = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}}
APP = {"selector": {"matchLabels": {"a": "b"}}, "template": TEMPLATE}


def test_generation_starts_at_one_exactly_for_the_kinds_recorded(facts):
    cases, seen = facts("defaulting.jsonl"), 0
    for case in cases:
        body = case["expect"]["body"]
        if "uid" not in body["metadata"]:
            continue
        resource = REGISTRY.by_kind(body["apiVersion"], body["kind"])
        assert (resource.group_kind in GENERATIONS) == (body["metadata"].get("generation") == 1), case["id"]
        seen += 1
    print(f"generation: {seen}/{len(cases)} (the others are reviews)")
    assert seen > 130


@pytest.mark.parametrize(
    ("change", "bumps"),
    [
        (lambda o: o["spec"].update(replicas=3), True),
        (lambda o: o["metadata"].update(annotations={"a": "b"}), True),
        (lambda o: o["metadata"].update(labels={"a": "b"}), False),
        (lambda o: o.update(status={"replicas": 9}), False),
        (lambda o: o["metadata"].update(generation=7), False),
    ],
)
def test_generation_of_a_deployment(change, bumps):
    old, resource = _made("apps/v1", "Deployment", APP)
    new = copy.deepcopy(old)
    change(new)
    out = prepare_update(new, old, resource, now=NOW)
    assert out["metadata"]["generation"] == (2 if bumps else 1)
    assert out["status"] == old["status"]


def test_an_update_does_not_change_its_arguments():
    old, resource = _made("apps/v1", "DaemonSet", APP)
    new = copy.deepcopy(old)
    new["spec"]["template"]["spec"]["containers"][0]["image"] = "redis"
    before = copy.deepcopy((new, old))
    out = prepare_update(new, old, resource, now=NOW)
    assert (new, old) == before
    assert out["metadata"]["annotations"]["deprecated.daemonset.template.generation"] == "2"
    assert out["metadata"]["generation"] == 2


def test_an_update_keeps_what_the_system_wrote():
    old, resource = _made("v1", "ConfigMap", {})
    old["metadata"] |= {"creationTimestamp": NOW, "deletionTimestamp": NOW, "deletionGracePeriodSeconds": 30}
    out = prepare_update({**old, "metadata": {"name": "x"}}, old, resource, now=NOW)
    assert out["metadata"] == old["metadata"]


def test_a_status_update_keeps_the_rest():
    old, resource = _made("apps/v1", "Deployment", APP, labels={"a": "b"})
    new = copy.deepcopy(old)
    new["spec"]["replicas"] = 5
    new["metadata"] |= {"labels": {"c": "d"}, "annotations": {"e": "f"}}
    new["status"] = {"replicas": 4}
    out = prepare_status(new, old, resource, now=NOW)
    assert out["spec"] == old["spec"]
    assert out["status"] == {"replicas": 4}
    assert out["metadata"]["labels"] == {"a": "b"}
    assert out["metadata"]["annotations"] == {"e": "f"}
    assert out["metadata"]["generation"] == 1


def test_custom_resources_count_everything_but_metadata_and_status():
    old, resource = _made("example.com/v1", "Widget", {"size": 1})
    assert old["metadata"]["generation"] == 1
    changed = prepare_update({**old, "data": 1, "status": {"x": 1}}, old, resource, now=NOW)
    assert changed["metadata"]["generation"] == 2
    assert "status" not in changed
    same = prepare_status({**old, "spec": {"size": 2}, "status": {"x": 1}}, old, resource, now=NOW)
    assert same == {**old, "status": {"x": 1}}


def test_a_job_selects_by_its_own_uid_unless_told_otherwise():
    job, _ = _made("batch/v1", "Job", {"template": TEMPLATE})
    assert job["spec"]["selector"] == {"matchLabels": {"batch.kubernetes.io/controller-uid": "u"}}
    assert job["spec"]["template"]["metadata"]["labels"]["job-name"] == "x"
    by_hand, _ = _made("batch/v1", "Job", {**APP, "manualSelector": True})
    assert by_hand["spec"]["selector"] == APP["selector"]


def test_a_pod_starts_pending_whatever_it_says():
    pod, resource = _made("v1", "Pod", {"containers": [{"name": "c"}]})
    pod["status"] = {"phase": "Running", "podIP": "1.2.3.4"}
    again = prepare_create(pod, resource, now=NOW)
    assert again["status"] == {"phase": "Pending", "qosClass": "BestEffort"}


def test_a_node_brings_its_status():
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}, "status": {"capacity": {"cpu": "4"}}}
    out = prepare_create(apply_defaults(node), REGISTRY.by_kind("v1", "Node"), now=NOW)
    assert out["status"]["allocatable"] == {"cpu": "4"}


def test_a_volume_remembers_when_its_phase_changed():
    old, resource = _made("v1", "PersistentVolume", {"hostPath": {"path": "/x"}})
    bound = {**old, "status": {**old["status"], "phase": "Bound"}}
    later = "2026-01-31T10:00:00Z"
    assert prepare_status(bound, old, resource, now=later)["status"]["lastPhaseTransitionTime"] == later
    assert prepare_status(old, old, resource, now=later)["status"]["lastPhaseTransitionTime"] == NOW


def test_a_namespace_keeps_its_finalizers():
    old, resource = _made("v1", "Namespace", {})
    assert old["spec"] == {"finalizers": ["kubernetes"]}
    assert old["metadata"]["labels"] == {"kubernetes.io/metadata.name": "x"}
    assert prepare_update({**old, "spec": {}}, old, resource, now=NOW)["spec"] == old["spec"]


def _service(**spec):
    ports = [{"port": 80, "protocol": "TCP", "targetPort": 80, "nodePort": 30080}]
    return {"kind": "Service", "metadata": {"name": "s"}, "spec": {"type": "NodePort", "ports": ports, **spec}}


def test_a_service_keeps_its_address_and_ports():
    resource = REGISTRY.by_kind("v1", "Service")
    old = _service(clusterIP="10.96.0.9", clusterIPs=["10.96.0.9"], ipFamilies=["IPv4"], ipFamilyPolicy="SingleStack")
    new = _service(ports=[{"port": 80, "protocol": "TCP", "targetPort": 8080}])
    out = prepare_update(new, old, resource, now=NOW)["spec"]
    assert out["clusterIP"] == "10.96.0.9"
    assert out["ipFamilies"] == ["IPv4"]
    assert out["ports"] == [{"port": 80, "protocol": "TCP", "targetPort": 8080, "nodePort": 30080}]
    inside = prepare_update(_service(type="ClusterIP"), old, resource, now=NOW)["spec"]
    assert inside["ports"] == [{"port": 80, "protocol": "TCP", "targetPort": 80}]
    external = {**old, "spec": {**old["spec"], "type": "ExternalName", "externalName": "example.com"}}
    assert "clusterIP" not in prepare_update(external, old, resource, now=NOW)["spec"]


CLAIM = {"cpu": "1", "memory": "1Gi"}


@pytest.mark.parametrize(
    ("claims", "want"),
    [
        ([{}], "BestEffort"),
        ([{"requests": {"cpu": "0"}}], "BestEffort"),
        ([{"requests": {"ephemeral-storage": "1Gi"}}], "BestEffort"),
        ([{"requests": {"cpu": "1"}}], "Burstable"),
        ([{"requests": CLAIM, "limits": CLAIM}], "Guaranteed"),
        ([{"requests": {"cpu": "1000m", "memory": "1024Mi"}, "limits": CLAIM}], "Guaranteed"),
        ([{"requests": CLAIM, "limits": CLAIM}, {}], "Burstable"),
        ([{"requests": CLAIM, "limits": {**CLAIM, "cpu": "2"}}], "Burstable"),
    ],
)
def test_quality_of_service(claims, want):
    assert qos_class({"spec": {"containers": [{"resources": claim} for claim in claims]}}) == want
