"""The phases of a volume, and what becomes of it when its claim has gone. Models syncVolume and reclaimVolume of pv_controller.go."""

from __future__ import annotations

import re
from typing import Any

from kit.embedded.core.clock import Clock
from kit.embedded.core.controller import Effects, View
from kit.embedded.core.effects import Delete, Emit, Patch
from kit.embedded.core.store import Key, Obj
from kit.embedded.parts import writing
from kit.errors import Status
from kit.kube import volumes

VOLUMES = "persistentvolumes"
DELETABLE = re.compile(r"/tmp/.+")  # of hostPath volumes, others are no business of the cluster  # noqa: S108


def sync(volume: Obj, view: View, clock: Clock) -> Effects:
    """Bring the phase of one volume up to date, and reclaim it when it is released."""
    ref = volume["spec"].get("claimRef")
    if not ref or not ref.get("uid"):
        yield from phase(volume, "Available", clock)
        return
    claim = view.get("persistentvolumeclaims", ref["namespace"], ref["name"])
    if claim is not None and claim["metadata"]["uid"] == ref["uid"]:
        yield from _claimed(volume, claim, clock)
        return
    if (volume.get("status") or {}).get("phase") not in ("Released", "Failed"):
        volume = yield from phase(volume, "Released", clock)
    if "deletionTimestamp" not in volume["metadata"]:
        yield from _reclaim(volume, clock)


def _claimed(volume: Obj, claim: Obj, clock: Clock) -> Effects:
    """Its claim is there: it is bound, still to be bound by the claim's own turn, or the claim went to another volume."""
    chosen = claim["spec"].get("volumeName")
    if chosen == volume["metadata"]["name"]:
        yield from phase(volume, "Bound", clock)
    elif chosen and volumes.annotation(volume, volumes.BOUND_BY_CONTROLLER):
        change = {"metadata": {"annotations": {volumes.BOUND_BY_CONTROLLER: None}}, "spec": {"claimRef": None}}
        volume = writing.checked((yield Patch(_key(volume), change, "merge")))
        yield from phase(volume, "Available", clock)


def _reclaim(volume: Obj, clock: Clock) -> Effects:
    policy, spec = volume["spec"].get("persistentVolumeReclaimPolicy"), volume["spec"]
    if (volume.get("status") or {}).get("phase") == "Failed":
        return
    if policy == "Recycle":
        yield from _failed(volume, "VolumeFailedRecycle", "No recycler plugin found for the volume!", clock)
    elif policy == "Delete" and not volumes.annotation(volume, volumes.PROVISIONED_BY):
        path = (spec.get("hostPath") or {}).get("path")
        name = volume["metadata"]["name"]
        if path is None:
            words = f'error getting deleter volume plugin for volume "{name}": no volume plugin matched'
            yield from _failed(volume, "VolumeFailedDelete", words, clock)
        elif not DELETABLE.match(path):
            words = f'host_path deleter only supports /tmp/.+ but received provided "{path}"'
            yield from _failed(volume, "VolumeFailedDelete", words, clock)
        else:
            gone = yield Delete(_key(volume))
            if isinstance(gone, Status) and gone.reason != "NotFound":
                raise gone


def _failed(volume: Obj, reason: str, message: str, clock: Clock) -> Effects:
    yield from phase(volume, "Failed", clock, message)
    yield Emit(volume, "Warning", reason, message)


def phase(volume: Obj, wanted: str, clock: Clock, message: str = "") -> Any:
    """Write a volume's phase unless it is that; return the volume as it is then."""
    have = volume.get("status") or {}
    if have.get("phase") == wanted and (have.get("message") or "") == message:
        return volume
    told = {"message": message} if message else {}
    return (yield from writing.status(volume, {"phase": wanted, "lastPhaseTransitionTime": clock.text(), **told}))


def _key(volume: Obj) -> Key:
    return Key(VOLUMES, "", volume["metadata"]["name"])
