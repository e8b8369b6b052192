"""Signs approved certificate requests for the signers of Kubernetes with the cluster's own authority.

Models pkg/controller/certificates/signer (signer.go).
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kit.embedded.core.clock import Clock
from kit.embedded.core.controller import Effects, Mapper, View, itself
from kit.embedded.core.effects import Update
from kit.embedded.core.ports import Signer
from kit.embedded.core.store import Key, Obj
from kit.errors import Status

REQUESTS = "certificatesigningrequests.certificates.k8s.io"
YEAR = 365 * 24 * 3600
LEAST = 600
SIGNATURE = ("digital signature", "key encipherment")


@dataclass(frozen=True, slots=True)
class Rule:
    """What a signer signs: the usage a certificate must be for, in the words of its complaints; None where anything goes."""

    purpose: str | None
    word: str = ""


SIGNERS: Mapping[str, Rule] = {
    "kubernetes.io/kube-apiserver-client": Rule("client auth", "client"),
    "kubernetes.io/kube-apiserver-client-kubelet": Rule("client auth", "client"),
    "kubernetes.io/kubelet-serving": Rule("server auth", "server"),
    "kubernetes.io/legacy-unknown": Rule(None),
}


class Certificates:
    """The signing controller."""

    name = "certificatesigningrequest-signing-controller"
    user = "system:serviceaccount:kube-system:certificate-controller"
    manager = "kube-controller-manager"
    component = "certificate-controller"

    def __init__(self, clock: Clock, signer: Signer) -> None:
        self._clock = clock
        self._signer = signer
        self.watches: dict[str, Mapper] = {REQUESTS: itself}

    def reconcile(self, key: Key, view: View, now: int) -> Effects:
        """Sign a request that is approved and has no certificate yet, or say why it can't be."""
        obj = view.at(key)
        rule = SIGNERS.get(obj["spec"].get("signerName", "")) if obj else None
        if obj is None or rule is None or not _waits(obj):
            return
        request = base64.b64decode(obj["spec"]["request"])
        usages = obj["spec"].get("usages") or ()
        found = self._signer.subject(request)
        why = fault(rule, usages) if found else "unable to parse csr"
        state = dict(obj.get("status") or {})
        if why:
            state["conditions"] = [*(state.get("conditions") or ()), self._failed(why)]
        else:
            seconds = max(LEAST, obj["spec"].get("expirationSeconds") or YEAR)
            pem = self._signer.certificate(request, usages, min(seconds, YEAR))
            state["certificate"] = base64.b64encode(pem).decode()
        answer = yield Update({**obj, "status": state}, "status")
        if isinstance(answer, Status):
            raise answer

    def _failed(self, why: str) -> Obj:
        time = self._clock.text()
        return {
            "type": "Failed",
            "status": "True",
            "reason": "SignerValidationFailure",
            "message": why,
            "lastUpdateTime": time,
            "lastTransitionTime": time,
        }


def _waits(obj: Obj) -> bool:
    state = obj.get("status") or {}
    types = {one["type"] for one in state.get("conditions") or ()}
    return "Approved" in types and not types & {"Denied", "Failed"} and not state.get("certificate")


def fault(rule: Rule, usages: Sequence[str]) -> str:
    """Return what is wrong with the usages asked for, "" when nothing is."""
    if rule.purpose is None:
        return ""
    for usage in usages:
        if usage not in SIGNATURE and usage != rule.purpose:
            return f"invalid usage for {rule.word} certificate: {usage}"
    return "" if rule.purpose in usages else f"missing required usage for {rule.word} certificate: {rule.purpose}"
