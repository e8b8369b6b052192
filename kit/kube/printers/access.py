"""Who may do what: bindings, certificates, admission, flow control."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from kit.kube import selectors, times
from kit.kube.printers.cells import NONE, UNKNOWN, UNSET, Object, Row, age, name, spec, status


def _binding(obj: Object, now: int) -> list[Any]:
    role = obj.get("roleRef") or {}
    who: dict[str, list[str]] = {"User": [], "Group": [], "ServiceAccount": []}
    for subject in obj.get("subjects") or ():
        account = subject["kind"] == "ServiceAccount"
        who[subject["kind"]].append(f"{subject.get('namespace', '')}/{subject['name']}" if account else subject["name"])
    subjects = [", ".join(names) for names in who.values()]
    return [name(obj), f"{role.get('kind', '')}/{role.get('name', '')}", age(obj, now), *subjects]


def _signing_request(obj: Object, now: int) -> list[Any]:
    """Models printCertificateSigningRequest and extractCSRStatus."""
    seconds = spec(obj).get("expirationSeconds")
    types = {found["type"] for found in status(obj).get("conditions") or ()}
    word = "Denied" if "Denied" in types else "Approved" if "Approved" in types else "Pending"
    word += ",Failed" if "Failed" in types else ""
    word += ",Issued" if status(obj).get("certificate") else ""
    duration = NONE if seconds is None else times.human_duration(seconds * 1000)
    who = [spec(obj).get("signerName") or NONE, spec(obj).get("username", "")]
    return [name(obj), age(obj, now), *who, duration, word]


def _webhooks(obj: Object, now: int) -> list[Any]:
    return [name(obj), len(obj.get("webhooks") or ()), age(obj, now)]


def _parameters(given: Mapping[str, Any] | None) -> str:
    return f"{given.get('apiVersion', '')}/{given.get('kind', '')}" if given else UNSET


def _validating_policy(obj: Object, now: int) -> list[Any]:
    return [name(obj), len(spec(obj).get("validations") or ()), _parameters(spec(obj).get("paramKind")), age(obj, now)]


def _mutating_policy(obj: Object, now: int) -> list[Any]:
    return [name(obj), len(spec(obj).get("mutations") or ()), _parameters(spec(obj).get("paramKind")), age(obj, now)]


def _policy_binding(obj: Object, now: int) -> list[Any]:
    given = spec(obj).get("paramRef")
    shown = UNSET
    if given:
        named = "/".join(part for part in (given.get("namespace"), given.get("name")) if part)
        shown = named or selectors.struct(given.get("selector") or {})
    return [name(obj), spec(obj).get("policyName", ""), shown, age(obj, now)]


def _flow_schema(obj: Object, now: int) -> list[Any]:
    dangling = next((c["status"] for c in status(obj).get("conditions") or () if c["type"] == "Dangling"), "?")
    return [
        name(obj),
        (spec(obj).get("priorityLevelConfiguration") or {}).get("name", ""),
        spec(obj).get("matchingPrecedence", 0),
        (spec(obj).get("distinguisherMethod") or {}).get("type") or NONE,
        age(obj, now),
        dangling,
    ]


def _priority_level(obj: Object, now: int) -> list[Any]:
    limited = spec(obj).get("limited") or {}
    queuing = (limited.get("limitResponse") or {}).get("queuing") or {}
    queues = [queuing.get(field, NONE) for field in ("queues", "handSize", "queueLengthLimit")]
    shares = limited.get("nominalConcurrencyShares", NONE)
    return [name(obj), spec(obj).get("type", UNKNOWN), shares, *queues, age(obj, now)]


def _trust_bundle(obj: Object, _now: int) -> list[Any]:
    return [name(obj), spec(obj).get("signerName") or NONE]


def _pod_certificate(obj: Object, _now: int) -> list[Any]:
    """Models printPodCertificateRequest."""
    who = [spec(obj).get(field, "") for field in ("podName", "serviceAccountName", "nodeName", "signerName")]
    types = {found["type"] for found in status(obj).get("conditions") or ()}
    word = next((type for type in ("Issued", "Denied", "Failed") if type in types), "Pending")
    given = spec(obj).get("unverifiedUserAnnotations") or {}
    return [name(obj), *who, word, ",".join(f"{key}={value}" for key, value in sorted(given.items()))]


ROWS: Final[dict[str, Row]] = {
    "clustertrustbundles.certificates.k8s.io": _trust_bundle,
    "podcertificaterequests.certificates.k8s.io": _pod_certificate,
    "rolebindings.rbac.authorization.k8s.io": _binding,
    "clusterrolebindings.rbac.authorization.k8s.io": _binding,
    "certificatesigningrequests.certificates.k8s.io": _signing_request,
    "validatingwebhookconfigurations.admissionregistration.k8s.io": _webhooks,
    "mutatingwebhookconfigurations.admissionregistration.k8s.io": _webhooks,
    "validatingadmissionpolicies.admissionregistration.k8s.io": _validating_policy,
    "mutatingadmissionpolicies.admissionregistration.k8s.io": _mutating_policy,
    "validatingadmissionpolicybindings.admissionregistration.k8s.io": _policy_binding,
    "mutatingadmissionpolicybindings.admissionregistration.k8s.io": _policy_binding,
    "flowschemas.flowcontrol.apiserver.k8s.io": _flow_schema,
    "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io": _priority_level,
}
