"""Tokens of Secrets of type service-account-token: they have no end and no audience, and live as long as their Secret.

Models pkg/serviceaccount/legacy.go. Not modelled: the label that says when one was last used.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from kit.embedded.api.context import Context
from kit.embedded.core.store import Key, Obj

ISSUER = "kubernetes/serviceaccount"
ABOUT = "kubernetes.io/serviceaccount"
FOR_EVER = 1 << 40


def modern(context: Context, claims: Mapping[str, Any], audience: str) -> dict[str, Any] | None:
    """Return claims as a bound token of today has them; None when they are a Secret's that does not hold them (any more)."""
    if claims.get("iss") != ISSUER:
        return dict(claims)
    namespace = str(claims.get(f"{ABOUT}/namespace") or "")
    secret = context.store.get(Key("secrets", namespace, str(claims.get(f"{ABOUT}/secret.name") or "")))
    if secret is None or "deletionTimestamp" in secret["metadata"] or _held(context, secret) != claims:
        return None
    account = {part: claims.get(f"{ABOUT}/service-account.{part}", "") for part in ("name", "uid")}
    return {
        "aud": [audience],
        "exp": FOR_EVER,
        "sub": claims["sub"],
        "kubernetes.io": {"namespace": namespace, "serviceaccount": account},
    }


def _held(context: Context, secret: Obj) -> dict[str, Any] | None:
    """Return the claims of the token a Secret holds."""
    try:
        token = base64.b64decode((secret.get("data") or {}).get("token") or "").decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    return context.signer.claims(token)
