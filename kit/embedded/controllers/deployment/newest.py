"""The ReplicaSet of a Deployment's present template: found and renumbered, or made. Models getNewReplicaSet in sync.go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kit.embedded.controllers.deployment import revisions, status
from kit.embedded.controllers.deployment.scaling import first_size, others
from kit.embedded.controllers.deployment.writing import checked, key_of, write_status
from kit.embedded.core.clock import Clock
from kit.embedded.core.effects import Create, Emit, Patch
from kit.embedded.core.store import Obj
from kit.embedded.parts import hashes
from kit.errors import Status

_SIZES = (revisions.DESIRED, revisions.MAXIMUM)
_FAILED = "ReplicaSetCreateError"


def found_or_made(deployment: Obj, sets: Sequence[Obj], clock: Clock) -> Any:
    """Return (deployment, its new ReplicaSet) after both carry their revision."""
    found = revisions.find_new(deployment, sets)
    if found is not None:
        return (yield from found_again(deployment, found, sets, clock))
    return (yield from _made(deployment, sets, clock))


def found_again(deployment: Obj, found: Obj, sets: Sequence[Obj], clock: Clock) -> Any:
    """Return (deployment, ReplicaSet) after the ReplicaSet's revision and copies are as they must be."""
    new = yield from _renumbered(deployment, found, others(sets, found))
    state = deployment.get("status") or {}
    untold = status.find(state.get("conditions") or [], "Progressing") is None
    if untold and deployment["spec"].get("progressDeadlineSeconds") is not None:
        words = f'Found new replica set "{new["metadata"]["name"]}"'
        state = _noted(state, "True", "FoundNewReplicaSet", words, clock)
    return (yield from write_status(deployment, state, revisions.revision(new))), new


def _made(deployment: Obj, sets: Sequence[Obj], clock: Clock) -> Any:
    state = deployment.get("status") or {}
    number, size = revisions.next_revision(sets), first_size(deployment, sets)
    made = yield Create(revisions.make(deployment, size, number, state.get("collisionCount")))
    if isinstance(made, Status):
        yield from _refused(deployment, state, made, clock)
        raise made
    name = made["metadata"]["name"]
    if size:
        yield Emit(deployment, "Normal", "ScalingReplicaSet", f"Scaled up replica set {name} from 0 to {size}")
    if deployment["spec"].get("progressDeadlineSeconds") is not None:
        state = _noted(state, "True", "NewReplicaSetCreated", f'Created new replica set "{name}"', clock)
    return (yield from write_status(deployment, state, number)), made


def _refused(deployment: Obj, state: Obj, error: Status, clock: Clock) -> Any:
    """Note a refused ReplicaSet; one whose name is taken by another template is made under another name next time."""
    causes = (error.details or {}).get("causes") or ()
    if error.reason == "AlreadyExists":
        yield from write_status(deployment, {**state, "collisionCount": state.get("collisionCount", 0) + 1})
    elif not any(cause.get("reason") == "NamespaceTerminating" for cause in causes):
        number = state.get("collisionCount")
        name = f"{deployment['metadata']['name']}-{hashes.of_template(deployment['spec']['template'], number)}"
        words = f'Failed to create new replica set "{name}": {error.message}'
        if deployment["spec"].get("progressDeadlineSeconds") is not None:
            yield from write_status(deployment, _noted(state, "False", _FAILED, words, clock))
        yield Emit(deployment, "Warning", _FAILED, words)


def _renumbered(deployment: Obj, new: Obj, old: Sequence[Obj]) -> Any:
    number = max(revisions.next_revision(old), revisions.revision(new))
    wanted = revisions.renumbered(deployment, new, number)
    late = {key: value for key, value in wanted.items() if key not in _SIZES and revisions.notes(new).get(key) != value}
    patch: Obj = {"metadata": {"annotations": late}} if late else {}
    ready = deployment["spec"].get("minReadySeconds", 0)
    if new["spec"].get("minReadySeconds", 0) != ready:
        patch["spec"] = {"minReadySeconds": ready}
    return checked((yield Patch(key_of(new), patch, "merge"))) if patch else new


def _noted(state: Obj, value: str, reason: str, message: str, clock: Clock) -> Obj:
    conditions = list(state.get("conditions") or [])
    status.put(conditions, "Progressing", value, reason, message, clock)
    return {**state, "conditions": conditions}
