"""The unmodified lightkube against a whole embedded cluster: its ordinary flows."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from definitions import definition
from lightkube import ApiError, Client, KubeConfig
from lightkube.generic_resource import create_resources_from_crd, get_generic_resource
from lightkube.models.apps_v1 import DeploymentSpec
from lightkube.models.autoscaling_v1 import ScaleSpec
from lightkube.models.core_v1 import Container, PodSpec, PodTemplateSpec
from lightkube.models.meta_v1 import LabelSelector, ObjectMeta
from lightkube.resources.apiextensions_v1 import CustomResourceDefinition
from lightkube.resources.apps_v1 import Deployment
from lightkube.resources.core_v1 import ConfigMap, Namespace, Node, Pod
from lightkube.types import CascadeType, PatchType

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def client(embedded: Any) -> Iterator[Client]:
    """Return the client of the cluster, made from its kubeconfig."""
    with Client(KubeConfig.from_file(str(embedded.kubeconfig)), field_manager="lightkube") as made:
        yield made


def config_map(name: str, **data: str) -> ConfigMap:
    """Return a ConfigMap."""
    return ConfigMap(metadata=ObjectMeta(name=name, labels={"of": "lightkube"}), data=data)


def shell(*command: str) -> PodSpec:
    """Return the spec of a Pod of one busybox."""
    container = Container(name="c", image="busybox:1.37", command=list(command))
    return PodSpec(containers=[container], terminationGracePeriodSeconds=1)


def test_objects_are_made_read_changed_and_deleted(client: Client) -> None:
    assert client.create(config_map("l", a="1")).metadata.uid
    read = client.get(ConfigMap, "l")
    read.data["b"] = "2"
    assert client.replace(read).data == {"a": "1", "b": "2"}
    with pytest.raises(ApiError) as caught:
        client.replace(read)
    assert (caught.value.status.code, caught.value.status.reason) == (409, "Conflict")
    assert "l" in [one.metadata.name for one in client.list(ConfigMap, labels={"of": "lightkube"}, chunk_size=1)]
    client.delete(ConfigMap, "l")
    with pytest.raises(ApiError) as caught:
        client.get(ConfigMap, "l")
    assert (caught.value.status.code, caught.value.status.message) == (404, 'configmaps "l" not found')


def test_every_patch_type(client: Client) -> None:
    client.create(config_map("patched", a="1"))
    merged = client.patch(ConfigMap, "patched", {"data": {"b": "2", "a": None}}, patch_type=PatchType.MERGE)
    assert merged.data == {"b": "2"}
    steps = [{"op": "test", "path": "/data/b", "value": "2"}, {"op": "add", "path": "/data/c", "value": "3"}]
    assert client.patch(ConfigMap, "patched", steps, patch_type=PatchType.JSON).data == {"b": "2", "c": "3"}
    assert client.patch(ConfigMap, "patched", {"data": {"$patch": "replace", "d": "4"}}).data == {"d": "4"}
    client.delete(ConfigMap, "patched")


def test_fields_are_applied_and_fought_over(client: Client) -> None:
    def applied(**data: str) -> ConfigMap:
        metadata = ObjectMeta(name="mine", namespace="light")
        return ConfigMap(apiVersion="v1", kind="ConfigMap", data=data, metadata=metadata)

    client.create(Namespace(metadata=ObjectMeta(name="light")))
    made = client.apply(applied(a="1", b="2"))
    assert (made.data, made.metadata.managedFields[0].manager) == ({"a": "1", "b": "2"}, "lightkube")
    assert client.apply(applied(a="1")).data == {"a": "1"}
    with pytest.raises(ApiError) as caught:
        client.apply(applied(a="9"), field_manager="other")
    assert caught.value.status.message == 'Apply failed with 1 conflict: conflict with "lightkube": .data.a'
    assert client.apply(applied(a="9"), field_manager="other", force=True, dry_run=True).data == {"a": "9"}
    assert client.get(ConfigMap, "mine", namespace="light").data == {"a": "1"}
    client.deletecollection(ConfigMap, namespace="light")
    assert "mine" not in [one.metadata.name for one in client.list(ConfigMap, namespace="light")]
    client.delete(Namespace, "light")


def test_a_deployment_is_waited_for_scaled_and_cascades(client: Client) -> None:
    labels = {"app": "light"}
    template = PodTemplateSpec(metadata=ObjectMeta(labels=labels), spec=shell("sleep", "3600"))
    spec = DeploymentSpec(replicas=1, selector=LabelSelector(matchLabels=labels), template=template)
    client.create(Deployment(metadata=ObjectMeta(name="light"), spec=spec))
    client.wait(Deployment, "light", for_conditions=["Available"])
    assert client.get(Deployment.Scale, "light").status.selector == "app=light"
    client.replace(Deployment.Scale(metadata=ObjectMeta(name="light"), spec=ScaleSpec(replicas=2)), "light")
    for _, seen in client.watch(Deployment, fields={"metadata.name": "light"}):
        if seen.status.readyReplicas == 2:
            break
    client.delete(Deployment, "light", cascade=CascadeType.FOREGROUND)
    for operation, _ in client.watch(Deployment, fields={"metadata.name": "light"}, server_timeout=30):
        if operation == "DELETED":
            break
    else:
        pytest.fail("the Deployment is still there")
    assert not [pod for pod in client.list(Pod, labels=labels) if pod.metadata.deletionTimestamp is None]


def test_a_watch_shows_what_happens(client: Client) -> None:
    listed = client.list(ConfigMap)
    list(listed)
    maker = threading.Thread(target=client.create, args=(config_map("watched", a="1"),))
    maker.start()
    seen = []
    for operation, one in client.watch(
        ConfigMap, fields={"metadata.name": "watched"}, resource_version=listed.resourceVersion
    ):
        seen.append(operation)
        if operation == "ADDED":
            client.patch(ConfigMap, one.metadata.name, {"data": {"a": "2"}})
        elif operation == "MODIFIED":
            client.delete(ConfigMap, one.metadata.name)
        else:
            break
    maker.join()
    assert seen == ["ADDED", "MODIFIED", "DELETED"]


def test_logs_and_exec(client: Client) -> None:
    client.create(
        Pod(
            metadata=ObjectMeta(name="light"),
            spec=shell("sh", "-c", "for i in 1 2 3; do echo line $i; done; sleep 3600"),
        )
    )
    client.wait(Pod, "light", for_conditions=["Ready"])
    assert list(client.log("light", tail_lines=2)) == ["line 2\n", "line 3\n"]
    followed = client.log("light", follow=True)
    assert [next(followed) for _ in range(3)] == ["line 1\n", "line 2\n", "line 3\n"]
    done = client.exec(
        "light", command=["sh", "-c", "cat; echo err >&2; exit 7"], stdin="in\n", stdout=True, stderr=True
    )
    assert done == ("in\n", "err\n", 7)
    client.delete(Pod, "light", grace_period=0)


def test_objects_of_no_namespace_and_of_all(client: Client) -> None:
    assert "lab-control-plane" in [node.metadata.name for node in client.list(Node)]
    assert "kube-root-ca.crt" in {one.metadata.name for one in client.list(ConfigMap, namespace="*")}


def test_custom_resources(client: Client) -> None:
    client.create(CustomResourceDefinition.from_dict(definition("Letter")))
    client.wait(CustomResourceDefinition, "letters.example.org", for_conditions=["Established"])
    create_resources_from_crd(client.get(CustomResourceDefinition, "letters.example.org"))
    letter: Any = get_generic_resource("example.org/v1", "Letter")
    made = client.create(letter(metadata=ObjectMeta(name="one"), spec={"text": "dear"}))
    assert made.spec == {"text": "dear", "copies": 1}
    client.patch(letter.Status, "one", {"status": {"words": 1}}, patch_type=PatchType.MERGE)
    assert client.get(letter, "one").status == {"words": 1}
    assert client.get(letter.Scale, "one").spec.replicas == 1
    with pytest.raises(ApiError) as caught:
        client.create(letter(metadata=ObjectMeta(name="two"), spec={"text": ""}))
    assert caught.value.status.reason == "Invalid"
    wanted = letter(
        apiVersion="example.org/v1", kind="Letter", metadata=ObjectMeta(name="one"), spec={"text": "dear", "copies": 3}
    )
    with pytest.raises(ApiError, match=r'conflict with "lightkube" using example.org/v1: .spec.copies'):
        client.apply(wanted)  # what it made and what it applies are two managers of one name
    assert client.apply(wanted, force=True).spec["copies"] == 3
    assert [one.metadata.name for one in client.list(letter)] == ["one"]
    client.delete(CustomResourceDefinition, "letters.example.org")
