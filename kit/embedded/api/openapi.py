"""OpenAPI v3: the index and one document a group version, as kubectl needs them to check, patch and explain.

OpenAPI v2 is an empty document: kubectl falls back to it for a kind that v3 lacks, and then finds out by itself that there is none.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha512
from typing import Any

from kit.embedded.api import customdocs, negotiation
from kit.embedded.api.answers import TEXT
from kit.embedded.api.context import Context
from kit.embedded.api.negotiation import JSON
from kit.embedded.api.openapi_paths import paths
from kit.embedded.core.turns import Request, Response
from kit.kube import metering
from kit.kube.gojson import encode
from kit.kube.kinds import Resource
from kit.kube.openapi_schemas import group_versions, openapi_document
from kit.kube.times import http_date

PREFIX = "/openapi/v3"
V2 = "/openapi/v2"
V2_PROTOBUF = tuple(f"application/com.github.proto-openapi.spec.v2{mark}v1.0+protobuf" for mark in "@.")
UNCACHED = (("Cache-Control", "no-cache, private"),)
VARY = ("Vary", "Accept")
METERING = (f"apis/{metering.GROUP}", f"apis/{metering.API_VERSION}")
YEAR_MS = 365 * 24 * 3600 * 1000
SECURITY = {"BearerToken": {"type": "apiKey", "name": "authorization", "in": "header"}}


class OpenApi:
    """The documents, built when first asked for."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._documents: dict[str, tuple[bytes, int]] = {}
        self._served = ""  # what the hashes of the built-in documents are made of

    def changed(self) -> None:
        """Build everything anew when it is next asked for."""
        self._documents.clear()

    def answer(self, request: Request, path: str) -> Response | None:
        """Return the answer below /openapi, None for other paths."""
        if path == V2:
            return self._second(request)
        if path != PREFIX and not path.startswith(f"{PREFIX}/"):
            return None
        if path == PREFIX:
            body, built = self._kept(PREFIX, self._list)
            return Response(200, (*UNCACHED, ("Content-Type", TEXT), _modified(built)), body)
        name = path.removeprefix(f"{PREFIX}/")
        if name not in self._names():
            return Response(404, UNCACHED, b"")
        return self._one(request, path, name)

    def _one(self, request: Request, path: str, name: str) -> Response:
        """Return one document. Asked for by its hash it may be kept for a year; another hash leads to the present one."""
        if not negotiation.best(request.headers.get("accept", ""), (JSON,)):
            return Response(406, (*UNCACHED, VARY), b"")
        mark, asked = self._mark(name), dict(request.query).get("hash", "")
        told = (("ETag", f'"{mark}"'), VARY)
        if asked and asked != mark:
            return Response(301, (*UNCACHED, ("Content-Type", JSON), ("Location", f"{path}?hash={mark}"), *told), b"")
        kept: tuple[tuple[str, str], ...] = UNCACHED
        if asked:
            year = http_date(self._context.clock.wall() + YEAR_MS, "UTC")
            kept = (("Cache-Control", "public, immutable"), ("Expires", year))
        if request.headers.get("if-none-match", "").removeprefix("W/") == f'"{mark}"':
            return Response(304, (*kept, *told), b"")
        body, built = self._document(name)
        headers = (*kept, ("Content-Type", JSON), _modified(built), *told)
        return Response(200, headers, body)

    def _custom(self) -> dict[str, list[Resource]]:
        """Return the custom resources by the path of their document."""
        out: dict[str, list[Resource]] = {}
        for resource in self._context.registry:
            if resource.custom:
                out.setdefault(f"apis/{resource.group}/{resource.version}", []).append(resource)
        return out

    def _second(self, request: Request) -> Response:
        """Return the empty OpenAPI v2 document, as JSON or protobuf (Document: swagger = 1, info = 2 {title = 1, version = 2})."""
        varies = (("Vary", "Accept-Encoding"), VARY)
        media = negotiation.best(request.headers.get("accept", ""), (JSON, *V2_PROTOBUF))
        if not media:
            return Response(406, (*UNCACHED, *varies), b"")
        body, built = self._kept(media, lambda: self._empty(media))
        told = (("Content-Type", media.replace("@", ".")), ("ETag", f'"{_hash(body)}"'), _modified(built))
        return Response(200, (*UNCACHED, *told, *varies), body)

    def _empty(self, media: str) -> bytes:
        info = {"title": "Kubernetes", "version": self._version()}
        if media == JSON:
            return encode({"swagger": "2.0", "info": info, "paths": {}}).encode()
        return _field(1, b"2.0") + _field(
            2, b"".join(_field(at, text.encode()) for at, text in enumerate(info.values(), 1))
        )

    def _version(self) -> str:
        """Return the version as documents name it: without the last number."""
        return self._context.settings.version.removeprefix("v").rpartition(".")[0]

    def _list(self) -> bytes:
        """Return the index."""
        paths = {name: {"serverRelativeURL": f"{PREFIX}/{name}?hash={self._mark(name)}"} for name in self._names()}
        return encode({"paths": paths}).encode()

    def _names(self) -> list[str]:
        """Return what has a document: a path each."""
        added = METERING if metering.GROUP in self._context.registry.groups() else ()
        return [*group_versions(), *sorted((*added, *self._custom()))]

    def _mark(self, name: str) -> str:
        """Return what changes with a document: the hash of the few and small ones of definitions, else that of what is served."""
        if name in self._custom():
            return _hash(self._document(name)[0])
        if not self._served:
            served = [resource for resource in self._context.registry if not resource.custom]
            self._served = f"{self._context.settings.version}{served}"
        return _hash(f"{name}{self._served}".encode())

    def _document(self, name: str) -> tuple[bytes, int]:
        """Return a document, and when it was built."""
        return self._kept(name, lambda: encode(self._build(name)).encode())

    def _kept(self, name: str, build: Callable[[], bytes]) -> tuple[bytes, int]:
        found = self._documents.get(name)
        if found is None:
            found = self._documents[name] = build(), self._context.clock.wall()
        return found

    def _build(self, name: str) -> dict[str, Any]:
        if name in METERING:
            served: tuple[Resource, ...] = metering.RESOURCES if name == METERING[1] else ()
            return {
                "openapi": "3.0.0",
                "info": dict(metering.NOTES),
                "paths": paths(name, served),
                "components": {"schemas": metering.schemas(whole=bool(served))},
            }
        custom = self._custom().get(name)
        schemas = customdocs.schemas(custom) if custom else openapi_document(name)
        group, version = _split(name)
        served = self._context.registry.in_version(group, version) if version else ()
        info = {"title": "Kubernetes", "version": self._version()}
        info = {"title": "Kubernetes CRD Swagger", "version": "v0.1.0"} if custom else info
        parts = {"schemas": schemas} if custom else {"schemas": schemas, "securitySchemes": SECURITY}
        return {"openapi": "3.0.0", "info": info, "paths": paths(name, served), "components": parts}


def _modified(ms: int) -> tuple[str, str]:
    return "Last-Modified", http_date(ms)


def _field(number: int, data: bytes) -> bytes:
    """Return a protobuf field of less than 128 bytes."""
    return bytes((number << 3 | 2, len(data))) + data


def _split(name: str) -> tuple[str, str]:
    parts = name.split("/")
    if parts[0] == "api":
        return "", parts[1] if len(parts) > 1 else ""
    return (parts[1], parts[2]) if len(parts) == 3 else ("", "")


def _hash(body: bytes) -> str:
    return sha512(body).hexdigest().upper()
