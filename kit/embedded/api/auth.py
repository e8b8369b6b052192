"""Who is asking: bearer tokens, client certificates, service accounts, impersonation.

Models k8s.io/apiserver/pkg/authentication and endpoints/filters/impersonation.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kit.embedded.api.attributes import ANONYMOUS, User
from kit.embedded.api.context import Context
from kit.embedded.core.store import Key
from kit.embedded.core.turns import Request
from kit.kube import status

AUTHENTICATED = "system:authenticated"
MASTERS = "system:masters"
ADMIN = User("kubernetes-admin", (MASTERS, AUTHENTICATED))
ACCOUNTS = "system:serviceaccounts"
CREDENTIAL_ID = "authentication.kubernetes.io/credential-id"


def authenticated(context: Context, request: Request) -> User:
    """Return who a request's credentials name; Unauthorized for a token that is not ours, anonymous without any."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        return by_token(context, token.strip())
    if request.identity is not None:
        return User(request.identity.name, (*request.identity.groups, AUTHENTICATED))
    return ANONYMOUS


def by_token(context: Context, token: str) -> User:
    """Return whose token it is; Unauthorized."""
    if context.settings.admin_token and token == context.settings.admin_token:
        return ADMIN
    claims = context.signer.claims(token)
    user = account_of(context, claims) if claims else None
    if user is None:
        raise status.unauthorized()
    return user


def account_of(context: Context, claims: Mapping[str, Any]) -> User | None:
    """Return the service account that claims name, None when they are over or it is gone."""
    about = claims.get("kubernetes.io") or {}
    namespace, account = about.get("namespace", ""), about.get("serviceaccount") or {}
    found = context.store.get(Key("serviceaccounts", namespace, account.get("name", "")))
    if found is None or found["metadata"]["uid"] != account.get("uid"):
        return None
    if int(claims.get("exp", 0)) * 1000 <= context.clock.wall():
        return None
    pod = about.get("pod")
    if pod and _uid(context, Key("pods", namespace, pod.get("name", ""))) != pod.get("uid"):
        return None
    return User(
        f"system:serviceaccount:{namespace}:{account['name']}",
        (ACCOUNTS, f"{ACCOUNTS}:{namespace}", AUTHENTICATED),
        str(account["uid"]),
        {CREDENTIAL_ID: (f"JTI={claims['jti']}",)} if claims.get("jti") else {},
    )


def _uid(context: Context, key: Key) -> str:
    found = context.store.get(key)
    return str(found["metadata"]["uid"]) if found else ""


def impersonated(request: Request) -> User | None:
    """Return who a request wants to act as, None when it says nothing of that."""
    headers = request.headers
    name = headers.get("impersonate-user", "")
    if not name:
        if headers.get("impersonate-group") or headers.get("impersonate-uid"):
            raise status.plain_error("requested [{Group}] without impersonating a user")
        return None
    groups = tuple(part.strip() for part in headers.get("impersonate-group", "").split(",") if part.strip())
    if not groups and name.startswith("system:serviceaccount:"):
        namespace = name.split(":")[2]
        groups = (ACCOUNTS, f"{ACCOUNTS}:{namespace}")
    ending = "system:unauthenticated" if name == ANONYMOUS.name else AUTHENTICATED
    if ending not in groups:
        groups = (*groups, ending)
    return User(name, groups, headers.get("impersonate-uid", ""))
