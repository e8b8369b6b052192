"""The paths at the root that lead to no group: the list of all paths, the version, and what verifies service-account tokens elsewhere.

Models k8s.io/apiserver/pkg/server/routes (index.go, version.go, openidmetadata.go) and pkg/serviceaccount/openidmetadata.go.
"""

from __future__ import annotations

from collections.abc import Iterator

from kit.embedded.api import auth, groups, health, monitoring, openapi
from kit.embedded.api.answers import indented, respond
from kit.embedded.api.context import Context
from kit.embedded.api.discovery import version
from kit.embedded.api.negotiation import JSON, one_of
from kit.embedded.core.turns import Request, Response
from kit.kube.gojson import encode

CONFIGURATION = "/.well-known/openid-configuration"
KEYS = "/openid/v1/jwks"
VERSION = "/version"
JWK_SET = "application/jwk-set+json"
HOUR = (("Cache-Control", "public, max-age=3600"),)
METRICS = monitoring.PATHS


def answer(context: Context, request: Request, path: str) -> Response | None:
    """Return the answer at a path of the root, None for other paths."""
    if path == "/":
        return indented(respond(encode({"paths": sorted(_paths(context))}).encode()))
    place = path.rstrip("/")
    if place == VERSION:
        one_of(request, JSON)
        return indented(respond(encode(version(context)).encode()))
    if place == CONFIGURATION:
        one_of(request, JSON)
        return _kept(JSON, _configuration(context))
    if place == KEYS:
        one_of(request, JWK_SET)
        return _kept(JWK_SET, {"keys": [dict(key) for key in context.signer.key_set()]})
    return None


def _kept(media: str, body: dict[str, object]) -> Response:
    return Response(200, (*HOUR, ("Content-Type", media)), encode(body).encode())


def _configuration(context: Context) -> dict[str, object]:
    """Return where tokens come from and how they are checked."""
    return {
        "issuer": auth.ISSUER,
        "jwks_uri": f"{context.settings.server}{KEYS}",
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": sorted({key["alg"] for key in context.signer.key_set()}),
    }


def _paths(context: Context) -> Iterator[str]:
    yield from (
        CONFIGURATION,
        "/api",
        "/apis",
        "/apis/",
        *METRICS,
        openapi.V2,
        openapi.PREFIX,
        f"{openapi.PREFIX}/",
        KEYS,
        VERSION,
    )
    for root, checks in health.CHECKS.items():
        yield f"/{root}"
        yield from (f"/{root}/{check}" for check in checks)
    for group, versions in groups.ordered(context.registry, groups.claims(context.store)).items():
        base = f"/apis/{group}" if group else "/api"
        if group:
            yield base
        yield from (f"{base}/{one}" for one in versions)
