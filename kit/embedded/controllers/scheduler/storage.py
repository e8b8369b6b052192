"""Filters about a Pod's claims, and what is written for those that are bound only when a node is chosen.

Models pkg/scheduler/framework/plugins/volumebinding (binder.go) and volumerestrictions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kit.embedded.core.controller import View
from kit.embedded.core.effects import Patch
from kit.embedded.core.store import Key, Obj
from kit.embedded.parts import writing
from kit.kube import pods, volumes

CLAIMS, VOLUMES, CLASSES = "persistentvolumeclaims", "persistentvolumes", "storageclasses.storage.k8s.io"
UNBOUND = "pod has unbound immediate PersistentVolumeClaims"
AFFINITY = "node(s) didn't match PersistentVolume's node affinity"
NOTHING = "node(s) didn't find available persistent volumes to bind"
GONE = "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)"
ALONE = "node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode"


@dataclass(frozen=True)
class Storage:
    """What one Pod's claims ask of a node. `refusal` holds for all nodes; `pending`: a node is chosen, volumes are on their way."""

    refusal: str = ""
    pending: bool = False
    taken: bool = False
    lost: bool = False
    bound: Sequence[Obj] = ()
    waiting: Sequence[Obj] = ()
    free: Sequence[Obj] = ()
    provisioned: Mapping[str, bool] = field(default_factory=dict)

    def reasons(self, node: Obj) -> Sequence[str]:
        """Return why the Pod's volumes keep it from a node."""
        if self.taken:
            return (ALONE,)
        found = [GONE] if self.lost else []
        if any(not volumes.reachable(volume, node) for volume in self.bound):
            found.append(AFFINITY)
        if self._found(node) is None:
            found.append(NOTHING)
        return found

    def _found(self, node: Obj) -> Mapping[str, Obj] | None:
        """Return the volume each waiting claim would get on a node; those left out are provisioned; None when one can't be had."""
        free, out = list(self.free), {}
        for claim in self.waiting:
            name, volume = claim["metadata"]["name"], volumes.best(free, claim, node)
            if volume is not None:
                free.remove(volume)
                out[name] = volume
            elif not self.provisioned[volumes.class_of(claim)]:
                return None
        return out

    def reserve(self, node: Obj) -> Any:
        """Write down for each waiting claim its volume, or the node where one is to be made."""
        found = self._found(node) or {}
        for claim in self.waiting:
            metadata = claim["metadata"]
            volume = found.get(metadata["name"])
            if volume is None:
                told = {volumes.SELECTED_NODE: node["metadata"]["name"]}
                key = Key(CLAIMS, metadata["namespace"], metadata["name"])
                writing.checked((yield Patch(key, {"metadata": {"annotations": told}}, "merge")))
            elif not volume["spec"].get("claimRef"):
                ref = {name: metadata[name] for name in ("namespace", "name", "uid", "resourceVersion")}
                change = {
                    "metadata": {"annotations": {volumes.BOUND_BY_CONTROLLER: "yes"}},
                    "spec": {"claimRef": {"apiVersion": "v1", "kind": "PersistentVolumeClaim", **ref}},
                }
                writing.checked((yield Patch(Key(VOLUMES, "", volume["metadata"]["name"]), change, "merge")))


NONE = Storage()


def of(pod: Obj, view: View) -> Storage:
    """Read off a Pod's claims what they ask for."""
    names = volumes.claims_of(pod)
    if not names:
        return NONE
    space = pod["metadata"]["namespace"]
    claims: list[Obj] = []
    for name in names:
        claim = view.get(CLAIMS, space, name)
        if claim is None:
            return Storage(f'persistentvolumeclaim "{name}" not found')
        if "deletionTimestamp" in claim["metadata"]:
            return Storage(f'persistentvolumeclaim "{name}" is being deleted')
        claims.append(claim)
    return _weighed(pod, claims, view)


def _weighed(pod: Obj, claims: Sequence[Obj], view: View) -> Storage:
    waiting = [claim for claim in claims if not volumes.is_bound(claim)]
    kinds = {name: view.get(CLASSES, "", name) for name in map(volumes.class_of, waiting)}
    if any(not volumes.waits(kinds[volumes.class_of(claim)]) or claim["spec"].get("volumeName") for claim in waiting):
        return Storage(UNBOUND)
    every = view.list(VOLUMES) if waiting else ()
    kept = any(volumes.refers_to(volume, claim) for volume in every for claim in waiting)
    bound = [view.get(VOLUMES, "", claim["spec"]["volumeName"]) for claim in claims if volumes.is_bound(claim)]
    return Storage(
        pending=kept or any(volumes.annotation(claim, volumes.SELECTED_NODE) for claim in waiting),
        taken=any(_alone(claim) and _used(claim, pod, view) for claim in claims),
        lost=None in bound,
        bound=[volume for volume in bound if volume is not None],
        waiting=waiting,
        free=every,
        provisioned={name: (kind or {}).get("provisioner") != volumes.NO_PROVISIONER for name, kind in kinds.items()},
    )


def _alone(claim: Obj) -> bool:
    return "ReadWriteOncePod" in (claim["spec"].get("accessModes") or ())


def _used(claim: Obj, pod: Obj, view: View) -> bool:
    """Say whether another Pod on a node has a claim."""
    return any(
        other["spec"].get("nodeName")
        and other["metadata"]["uid"] != pod["metadata"]["uid"]
        and not pods.is_terminal(other)
        and claim["metadata"]["name"] in volumes.claims_of(other)
        for other in view.list("pods", claim["metadata"]["namespace"])
    )
