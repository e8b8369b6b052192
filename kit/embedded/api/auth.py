"""Who is asking: bearer tokens, client certificates, service accounts.

Models k8s.io/apiserver/pkg/authentication and pkg/serviceaccount/claims.go.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from kit.embedded.api import legacytokens
from kit.embedded.api.attributes import ANONYMOUS, User
from kit.embedded.api.context import Context
from kit.embedded.core.store import Key
from kit.embedded.core.turns import Identity, Request
from kit.kube import status

AUTHENTICATED = "system:authenticated"
UNAUTHENTICATED = "system:unauthenticated"
MASTERS = "system:masters"
ADMIN = User("kubernetes-admin", (MASTERS, AUTHENTICATED))
ACCOUNTS = "system:serviceaccounts"
EXTRA = "authentication.kubernetes.io"
CREDENTIAL = f"{EXTRA}/credential-id"
PROTOCOL = "base64url.bearer.authorization.k8s.io."
ISSUER = "https://kubernetes.default.svc.cluster.local"


def authenticated(context: Context, request: Request) -> User:
    """Return who a request's credentials name: a client certificate's user, else a bearer token's; anonymous without either.

    Unauthorized when there are credentials and none of them names anybody.
    """
    if request.identity is not None and request.identity.name:
        return _certified(request.identity)
    token = _bearer(request.headers) or _protocol_bearer(request.headers)
    if token:
        return by_token(context, token)
    if request.identity is not None:
        raise status.unauthorized()
    return ANONYMOUS


def _certified(identity: Identity) -> User:
    """Return the user of a certificate. Models AuthenticatedGroupAdder: who says that he is not authenticated is believed."""
    added = () if {AUTHENTICATED, UNAUTHENTICATED} & set(identity.groups) else (AUTHENTICATED,)
    extra = {CREDENTIAL: (f"X509SHA256={identity.digest}",)} if identity.digest else {}
    return User(identity.name, (*identity.groups, *added), identity.uid, extra)


def _bearer(headers: Mapping[str, str]) -> str:
    """Return the token of an Authorization header, "" without one. Models request/bearertoken."""
    scheme, *rest = headers.get("authorization", "").strip().split(" ")
    return rest[0] if rest and scheme.lower() == "bearer" else ""


def _protocol_bearer(headers: Mapping[str, str]) -> str:
    """Return the token that a WebSocket's handshake names among its protocols, "" without one. Models request/websocket/protocol.go.

    It only counts beside another protocol: none is left to speak otherwise.
    """
    if headers.get("upgrade", "").lower() != "websocket":
        return ""
    protocols = [one.strip() for one in headers.get("sec-websocket-protocol", "").split(",")]
    said = [one.removeprefix(PROTOCOL) for one in protocols if one.startswith(PROTOCOL)]
    if len(said) != 1 or len(protocols) < 2:
        return ""
    try:
        return base64.urlsafe_b64decode(said[0] + "=" * (-len(said[0]) % 4)).decode()
    except ValueError:
        return ""


def by_token(context: Context, token: str) -> User:
    """Return whose token it is; Unauthorized."""
    if context.settings.admin_token and token == context.settings.admin_token:
        return ADMIN
    claims = claims_of(context, token)
    user = account_of(context, claims) if claims else None
    if claims is None or user is None or not accepted(claims, (ISSUER,)):
        raise status.unauthorized()
    fault, warning = legacytokens.used(context, claims)
    if fault:
        raise status.unauthorized()
    return replace(user, warning=warning)


def claims_of(context: Context, token: str) -> dict[str, Any] | None:
    """Return the claims of a token that we signed, those of a Secret's token as if it were one of today; else None."""
    claims = context.signer.claims(token)
    return legacytokens.modern(context, claims, ISSUER) if claims else None


def accepted(claims: Mapping[str, Any], audiences: tuple[str, ...]) -> list[str]:
    """Return which of the audiences a token is for."""
    return [one for one in audiences if one in audiences_of(claims)]


def audiences_of(claims: Mapping[str, Any]) -> list[str]:
    """Return whom a token is for."""
    said = claims.get("aud") or []
    return [said] if isinstance(said, str) else list(said)


def account_of(context: Context, claims: Mapping[str, Any]) -> User | None:
    """Return the service account that claims name, None when they are over or it is gone."""
    about = claims.get("kubernetes.io") or {}
    namespace, account = about.get("namespace", ""), about.get("serviceaccount") or {}
    found = context.store.get(Key("serviceaccounts", namespace, account.get("name", "")))
    if found is None or found["metadata"]["uid"] != account.get("uid"):
        return None
    if int(claims.get("exp", 0)) * 1000 <= context.clock.wall():
        return None
    if not all(_lives(context, namespace, field, about[field]) for field in BOUND if about.get(field)):
        return None
    return User(
        f"system:serviceaccount:{namespace}:{account['name']}",
        (ACCOUNTS, f"{ACCOUNTS}:{namespace}", AUTHENTICATED),
        str(account["uid"]),
        _extra(claims, about),
    )


BOUND = {"pod": "pods", "secret": "secrets"}
"""Claims about what a token lives as long as; a node's is there for information, unless it is alone (as here it never must die)."""


def _lives(context: Context, namespace: str, field: str, bound: Mapping[str, Any]) -> bool:
    found = context.store.get(Key(BOUND[field], namespace, bound.get("name", "")))
    return found is not None and found["metadata"]["uid"] == bound.get("uid")


def _extra(claims: Mapping[str, Any], about: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return what else a token says of its bearer."""
    said = {"credential-id": f"JTI={claims['jti']}"} if claims.get("jti") else {}
    for kind in ("node", "pod"):
        bound = about.get(kind) or {}
        said |= {f"{kind}-{part}": str(bound[part]) for part in ("name", "uid") if bound.get(part)}
    return {f"{EXTRA}/{key}": (value,) for key, value in said.items()}
