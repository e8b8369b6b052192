"""Tokens of Secrets of type service-account-token: they have no end and no audience, and live as long as their Secret.

Models pkg/serviceaccount/legacy.go. Each use is noted on the Secret by its day; the real server looks only when it has forgotten a token.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from kit.embedded.api import rules
from kit.embedded.api.attributes import SERVER, Attributes
from kit.embedded.api.context import Context
from kit.embedded.core.store import Key, Obj

ISSUER = "kubernetes/serviceaccount"
ABOUT = "kubernetes.io/serviceaccount"
FOR_EVER = 1 << 40
LAST_USED, INVALID = "kubernetes.io/legacy-token-last-used", "kubernetes.io/legacy-token-invalid-since"
LISTED = "Use tokens from the TokenRequest API or manually created secret-based tokens instead of auto-generated secret-based tokens."


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
        "kubernetes.io": {"namespace": namespace, "serviceaccount": account, "legacy": secret["metadata"]["name"]},
    }


def used(context: Context, claims: Mapping[str, Any]) -> tuple[str, str]:
    """Note that a token is used: why it must not be, and what its bearer is warned of; both "" for other tokens than Secrets'."""
    about = claims.get("kubernetes.io") or {}
    if "legacy" not in about:
        return "", ""
    namespace, account = str(about["namespace"]), str(about["serviceaccount"]["name"])
    key = Key("secrets", namespace, str(about["legacy"]))
    secret = context.store.get(key)
    labels = (secret or {"metadata": {}})["metadata"].get("labels") or {}
    if secret is not None and labels.get(LAST_USED) != context.clock.text()[:10]:
        _label(context, key, secret, labels)
    if INVALID in labels:
        why = (
            f"the token in secret {namespace}/{key.name} for service account {namespace}/{account} has been marked invalid. "
            "Use tokens from the TokenRequest API or manually created secret-based tokens, or remove the "
            f"'{INVALID}' label from the secret to temporarily allow use of this token"
        )
        return why, ""
    found = context.store.get(Key("serviceaccounts", namespace, account)) or {}
    return "", LISTED if any(one.get("name") == key.name for one in found.get("secrets") or ()) else ""


def _label(context: Context, key: Key, secret: Obj, labels: Mapping[str, str]) -> None:
    """Write the day of the last use on a Secret, as the API server itself."""
    resource = context.registry.by_group_resource(key.resource)
    if resource is None:  # every registry has Secrets
        return
    day = {LAST_USED: context.clock.text()[:10]}
    new = {**secret, "metadata": {**secret["metadata"], "labels": {**labels, **day}}}
    at = Attributes("patch", resource, key.namespace, key.name, user=SERVER, manager="kube-apiserver")
    context.store.commit(key, rules.owned(context, at, secret, new))


def _held(context: Context, secret: Obj) -> dict[str, Any] | None:
    """Return the claims of the token a Secret holds."""
    try:
        token = base64.b64decode((secret.get("data") or {}).get("token") or "").decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    return context.signer.claims(token)
