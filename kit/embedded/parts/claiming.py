"""Whose an object is: a controller adopts what matches its selector and nobody owns, and releases what no longer matches.

Models pkg/controller/controller_ref_manager.go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from kit.embedded.core.controller import Mapper, View, owner
from kit.embedded.core.effects import Patch
from kit.embedded.core.store import Event, Key, Obj
from kit.errors import Status
from kit.kube import owners, selectors
from kit.kube.selectors import Selector

Selects = Callable[[Obj], Selector]
Fits = Callable[[Obj], bool]


def by_selector(obj: Obj) -> Selector:
    """Return the label selector of a spec, as most kinds write it."""
    return selectors.of_object(obj["spec"]["selector"])


def members(kind: str, resource: str, selects: Selects = by_selector) -> Mapper:
    """Map what a controller owns to its owner, an orphan to all that would adopt it."""
    owned = owner(kind, resource)

    def keys(event: Event, view: View) -> Iterable[Key]:
        found = owned(event, view)
        labels = event.obj["metadata"].get("labels")
        if event.type == "DELETED" or not labels or owners.controller_of(event.obj) is not None:
            return found
        around = (one for one in view.list(resource, event.key.namespace) if selects(one).matches(labels))
        return [*found, *(Key(resource, event.key.namespace, one["metadata"]["name"]) for one in around)]

    return keys


def claimed(
    owner: Obj, resource: str, view: View, selects: Selects = by_selector, fits: Fits = lambda obj: True
) -> Any:
    """Adopt and release; return the objects of `resource` that are the owner's: those that its selector matches and that fit."""
    selector, dying = selects(owner), _dying(owner)
    mine = []
    for obj in view.owned(resource, owner["metadata"]["uid"]):
        if not owners.is_controlled_by(obj, owner):
            continue
        if selector.matches(obj["metadata"].get("labels")) and fits(obj):
            mine.append(obj)
        elif not dying:
            yield release(resource, obj, owner)
    for obj in () if dying else _loose(resource, owner["metadata"]["namespace"], view):
        if selector.matches(obj["metadata"].get("labels")) and fits(obj) and not _dying(obj):
            adopted = yield adopt(resource, obj, owner)
            mine += [] if isinstance(adopted, Status) else [adopted]
    return mine


def adopt(resource: str, obj: Obj, owner: Obj) -> Patch:
    """Return the patch that makes an object the owner's."""
    reference = owners.owner_reference(owner, controller=True)
    return Patch(_key(resource, obj), {"metadata": {"uid": obj["metadata"]["uid"], "ownerReferences": [reference]}})


def release(resource: str, obj: Obj, owner: Obj) -> Patch:
    """Return the patch that lets an object go."""
    drop = [{"$patch": "delete", "uid": owner["metadata"]["uid"]}]
    return Patch(_key(resource, obj), {"metadata": {"uid": obj["metadata"]["uid"], "ownerReferences": drop}})


def _loose(resource: str, namespace: str, view: View) -> Sequence[Obj]:
    if resource == "pods":
        return view.loose_pods(namespace)
    return [one for one in view.list(resource, namespace) if owners.controller_of(one) is None]


def _dying(obj: Obj) -> bool:
    return "deletionTimestamp" in obj["metadata"]


def _key(resource: str, obj: Obj) -> Key:
    return Key(resource, obj["metadata"]["namespace"], obj["metadata"]["name"])
