"""Says of each FlowSchema whether its priority level is there, and brings back those of the API server's own that were deleted.

Models k8s.io/apiserver/pkg/util/flowcontrol/apf_controller.go (syncOne) and pkg/registry/flowcontrol/rest/storage_flowcontrol.go,
which looks for what is missing once a minute. Requests are not queued by priority here: nobody waits for them.
"""

from __future__ import annotations

from collections.abc import Iterable

from kit.embedded.api import standing
from kit.embedded.core.clock import Clock
from kit.embedded.core.controller import Effects, Mapper, View, itself
from kit.embedded.core.effects import After, Create, Patch
from kit.embedded.core.store import Event, Key, Obj
from kit.errors import Status

GROUP = "flowcontrol.apiserver.k8s.io"
SCHEMAS, LEVELS = f"flowschemas.{GROUP}", f"prioritylevelconfigurations.{GROUP}"
RESOURCES = {"FlowSchema": SCHEMAS, "PriorityLevelConfiguration": LEVELS}
MINUTE = 60_000


class FlowControl:
    """Keeps the conditions of FlowSchemas."""

    name = "priority-and-fairness-config-consumer"
    user = "system:apiserver"
    manager = "api-priority-and-fairness-config-consumer-v1"
    component = "apiserver"

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.watches: dict[str, Mapper] = {SCHEMAS: itself, LEVELS: _naming}

    def reconcile(self, key: Key, view: View, now: int) -> Effects:
        """Say whether the level that a FlowSchema names is there."""
        schema = view.at(key)
        if schema is None:
            return
        level = schema["spec"]["priorityLevelConfiguration"]["name"]
        found = view.get(LEVELS, "", level) is not None
        conditions = (schema.get("status") or {}).get("conditions") or ()
        told: Obj = next((one for one in conditions if one["type"] == "Dangling"), {})
        wanted = _dangling(level, found=found)
        if all(told.get(part) == value for part, value in wanted.items()):
            return
        same = told.get("status") == wanted["status"] and told.get("lastTransitionTime")
        condition = {**wanted, "lastTransitionTime": same or self._clock.text()}
        head = {"apiVersion": standing.FLOW, "kind": "FlowSchema", "metadata": {"name": key.name}}
        answer = yield Patch(key, {**head, "status": {"conditions": [condition]}}, "apply", "status")
        if isinstance(answer, Status) and answer.reason != "NotFound":
            raise answer


class FlowBootstrap:
    """Makes the API server's own levels and schemas again, at the next full minute."""

    name = "priority-and-fairness-config-producer"
    user = "system:apiserver"
    manager = standing.PRODUCER
    component = "apiserver"

    def __init__(self) -> None:
        self.watches: dict[str, Mapper] = dict.fromkeys((SCHEMAS, LEVELS), _gone)
        self._own = {(RESOURCES[obj["kind"]], obj["metadata"]["name"]): obj for obj in standing.flow()}

    def reconcile(self, key: Key, view: View, now: int) -> Effects:
        """Make one that is missing."""
        obj = self._own.get((key.resource, key.name))
        if obj is None or view.at(key) is not None:
            return
        if now % MINUTE:
            yield After(MINUTE - now % MINUTE)
            return
        answer = yield Create(obj)
        if isinstance(answer, Status) and answer.reason != "AlreadyExists":
            raise answer


def _gone(event: Event, view: View) -> Iterable[Key]:
    return (event.key,) if event.type == "DELETED" else ()


def _naming(event: Event, view: View) -> Iterable[Key]:
    """Map a level that comes or goes to the schemas that name it."""
    if event.type == "MODIFIED":
        return
    for schema in view.list(SCHEMAS):
        if schema["spec"]["priorityLevelConfiguration"]["name"] == event.key.name:
            yield Key(SCHEMAS, "", schema["metadata"]["name"])


def _dangling(level: str, *, found: bool) -> Obj:
    about = f'This FlowSchema references the PriorityLevelConfiguration object named "{level}"'
    if found:
        return {"type": "Dangling", "status": "False", "reason": "Found", "message": f"{about} and it exists"}
    return {
        "type": "Dangling",
        "status": "True",
        "reason": "NotFound",
        "message": f"{about} but there is no such object",
    }
