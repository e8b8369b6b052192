"""Custom resource definitions: their names are accepted or not, and what is deleted takes its objects with it.

Models apiextensions-apiserver/pkg/controller/{status/naming_controller,establish/establishing_controller,finalizer/crd_finalizer}.go.
They run in the API server there, so they write as it does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from kit.embedded.api.definitions import DEFINITIONS
from kit.embedded.api.deleting import CLEANUP
from kit.embedded.core.clock import Clock
from kit.embedded.core.controller import Effects, Mapper, View
from kit.embedded.core.effects import After, Delete, Update
from kit.embedded.core.store import Event, Key, Obj
from kit.embedded.parts.finalizing import release
from kit.errors import Status
from kit.kube.custom.definition import condition, established
from kit.kube.kinds import Registry

RETRY_MS = 5000
TERMINATING = {
    "begun": ("True", "InstanceDeletionInProgress", "CustomResource deletion is in progress"),
    "done": ("False", "InstanceDeletionCompleted", "removed all instances"),
}


class Definitions:
    """The naming, establishing and finalizing controllers in one."""

    name = "crd-controller"
    user = "system:apiserver"
    manager = "kube-apiserver"
    component = "crd-controller"

    def __init__(self, clock: Clock, registry: Registry) -> None:
        self._clock = clock
        self._registry = registry
        self.watches: Mapping[str, Mapper] = {DEFINITIONS: _group}

    def reconcile(self, key: Key, view: View, now: int) -> Effects:
        """Settle the names of a definition, or empty it when it is being deleted."""
        crd = view.at(key)
        if crd is None:
            return
        if "deletionTimestamp" in crd["metadata"]:
            if CLEANUP in (crd["metadata"].get("finalizers") or ()):
                yield from self._empty(key, crd, view)
            return
        wanted = self._named(crd, view)
        if wanted != crd.get("status"):
            yield from _settled(Update({**crd, "status": wanted}, "status"))

    def _named(self, crd: Obj, view: View) -> Obj:
        """Return the status of a definition with what may be had of the names it asks for."""
        have = crd.get("status") or {}
        taken, free = self._taken(crd, view), dict(have.get("acceptedNames") or {})
        problem: tuple[str, str] | None = None
        asked = crd["spec"]["names"]
        for field, reason in _SINGLE:
            value = asked.get(field) or ""
            if value and value in taken[field]:
                problem = (f"{reason}Conflict", f'"{value}" is already in use')
            elif value:
                free[field] = value
        clashes = sorted(set(asked.get("shortNames") or ()) & taken["shortNames"])
        if clashes:
            problem = ("ShortNamesConflict", ", ".join(f'"{one}" is already in use' for one in clashes))
        elif asked.get("shortNames"):
            free["shortNames"] = asked["shortNames"]
        else:
            free.pop("shortNames", None)
        if asked.get("categories"):
            free["categories"] = asked["categories"]
        accepted = {"plural": "", "kind": ""} | {key: free[key] for key in _ORDER if key in free}
        conditions = self._conditions(crd, problem)
        return {**have, "conditions": conditions, "acceptedNames": {k: accepted[k] for k in _ORDER if k in accepted}}

    def _conditions(self, crd: Obj, problem: tuple[str, str] | None) -> list[Obj]:
        if problem is None:
            names = ("True", "NoConflicts", "no conflicts found")
            ready = ("True", "InitialNamesAccepted", "the initial names have been accepted")
        else:
            names = ("False", *problem)
            ready = ("False", "NotAccepted", "not all names are accepted")
        told = [("NamesAccepted", *names)]
        if problem is None or not established(crd):  # what was established stays so
            told.append(("Established", *ready))
        return self._with(crd, *told)

    def _with(self, crd: Obj, *told: tuple[str, str, str, str]) -> list[Obj]:
        """Return the conditions of a definition with some of them told anew."""
        out = list((crd.get("status") or {}).get("conditions") or ())
        for type, status, reason, message in told:
            one = {"type": type, "status": status, "lastTransitionTime": "", "reason": reason, "message": message}
            place = next((index for index, old in enumerate(out) if old["type"] == type), None)
            same = place is not None and out[place]["status"] == status
            one["lastTransitionTime"] = (
                out[place]["lastTransitionTime"] if same and place is not None else self._clock.text()
            )
            out[len(out) if place is None else place : len(out) if place is None else place + 1] = [one]
        return out

    def _taken(self, crd: Obj, view: View) -> dict[str, set[str]]:
        """Return the names that others of the group have: built-in kinds and accepted definitions."""
        group = crd["spec"]["group"]
        out: dict[str, set[str]] = {field: set() for field in ("plural", "singular", "kind", "listKind", "shortNames")}
        for other in view.list(DEFINITIONS):
            names = (other.get("status") or {}).get("acceptedNames") or {}
            if other["spec"]["group"] != group or other["metadata"]["name"] == crd["metadata"]["name"]:
                continue
            _note(out, names)
        return _shared(out)

    def _empty(self, key: Key, crd: Obj, view: View) -> Any:
        """Delete every object of a definition; when none is left, let it go."""
        resource = f"{crd['spec']['names']['plural']}.{crd['spec']['group']}"
        if condition(crd, "Terminating") == "True" and not _told(crd, "InstanceDeletionInProgress"):
            crd = yield from self._tell(crd, "begun")
        for obj in view.list(resource):
            if "deletionTimestamp" not in obj["metadata"]:
                meta = obj["metadata"]
                yield Delete(Key(resource, meta.get("namespace", ""), meta["name"]))
        if view.list(resource):
            yield After(RETRY_MS)
            return
        crd = yield from self._tell(crd, "done")
        yield from release(key, crd, CLEANUP)

    def _tell(self, crd: Obj, what: str) -> Any:
        status = {**(crd.get("status") or {}), "conditions": self._with(crd, ("Terminating", *TERMINATING[what]))}
        return (yield from _settled(Update({**crd, "status": status}, "status")))


_ORDER = ("plural", "singular", "shortNames", "kind", "listKind", "categories")
_SINGLE = (("plural", "Plural"), ("singular", "Singular"), ("kind", "Kind"), ("listKind", "ListKind"))


def _told(crd: Obj, reason: str) -> bool:
    return any(one["reason"] == reason for one in (crd.get("status") or {}).get("conditions") or ())


def _note(out: dict[str, set[str]], names: Obj) -> None:
    for field, known in out.items():
        value = names.get(field) or ()
        known.update([value] if isinstance(value, str) else value)


def _shared(out: dict[str, set[str]]) -> dict[str, set[str]]:
    """Return the names with those that stand for one another together: words a person types, and kinds."""
    words, kinds = out["plural"] | out["singular"] | out["shortNames"], out["kind"] | out["listKind"]
    return {"plural": words, "singular": words, "shortNames": words, "kind": kinds, "listKind": kinds}


def _settled(update: Update) -> Iterator[Any]:
    answer = yield update
    if isinstance(answer, Status):
        raise answer
    return answer


def _group(event: Event, view: View) -> Iterable[Key]:
    """Map a change to its definition and to those of the same group: names may have become free."""
    yield event.key
    for other in view.list(DEFINITIONS) if event.type == "DELETED" else ():
        if other["spec"]["group"] == event.obj["spec"]["group"]:
            yield Key(DEFINITIONS, "", other["metadata"]["name"])
