"""Certificate requests: nobody asks for the administrators' group, and signers are named to who approves and signs.

Models plugin/pkg/admission/certificates/{approval,signing,subjectrestriction}/admission.go.
"""

from __future__ import annotations

import base64
import binascii

from kit.embedded.api import rbac
from kit.embedded.api.attributes import Attributes
from kit.embedded.api.auth import MASTERS
from kit.embedded.api.context import Context
from kit.embedded.core.store import Obj
from kit.kube import status
from kit.kube.rbac import Question

GROUP = "certificates.k8s.io"
REQUESTS = frozenset({f"certificatesigningrequests.{GROUP}"})
CLIENT = "kubernetes.io/kube-apiserver-client"


def check_subject(context: Context, at: Attributes, obj: Obj, old: Obj | None) -> None:
    """Refuse a request for a client of the API in the administrators' group."""
    spec = obj["spec"]
    if spec.get("signerName") != CLIENT:
        return
    try:
        found = context.signer.subject(base64.b64decode(spec.get("request") or ""))
    except binascii.Error:
        return
    if found is not None and MASTERS in found[1]:
        why = f"use of {CLIENT} signer with {MASTERS} group is not allowed"
        raise status.forbidden(at.resource, obj["metadata"].get("name", ""), why)


def check_approval(context: Context, at: Attributes, obj: Obj, old: Obj | None) -> None:
    """Refuse who may not approve for a signer."""
    _permitted(context, at, obj, "approve")


def check_signing(context: Context, at: Attributes, obj: Obj, old: Obj | None) -> None:
    """Refuse who may not sign for a signer, when a certificate or a failure is written."""
    if old is not None and _signed(obj) != _signed(old):
        _permitted(context, at, obj, "sign")


def _signed(obj: Obj) -> object:
    found = obj.get("status") or {}
    return found.get("certificate"), [one for one in found.get("conditions") or () if one.get("type") == "Failed"]


def _permitted(context: Context, at: Attributes, obj: Obj, verb: str) -> None:
    signer = obj["spec"]["signerName"]
    names = (signer, f"{signer.partition('/')[0]}/*")
    if not any(rbac.allowed(context.store, at.user, Question(verb, GROUP, "signers", name=name)) for name in names):
        why = f'user not permitted to {verb} requests with signerName "{signer}"'
        raise status.forbidden(at.resource, at.name, why)
