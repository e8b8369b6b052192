"""What kinds of object an API serves: resources, subresources and the registry that finds them.

The built-in ones are a table recorded from a real server's discovery; custom ones are added to a registry as they come.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from kit.kube import schema
from kit.kube.data import load

if TYPE_CHECKING:
    from kit.kube.custom.definition import Custom


@dataclass(frozen=True, slots=True)
class Subresource:
    """A part of an object with a path of its own: `status`, `scale`, `exec`; its kind may live in another group."""

    name: str
    group: str
    version: str
    kind: str
    verbs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Resource:
    """One kind in one version, as discovery describes it."""

    group: str
    version: str
    kind: str
    plural: str
    singular: str
    namespaced: bool
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ()
    subresources: tuple[Subresource, ...] = ()
    storage_hash: str = ""
    custom: Custom | None = field(default=None, compare=False, repr=False)
    """What a CustomResourceDefinition says of it, None for what Kubernetes serves by itself."""

    @property
    def node(self) -> schema.Node | None:
        """Return the schema of its objects."""
        return self.custom.node if self.custom else schema.of(self.api_version, self.kind)

    @property
    def api_version(self) -> str:
        """Return `apps/v1`, or `v1` for the core group."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def group_resource(self) -> str:
        """Return `deployments.apps`, or `pods` for the core group: the name in messages."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def group_kind(self) -> str:
        """Return `Deployment.apps`, or `Pod` for the core group: the name in messages about validity."""
        return f"{self.kind}.{self.group}" if self.group else self.kind

    @property
    def path(self) -> str:
        """Return the URL prefix of the group version: `/apis/apps/v1`, or `/api/v1` for the core group."""
        return f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"

    def collection(self, namespace: str = "") -> str:
        """Return the URL path of the collection, in a namespace when one is given and the kind has them."""
        inside = f"/namespaces/{namespace}" if namespace and self.namespaced else ""
        return f"{self.path}{inside}/{self.plural}"

    def subresource(self, name: str) -> Subresource | None:
        """Return the subresource of that name."""
        return next((sub for sub in self.subresources if sub.name == name), None)


class Registry:
    """The resources one API serves, found by path, by kind or by the name messages use."""

    def __init__(self, resources: tuple[Resource, ...] = (), groups: dict[str, tuple[str, ...]] | None = None) -> None:
        self._groups: dict[str, tuple[str, ...]] = dict(groups or {})
        self._paths: dict[tuple[str, str, str], Resource] = {}
        self._kinds: dict[tuple[str, str], Resource] = {}
        self.generation = 0
        """Counts the changes of what is served."""
        for resource in resources:
            self.add(resource)

    def add(self, resource: Resource, *, preferred: bool = False) -> None:
        """Serve a resource; a new version of its group comes last, or first when `preferred`."""
        self.generation += 1
        self._paths[resource.group, resource.version, resource.plural] = resource
        self._kinds[resource.api_version, resource.kind] = resource
        versions = self._groups.get(resource.group, ())
        if preferred or resource.version not in versions:
            others = tuple(version for version in versions if version != resource.version)
            self._groups[resource.group] = (resource.version, *others) if preferred else (*others, resource.version)

    def remove(self, resource: Resource) -> None:
        """Stop serving a resource, and its group version when nothing else is in it."""
        self.generation += 1
        self._paths.pop((resource.group, resource.version, resource.plural), None)
        self._kinds.pop((resource.api_version, resource.kind), None)
        left = {r.version for r in self._paths.values() if r.group == resource.group}
        versions = tuple(version for version in self._groups.get(resource.group, ()) if version in left)
        if versions:
            self._groups[resource.group] = versions
        else:
            self._groups.pop(resource.group, None)

    def serve(self, custom: Iterable[Resource]) -> None:
        """Serve these custom resources and no others, their groups and versions in the order given."""
        for resource in [one for one in self._paths.values() if one.custom]:
            self.remove(resource)
        for resource in custom:
            self.add(resource)

    def by_path(self, group: str, version: str, plural: str) -> Resource | None:
        """Return the resource at `/apis/GROUP/VERSION/PLURAL`."""
        return self._paths.get((group, version, plural))

    def by_kind(self, api_version: str, kind: str) -> Resource | None:
        """Return the resource of objects with that apiVersion and kind."""
        return self._kinds.get((api_version, kind))

    def by_group_resource(self, name: str) -> Resource | None:
        """Return the resource messages call `pods` or `deployments.apps`, in its group's preferred version."""
        plural, _, group = name.partition(".")
        found = (self.by_path(group, version, plural) for version in self._groups.get(group, ()))
        return next((resource for resource in found if resource), None)

    def find(self, word: str) -> Resource | None:
        """Return what a person means by `po`, `pod`, `pods`, `Pod` or `deploy.apps`; groups in discovery order."""
        name, _, group = word.partition(".")
        lower = name.lower()
        for resource in self:
            if group and resource.group != group:
                continue
            if lower in {resource.plural, resource.singular, resource.kind.lower(), *resource.short_names}:
                return resource
        return None

    def all(self) -> tuple[Resource, ...]:
        """Return every resource, groups and versions as in discovery, each by plural name."""
        return tuple(self)

    def in_version(self, group: str, version: str) -> tuple[Resource, ...]:
        """Return the resources of one group version by plural name."""
        found = [r for r in self._paths.values() if r.group == group and r.version == version]
        return tuple(sorted(found, key=lambda resource: resource.plural))

    def groups(self) -> dict[str, tuple[str, ...]]:
        """Return each group's versions, the preferred one first, in discovery order; the core group is ``""``."""
        return dict(self._groups)

    def __iter__(self) -> Iterator[Resource]:
        for group, versions in self._groups.items():
            for version in versions:
                yield from self.in_version(group, version)

    def __len__(self) -> int:
        return len(self._paths)


def builtin() -> Registry:
    """Return a new registry of everything Kubernetes serves by itself."""
    return Registry(_resources(), {group: tuple(versions) for group, versions in load("kinds")["groups"]})


@cache
def _resources() -> tuple[Resource, ...]:
    return tuple(_resource(row) for row in load("kinds")["resources"])


def _resource(row: list[Any]) -> Resource:
    group, version, kind, plural, singular, namespaced, short_names, categories, verbs, subresources, storage_hash = row
    return Resource(
        group=group,
        version=version,
        kind=kind,
        plural=plural,
        singular=singular,
        namespaced=namespaced,
        short_names=tuple(short_names),
        categories=tuple(categories),
        verbs=tuple(verbs),
        subresources=tuple(Subresource(n, g, v, k, tuple(what)) for n, g, v, k, what in subresources),
        storage_hash=storage_hash,
    )
