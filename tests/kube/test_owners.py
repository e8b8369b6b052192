"""Owners."""

from __future__ import annotations

from kit.kube import owners

OWNER = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "r", "uid": "u1"}}


def test_controllers():
    reference = owners.owner_reference(OWNER)
    plain = {"apiVersion": "v1", "kind": "ConfigMap", "name": "c", "uid": "u2"}
    pod = {"metadata": {"ownerReferences": [plain, reference]}}
    assert list(reference) == ["apiVersion", "kind", "name", "uid", "controller", "blockOwnerDeletion"]
    assert owners.controller_of(pod) == reference
    assert owners.is_controlled_by(pod, OWNER)
    assert not owners.is_controlled_by(pod, {"metadata": {"uid": "u2"}})
    assert owners.controller_of({"metadata": {}}) is None
    assert "controller" not in owners.owner_reference(OWNER, controller=False)
