"""Fills Secrets of type service-account-token with a token that never ends, and removes them with their service account.

Models pkg/controller/serviceaccount/tokens_controller.go and LegacyClaims of pkg/serviceaccount/legacy.go.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Any

from kit.embedded.api.legacytokens import ISSUER
from kit.embedded.core.controller import Effects, Mapper, View
from kit.embedded.core.effects import Delete, Update
from kit.embedded.core.ports import Signer
from kit.embedded.core.store import Event, Key, Obj
from kit.errors import Status

TYPE = "kubernetes.io/service-account-token"
NAME = "kubernetes.io/service-account.name"
UID = "kubernetes.io/service-account.uid"


class Tokens:
    """The serviceaccount token controller; its keys are Secrets."""

    name = "serviceaccount-token-controller"
    user = "system:kube-controller-manager"
    manager = "kube-controller-manager"
    component = "serviceaccount-token-controller"

    def __init__(self, signer: Signer) -> None:
        self._signer = signer
        self.watches: dict[str, Mapper] = {"secrets": _token_secret, "serviceaccounts": _secrets_of}

    def reconcile(self, key: Key, view: View, now: int) -> Effects:
        """Fill in what one Secret lacks; delete it when its account is not there."""
        secret = view.at(key)
        if secret is None or secret.get("type") != TYPE:
            return
        account = _account(secret, view)
        if account is None:
            answer = yield Delete(key, {"preconditions": {"uid": secret["metadata"]["uid"]}})
        else:
            wanted = self._filled(secret, account)
            answer = (yield Update(wanted)) if wanted != secret else None
        if isinstance(answer, Status) and answer.reason != "NotFound":
            raise answer

    def _filled(self, secret: Obj, account: Obj) -> Obj:
        metadata, data = secret["metadata"], dict(secret.get("data") or {})
        data["ca.crt"] = _encoded(self._signer.authority())
        data["namespace"] = data.get("namespace") or _encoded(metadata["namespace"])
        data["token"] = data.get("token") or _encoded(self._signer.token(_claims(secret, account)))
        own = {NAME: account["metadata"]["name"], UID: account["metadata"]["uid"]}
        notes = {**(metadata.get("annotations") or {}), **own}
        return {**secret, "metadata": {**metadata, "annotations": notes}, "data": data}


def _token_secret(event: Event, view: View) -> Iterable[Key]:
    if event.type != "DELETED" and event.obj.get("type") == TYPE:
        yield event.key


def _secrets_of(event: Event, view: View) -> Iterable[Key]:
    """Map an account that comes or goes to the Secrets that name it."""
    if event.type == "MODIFIED":
        return
    for secret in view.list("secrets", event.key.namespace):
        if secret.get("type") == TYPE and (secret["metadata"].get("annotations") or {}).get(NAME) == event.key.name:
            yield Key("secrets", event.key.namespace, secret["metadata"]["name"])


def _account(secret: Obj, view: View) -> Obj | None:
    """Return the account a Secret names; a uid that is said must be its."""
    notes = secret["metadata"].get("annotations") or {}
    found = view.get("serviceaccounts", secret["metadata"]["namespace"], notes.get(NAME, ""))
    return found if found is not None and notes.get(UID) in (None, "", found["metadata"]["uid"]) else None


def _claims(secret: Obj, account: Obj) -> dict[str, Any]:
    namespace, about = secret["metadata"]["namespace"], "kubernetes.io/serviceaccount"
    return {
        "iss": ISSUER,
        f"{about}/namespace": namespace,
        f"{about}/secret.name": secret["metadata"]["name"],
        f"{about}/service-account.name": account["metadata"]["name"],
        f"{about}/service-account.uid": account["metadata"]["uid"],
        "sub": f"system:serviceaccount:{namespace}:{account['metadata']['name']}",
    }


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
