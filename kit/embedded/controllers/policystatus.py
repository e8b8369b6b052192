"""Says in the status of each ValidatingAdmissionPolicy what its expressions would get wrong about the kinds it is for.

Models pkg/controller/validatingadmissionpolicystatus/controller.go. The CEL engine is imported by the first policy.
"""

from __future__ import annotations

from kit.embedded.core.controller import Effects, Mapper, View, itself
from kit.embedded.core.effects import Patch
from kit.embedded.core.store import Key
from kit.errors import Status
from kit.kube.kinds import Registry

POLICIES = "validatingadmissionpolicies.admissionregistration.k8s.io"
API_VERSION = "admissionregistration.k8s.io/v1"


class PolicyStatus:
    """Checks the types of policies' expressions."""

    name = "validatingadmissionpolicy-status-controller"
    user = "system:serviceaccount:kube-system:validatingadmissionpolicy-status-controller"
    manager = "validatingadmissionpolicy-status"
    component = "validatingadmissionpolicy-status-controller"

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self.watches: dict[str, Mapper] = {POLICIES: itself}

    def reconcile(self, key: Key, view: View, now: int) -> Effects:
        """Apply the status of a policy whose spec is new."""
        policy = view.at(key)
        if policy is None:
            return
        generation = policy["metadata"].get("generation", 0)
        if (policy.get("status") or {}).get("observedGeneration") == generation:
            return
        from kit.kube.admission.typechecking import warnings

        found = warnings(policy["spec"], self._registry)
        status = {"observedGeneration": generation, "typeChecking": {"expressionWarnings": found} if found else {}}
        head = {"apiVersion": API_VERSION, "kind": "ValidatingAdmissionPolicy", "metadata": {"name": key.name}}
        answer = yield Patch(key, {**head, "status": status}, "apply", "status")
        if isinstance(answer, Status) and answer.reason not in {"NotFound", "Conflict"}:
            raise answer
