"""Lets a class of volume attributes that is being deleted go when no volume and no claim names it.

Models pkg/controller/volume/vacprotection/vac_protection_controller.go.
"""

from __future__ import annotations

from collections.abc import Iterable

from kit.embedded.core.controller import Effects, Mapper, View
from kit.embedded.core.store import Event, Key, Obj
from kit.embedded.parts.finalizing import release, waiting_for, waits_for

FINALIZER = "kubernetes.io/vac-protection"
CLASSES = "volumeattributesclasses.storage.k8s.io"
USERS = ("persistentvolumes", "persistentvolumeclaims")


class AttributesProtection:
    """The VAC protection controller; the finalizer itself is added by admission."""

    name = "volumeattributesclass-protection-controller"
    user = "system:serviceaccount:kube-system:volumeattributesclass-protection-controller"
    manager = "kube-controller-manager"
    component = "volumeattributesclass-protection-controller"

    def __init__(self) -> None:
        self.watches: dict[str, Mapper] = {CLASSES: waiting_for(FINALIZER), **dict.fromkeys(USERS, _named)}

    def reconcile(self, key: Key, view: View, now: int) -> Effects:
        """Take the finalizer off one class when nothing names it."""
        found = view.at(key)
        if found is None or not waits_for(found, FINALIZER):
            return
        if not any(key.name in _names(one) for resource in USERS for one in view.list(resource)):
            yield from release(key, found, FINALIZER)


def _names(obj: Obj) -> tuple[str, ...]:
    """Return the classes a volume or claim names: the one it wants, the one it has, the one it is being changed to."""
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    changing = (status.get("modifyVolumeStatus") or {}).get("targetVolumeAttributesClassName")
    given = (spec.get("volumeAttributesClassName"), status.get("currentVolumeAttributesClassName"), changing)
    return tuple(name for name in given if name)


def _named(event: Event, view: View) -> Iterable[Key]:
    """Map a volume or claim that is gone, or names another class now, to those it named."""
    before = _names(event.old.obj) if event.old else _names(event.obj) if event.type == "DELETED" else ()
    now = () if event.type == "DELETED" else _names(event.obj)
    for name in dict.fromkeys(before):
        if name not in now:
            yield Key(CLASSES, "", name)
