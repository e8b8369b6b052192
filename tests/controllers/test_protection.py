"""Claims, volumes and classes of volume attributes that are deleted stay while they are used, and then go."""

from __future__ import annotations

from typing import Any

import pytest
from stage import Stage

SIZE = {"storage": "1Gi"}
CLAIM = {
    "apiVersion": "v1",
    "kind": "PersistentVolumeClaim",
    "metadata": {"name": "data"},
    "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "none", "resources": {"requests": SIZE}},
}
VOLUME = {
    "apiVersion": "v1",
    "kind": "PersistentVolume",
    "metadata": {"name": "disk"},
    "spec": {"accessModes": ["ReadWriteOnce"], "capacity": SIZE, "hostPath": {"path": "/x"}},
}
CLASS = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "VolumeAttributesClass",
    "metadata": {"name": "fast"},
    "driverName": "d.example.com",
    "parameters": {"iops": "1"},
}
CLAIMS = "/api/v1/namespaces/default/persistentvolumeclaims"
PODS = "/api/v1/namespaces/default/pods"
VOLUMES = "/api/v1/persistentvolumes"
CLASSES = "/apis/storage.k8s.io/v1/volumeattributesclasses"


@pytest.fixture
def stage() -> Stage:
    """Return a stage."""
    return Stage()


def pod(image: str, **more: Any) -> dict[str, Any]:
    """Return a Pod that mounts the claim."""
    volume = {"name": "v", "persistentVolumeClaim": {"claimName": "data"}}
    spec = {"containers": [{"name": "c", "image": image}], "volumes": [volume], **more}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "user"}, "spec": spec}


def there(stage: Stage, path: str) -> bool:
    """Say whether an object is there, after all has been done."""
    stage.settle()
    return stage.call("GET", path)[0] == 200


def test_an_unused_claim_goes(stage: Stage) -> None:
    """Admission adds the finalizer, the controller takes it off."""
    stage.create(CLAIM)
    assert stage.ask("GET", f"{CLAIMS}/data")["metadata"]["finalizers"] == ["kubernetes.io/pvc-protection"]
    stage.ask("DELETE", f"{CLAIMS}/data")
    assert not there(stage, f"{CLAIMS}/data")


@pytest.mark.parametrize("image", ["facts/ready:1", "facts/succeed:1"])
def test_a_claim_stays_while_a_pod_has_it(stage: Stage, image: str) -> None:
    """A Pod that has ended holds its claim as a running one does; when the Pod is deleted the claim goes."""
    stage.create(CLAIM)
    stage.create(pod(image, nodeName="facts-node-1", restartPolicy="Never"))
    stage.settle()
    stage.ask("DELETE", f"{CLAIMS}/data")
    assert there(stage, f"{CLAIMS}/data")
    stage.ask("DELETE", f"{PODS}/user", {"gracePeriodSeconds": 0})
    assert not there(stage, f"{CLAIMS}/data")


def test_a_pod_without_a_node_holds_nothing(stage: Stage) -> None:
    """No kubelet starts a Pod whose claim is going, so one that waits for a node does not keep it."""
    stage.create(CLAIM)
    stage.create(pod("facts/ready:1", nodeSelector={"no": "where"}))
    stage.settle()
    stage.ask("DELETE", f"{CLAIMS}/data")
    assert not there(stage, f"{CLAIMS}/data")


def test_other_finalizers_are_left(stage: Stage) -> None:
    """Only its own finalizer is taken off."""
    stage.create({**CLAIM, "metadata": {"name": "data", "finalizers": ["example.com/mine"]}})
    stage.ask("DELETE", f"{CLAIMS}/data")
    stage.settle()
    assert stage.ask("GET", f"{CLAIMS}/data")["metadata"]["finalizers"] == ["example.com/mine"]


def test_a_volume_goes_when_it_is_not_bound(stage: Stage) -> None:
    """A bound volume that is deleted stays until it is released."""
    stage.create(VOLUME)
    stage.create({**CLAIM, "spec": {**CLAIM["spec"], "storageClassName": "", "volumeName": "disk"}})  # type: ignore[dict-item]
    stage.settle()
    assert stage.ask("GET", f"{VOLUMES}/disk")["status"]["phase"] == "Bound"
    stage.ask("DELETE", f"{VOLUMES}/disk")
    assert there(stage, f"{VOLUMES}/disk")
    stage.ask("DELETE", f"{CLAIMS}/data")
    assert not there(stage, f"{VOLUMES}/disk")


def test_a_class_goes_when_no_claim_names_it(stage: Stage) -> None:
    """A class of volume attributes stays while a claim wants it."""
    stage.create(CLASS)
    stage.create({**CLAIM, "spec": {**CLAIM["spec"], "volumeAttributesClassName": "fast"}})  # type: ignore[dict-item]
    stage.ask("DELETE", f"{CLASSES}/fast")
    assert there(stage, f"{CLASSES}/fast")
    stage.ask("DELETE", f"{CLAIMS}/data")
    assert not there(stage, f"{CLASSES}/fast")
