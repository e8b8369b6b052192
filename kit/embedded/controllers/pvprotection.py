"""Lets a volume that is being deleted go when it is bound to no claim.

Models pkg/controller/volume/pvprotection/pv_protection_controller.go.
"""

from __future__ import annotations

from kit.embedded.core.controller import Effects, Mapper, View
from kit.embedded.core.store import Key
from kit.embedded.parts.finalizing import release, waiting_for, waits_for

FINALIZER = "kubernetes.io/pv-protection"


class VolumeProtection:
    """The PV protection controller; the finalizer itself is added by admission."""

    name = "persistentvolume-protection-controller"
    user = "system:serviceaccount:kube-system:pv-protection-controller"
    manager = "kube-controller-manager"
    component = "persistentvolume-protection-controller"

    def __init__(self) -> None:
        self.watches: dict[str, Mapper] = {"persistentvolumes": waiting_for(FINALIZER)}

    def reconcile(self, key: Key, view: View, now: int) -> Effects:
        """Take the finalizer off one volume when it is not bound."""
        volume = view.at(key)
        if volume is None or not waits_for(volume, FINALIZER):
            return
        if (volume.get("status") or {}).get("phase") != "Bound":
            yield from release(key, volume, FINALIZER)
