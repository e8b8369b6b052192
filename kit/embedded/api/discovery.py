"""What the API serves, told to clients: aggregated (v2) and legacy discovery, /version.

Models k8s.io/apiserver/pkg/endpoints/discovery. Documents are built when first asked for and again when the registry changes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha512
from typing import Any

from kit.embedded.api import groups
from kit.embedded.api.answers import respond, text, written
from kit.embedded.api.context import Context
from kit.embedded.api.negotiation import accepted, aggregated
from kit.embedded.core.turns import Request, Response
from kit.kube import status
from kit.kube.gojson import encode
from kit.kube.kinds import Resource, Subresource

AGGREGATED = ";g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


class Discovery:
    """The documents of one registry, kept until it changes."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._documents: dict[str, tuple[bytes, str]] = {}
        self._written: dict[tuple[str, str], bytes] = {}  # those of all groups, by root and media type
        self._claims: tuple[groups.Claim, ...] = ()

    def changed(self) -> None:
        """Build everything anew when it is next asked for."""
        self._documents.clear()
        self._written.clear()

    def answer(self, request: Request, path: str) -> Response | None:
        """Return the answer at a discovery path, None when it is none."""
        parts = [part for part in path.split("/") if part]
        if not parts or parts[0] not in {"api", "apis"}:
            return None
        versions = len(parts) == (2 if parts[0] == "api" else 3)  # routes of go-restful for one method
        if request.method != "GET" and (versions or path.rstrip("/") == "/api"):
            raise status.method_not_allowed()
        claims = groups.claims(self._context.store)
        if claims != self._claims:
            self._claims = claims
            self.changed()
        if len(parts) == 1:
            return self._root(request, parts[0])
        return self._group(request, parts)

    def _root(self, request: Request, root: str) -> Response:
        header = request.headers.get("accept", "")
        whole = aggregated(header)
        if whole is not None:
            return self._whole(request, root, whole.media)
        legacy = self._versions if root == "api" else self._groups
        return self._cached(root, legacy, accepted(header, routed=root == "api", converted=False).media)

    def _group(self, request: Request, parts: list[str]) -> Response:
        served = self._served()
        name = "" if parts[0] == "api" else parts[1]
        form = accepted(
            request.headers.get("accept", ""),
            routed=self._routed(name) and len(parts) == 3 - (not name),
            converted=False,
        )
        if parts[0] == "apis" and len(parts) == 2 and name in served and name:
            return self._cached(
                f"apis/{name}",
                lambda: {"kind": "APIGroup", "apiVersion": "v1", **self._about(name)},
                form.media,
            )
        version = parts[1] if parts[0] == "api" else parts[2] if len(parts) == 3 else ""
        registered = self._context.registry.groups()
        if version not in registered.get(name, ()):
            if parts[0] == "api" or name in registered:
                raise status.unknown_path()
            return text("404 page not found\n", 404)
        return self._cached(f"{name}/{version}", lambda: self._resources(name, version), form.media)

    def _served(self) -> Mapping[str, tuple[str, ...]]:
        """Return the versions of each group, of other servers too."""
        return groups.ordered(self._context.registry, self._claims)

    def _routed(self, group: str) -> bool:
        """Return whether a route of go-restful leads to the versions of a group: not to those of definitions."""
        registry = self._context.registry
        versions = registry.groups().get(group, ())
        return not any(one.custom for version in versions for one in registry.in_version(group, version))

    def _cached(self, key: str, build: Callable[[], dict[str, Any]], media: str) -> Response:
        return respond(self._document(key, build)[0], media=media)

    def _document(self, key: str, build: Callable[[], dict[str, Any]]) -> tuple[bytes, str]:
        found = self._documents.get(key)
        if found is None:
            body = encode(build()).encode()
            found = self._documents[key] = (body, f'"{sha512(body).hexdigest().upper()}"')
        return found

    def _whole(self, request: Request, root: str, media: str) -> Response:
        """Return the document of all groups at once, which a client keeps as long as its ETag is the same."""
        body, etag = self._document(f"aggregated/{root}", lambda: self._aggregated(root))
        kept = (("Cache-Control", "public"), ("ETag", etag), ("Vary", "Accept"))
        if request.headers.get("if-none-match") == etag:
            return Response(304, kept, b"")
        if (root, media) not in self._written:
            self._written[root, media] = written(body, media)
        return Response(200, (*kept, ("Content-Type", f"{media}{AGGREGATED}")), self._written[root, media])

    def _versions(self) -> dict[str, Any]:
        server = self._context.settings.server.partition("://")[2]
        return {
            "kind": "APIVersions",
            "versions": list(self._context.registry.groups().get("", ())),
            "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": server}],
        }

    def _groups(self) -> dict[str, Any]:
        names = [name for name in self._served() if name]
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [self._about(name) for name in names]}

    def _about(self, group: str) -> dict[str, Any]:
        versions = [{"groupVersion": f"{group}/{version}", "version": version} for version in self._served()[group]]
        return {"name": group, "versions": versions, "preferredVersion": versions[0]}

    def _resources(self, group: str, version: str) -> dict[str, Any]:
        listed: list[dict[str, Any]] = []
        for resource in self._context.registry.in_version(group, version):
            listed.append(_legacy(resource))
            listed += [_legacy_sub(resource, sub) for sub in resource.subresources]
        named = f"{group}/{version}" if group else version
        if not any(one.custom for one in self._context.registry.in_version(group, version)):
            listed.sort(key=lambda one: str(one["name"]))
        return {
            "kind": "APIResourceList",
            **({"apiVersion": "v1"} if group else {}),
            "groupVersion": named,
            "resources": listed,
        }

    def _aggregated(self, root: str) -> dict[str, Any]:
        registry = self._context.registry
        items = []
        own = registry.groups()
        for group, versions in self._served().items():
            if bool(group) != (root == "apis"):
                continue
            listed = [
                {
                    "version": version,
                    "resources": [_aggregate(resource) for resource in registry.in_version(group, version)],
                    "freshness": "Current",
                }
                if version in own.get(group, ())
                else {"version": version, "freshness": "Stale"}
                for version in versions
            ]
            items.append({"metadata": {"name": group} if group else {}, "versions": listed})
        return {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items}


def _legacy(resource: Resource) -> dict[str, Any]:
    out: dict[str, Any] = {
        "name": resource.plural,
        "singularName": resource.singular,
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": list(resource.verbs),
    }
    if resource.short_names:
        out["shortNames"] = list(resource.short_names)
    if resource.categories:
        out["categories"] = list(resource.categories)
    if resource.storage_hash:
        out["storageVersionHash"] = resource.storage_hash
    return out


def _legacy_sub(resource: Resource, sub: Subresource) -> dict[str, Any]:
    out: dict[str, Any] = {
        "name": f"{resource.plural}/{sub.name}",
        "singularName": "",
        "namespaced": resource.namespaced,
    }
    if (sub.group, sub.version) != (resource.group, resource.version) and sub.version:
        out |= {"group": sub.group, "version": sub.version} if sub.group else {"version": sub.version}
    return out | {"kind": sub.kind, "verbs": list(sub.verbs)}


def _aggregate(resource: Resource) -> dict[str, Any]:
    out: dict[str, Any] = {
        "resource": resource.plural,
        "responseKind": _own_kind(resource),
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": resource.singular,
        "verbs": list(resource.verbs),
    }
    if resource.short_names:
        out["shortNames"] = list(resource.short_names)
    if resource.categories:
        out["categories"] = list(resource.categories)
    if resource.subresources:
        out["subresources"] = [_aggregate_sub(resource, sub) for sub in resource.subresources]
    return out


def _own_kind(resource: Resource) -> dict[str, str]:
    """Return the kind of a resource: built-in ones leave out the group version it stands under."""
    group, version = (resource.group, resource.version) if resource.custom else ("", "")
    return {"group": group, "version": version, "kind": resource.kind}


def _aggregate_sub(resource: Resource, sub: Subresource) -> dict[str, Any]:
    own = (sub.group, sub.version) == (resource.group, resource.version)
    kind = {"group": sub.group, "version": sub.version, "kind": sub.kind}
    kind = _own_kind(resource) | {"kind": sub.kind} if own else kind
    return {"subresource": sub.name, "responseKind": kind, "verbs": list(sub.verbs)}


def version(context: Context) -> dict[str, Any]:
    """Return what /version says: the version this cluster behaves like."""
    named = context.settings.version
    minor = named.split(".")[1]
    return {
        "major": "1",
        "minor": minor,
        "emulationMajor": "1",
        "emulationMinor": minor,
        "minCompatibilityMajor": "1",
        "minCompatibilityMinor": str(int(minor) - 1),
        "gitVersion": named,
        "gitCommit": "0" * 40,
        "gitTreeState": "clean",
        "buildDate": "2026-11-01T00:00:00Z",
        "goVersion": "go1.26.8",
        "compiler": "gc",
        "platform": "linux/amd64",
    }
