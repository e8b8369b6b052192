"""Keeps the condition Unused of bound claims. Models pkg/controller/volume/pvcprotection (PersistentVolumeClaimUnusedSinceTime)."""

from __future__ import annotations

from collections.abc import Iterable

from kit.embedded.core.clock import Clock
from kit.embedded.core.controller import Effects, Mapper, View, itself
from kit.embedded.core.store import Event, Key
from kit.embedded.parts import writing
from kit.kube import pods, volumes

CLAIMS = "persistentvolumeclaims"
WORDS = {
    "True": ("NoPodsUsingPVC", "No pods are currently referencing this PVC"),
    "False": ("PodUsingPVC", "A pod is currently referencing this PVC"),
}


class ClaimUse:
    """The part of the PVC protection controller that tells which claims are used."""

    name = "persistentvolumeclaim-usage"
    user = "system:serviceaccount:kube-system:pvc-protection-controller"
    manager = "kube-controller-manager"
    component = "persistentvolumeclaim-protection-controller"

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.watches: dict[str, Mapper] = {CLAIMS: itself, "pods": _used}

    def reconcile(self, key: Key, view: View, now: int) -> Effects:
        """Write the condition of one claim."""
        claim = view.at(key)
        if (
            claim is None
            or (claim.get("status") or {}).get("phase") != "Bound"
            or "deletionTimestamp" in claim["metadata"]
        ):
            return
        using = any(
            key.name in volumes.claims_of(pod) and not pods.is_terminal(pod) for pod in view.list("pods", key.namespace)
        )
        before, wanted = pods.condition(claim, "Unused"), "False" if using else "True"
        if before and before["status"] == wanted:
            return
        reason, message = WORDS[wanted]
        told = {
            "type": "Unused", "status": wanted, "lastProbeTime": None, "lastTransitionTime": self._clock.text(),
            "reason": reason, "message": message,
        }  # fmt: skip
        others = [one for one in claim["status"].get("conditions") or () if one["type"] != "Unused"]
        yield from writing.status(claim, {**claim["status"], "conditions": [*others, told]})


def _used(event: Event, view: View) -> Iterable[Key]:
    """Map a Pod to its claims as it comes, ends and goes."""
    if event.old is None or event.type == "DELETED" or pods.is_terminal(event.obj) != pods.is_terminal(event.old.obj):
        for name in volumes.claims_of(event.obj):
            yield Key(CLAIMS, event.key.namespace, name)
