"""What the deployment controller writes: a Deployment's status, a ReplicaSet's size; refusals are raised and retried."""

from __future__ import annotations

from typing import Any

from kit.embedded.controllers.deployment import revisions
from kit.embedded.core.effects import Emit, Patch, Update
from kit.embedded.core.store import Key, Obj
from kit.errors import Status


def write_status(deployment: Obj, computed: Obj, number: int | None = None) -> Any:
    """Write a status, and with `number` the revision annotation by the same write, which leaves the generation as it is."""
    metadata = {key: value for key, value in deployment["metadata"].items() if key != "resourceVersion"}
    if number is not None and revisions.revision(deployment) != number:
        metadata["annotations"] = {**revisions.notes(deployment), revisions.REVISION: str(number)}
    elif computed == (deployment.get("status") or {}):
        return deployment
    return checked((yield Update({**deployment, "metadata": metadata, "status": computed}, "status")))


def scale(deployment: Obj, rs: Obj, size: int) -> Any:
    """Set a ReplicaSet's size and note the Deployment's in its annotations."""
    before = revisions.replicas(rs)
    sizes = revisions.sizes(deployment)
    if before == size and all(revisions.notes(rs).get(key) == value for key, value in sizes.items()):
        return rs
    patch = {"metadata": {"annotations": sizes}, "spec": {"replicas": size}}
    rs = checked((yield Patch(key_of(rs), patch, "merge")))
    if before != size:
        way = "up" if size > before else "down"
        words = f"Scaled {way} replica set {rs['metadata']['name']} from {before} to {size}"
        yield Emit(deployment, "Normal", "ScalingReplicaSet", words)
    return rs


def key_of(rs: Obj) -> Key:
    """Return a ReplicaSet's key."""
    return Key("replicasets.apps", rs["metadata"]["namespace"], rs["metadata"]["name"])


def checked(answer: Any) -> Any:
    """Return an answer, raise a refusal."""
    if isinstance(answer, Status):
        raise answer
    return answer
