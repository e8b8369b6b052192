"""Tokens of service accounts, asked for by TokenRequest.

Models pkg/registry/core/serviceaccount/storage/token.go and pkg/serviceaccount/claims.go.
"""

from __future__ import annotations

from typing import Any

from kit.embedded.api.attributes import Attributes
from kit.embedded.api.auth import ISSUER
from kit.embedded.api.context import Context
from kit.embedded.core.store import Key, Obj
from kit.kube import status, times

LEAST, MOST, USUAL = 600, 1 << 32, 3600
BOUND = {"Pod": "pods", "Secret": "secrets", "Node": "nodes"}


def issue(context: Context, at: Attributes, asked: Obj) -> Obj:
    """Return the TokenRequest with a token in its status."""
    account = context.store.get(at.key)
    if account is None:
        raise status.not_found("serviceaccounts", at.name)
    spec = dict(asked.get("spec") or {})
    seconds = spec.get("expirationSeconds")
    seconds = spec["expirationSeconds"] = USUAL if seconds is None else seconds
    _check(seconds)
    audiences = spec.get("audiences") or [ISSUER]
    spec["audiences"] = audiences
    bound = _bound(context, at, spec.get("boundObjectRef"))
    now = context.clock.wall() // 1000
    claims: dict[str, Any] = {
        "aud": audiences,
        "exp": now + seconds,
        "iat": now,
        "iss": ISSUER,
        "jti": context.ids.uid(),
        "kubernetes.io": {
            "namespace": at.namespace,
            **bound,
            "serviceaccount": {"name": at.name, "uid": account["metadata"]["uid"]},
        },
        "nbf": now,
        "sub": f"system:serviceaccount:{at.namespace}:{at.name}",
    }
    expires = times.rfc3339((now + seconds) * 1000)
    meta = {
        "name": at.name,
        "namespace": at.namespace,
        "uid": account["metadata"]["uid"],
        "creationTimestamp": context.clock.text(),
    }
    return {
        "kind": "TokenRequest",
        "apiVersion": "authentication.k8s.io/v1",
        "metadata": {**(asked.get("metadata") or {}), **meta},
        "spec": spec,
        "status": {"token": context.signer.token(claims), "expirationTimestamp": expires},
    }


def _check(seconds: int) -> None:
    why = ""
    if seconds < LEAST:
        why = "may not specify a duration less than 10 minutes"
    elif seconds > MOST:
        why = "may not specify a duration larger than 2^32 seconds"
    if why:
        wrong = status.invalid_value("spec.expirationSeconds", seconds, why)
        raise status.invalid("authentication.k8s.io", "TokenRequest", "", [wrong])


def _bound(context: Context, at: Attributes, reference: Obj | None) -> Obj:
    """Return the claims about the object a token lives as long as."""
    if not reference:
        return {}
    resource = BOUND.get(reference.get("kind", ""))
    if resource is None:
        group, _, version = reference.get("apiVersion", "").rpartition("/")
        kind = f"{group}/{version}, Kind={reference.get('kind', '')}"
        raise status.bad_request(f"cannot bind token to object of type {kind}")
    if not reference.get("name"):
        raise status.bad_request("Name parameter required.")
    key = Key(resource, "" if resource == "nodes" else at.namespace, reference.get("name", ""))
    found = context.store.get(key)
    if found is None:
        raise status.not_found(resource, key.name)
    uid = found["metadata"]["uid"]
    if reference.get("uid") and reference["uid"] != uid:
        why = (
            f"the UID in the bound object reference ({reference['uid']}) does not match the UID in record. "
            "The object might have been deleted and then recreated"
        )
        raise status.conflict(reference["kind"], key.name, why)
    out: Obj = {resource.removesuffix("s"): {"name": key.name, "uid": uid}}
    node = found["spec"].get("nodeName") if resource == "pods" else None
    held = context.store.get(Key("nodes", "", node)) if node else None
    if held is not None:
        out["node"] = {"name": node, "uid": held["metadata"]["uid"]}
    return out
