"""Deletes what its owners left behind, and finishes foreground and orphan deletions.

Models pkg/controller/garbagecollector/garbagecollector.go: an object whose owners are all gone is deleted in the
background; one that is being deleted with `foregroundDeletion` waits for its blocking dependents; `orphan` strips the references first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kit.embedded.core.controller import Effects, Mapper, View
from kit.embedded.core.effects import Delete, Emit, Patch
from kit.embedded.core.store import Event, Key, Obj
from kit.embedded.parts.finalizing import release
from kit.embedded.parts.registered import Watched
from kit.kube.kinds import Registry, Resource

FOREGROUND = "foregroundDeletion"
ORPHAN = "orphan"


class Garbage:
    """The garbage collector; its keys are objects of any kind."""

    name = "garbage-collector"
    user = "system:serviceaccount:kube-system:generic-garbage-collector"
    manager = "kube-controller-manager"
    component = "garbage-collector-controller"

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._watched = Watched(registry, self._mapped)

    @property
    def watches(self) -> Mapping[str, Mapper]:
        """Everything that can be listed and deleted, custom resources included."""
        return self._watched()

    def _mapped(self, found: Iterable[Resource]) -> Mapping[str, Mapper]:
        return dict.fromkeys(sorted({resource.group_resource for resource in found} - {"events"}), self._concerned)

    def reconcile(self, key: Key, view: View, now: int) -> Effects:
        """Look at one object: are its owners there, does it wait for its dependents?"""
        obj = view.at(key)
        if obj is None:
            return
        finalizers = obj["metadata"].get("finalizers") or []
        if "deletionTimestamp" in obj["metadata"]:
            if ORPHAN in finalizers:
                yield from self._orphan(key, obj, view)
            elif FOREGROUND in finalizers:
                yield from self._foreground(key, obj, view)
            return
        references = obj["metadata"].get("ownerReferences") or []
        if references:
            yield from self._attend(key, obj, references, view)

    def _attend(self, key: Key, obj: Obj, references: Sequence[Obj], view: View) -> Any:
        """Delete an object whose owners are all gone; drop the references to those that are."""
        owners = [(reference, self._owner(key, reference, view)) for reference in references]
        solid = [reference for reference, owner in owners if owner is not None and not _waits(owner)]
        gone = [reference["uid"] for reference, owner in owners if owner is None]
        waiting = [reference["uid"] for reference, owner in owners if owner is not None and _waits(owner)]
        if solid and (gone or waiting):
            yield Patch(key, _without(obj, {*gone, *waiting}), "strategic")
        elif not solid and waiting:
            policy = "Foreground" if self._dependents(obj, view) else "Background"
            yield Delete(key, {"propagationPolicy": policy, "preconditions": {"uid": obj["metadata"]["uid"]}})
        elif not solid:
            for reference, owner in owners:
                if owner is None and self._elsewhere(key, reference, view):
                    message = _foreign(reference, key.namespace)
                    yield Emit(obj, "Warning", "OwnerRefInvalidNamespace", message)
            yield Delete(key, {"propagationPolicy": _policy(obj), "preconditions": {"uid": obj["metadata"]["uid"]}})

    def _foreground(self, key: Key, obj: Obj, view: View) -> Any:
        blocking = False
        for dependent_key, dependent in self._dependents(obj, view):
            reference = next(r for r in dependent["metadata"]["ownerReferences"] if r["uid"] == obj["metadata"]["uid"])
            blocking |= bool(reference.get("blockOwnerDeletion"))
            if "deletionTimestamp" not in dependent["metadata"]:
                yield from self._attend(dependent_key, dependent, dependent["metadata"]["ownerReferences"], view)
        if not blocking:
            yield from release(key, obj, FOREGROUND)

    def _orphan(self, key: Key, obj: Obj, view: View) -> Any:
        for dependent_key, dependent in self._dependents(obj, view):
            yield Patch(dependent_key, _without(dependent, {obj["metadata"]["uid"]}), "strategic")
        yield from release(key, obj, ORPHAN)

    def _owner(self, key: Key, reference: Obj, view: View) -> Obj | None:
        """Return the living owner a reference names, or None; the uid must be the same."""
        resource = self._registry.by_kind(reference["apiVersion"], reference["kind"])
        if resource is None:
            return reference  # a kind we do not know: upstream keeps the object and retries
        found = view.get(resource.group_resource, key.namespace if resource.namespaced else "", reference["name"])
        return found if found is not None and found["metadata"]["uid"] == reference["uid"] else None

    def _elsewhere(self, key: Key, reference: Obj, view: View) -> bool:
        resource = self._registry.by_kind(reference["apiVersion"], reference["kind"])
        found = view.list(resource.group_resource) if resource is not None and resource.namespaced else ()
        return any(
            o["metadata"]["uid"] == reference["uid"] and o["metadata"]["namespace"] != key.namespace for o in found
        )

    def _dependents(self, obj: Obj, view: View) -> list[tuple[Key, Obj]]:
        uid = obj["metadata"]["uid"]
        return [
            (Key(resource, dependent["metadata"].get("namespace", ""), dependent["metadata"]["name"]), dependent)
            for resource in view.resources()
            if resource in self.watches
            for dependent in view.owned(resource, uid)
        ]

    def _concerned(self, event: Event, view: View) -> Iterable[Key]:
        """Map a change to the objects whose fate it may decide: itself, its dependents, its owners."""
        if event.type != "DELETED":
            metadata = event.obj["metadata"]
            if metadata.get("ownerReferences") or ("deletionTimestamp" in metadata and metadata.get("finalizers")):
                yield event.key
        if event.type == "DELETED" or (_waits(event.obj) and not (event.old and _waits(event.old.obj))):
            yield from (key for key, _ in self._dependents(event.obj, view))
        before = (event.old.obj["metadata"].get("ownerReferences") or []) if event.old else []
        for reference in before:
            resource = self._registry.by_kind(reference["apiVersion"], reference["kind"])
            if resource is not None:
                yield Key(
                    resource.group_resource, event.key.namespace if resource.namespaced else "", reference["name"]
                )


def _foreign(reference: Obj, namespace: str) -> str:
    named = f"{reference['apiVersion']}/{reference['kind']}, namespace: {namespace}, name: {reference['name']}, uid: {reference['uid']}"
    return f'ownerRef [{named}] does not exist in namespace "{namespace}"'


def _waits(obj: Obj) -> bool:
    metadata = obj.get("metadata") or {}
    return "deletionTimestamp" in metadata and FOREGROUND in (metadata.get("finalizers") or [])


def _policy(obj: Obj) -> str:
    finalizers = obj["metadata"].get("finalizers") or []
    return "Orphan" if ORPHAN in finalizers else "Foreground" if FOREGROUND in finalizers else "Background"


def _without(obj: Obj, uids: set[str]) -> Obj:
    drops = [{"$patch": "delete", "uid": uid} for uid in sorted(uids)]
    return {"metadata": {"uid": obj["metadata"]["uid"], "ownerReferences": drops}}
