"""A Deployment's ReplicaSets: which is the new one, which revision each stands for, which are kept.

Models pkg/controller/deployment/sync.go and util/deployment_util.go.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kit.embedded.controllers.deployment.limits import max_surge
from kit.embedded.core.store import Obj
from kit.embedded.parts import hashes
from kit.kube import copies, owners, pods

REVISION = "deployment.kubernetes.io/revision"
HISTORY = "deployment.kubernetes.io/revision-history"
DESIRED = "deployment.kubernetes.io/desired-replicas"
MAXIMUM = "deployment.kubernetes.io/max-replicas"
HASH = "pod-template-hash"
NOT_COPIED = frozenset(
    (
        REVISION,
        HISTORY,
        DESIRED,
        MAXIMUM,
        "kubectl.kubernetes.io/last-applied-configuration",
        "deprecated.deployment.rollback.to",
    )
)


def replicas(obj: Obj) -> int:
    """Return how many replicas the spec wants."""
    return int(obj["spec"].get("replicas", 1))


def available(replicaset: Obj) -> int:
    """Return how many replicas the status calls available."""
    return int((replicaset.get("status") or {}).get("availableReplicas", 0))


def notes(obj: Obj) -> dict[str, str]:
    """Return the annotations, empty when there are none."""
    return obj["metadata"].get("annotations") or {}


def revision(obj: Obj) -> int:
    """Return the revision an object carries, 0 when it carries none."""
    text = notes(obj).get(REVISION, "0")
    return int(text) if text.isdigit() else 0


def by_age(sets: Sequence[Obj]) -> list[Obj]:
    """Sort ReplicaSets, the oldest first, then by name."""
    return sorted(sets, key=lambda rs: (rs["metadata"]["creationTimestamp"], rs["metadata"]["name"]))


def find_new(deployment: Obj, sets: Sequence[Obj]) -> Obj | None:
    """Return the oldest ReplicaSet whose template is the Deployment's."""
    template = deployment["spec"]["template"]
    return next((rs for rs in by_age(sets) if pods.same_template(rs["spec"]["template"], template)), None)


def next_revision(old: Sequence[Obj]) -> int:
    """Return one more than the highest revision of the old ReplicaSets."""
    return max((revision(rs) for rs in old), default=0) + 1


def make(deployment: Obj, wanted: int, number: int, collisions: int | None) -> Obj:
    """Build the ReplicaSet of the Deployment's present template."""
    digest = hashes.of_template(deployment["spec"]["template"], collisions)
    template = copies.deep(deployment["spec"]["template"])
    template.setdefault("metadata", {}).setdefault("labels", {})[HASH] = digest
    selector = copies.deep(deployment["spec"]["selector"])
    selector.setdefault("matchLabels", {})[HASH] = digest
    spec: Obj = {"replicas": wanted, "selector": selector, "template": template}
    if deployment["spec"].get("minReadySeconds"):
        spec["minReadySeconds"] = deployment["spec"]["minReadySeconds"]
    metadata: Obj = {
        "name": f"{deployment['metadata']['name']}-{digest}",
        "namespace": deployment["metadata"]["namespace"],
        "labels": dict(template["metadata"]["labels"]),
        "annotations": copied(deployment) | {REVISION: str(number)} | sizes(deployment),
        "ownerReferences": [owners.owner_reference(deployment, controller=True)],
    }
    return {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": metadata, "spec": spec}


def copied(deployment: Obj) -> dict[str, str]:
    """Return the Deployment's annotations that its ReplicaSet gets too."""
    return {key: value for key, value in notes(deployment).items() if key not in NOT_COPIED}


def sizes(deployment: Obj) -> dict[str, str]:
    """Return the annotations that note how large the Deployment was when a ReplicaSet was last scaled."""
    wanted = replicas(deployment)
    return {DESIRED: str(wanted), MAXIMUM: str(wanted + max_surge(deployment))}


def renumbered(deployment: Obj, replicaset: Obj, number: int) -> dict[str, str]:
    """Return a ReplicaSet's annotations as they must be when it is the new one: revision, history, copies, sizes."""
    had = notes(replicaset)
    now: dict[str, Any] = {**had, **copied(deployment), **sizes(deployment)}
    if revision(replicaset) < number:
        if had.get(REVISION):
            history = [*filter(None, had.get(HISTORY, "").split(",")), had[REVISION]]
            now[HISTORY] = ",".join(history)
        now[REVISION] = str(number)
    return now
