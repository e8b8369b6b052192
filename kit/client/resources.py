"""Which kinds a server has: the discovery table, looked up by kind, plural, singular or short name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kit.client.connect import Connection
from kit.errors import BadInput

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


@dataclass(frozen=True)
class Resource:
    """One kind as the server serves it."""

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool
    names: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ()

    @property
    def api_version(self) -> str:
        """Return `v1` or `apps/v1`."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str | None, name: str | None = None, subresource: str | None = None) -> str:
        """Return the URL path of the collection, of one object, or of its subresource."""
        parts = ["apis", self.group, self.version] if self.group else ["api", self.version]
        if self.namespaced and namespace:
            parts += ["namespaces", namespace]
        parts += [self.plural, *([name] if name else []), *([subresource] if subresource else [])]
        return "/" + "/".join(parts)


class Resources:
    """The kinds of one server; asked once, and once more when a kind is missing (a CRD may be new)."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._table: dict[tuple[str, str], Resource] = {}
        self._by_name: dict[str, Resource] = {}

    def find(self, kind: str, api_version: str | None = None) -> Resource:
        """Return the resource that `kind` names: `Pod`, `pods`, `pod`, `po`, `deployments.apps`."""
        found = self._lookup(kind, api_version)
        if found is None:
            self._ask()
            found = self._lookup(kind, api_version)
        if found is None:
            wanted = f"{kind} in {api_version}" if api_version else kind
            raise BadInput(f"the cluster has no kind {wanted}", "kubectl api-resources lists the kinds it has")
        return found

    def _lookup(self, kind: str, api_version: str | None) -> Resource | None:
        if api_version:
            return self._table.get((api_version, kind))
        return self._by_name.get(kind.lower())

    def _ask(self) -> None:
        self._table.clear()
        self._by_name.clear()
        for resource in discovered(self._connection):
            self._table[(resource.api_version, resource.kind)] = resource
            for name in (*resource.names, f"{resource.plural}.{resource.group}"):
                self._by_name.setdefault(name.lower(), resource)


def discovered(connection: Connection) -> list[Resource]:
    """Return every resource of every version, preferred versions first, as the server knows them at one moment.

    Aggregated discovery: group by group, a definition deleted in between would answer 404.
    """
    groups = [group for root in ("/api", "/apis") for group in connection.json("GET", root, accept=AGGREGATED)["items"]]
    return [
        _resource(group["metadata"].get("name", ""), version["version"], entry)
        for group in groups
        for version in group["versions"]
        for entry in version.get("resources") or []
    ]


def _resource(group: str, version: str, entry: dict[str, Any]) -> Resource:
    kind, plural = entry["responseKind"]["kind"], entry["resource"]
    names = (kind, plural, entry.get("singularResource") or kind, *(entry.get("shortNames") or []))
    return Resource(
        group, version, kind, plural, entry["scope"] == "Namespaced", names, tuple(entry.get("verbs") or [])
    )
