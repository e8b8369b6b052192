"""The revisions of a template, kept as ControllerRevisions: found, numbered, made, thinned out.

Models pkg/controller/history/controller_history.go and the like of it in pkg/controller/daemon/update.go: a `Keeper` says what
differs between the two.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from kit.embedded.core.controller import View
from kit.embedded.core.effects import Create, Delete, Patch
from kit.embedded.core.store import Key, Obj
from kit.embedded.parts import claiming, writing
from kit.errors import Status
from kit.kube import copies, owners

REVISIONS = "controllerrevisions.apps"
HASH = "controller-revision-hash"  # the label of a Pod that says of which revision it is


@dataclass(frozen=True, slots=True)
class Keeper:
    """Whose history: the label of a revision that carries its hash, and how that is computed from owner, data and collisions."""

    label: str
    digest: Callable[[Obj, Obj, int | None], str]


def recorded(owner: Obj, keeper: Keeper, view: View) -> Any:
    """Return (the revision of the present template, all revisions by number), made or renumbered where needed."""
    known = yield from claiming.claimed(owner, REVISIONS, view)
    known = sorted(known, key=_order)
    data = data_of(owner)
    equal = [one for one in known if one.get("data") == data]
    if not equal:
        current = yield from _made(owner, keeper, data, _next(known), view)
    elif equal[-1] is known[-1]:
        return equal[-1], known
    else:  # an older template is wanted again: its revision becomes the newest
        current = writing.checked((yield Patch(key_of(equal[-1]), {"revision": _next(known)}, "merge")))
    return current, [*(one for one in known if one["metadata"]["uid"] != current["metadata"]["uid"]), current]


def thinned(owner: Obj, revisions: Sequence[Obj], live: Collection[str]) -> Any:
    """Delete the oldest revisions beyond revisionHistoryLimit, none of those named as live."""
    old = [one for one in revisions if one["metadata"]["name"] not in live]
    for one in old[: max(0, len(old) - owner["spec"].get("revisionHistoryLimit", 10))]:
        gone = yield Delete(key_of(one))
        if isinstance(gone, Status) and gone.reason != "NotFound":
            raise gone


def data_of(owner: Obj) -> Obj:
    """Return what a revision keeps: a patch that sets the template."""
    return {"spec": {"template": {**owner["spec"]["template"], "$patch": "replace"}}}


def template_of(revision: Obj) -> Obj:
    """Return the template that a revision keeps."""
    return {key: value for key, value in revision["data"]["spec"]["template"].items() if key != "$patch"}


def key_of(revision: Obj) -> Key:
    """Return where a revision is kept."""
    return Key(REVISIONS, revision["metadata"]["namespace"], revision["metadata"]["name"])


def _made(owner: Obj, keeper: Keeper, data: Obj, number: int, view: View) -> Any:
    """Create a revision; one whose name is taken by another template gets another name next time."""
    state = owner.get("status") or {}
    collisions = state.get("collisionCount")
    wanted = _revision(owner, keeper, data, number, collisions)
    made = yield Create(wanted)
    if isinstance(made, Status) and made.reason == "AlreadyExists":
        there = view.at(key_of(wanted))
        if there is not None and there.get("data") == data:
            return there
        yield from writing.status(owner, {**state, "collisionCount": (collisions or 0) + 1})
    return writing.checked(made)


def _revision(owner: Obj, keeper: Keeper, data: Obj, number: int, collisions: int | None) -> Obj:
    metadata, digest = owner["metadata"], keeper.digest(owner, data, collisions)
    labels = (owner["spec"]["template"].get("metadata") or {}).get("labels") or {}
    made: Obj = {
        "name": f"{metadata['name'][:223]}-{digest}",
        "namespace": metadata["namespace"],
        "labels": {**labels, keeper.label: digest},
        "ownerReferences": [owners.owner_reference(owner, controller=True)],
    }
    made |= {"annotations": dict(metadata["annotations"])} if metadata.get("annotations") else {}
    kind = {"apiVersion": "apps/v1", "kind": "ControllerRevision"}
    return {**kind, "metadata": made, "data": copies.in_order(data), "revision": number}


def _next(known: Sequence[Obj]) -> int:
    return 1 + max((int(one["revision"]) for one in known), default=0)


def _order(revision: Obj) -> tuple[Any, ...]:
    return revision["revision"], revision["metadata"]["creationTimestamp"], revision["metadata"]["name"]
