"""Letting go of an object that is being deleted: a finalizer is taken off it by whoever answers for it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kit.embedded.core.controller import Mapper, View
from kit.embedded.core.effects import Patch
from kit.embedded.core.store import Event, Key, Obj
from kit.errors import Status


def waits_for(obj: Obj, finalizer: str) -> bool:
    """Say whether an object is being deleted and waits for this finalizer (protectionutil.IsDeletionCandidate)."""
    return "deletionTimestamp" in obj["metadata"] and finalizer in (obj["metadata"].get("finalizers") or ())


def waiting_for(finalizer: str) -> Mapper:
    """Map an event to its own object when that waits for this finalizer."""

    def keys(event: Event, view: View) -> Iterable[Key]:
        if event.type != "DELETED" and waits_for(event.obj, finalizer):
            yield event.key

    return keys


def release(key: Key, obj: Obj, finalizer: str) -> Any:
    """Take the finalizer off, of this very state of the object."""
    left = [name for name in obj["metadata"]["finalizers"] if name != finalizer]
    version = obj["metadata"]["resourceVersion"]
    answer = yield Patch(key, {"metadata": {"resourceVersion": version, "finalizers": left or None}}, "merge")
    if isinstance(answer, Status) and answer.reason != "NotFound":
        raise answer
