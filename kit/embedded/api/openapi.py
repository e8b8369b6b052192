"""OpenAPI v3: the index and one document a group version, as kubectl needs them to check, patch and explain.

OpenAPI v2 is an empty document: kubectl falls back to it for a kind that v3 lacks, and then finds out by itself that there is none.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from kit.embedded.api import customdocs
from kit.embedded.api.answers import encode, respond
from kit.embedded.api.context import Context
from kit.embedded.api.openapi_paths import paths
from kit.embedded.core.turns import Request, Response
from kit.kube import status
from kit.kube.kinds import Resource
from kit.kube.openapi_schemas import group_versions, openapi_document

PREFIX = "/openapi/v3"
V2 = "/openapi/v2"
V2_PROTOBUF = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
SECURITY = {"BearerToken": {"type": "apiKey", "name": "authorization", "in": "header"}}


class OpenApi:
    """The documents, built when first asked for."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._bytes: dict[str, bytes] = {}
        self._index: bytes | None = None

    def changed(self) -> None:
        """Build everything anew when it is next asked for."""
        self._bytes.clear()
        self._index = None

    def answer(self, request: Request, path: str) -> Response | None:
        """Return the answer below /openapi, None for other paths."""
        if path == V2:
            return self._second(request)
        if path != PREFIX and not path.startswith(f"{PREFIX}/"):
            return None
        name = path.removeprefix(PREFIX).strip("/")
        if not name:
            return respond(self._list())
        if name not in group_versions() and name not in self._custom():
            raise status.unknown_path()
        body = self._document(name)
        etag = f'"{_hash(body)}"'
        if request.headers.get("if-none-match") == etag:
            return Response(304, (("ETag", etag),), b"")
        headers = (
            ("Content-Type", "application/json"),
            ("ETag", etag),
            ("Cache-Control", "public"),
            ("Vary", "Accept"),
        )
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
        version = self._context.settings.version
        if V2_PROTOBUF not in request.headers.get("accept", ""):
            info = {"title": "Kubernetes", "version": version}
            return respond(encode({"swagger": "2.0", "info": info, "paths": {}}).encode())
        info_bytes = _field(1, b"Kubernetes") + _field(2, version.encode())
        return Response(
            200, (("Content-Type", V2_PROTOBUF.replace("@", ".")),), _field(1, b"2.0") + _field(2, info_bytes)
        )

    def _list(self) -> bytes:
        """Return the index. Its hashes come from the registry, so no document is built for it."""
        if self._index is None:
            served = [resource for resource in self._context.registry if not resource.custom]
            mark = _hash(f"{self._context.settings.version}{served}".encode())
            paths = {name: {"serverRelativeURL": f"{PREFIX}/{name}?hash={mark}"} for name in group_versions()}
            for name in sorted(self._custom()):  # few and small: their own bytes say when they change
                paths[name] = {"serverRelativeURL": f"{PREFIX}/{name}?hash={_hash(self._document(name))}"}
            self._index = encode({"paths": paths}).encode()
        return self._index

    def _document(self, name: str) -> bytes:
        found = self._bytes.get(name)
        if found is None:
            found = self._bytes[name] = encode(self._build(name)).encode()
        return found

    def _build(self, name: str) -> dict[str, Any]:
        custom = self._custom().get(name)
        schemas = customdocs.schemas(custom) if custom else openapi_document(name)
        group, version = _split(name)
        served = self._context.registry.in_version(group, version) if version else ()
        info = {"title": "Kubernetes", "version": self._context.settings.version}
        info = {"title": "Kubernetes CRD Swagger", "version": "v0.1.0"} if custom else info
        parts = {"schemas": schemas} if custom else {"schemas": schemas, "securitySchemes": SECURITY}
        return {"openapi": "3.0.0", "info": info, "paths": paths(name, served), "components": parts}


def _field(number: int, data: bytes) -> bytes:
    """Return a protobuf field of less than 128 bytes."""
    return bytes((number << 3 | 2, len(data))) + data


def _split(name: str) -> tuple[str, str]:
    parts = name.split("/")
    if parts[0] == "api":
        return "", parts[1] if len(parts) > 1 else ""
    return (parts[1], parts[2]) if len(parts) == 3 else ("", "")


def _hash(body: bytes) -> str:
    return sha256(body).hexdigest().upper()
