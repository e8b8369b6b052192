"""How a StatefulSet's Pods and their claims are made, mended and ended, and what is said of it.

Models pkg/controller/statefulset/stateful_pod_control.go.
"""

from __future__ import annotations

from typing import Any

from kit.embedded.controllers.statefulset import identity
from kit.embedded.core.controller import View, pod_key
from kit.embedded.core.effects import Create, Delete, Emit, Patch
from kit.embedded.core.store import Key, Obj
from kit.embedded.parts.writing import checked
from kit.errors import Status
from kit.kube import owners

CLAIMS = "persistentvolumeclaims"


def create(parent: Obj, pod: Obj, view: View) -> Any:
    """Create a Pod after its claims."""
    yield from furnish(parent, pod, view)
    made = yield Create(pod)
    if not (isinstance(made, Status) and made.reason == "AlreadyExists"):
        yield from _told("Create", parent, pod, made)
    checked(made)
    yield from retain(parent, made, view)
    return made


def delete(parent: Obj, pod: Obj) -> Any:
    """Delete a Pod."""
    gone = yield Delete(pod_key(pod), {"preconditions": {"uid": pod["metadata"]["uid"]}})
    if isinstance(gone, Status) and gone.reason == "NotFound":
        return
    yield from _told("Delete", parent, pod, gone)
    checked(gone)


def mend(parent: Obj, pod: Obj, view: View) -> Any:
    """Give a Pod back the labels that are its identity, the claims it needs, and those the right owner."""
    if (pod["metadata"].get("labels") or {}).get(identity.NAME) != pod["metadata"]["name"]:
        wanted = identity.labels(parent, identity.ordinal(pod))
        mended = yield Patch(pod_key(pod), {"metadata": {"labels": wanted}}, "merge")
        yield from _told("Update", parent, pod, mended)
        checked(mended)
    yield from retain(parent, pod, view)


def furnish(parent: Obj, pod: Obj, view: View) -> Any:
    """Create the claims that a Pod needs and that are not there."""
    for claim in identity.claims(parent, identity.ordinal(pod)):
        if view.at(_key(claim)) is None:
            made = yield Create(claim)
            if not (isinstance(made, Status) and made.reason == "AlreadyExists"):
                what = f"Claim {claim['metadata']['name']} Pod {pod['metadata']['name']}"
                yield from _said("Create", parent, what, made, "success")
            checked(made)


def retain(parent: Obj, pod: Obj, view: View) -> Any:
    """Make the claims of a Pod go with the StatefulSet or with the Pod, as persistentVolumeClaimRetentionPolicy says."""
    for claim in _claims(parent, pod, view):
        had = owners.references(claim)
        ours = (parent["metadata"]["uid"], pod["metadata"]["uid"])
        owner = _owner(parent, pod)
        wanted = [one for one in had if one["uid"] not in ours]
        wanted += [owners.owner_reference(owner, controller=True)] if owner is not None else []
        if sorted(one["uid"] for one in wanted) != sorted(one["uid"] for one in had):
            at = {"resourceVersion": claim["metadata"]["resourceVersion"], "ownerReferences": wanted or None}
            checked((yield Patch(_key(claim), {"metadata": at}, "merge")))


def is_stale(parent: Obj, pod: Obj, view: View) -> bool:
    """Say whether a claim of a Pod that is to be made still goes with a former Pod of that name. Models PodClaimIsStale."""
    if (parent["spec"].get("persistentVolumeClaimRetentionPolicy") or {}).get("whenScaled") != "Delete":
        return False
    refs = (one for claim in _claims(parent, pod, view) for one in owners.references(claim))
    name, uid = pod["metadata"]["name"], pod["metadata"].get("uid")
    return any(one["kind"] == "Pod" and one["name"] == name and one["uid"] != uid for one in refs)


def _owner(parent: Obj, pod: Obj) -> Obj | None:
    """Return whom a Pod's claims go with: one beyond the size goes with its Pod. Models updateClaimOwnerRefForSetAndPod."""
    policy = parent["spec"].get("persistentVolumeClaimRetentionPolicy") or {}
    condemned = identity.ordinal(pod) not in identity.span(parent)
    if policy.get("whenScaled") == "Delete" and condemned:
        return {**pod, "apiVersion": "v1", "kind": "Pod"}
    return parent if policy.get("whenDeleted") == "Delete" else None


def _claims(parent: Obj, pod: Obj, view: View) -> list[Obj]:
    names = identity.claim_names(parent, identity.ordinal(pod)).values()
    found = (view.get(CLAIMS, parent["metadata"]["namespace"], name) for name in names)
    return [claim for claim in found if claim is not None]


def _key(claim: Obj) -> Key:
    return Key(CLAIMS, claim["metadata"]["namespace"], claim["metadata"]["name"])


def _told(verb: str, parent: Obj, pod: Obj, answer: Any) -> Any:
    yield from _said(verb, parent, f"Pod {pod['metadata']['name']}", answer, "successful")


def _said(verb: str, parent: Obj, what: str, answer: Any, well: str) -> Any:
    words = f"{verb} {what} in StatefulSet {parent['metadata']['name']}"
    if isinstance(answer, Status):
        yield Emit(parent, "Warning", f"Failed{verb}", f"{words} failed error: {answer.message}")
    else:
        yield Emit(parent, "Normal", f"Successful{verb}", f"{words} {well}")
