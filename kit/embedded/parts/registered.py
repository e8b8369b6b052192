"""What a controller of every kind watches: read off the registry, and read again when definitions change it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from kit.embedded.core.controller import Mapper
from kit.kube.kinds import Registry, Resource


class Watched:
    """The resources that can be listed and deleted, custom ones included, as `mapped` gives them mappers."""

    def __init__(self, registry: Registry, mapped: Callable[[list[Resource]], Mapping[str, Mapper]]) -> None:
        self._registry = registry
        self._mapped = mapped
        self._generation = -1
        self._watches: Mapping[str, Mapper] = {}

    def __call__(self) -> Mapping[str, Mapper]:
        """Return the watches of this moment."""
        if self._generation != self._registry.generation:
            self._generation = self._registry.generation
            found = [resource for resource in self._registry.all() if {"delete", "list"} <= set(resource.verbs)]
            self._watches = self._mapped(found)
        return self._watches
