"""What a controller is: a name, what it watches, and `reconcile`."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from typing import Protocol

from kit.embedded.core.effects import Answer, Effect
from kit.embedded.core.store import Event, Key, Obj, Store
from kit.kube import targets

Effects = Generator[Effect, Answer, None]
Mapper = Callable[[Event, "View"], Iterable[Key]]


class View:
    """A controller's read-only eye on the store; what it returns must not be changed."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def store(self) -> Store:
        """The store, for the API's own functions that only read it (who may do what)."""
        return self._store

    def get(self, resource: str, namespace: str, name: str) -> Obj | None:
        """Return one object or None."""
        return self._store.get(Key(resource, namespace, name))

    def at(self, key: Key) -> Obj | None:
        """Return the object of a key or None."""
        return self._store.get(key)

    def list(self, resource: str, namespace: str | None = None) -> Sequence[Obj]:
        """Return the objects of a resource, of one namespace or of all, sorted."""
        return self._store.list(resource, namespace)

    def resources(self) -> Sequence[str]:
        """Return the resources that have objects."""
        return self._store.resources()

    def owned(self, resource: str, uid: str) -> Sequence[Obj]:
        """Return the objects of a resource that have an ownerReference to `uid` (index "owner"; pods, replicasets.apps ... all)."""
        return self._store.by_index(resource, "owner", uid)

    def loose_pods(self, namespace: str) -> Sequence[Obj]:
        """Return the Pods of a namespace that no controller owns."""
        return self._store.by_index("pods", "loose", namespace)

    def on_node(self, node: str) -> Sequence[Obj]:
        """Return the Pods bound to a node."""
        return self._store.by_index("pods", "node", node)


class Controller(Protocol):
    """One reconciler. `user` is the name it writes as, `manager` its field manager, `component` the source of its events."""

    @property
    def name(self) -> str:
        """Name of the controller in the trace."""
        ...

    @property
    def user(self) -> str:
        """User it writes as."""
        ...

    @property
    def manager(self) -> str:
        """Field manager of its writes."""
        ...

    @property
    def component(self) -> str:
        """Source of its events."""
        ...

    @property
    def watches(self) -> Mapping[str, Mapper]:
        """For each resource it watches, which keys a change concerns."""
        ...

    def reconcile(self, key: Key, view: View, now: int) -> Effects:
        """Bring the world of `key` one step nearer to what is wanted; yields effects, is sent their answers. Must be idempotent."""
        ...


def itself(event: Event, view: View) -> Iterable[Key]:
    """Map an event to its own object."""
    return (event.key,)


def owner(kind: str, resource: str) -> Mapper:
    """Map an event to the controlling owner of `kind`, now and before the change."""

    def keys(event: Event, view: View) -> Iterable[Key]:
        found = event.obj["metadata"].get("ownerReferences") or ()
        before = event.old.obj["metadata"].get("ownerReferences") or () if event.old else found
        if before != found:
            found = [*before, *found]
        space = event.key.namespace
        return [Key(resource, space, one["name"]) for one in found if one["kind"] == kind and one.get("controller")]

    return keys


def selecting_services(event: Event, view: View) -> Iterable[Key]:
    """Map a Pod to the Services that select it, now or before the change."""
    for record in (event.old, event.record):
        labels = record.obj["metadata"].get("labels") if record else None
        if labels:
            for service in view.list("services", event.key.namespace):
                if targets.selects(service, labels):
                    yield Key("services", event.key.namespace, service["metadata"]["name"])


def pod_key(pod: Obj) -> Key:
    """Return where a Pod is kept."""
    return Key("pods", pod["metadata"]["namespace"], pod["metadata"]["name"])
