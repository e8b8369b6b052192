"""Who wants to do what to which object: what authorization, admission and the verbs read of a request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kit.embedded.core.store import Key, Obj
from kit.kube.kinds import Resource, Subresource


@dataclass(frozen=True, slots=True)
class User:
    """Who is asking; `warning` is what his credentials are answered with."""

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    warning: str = ""


ANONYMOUS = User("system:anonymous", ("system:unauthenticated",))
SERVER = User("system:apiserver", ("system:masters",))  # the API server itself, as a client of its own


@dataclass(slots=True)
class Attributes:
    """One request about a resource. `warnings` are collected while it runs and leave as headers."""

    verb: str
    resource: Resource
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    user: User = ANONYMOUS
    manager: str = ""
    dry_run: bool = False
    query: Mapping[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    dry_runs: tuple[str, ...] = ()
    """What the query says of dry runs, each time it does."""
    collective: bool = False
    """Whether it is one of many that a request deletes, which names none of them."""

    @property
    def key(self) -> Key:
        """Return where the object is kept."""
        return Key(storage(self.resource), self.namespace, self.name)

    @property
    def sub(self) -> Subresource | None:
        """Return the subresource's own description."""
        return self.resource.subresource(self.subresource) if self.subresource else None


def called(obj: Obj) -> str:
    """Return what admission calls a new object: names are generated after it. Models extractResourceName of admission/errors.go."""
    meta = obj["metadata"]
    return str(meta.get("name") or meta.get("generateName") or "Unknown")


def storage(resource: Resource) -> str:
    """Return the name a resource is stored under: events of both groups are the same objects."""
    return "events" if resource.group == "events.k8s.io" else resource.group_resource
