"""Claims of the default StorageClass: a folder on the node of the first Pod, whose files stay when the Pod goes."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.both


def claim(name: str) -> dict[str, Any]:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "16Mi"}}}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name}, "spec": spec}


def user(name: str, line: str) -> dict[str, Any]:
    container = {
        "name": "c", "image": "busybox:1.37", "imagePullPolicy": "IfNotPresent", "command": ["sh", "-c", line],
        "volumeMounts": [{"name": "v", "mountPath": "/data"}],
    }  # fmt: skip
    volumes = [{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]
    spec = {"restartPolicy": "Never", "containers": [container], "volumes": volumes}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


def test_files_outlive_the_pod(world: Any) -> None:
    """The claim waits for its first Pod, is bound then, and what one Pod writes the next one reads."""
    world.objects.create(claim("data"))
    world.objects.create(user("one", "echo kept > /data/file"))
    world.until(lambda: world.pod("one")["status"]["phase"] == "Succeeded")
    bound = world.objects.get("persistentvolumeclaim", "data")
    assert bound["status"]["phase"] == "Bound"
    assert bound["spec"]["volumeName"] == f"pvc-{bound['metadata']['uid']}"
    world.objects.delete("pod", "one")
    world.objects.create(user("two", "cat /data/file"))
    world.until(lambda: world.pod("two")["status"]["phase"] == "Succeeded")
    assert world.kubectl("logs", "two") == "kept\n"
