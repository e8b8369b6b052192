"""Empties a namespace that is being deleted, then lets it go.

Models pkg/controller/namespace/deletion/namespaced_resources_deleter.go: Pods first, then everything else; what remains is told
in the conditions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kit.embedded.core.clock import Clock
from kit.embedded.core.controller import Effects, Mapper, View, itself
from kit.embedded.core.effects import After, Delete, Update
from kit.embedded.core.store import Event, Key, Obj
from kit.embedded.parts.registered import Watched
from kit.errors import Status
from kit.kube.kinds import Registry, Resource

RETRY_MS = 5000
FINE = (
    ("NamespaceDeletionDiscoveryFailure", "ResourcesDiscovered", "All resources successfully discovered"),
    ("NamespaceDeletionGroupVersionParsingFailure", "ParsedGroupVersions", "All legacy kube types successfully parsed"),
    (
        "NamespaceDeletionContentFailure",
        "ContentDeleted",
        "All content successfully deleted, may be waiting on finalization",
    ),
)
REMOVED = ("False", "ContentRemoved", "All content successfully removed")
FINALISED = ("False", "ContentHasNoFinalizers", "All content-preserving finalizers finished")


class Namespace:
    """The namespace controller."""

    name = "namespace-controller"
    user = "system:serviceaccount:kube-system:namespace-controller"
    manager = "kube-controller-manager"
    component = "namespace-controller"

    def __init__(self, clock: Clock, registry: Registry) -> None:
        self._clock = clock
        self._watched = Watched(registry, _mapped)

    @property
    def watches(self) -> Mapping[str, Mapper]:
        """Everything that lives in namespaces, custom resources included, and namespaces themselves."""
        return self._watched()

    @property
    def _resources(self) -> list[str]:
        return [resource for resource in self.watches if resource != "namespaces"]

    def reconcile(self, key: Key, view: View, now: int) -> Effects:
        """Delete what a terminating namespace holds; when nothing is left, remove its finalizer."""
        namespace = view.at(key)
        if namespace is None or "deletionTimestamp" not in namespace["metadata"]:
            return
        if "kubernetes" not in (namespace["spec"].get("finalizers") or []):
            return
        first = "pods" if view.list("pods", key.name) else None
        for resource in [first] if first else self._resources:
            for obj in view.list(resource, key.name):
                if "deletionTimestamp" not in obj["metadata"]:
                    yield Delete(Key(resource, key.name, obj["metadata"]["name"]), {"propagationPolicy": "Background"})
        left = {resource: found for resource in self._resources if (found := view.list(resource, key.name))}
        namespace = yield from self._tell(namespace, left)
        if left:
            yield After(RETRY_MS, housekeeping=True)
            return
        rest = [name for name in namespace["spec"].get("finalizers") or [] if name != "kubernetes"]
        answer = yield Update({**namespace, "spec": {**namespace["spec"], "finalizers": rest}}, "finalize")
        if isinstance(answer, Status) and answer.reason != "NotFound":
            raise answer

    def _tell(self, namespace: Obj, left: dict[str, Sequence[Obj]]) -> Any:
        conditions = [self._condition(namespace, type, "False", reason, words) for type, reason, words in FINE]
        conditions.append(self._condition(namespace, "NamespaceContentRemaining", *_remaining(left)))
        conditions.append(self._condition(namespace, "NamespaceFinalizersRemaining", *_finalizers(left)))
        if not left or conditions == (namespace.get("status") or {}).get("conditions"):
            return namespace
        answer = yield Update({**namespace, "status": {"phase": "Terminating", "conditions": conditions}}, "status")
        if isinstance(answer, Status):
            raise answer
        return answer

    def _condition(self, namespace: Obj, type: str, status: str, reason: str, message: str) -> Obj:
        before = next((c for c in (namespace.get("status") or {}).get("conditions") or [] if c["type"] == type), None)
        since = before["lastTransitionTime"] if before and before["status"] == status else self._clock.text()
        return {"type": type, "status": status, "lastTransitionTime": since, "reason": reason, "message": message}


def _mapped(found: Iterable[Resource]) -> Mapping[str, Mapper]:
    resources = sorted({resource.group_resource for resource in found if resource.namespaced})
    return {**dict.fromkeys(resources, _home), "namespaces": itself}


def _home(event: Event, view: View) -> Iterable[Key]:
    """Map a removal to its namespace when that waits for it."""
    if event.type == "DELETED":
        home = view.get("namespaces", "", event.key.namespace)
        if home is not None and "deletionTimestamp" in home["metadata"]:
            yield Key("namespaces", "", event.key.namespace)


def _remaining(left: dict[str, Sequence[Obj]]) -> tuple[str, str, str]:
    if not left:
        return REMOVED
    parts = [f"{resource} has {len(found)} resource instances" for resource, found in sorted(left.items())]
    return "True", "SomeResourcesRemain", "Some resources are remaining: " + ", ".join(_dotted(part) for part in parts)


def _dotted(part: str) -> str:
    """Write the resource as upstream does: plural, dot, group, with the dot kept when the group is empty."""
    resource, rest = part.split(" ", 1)
    return f"{resource if '.' in resource else resource + '.'} {rest}"


def _finalizers(left: dict[str, Sequence[Obj]]) -> tuple[str, str, str]:
    counts = Counter(
        name for found in left.values() for obj in found for name in obj["metadata"].get("finalizers") or []
    )
    if not counts:
        return FINALISED
    parts = [f"{name} in {count} resource instances" for name, count in sorted(counts.items())]
    return "True", "SomeFinalizersRemain", "Some content in the namespace has finalizers remaining: " + ", ".join(parts)
