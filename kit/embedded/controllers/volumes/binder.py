"""Binds claims to volumes. Models pkg/controller/volume/persistentvolume/pv_controller.go.

A claim waits in Pending until a volume suits it, a provisioner makes one, or (WaitForFirstConsumer) the scheduler has chosen a node.
What waits is looked at again every 15 s, as upstream's resync does.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kit.embedded.controllers.volumes import reclaiming
from kit.embedded.core.clock import Clock
from kit.embedded.core.controller import Effects, Mapper, View
from kit.embedded.core.effects import After, Emit, Patch
from kit.embedded.core.store import Event, Key, Obj
from kit.embedded.parts import writing
from kit.kube import volumes

CLAIMS, VOLUMES, CLASSES = "persistentvolumeclaims", "persistentvolumes", "storageclasses.storage.k8s.io"
RESYNC_MS = 15_000
WAITING = (
    "Waiting for a volume to be created either by the external provisioner '{}' or manually by the system administrator. "
    "If volume creation is delayed, please verify that the provisioner is running and correctly registered."
)
NOTHING = "no persistent volumes available for this claim and no storage class is set"
LOST_NAME = "Bound claim has lost reference to PersistentVolume. Data on the volume is lost!"
LOST = "Bound claim has lost its PersistentVolume. Data on the volume is lost!"
MISBOUND = "Two claims are bound to the same volume, this one is bound incorrectly"


class Binder:
    """The persistent volume controller."""

    name = "persistentvolume-binder-controller"
    user = "system:serviceaccount:kube-system:persistent-volume-binder"
    manager = "kube-controller-manager"
    component = "persistentvolume-controller"

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.watches: dict[str, Mapper] = {CLAIMS: _claim_changed, VOLUMES: _volume_changed, CLASSES: _waiting}

    def reconcile(self, key: Key, view: View, now: int) -> Effects:
        """Take one claim or one volume a step further."""
        obj = view.at(key)
        if obj is None:
            return
        if key.resource == VOLUMES:
            yield from reclaiming.sync(obj, view, self._clock)
        elif volumes.annotation(obj, volumes.BIND_COMPLETED):
            yield from self._bound(obj, view)
        elif "deletionTimestamp" not in obj["metadata"]:
            yield from self._unbound(obj, view)

    # --- claims that wait ---

    def _unbound(self, claim: Obj, view: View) -> Effects:
        name = claim["spec"].get("volumeName")
        if name:
            volume = view.get(VOLUMES, "", name)
            bound = volume is not None and (yield from self._named(claim, volume))
        else:
            bound = yield from self._any(claim, view)
        if not bound:
            yield from writing.status(claim, {**(claim.get("status") or {}), "phase": "Pending"})
            yield After(RESYNC_MS, housekeeping=True)

    def _any(self, claim: Obj, view: View) -> Any:
        """Bind a claim to the volume that suits it best, or say what it waits for."""
        kind = view.get(CLASSES, "", volumes.class_of(claim))
        delayed = volumes.waits(kind) and not volumes.annotation(claim, volumes.SELECTED_NODE)
        volume = volumes.best(view.list(VOLUMES), claim, delayed=delayed)
        if volume is not None:
            yield from self._bind(claim, volume)
            return True
        if delayed:
            yield _first_consumer(claim, view)
        elif volumes.class_of(claim):
            yield from _provision(claim, kind)
        else:
            yield Emit(claim, "Normal", "FailedBinding", NOTHING)
        return False

    def _named(self, claim: Obj, volume: Obj) -> Any:
        """Bind a claim to the volume it asks for by name."""
        name = volume["metadata"]["name"]
        if not volume["spec"].get("claimRef"):
            wrong = volumes.misfit(volume, claim)
            if wrong:
                yield Emit(claim, "Warning", "VolumeMismatch", f'Cannot bind to requested volume "{name}": {wrong}')
                return False
        elif not volumes.refers_to(volume, claim):
            yield Emit(claim, "Warning", "FailedBinding", f'volume "{name}" already bound to a different claim.')
            return False
        yield from self._bind(claim, volume)
        return True

    # --- binding ---

    def _bound(self, claim: Obj, view: View) -> Effects:
        """See that a bound claim and its volume know each other still."""
        name = claim["spec"].get("volumeName")
        volume = view.get(VOLUMES, "", name) if name else None
        if volume is None:
            yield from self._lost(claim, "ClaimLost", LOST if name else LOST_NAME)
        elif not volume["spec"].get("claimRef") or volumes.refers_to(volume, claim):
            yield from self._bind(claim, volume)
        else:
            yield from self._lost(claim, "ClaimMisbound", MISBOUND)

    def _lost(self, claim: Obj, reason: str, message: str) -> Effects:
        if (claim.get("status") or {}).get("phase") == "Lost":
            return
        left = {name: value for name, value in claim["status"].items() if name not in ("accessModes", "capacity")}
        yield from writing.status(claim, {**left, "phase": "Lost"})
        yield Emit(claim, "Warning", reason, message)

    def _bind(self, claim: Obj, volume: Obj) -> Effects:
        """Write both sides, the volume first; what is written already is left alone."""
        volume = yield from _reserve(claim, volume)
        yield from reclaiming.phase(volume, "Bound", self._clock)
        name, told = volume["metadata"]["name"], {volumes.BIND_COMPLETED: "yes"}
        if claim["spec"].get("volumeName") != name:
            told[volumes.BOUND_BY_CONTROLLER] = "yes"
        if claim["spec"].get("volumeName") != name or not volumes.is_bound(claim):
            change = {"metadata": {"annotations": told}, "spec": {"volumeName": name}}
            claim = writing.checked((yield Patch(_key(claim), change, "merge")))
        have = claim.get("status") or {}
        wanted = {**have, "phase": "Bound", "accessModes": volume["spec"]["accessModes"]}
        if have.get("phase") != "Bound":
            wanted["capacity"] = volume["spec"]["capacity"]
        yield from writing.status(claim, wanted)


def _reserve(claim: Obj, volume: Obj) -> Any:
    """Write the claim into a volume; return the volume as it is then."""
    metadata, ref = claim["metadata"], volume["spec"].get("claimRef") or {}
    if ref.get("uid") == metadata["uid"]:
        return volume
    known = {key: metadata[key] for key in ("namespace", "name", "uid", "resourceVersion")}
    change: Obj = {"spec": {"claimRef": {"apiVersion": "v1", "kind": "PersistentVolumeClaim", **known}}}
    if not ref:
        change["metadata"] = {"annotations": {volumes.BOUND_BY_CONTROLLER: "yes"}}
    return writing.checked((yield Patch(Key(VOLUMES, "", volume["metadata"]["name"]), change, "merge")))


def _provision(claim: Obj, kind: Obj | None) -> Effects:
    """Leave a claim to its provisioner, or say why there is none."""
    name = volumes.class_of(claim)
    provisioner = str((kind or {}).get("provisioner") or "")
    if kind is None:
        yield Emit(claim, "Warning", "ProvisioningFailed", f'storageclass.storage.k8s.io "{name}" not found')
    elif provisioner == volumes.NO_PROVISIONER:
        return
    elif provisioner.startswith("kubernetes.io/"):
        yield Emit(claim, "Warning", "ProvisioningFailed", f"no volume plugin matched name: {provisioner}")
    else:
        if volumes.annotation(claim, volumes.PROVISIONER) != provisioner:
            told = {volumes.BETA_PROVISIONER: provisioner, volumes.PROVISIONER: provisioner}
            writing.checked((yield Patch(_key(claim), {"metadata": {"annotations": told}}, "merge")))
        yield Emit(claim, "Normal", "ExternalProvisioning", WAITING.format(provisioner))


def _first_consumer(claim: Obj, view: View) -> Emit:
    """Say what a claim that is bound late waits for."""
    for pod in view.list("pods", claim["metadata"]["namespace"]):
        if claim["metadata"]["name"] in volumes.claims_of(pod) and not pod["spec"].get("nodeName"):
            words = f"waiting for pod {pod['metadata']['name']} to be scheduled"
            return Emit(claim, "Normal", "WaitForPodScheduled", words)
    return Emit(claim, "Normal", "WaitForFirstConsumer", "waiting for first consumer to be created before binding")


def _key(claim: Obj) -> Key:
    return Key(CLAIMS, claim["metadata"]["namespace"], claim["metadata"]["name"])


def _claim_changed(event: Event, view: View) -> Iterable[Key]:
    """Map a claim to itself unless only its status changed, and to its volume when it goes."""
    if event.type == "DELETED":
        yield from _kept_for(event, view)
    elif event.old is None or _settled(event.old.obj) != _settled(event.obj):
        yield event.key


def _settled(claim: Obj) -> Any:
    return claim["spec"], claim["metadata"].get("annotations"), "deletionTimestamp" in claim["metadata"]


def _kept_for(event: Event, view: View) -> Iterable[Key]:
    for volume in view.list(VOLUMES):
        if ((volume["spec"].get("claimRef") or {}).get("uid")) == event.obj["metadata"]["uid"]:
            yield Key(VOLUMES, "", volume["metadata"]["name"])


def _volume_changed(event: Event, view: View) -> Iterable[Key]:
    """Map a volume to itself, to its claim, and while it is free to the claims that wait."""
    if event.type != "DELETED":
        yield event.key
    ref = event.obj["spec"].get("claimRef")
    if ref:
        yield Key(CLAIMS, ref.get("namespace") or "", ref.get("name") or "")
    elif event.old is None or event.old.obj.get("status") != event.obj.get("status"):
        yield from _waiting(event, view)


def _waiting(event: Event, view: View) -> Iterable[Key]:
    for claim in view.list(CLAIMS):
        if not volumes.annotation(claim, volumes.BIND_COMPLETED) and _may_concern(event, claim):
            yield _key(claim)


def _may_concern(event: Event, claim: Obj) -> bool:
    of = event.key.name if event.key.resource == CLASSES else volumes.class_of(event.obj)
    return of == volumes.class_of(claim)
