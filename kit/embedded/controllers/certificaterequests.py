"""Approves the certificate requests of kubelets that may have one, and removes requests that nobody needs any more.

Models pkg/controller/certificates/approver (sarapprove.go) and pkg/controller/certificates/cleaner (cleaner.go).
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from kit.embedded.api import rbac
from kit.embedded.api.attributes import User
from kit.embedded.core.clock import Clock
from kit.embedded.core.controller import Effects, Mapper, View, itself
from kit.embedded.core.effects import After, Delete, Update
from kit.embedded.core.ports import Signer
from kit.embedded.core.store import Key, Obj
from kit.errors import Status
from kit.kube import times
from kit.kube.rbac import Question

GROUP = "certificates.k8s.io"
REQUESTS = f"certificatesigningrequests.{GROUP}"
KUBELET = "kubernetes.io/kube-apiserver-client-kubelet"
NODES, NODE = ("system:nodes",), "system:node:"
USAGES = (
    {"key encipherment", "digital signature", "client auth"},
    {"digital signature", "client auth"},
)
HOUR = 3_600_000
DAY = 24 * HOUR
AGES = {"Denied": HOUR, "Failed": HOUR, "Approved": HOUR}  # how long a request stays after it was decided
SELF, ANY = "selfnodeclient", "nodeclient"
APPROVED = {
    SELF: "Auto approving self kubelet client certificate after SubjectAccessReview.",
    ANY: "Auto approving kubelet client certificate after SubjectAccessReview.",
}


class Approver:
    """The approving controller."""

    name = "certificatesigningrequest-approving-controller"
    user = "system:serviceaccount:kube-system:certificate-controller"
    manager = "kube-controller-manager"
    component = "certificate-controller"

    def __init__(self, clock: Clock, signer: Signer) -> None:
        self._clock = clock
        self._signer = signer
        self.watches: dict[str, Mapper] = {REQUESTS: itself}

    def reconcile(self, key: Key, view: View, now: int) -> Effects:
        """Approve a kubelet's request that nobody has decided, when who sent it may have such a certificate."""
        obj = view.at(key)
        if obj is None or _decided(obj) or (obj.get("status") or {}).get("certificate"):
            return
        user = _sender(obj["spec"])
        for kind in self._kinds(obj["spec"]):
            if rbac.allowed(view.store, user, Question("create", GROUP, "certificatesigningrequests", kind)):
                answer = yield Update(self._approved(obj, APPROVED[kind]), "approval")
                if isinstance(answer, Status) and answer.reason != "NotFound":
                    raise answer
                return

    def _kinds(self, spec: Mapping[str, Any]) -> list[str]:
        """Return which permissions would let a request through, the nearest first; none for those of others than kubelets."""
        if spec.get("signerName") != KUBELET or set(spec.get("usages") or ()) not in USAGES:
            return []
        request = base64.b64decode(spec["request"])
        name, groups = self._signer.subject(request) or ("", ())
        if groups != NODES or not name.startswith(NODE) or self._signer.other_names(request):
            return []
        return [SELF, ANY] if name == spec.get("username") else [ANY]

    def _approved(self, obj: Obj, message: str) -> Obj:
        state, time = obj.get("status") or {}, self._clock.text()
        condition = {"type": "Approved", "status": "True", "reason": "AutoApproved", "message": message}
        timed = {**condition, "lastUpdateTime": time, "lastTransitionTime": time}
        return {**obj, "status": {**state, "conditions": [*(state.get("conditions") or ()), timed]}}


class RequestCleaner:
    """The cleaning controller: it looks once an hour."""

    name = "certificatesigningrequest-cleaner-controller"
    user = "system:serviceaccount:kube-system:certificate-controller"
    manager = "kube-controller-manager"
    component = "certificate-controller"

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.watches: dict[str, Mapper] = {REQUESTS: itself}

    def reconcile(self, key: Key, view: View, now: int) -> Effects:
        """Remove a request that is over."""
        obj = view.at(key)
        if obj is None:
            return
        if now % HOUR == 0 and self._over(obj):
            answer = yield Delete(key, {"preconditions": {"uid": obj["metadata"]["uid"]}})
            if isinstance(answer, Status) and answer.reason != "NotFound":
                raise answer
            return
        yield After(HOUR - now % HOUR, housekeeping=True)

    def _over(self, obj: Obj) -> bool:
        decided = [one for one in (obj.get("status") or {}).get("conditions") or () if one["type"] in AGES]
        if not decided:
            return self._age(obj["metadata"]["creationTimestamp"]) > DAY
        stays = ((_patience(one["type"], obj), self._age(one.get("lastUpdateTime"))) for one in decided)
        return any(patience is not None and age > patience for patience, age in stays)

    def _age(self, time: str | None) -> int:
        return self._clock.wall() - times.parse(time) if time else DAY


def _patience(decision: str, obj: Obj) -> int | None:
    """Return how long a decided request stays: an approved one not longer than its certificate is good, None without one."""
    if decision != "Approved":
        return AGES[decision]
    if not (obj.get("status") or {}).get("certificate"):
        return None
    return min(AGES[decision], 1000 * int(obj["spec"].get("expirationSeconds") or HOUR))


def _decided(obj: Obj) -> bool:
    return any(one["type"] in ("Approved", "Denied") for one in (obj.get("status") or {}).get("conditions") or ())


def _sender(spec: Mapping[str, Any]) -> User:
    extra = {key: tuple(values) for key, values in (spec.get("extra") or {}).items()}
    return User(spec.get("username", ""), tuple(spec.get("groups") or ()), spec.get("uid") or "", extra)
