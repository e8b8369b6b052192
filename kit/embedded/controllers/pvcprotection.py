"""Lets a claim that is being deleted go when no Pod on a node uses it any more.

Models pkg/controller/volume/pvcprotection/pvc_protection_controller.go. A Pod that has ended holds its claims until it is deleted;
one that is on no node yet does not, since no kubelet starts a Pod whose claim is going.
"""

from __future__ import annotations

from collections.abc import Iterable

from kit.embedded.core.controller import Effects, Mapper, View
from kit.embedded.core.store import Event, Key, Obj
from kit.embedded.parts.finalizing import release, waiting_for, waits_for
from kit.kube import owners

FINALIZER = "kubernetes.io/pvc-protection"
CLAIMS = "persistentvolumeclaims"


class ClaimProtection:
    """The PVC protection controller; the finalizer itself is added by admission."""

    name = "persistentvolumeclaim-protection-controller"
    user = "system:serviceaccount:kube-system:pvc-protection-controller"
    manager = "kube-controller-manager"
    component = "persistentvolumeclaim-protection-controller"

    def __init__(self) -> None:
        self.watches: dict[str, Mapper] = {CLAIMS: waiting_for(FINALIZER), "pods": _claims_let_go}

    def reconcile(self, key: Key, view: View, now: int) -> Effects:
        """Take the finalizer off one claim when nothing holds it."""
        claim = view.at(key)
        if claim is None or not waits_for(claim, FINALIZER):
            return
        if not any(_uses(pod, claim) for pod in view.list("pods", key.namespace)):
            yield from release(key, claim, FINALIZER)


def _claims_let_go(event: Event, view: View) -> Iterable[Key]:
    """Map a Pod to its claims when it is gone, or kubelet has done with it."""
    if event.type == "DELETED" or _shut_down(event.obj):
        for name in dict.fromkeys(name for volume in _volumes(event.obj) if (name := _claim_of(event.obj, volume))):
            yield Key(CLAIMS, event.key.namespace, name)


def _volumes(pod: Obj) -> Iterable[Obj]:
    return pod["spec"].get("volumes") or ()


def _claim_of(pod: Obj, volume: Obj) -> str:
    """Return the name of the claim a volume is about; an ephemeral volume's is made of the names of both."""
    if "ephemeral" in volume:
        return f"{pod['metadata']['name']}-{volume['name']}"
    return str((volume.get("persistentVolumeClaim") or {}).get("claimName") or "")


def _uses(pod: Obj, claim: Obj) -> bool:
    if not pod["spec"].get("nodeName"):
        return False
    for volume in _volumes(pod):
        if _claim_of(pod, volume) != claim["metadata"]["name"]:
            continue
        if "ephemeral" not in volume or (not _shut_down(pod) and owners.is_controlled_by(claim, pod)):
            return True
    return False


def _shut_down(pod: Obj) -> bool:
    """Say whether the kubelet has done with a Pod and only finalizers keep it."""
    metadata = pod["metadata"]
    return "deletionTimestamp" in metadata and metadata.get("deletionGracePeriodSeconds") == 0
