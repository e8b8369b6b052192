"""Events that controllers and kubelets record: counted, combined and throttled as client-go does before it writes.

Models k8s.io/client-go/tools/record/events_cache.go and event.go.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from kit.embedded.api import writing
from kit.embedded.api.attributes import Attributes, User
from kit.embedded.api.context import Context
from kit.embedded.core.controller import Controller
from kit.embedded.core.effects import Emit
from kit.embedded.core.store import Key, Obj
from kit.errors import Status

CACHED = 4096
BURST = 25
REFILL_MS = 300_000  # one more event about an object every 5 minutes
SIMILAR = 10  # from the tenth different message on, events are combined
SIMILAR_MS = 600_000
COMBINED = "(combined from similar events): "
NODE_USER = "system:node:"


class Recorder:
    """The recorders of all components of one cluster."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._known: OrderedDict[tuple[str, ...], Key] = OrderedDict()
        self._similar: OrderedDict[tuple[str, ...], tuple[int, dict[str, None]]] = OrderedDict()
        self._tokens: OrderedDict[tuple[str, ...], tuple[float, int]] = OrderedDict()

    def forget(self, host: str | None = None) -> None:
        """Begin anew, as after a restart of all components, or of those on one host: what they say from now on are new events."""
        caches: tuple[OrderedDict[tuple[str, ...], Any], ...] = (self._known, self._similar, self._tokens)
        for cache in caches:
            for key in [key for key in cache if host in (None, key[1])]:
                del cache[key]

    def emit(self, controller: Controller, effect: Emit) -> None:
        """Record one event: a new one, or one more of an old one. A refusal (a namespace that is going) is no one's concern."""
        host = controller.user.removeprefix(NODE_USER) if controller.user.startswith(NODE_USER) else ""
        about = _reference(effect.regarding, effect.field_path)
        source = (controller.component, host)
        named = tuple(str(about.get(key, "")) for key in ("kind", "namespace", "name", "uid", "apiVersion"))
        similar = (*source, *named, about.get("fieldPath", ""), effect.type, effect.reason)
        combined = self._is_combined(similar, effect.message)
        key = similar if combined else (*similar, effect.message)
        if not self._spend((*source, *named)):
            return
        message = COMBINED + effect.message if combined else effect.message
        try:
            self._write(controller, effect, about, host, key, message, combined=combined)
        except Status as error:
            self._context.trace.add(
                self._context.clock.now, controller.name, "event refused", effect.reason, error.message
            )

    def _write(
        self,
        controller: Controller,
        effect: Emit,
        about: Obj,
        host: str,
        key: tuple[str, ...],
        message: str,
        *,
        combined: bool,
    ) -> None:
        context = self._context
        known = self._known.get(key)
        user = User(controller.user, ("system:authenticated",))
        resource = context.registry.by_kind("v1", "Event")
        if resource is None:
            return
        if known is not None and context.store.record(known) is not None:
            at = Attributes("patch", resource, known.namespace, known.name, "", user, controller.manager)
            writing.update(context, at, lambda old: _once_more(old, message, context.clock.text()))
            self._known.move_to_end(key)
            return
        event = self._new(controller, effect, about, host, message, combined=combined)
        meta = event["metadata"]
        at = Attributes("create", resource, meta["namespace"], meta["name"], "", user, controller.manager)
        writing.create(context, at, event)
        self._known[key] = at.key
        if len(self._known) > CACHED:
            self._known.popitem(last=False)

    def _new(self, controller: Controller, effect: Emit, about: Obj, host: str, message: str, *, combined: bool) -> Obj:
        now, nanos = (
            self._context.clock.text(),
            self._context.clock.wall() * 1_000_000 + self._context.ids.below(1_000_000),
        )
        source = {"component": controller.component} | ({"host": host} if host else {})
        event: dict[str, Any] = {
            "kind": "Event",
            "apiVersion": "v1",
            "metadata": {"name": f"{about['name']}.{nanos:x}", "namespace": about.get("namespace") or "default"},
            "involvedObject": about,
            "reason": effect.reason,
            "message": message,
            "source": source,
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
            "type": effect.type,
            "eventTime": None,
        }
        if effect.action:
            event["action"] = effect.action
        if effect.related is not None:
            event["related"] = _reference(effect.related, "")
        return event | {
            "reportingComponent": "" if combined else controller.component,
            "reportingInstance": "" if combined else host,
        }

    def _is_combined(self, similar: tuple[str, ...], message: str) -> bool:
        """Return whether so many different messages of one kind came lately that they are shown as one."""
        now = self._context.clock.now
        last, messages = self._similar.pop(similar, (now, {}))
        if now - last > SIMILAR_MS:
            messages = {}
        messages[message] = None
        over = len(messages) >= SIMILAR
        if over:
            del messages[next(iter(messages))]
        self._similar[similar] = (now, messages)
        if len(self._similar) > CACHED:
            self._similar.popitem(last=False)
        return over

    def _spend(self, about: tuple[str, ...]) -> bool:
        """Take a token of an object's bucket; False when it is empty."""
        now = self._context.clock.now
        left, since = self._tokens.pop(about, (float(BURST), now))
        left = min(float(BURST), left + (now - since) / REFILL_MS)
        allowed = left >= 1
        self._tokens[about] = (left - 1 if allowed else left, now)
        if len(self._tokens) > CACHED:
            self._tokens.popitem(last=False)
        return allowed


def _once_more(old: Obj, message: str, now: str) -> Obj:
    return {**old, "message": message, "lastTimestamp": now, "count": int(old.get("count", 1)) + 1}


def _reference(obj: Obj, field_path: str) -> Obj:
    """Return the ObjectReference of an object, or of one part of it."""
    meta = obj["metadata"]
    out = {
        "kind": obj["kind"],
        "namespace": meta.get("namespace", ""),
        "name": meta["name"],
        "uid": meta.get("uid", ""),
        "apiVersion": obj["apiVersion"],
        "resourceVersion": meta.get("resourceVersion", ""),
        "fieldPath": field_path,
    }
    return {key: value for key, value in out.items() if value}
