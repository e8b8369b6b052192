"""Volumes of Pods: what is in them, and Pods that wait for one."""

from __future__ import annotations

import pytest
from world import sh


def test_volumes(world):
    world.put(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "conf", "namespace": "default"},
            "data": {"a": "1\n", "b": "2\n"},
        }
    )
    volumes = [
        {"name": "c", "configMap": {"name": "conf", "defaultMode": 0o644}},
        {"name": "e", "emptyDir": {}},
        {"name": "t", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}},
                                                {"downwardAPI": {"items": [
                                                    {"path": "ns", "fieldRef": {"fieldPath": "metadata.namespace"}}]}}]}},
    ]  # fmt: skip
    mounts = [{"name": "c", "mountPath": "/c", "readOnly": True}, {"name": "e", "mountPath": "/e"},
              {"name": "t", "mountPath": "/t", "readOnly": True},
              {"name": "c", "mountPath": "/one", "subPath": "a"}]  # fmt: skip
    world.pod("p", sh("cat /c/a; write /e/f shared; sleep 1; cat /t/token; cat /t/ns; cat /one; trap 0; sleep 9999", volumeMounts=mounts),
              sh("sleep 1; cat /e/f; echo; trap 0; sleep 999", volumeMounts=mounts[1:2]), volumes=volumes)  # fmt: skip
    world.run(4000)
    assert world.log().data() == b"1\njwt.system:serviceaccount:default:defaultdefault1\n"
    assert world.log(container="c1").data() == b"shared\n"
    world.put(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "conf", "namespace": "default"},
            "data": {"a": "new\n", "b": "2\n"},
        }
    )
    world.run(130_000)
    tree = world.nodes.worker(world.get()).units[0].container.tree
    assert (tree.read("/c/a"), tree.read("/one")) == (b"new\n", b"1\n")
    assert tree.listdir("/c")[1] == "..data"


@pytest.mark.parametrize(
    "volume, text",
    [
        ({"configMap": {"name": "gone"}}, 'configmap "gone" not found'),
        ({"secret": {"secretName": "gone"}}, 'secret "gone" not found'),
        ({"hostPath": {"path": "/opt/x", "type": "Directory"}},
         'hostPath type check failed, /opt/x is not a directory, unable to determine its type: path "/opt/x" does not exist'),
    ],
)  # fmt: skip
def test_volumes_that_are_missing(world, volume, text):
    world.pod("p", {}, volumes=[{"name": "v", **volume}])
    world.run(3000)
    assert world.messages("FailedMount")[0] == f'MountVolume.SetUp failed for volume "v" : {text}'
    assert world.status()["state"]["waiting"]["reason"] == "ContainerCreating"
