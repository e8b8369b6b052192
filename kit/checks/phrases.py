"""What `lab.wait("pod/web ready")` understands: a noun as kubectl writes it, and one word about it."""

from __future__ import annotations

import re
from collections.abc import Callable

from kit.checks.conditions import ABSENT, Condition, Seen, exists, field
from kit.checks.probes import is_ready
from kit.checks.reasons import value_at
from kit.checks.text import Text, same
from kit.checks.world import World
from kit.client.objects import Object
from kit.errors import BadInput

_PHRASE = re.compile(r"^\s*(?P<kind>[\w.]+)/(?P<name>[\w.-]+)\s+(?P<word>\S+)\s*$")


def phrase(text: str) -> Condition:
    """Return the condition that a phrase means: `pod/db ready`, `pod/db gone`, `pod/web restarted`, `pod/x reason=ErrImagePull`."""
    found = _PHRASE.match(text)
    if not found:
        raise BadInput(f"{text!r} is not something to wait for", f'write it as "pod/web ready"; the words: {_words()}')
    kind, name, word = found["kind"].lower(), found["name"], found["word"]
    key, _, value = word.partition("=")
    if value and key == "reason":
        return _state(kind, name, word, lambda item: value in reasons(item))
    if value and "." in key:
        return field(kind, name, key, int(value) if value.isdigit() else value)
    if word.lower() == "exists":
        return exists(kind, name)
    if word.lower() == "gone":
        return _gone(kind, name)
    if word.lower() in _STATES:
        return _state(kind, name, word.lower(), _STATES[word.lower()])
    raise BadInput(f"{word!r} is not something to wait for", f"the words: {_words()}")


def reasons(pod: Object) -> list[str]:
    """Return why the containers of a Pod wait, have ended, or had ended before."""
    statuses = value_at(pod, "status.containerStatuses") or []
    paths = ("state.waiting.reason", "state.terminated.reason", "lastState.terminated.reason")
    return [str(reason) for status in statuses for path in paths if (reason := value_at(status, path))]


def restarts(pod: Object | None) -> int:
    """Return how often the containers of a Pod were started again."""
    return sum(int(status.get("restartCount", 0)) for status in value_at(pod or {}, "status.containerStatuses") or [])


def _available(item: Object) -> bool:
    wanted = value_at(item, "spec.replicas")
    current = value_at(item, "status.observedGeneration") == value_at(item, "metadata.generation")
    return current and int(value_at(item, "status.availableReplicas") or 0) == int(1 if wanted is None else wanted)


def _updated(item: Object) -> bool:
    """Tell whether a rollout is over: every Pod is of the newest template, and none of the old ones is left."""
    # Models staging/src/k8s.io/kubectl/pkg/polymorphichelpers/rollout_status.go
    wanted = value_at(item, "spec.replicas")
    there = [int(value_at(item, f"status.{name}") or 0) for name in ("updatedReplicas", "replicas")]
    return _available(item) and there == [int(1 if wanted is None else wanted)] * 2


_STATES: dict[str, Callable[[Object], bool]] = {
    "ready": is_ready,
    "running": lambda item: value_at(item, "status.phase") == "Running",
    "pending": lambda item: value_at(item, "status.phase") == "Pending",
    "succeeded": lambda item: value_at(item, "status.phase") == "Succeeded",
    "failed": lambda item: value_at(item, "status.phase") == "Failed",
    "active": lambda item: value_at(item, "status.phase") == "Active",
    "scheduled": lambda item: bool(value_at(item, "spec.nodeName")),
    "restarted": lambda item: restarts(item) > 0 and is_ready(item),
    "available": _available,
    "updated": _updated,
}


def _state(kind: str, name: str, word: str, holds: Callable[[Object], bool]) -> Condition:
    def look(world: World) -> Seen:
        item = world.find(kind, name)
        if item is None:
            return Seen(False, ABSENT)
        return Seen(holds(item), same(", ".join(reasons(item)) or str(value_at(item, "status.phase") or "not yet")))

    return Condition(f"{kind}.{name}.{word}", Text(f"{kind}/{name} {word}", f"{kind}/{name} {word}"), look)


def _gone(kind: str, name: str) -> Condition:
    def look(world: World) -> Seen:
        return Seen(world.find(kind, name) is None, Text("it is still there", "它还在"))

    return Condition(f"{kind}.{name}.gone", Text(f"{kind}/{name} gone", f"{kind}/{name} gone"), look)


def _words() -> str:
    return ", ".join(["exists", "gone", *_STATES, "reason=NAME", "status.phase=VALUE"])
