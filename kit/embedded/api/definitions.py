"""The custom resources that are served: they follow the CustomResourceDefinitions in the store, at once.

Models apiextensions-apiserver's discovery and OpenAPI controllers. Definitions get their conditions from
`controllers/crd.py`; one whose names were accepted is served until it is gone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kit.embedded.api import custom
from kit.embedded.api.context import Context
from kit.embedded.api.converting import Converter
from kit.embedded.core.store import Event
from kit.kube import owners
from kit.kube.custom import definition
from kit.kube.kinds import Resource

DEFINITIONS = "customresourcedefinitions.apiextensions.k8s.io"


class Definitions:
    """Keeps the registry's custom resources as the definitions say; `changed` is called after each change of them."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.changed: list[Callable[[], None]] = []
        self._converters: dict[str, tuple[Any, Converter]] = {}
        context.store.listeners.append(self._notify)

    def _notify(self, event: Event) -> None:
        if event.key.resource != DEFINITIONS:
            return
        before = event.old.obj if event.old else None
        after = None if event.type == "DELETED" else event.obj
        if any(crd is not None and definition.established(crd) for crd in (before, after)):
            same = before is not None and after is not None and all(before.get(k) == after.get(k) for k in _PARTS)
            if not same:
                self.serve()

    def serve(self) -> None:
        """Serve what the definitions in the store say."""
        store = self._context.store
        found = definition.served(store.list(DEFINITIONS), self._converter)
        self._context.converting = any(one.custom is not None and one.custom.convert is not None for one in found)
        for resource in found:
            if not store.indexed(resource.group_resource, "owner"):
                store.index(resource.group_resource, "owner", owners.uids)
        self._context.registry.serve(found)
        self._refit(found)
        for tell in self.changed:
            tell()

    def _converter(self, crd: Mapping[str, Any]) -> Converter | None:
        """Return what asks a definition's conversion webhook: the same one as long as it says the same of it."""
        name, conversion = crd["metadata"]["name"], crd["spec"].get("conversion") or {}
        if conversion.get("strategy") != "Webhook":
            self._converters.pop(name, None)
            return None
        said, converter = self._converters.get(name, (None, None))
        if converter is None or said != conversion:
            converter = Converter(self._context, conversion["webhook"])
            self._converters[name] = (conversion, converter)
        return converter

    def _refit(self, found: Sequence[Resource]) -> None:
        """Show the objects there are as their definitions read them today: with its defaults, without what it does not know."""
        versions = {(one.group_resource, one.api_version): one for one in found}
        for name in sorted({one.group_resource for one in found}):
            for _, record in self._context.store.items(name):
                written = record.written or record.obj
                resource = versions.get((name, written["apiVersion"]))
                fitted = custom.fitted(written, resource) if resource else written
                if fitted != record.obj:
                    record.shown_as(fitted)


_PARTS = ("spec", "status")
