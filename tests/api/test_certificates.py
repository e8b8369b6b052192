"""Certificate requests: asked for, approved, signed, refused."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from kit.embedded.controllers.certificaterequests import Approver, RequestCleaner
from kit.embedded.controllers.certificates import Certificates

PATH = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
CLIENT = "kubernetes.io/kube-apiserver-client"
KUBELET = f"{CLIENT}-kubelet"
MINUTE = 60_000


def request(user: str, *groups: str, usages: tuple[str, ...] = ("client auth",), **spec: Any) -> dict[str, Any]:
    hosts = spec.pop("hosts", ())
    names = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    subject = x509.Name([*names, x509.NameAttribute(NameOID.COMMON_NAME, user)])
    key = ec.generate_private_key(ec.SECP256R1())
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    if hosts:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([x509.DNSName(one) for one in hosts]), critical=False
        )
    pem = builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
    body = {"signerName": CLIENT, "request": base64.b64encode(pem).decode(), "usages": list(usages), **spec}
    return {"metadata": {"name": "r"}, "spec": body}


def approve(world: Any, **headers: str) -> Any:
    found = world.call("GET", f"{PATH}/r").body
    said = {"type": "Approved", "status": "True", "reason": "Because", "message": "yes"}
    return world.call("PUT", f"{PATH}/r/approval", {**found, "status": {"conditions": [said]}}, headers=headers)


@pytest.fixture
def signing(staffed: Callable[[], Any]) -> Any:
    world = staffed()
    signer = world.api.context.signer
    for one in (Approver(world.clock, signer), Certificates(world.clock, signer), RequestCleaner(world.clock)):
        world.engine.register(one)
    return world


def test_an_approved_request_is_signed(signing: Any) -> None:
    made = signing.call("POST", PATH, request("eve", "team", expirationSeconds=3600))
    assert made.code == 201 and made.body["spec"]["username"] == "kubernetes-admin"
    signing.run(1000)
    assert "certificate" not in signing.call("GET", f"{PATH}/r").body["status"]
    assert approve(signing).code == 200
    signing.run(1000)
    pem = base64.b64decode(signing.call("GET", f"{PATH}/r").body["status"]["certificate"])
    assert pem.endswith(b"client auth 3600\n")


def test_a_usage_the_signer_does_not_sign_fails(signing: Any) -> None:
    signing.call("POST", PATH, request("eve", usages=("server auth",)))
    approve(signing)
    signing.run(1000)
    failed = signing.call("GET", f"{PATH}/r").body["status"]["conditions"][1]
    assert failed["type"] == "Failed" and failed["reason"] == "SignerValidationFailure"
    assert failed["message"] == "invalid usage for client certificate: server auth"


def test_the_administrators_group_is_not_given_away(signing: Any) -> None:
    refused = signing.call("POST", PATH, request("boss", "system:masters"))
    assert refused.code == 403 and refused.body["message"] == (
        'certificatesigningrequests.certificates.k8s.io "r" is forbidden: '
        "use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed"
    )


def test_who_approves_must_be_named_to_the_signer(signing: Any) -> None:
    signing.call("POST", PATH, request("eve"))
    rules = [
        {
            "apiGroups": ["certificates.k8s.io"],
            "resources": ["certificatesigningrequests/approval"],
            "verbs": ["update"],
        }
    ]
    subject = {"kind": "User", "name": "bob", "apiGroup": "rbac.authorization.k8s.io"}
    to = {"kind": "ClusterRole", "name": "a", "apiGroup": "rbac.authorization.k8s.io"}
    signing.call("POST", f"{RBAC}/clusterroles", {"metadata": {"name": "a"}, "rules": rules})
    signing.call(
        "POST", f"{RBAC}/clusterrolebindings", {"metadata": {"name": "a"}, "roleRef": to, "subjects": [subject]}
    )
    refused = approve(signing, **{"impersonate-user": "bob"})
    assert refused.code == 403 and refused.body["message"].endswith(
        f'"r" is forbidden: user not permitted to approve requests with signerName "{CLIENT}"'
    )
    rules.append(
        {
            "apiGroups": ["certificates.k8s.io"],
            "resources": ["signers"],
            "verbs": ["approve"],
            "resourceNames": ["kubernetes.io/*"],
        }
    )
    signing.call("PUT", f"{RBAC}/clusterroles/a", {"metadata": {"name": "a"}, "rules": rules})
    assert approve(signing, **{"impersonate-user": "bob"}).code == 200


def kubelet(name: str = "system:node:n1", *groups: str, **spec: Any) -> dict[str, Any]:
    usages = spec.pop("usages", ("digital signature", "client auth"))
    return request(name, *(groups or ("system:nodes",)), usages=usages, signerName=KUBELET, **spec)


def told(world: Any) -> list[str]:
    """Return what is said of the request, and whether it is signed."""
    world.run(1000)
    state = world.call("GET", f"{PATH}/r").body.get("status", {})
    return [*(one["message"] for one in state.get("conditions", ())), *(["signed"] if state.get("certificate") else [])]


ANY = "Auto approving kubelet client certificate after SubjectAccessReview."


@pytest.mark.parametrize(
    "body,expected",
    [
        (kubelet(), [ANY, "signed"]),
        (kubelet(usages=("digital signature", "key encipherment", "client auth")), [ANY, "signed"]),
        (kubelet(usages=("client auth",)), []),
        (kubelet("n1"), []),
        (kubelet("system:node:n1", "system:nodes", "more"), []),
        (kubelet(hosts=("a.example",)), []),
        (
            request(
                "system:node:n1", "system:nodes", signerName="kubernetes.io/kubelet-serving", usages=("server auth",)
            ),
            [],
        ),
    ],
)
def test_a_kubelets_request_is_approved_by_itself(signing: Any, body: dict[str, Any], expected: list[str]) -> None:
    assert signing.call("POST", PATH, body).code == 201
    assert told(signing) == expected


def test_a_kubelet_may_renew_its_own_when_it_is_allowed_to(signing: Any) -> None:
    me = {"impersonate-user": "system:node:n1", "impersonate-group": "system:nodes"}
    signing.call("POST", PATH, kubelet(), headers=me)
    assert told(signing) == []
    signing.call("DELETE", f"{PATH}/r")
    subject = {"kind": "Group", "name": "system:nodes", "apiGroup": "rbac.authorization.k8s.io"}
    name = "system:certificates.k8s.io:certificatesigningrequests:selfnodeclient"
    to = {"kind": "ClusterRole", "name": name, "apiGroup": "rbac.authorization.k8s.io"}
    signing.call(
        "POST", f"{RBAC}/clusterrolebindings", {"metadata": {"name": "renew"}, "roleRef": to, "subjects": [subject]}
    )
    signing.call("POST", PATH, kubelet(), headers=me)
    assert told(signing) == ["Auto approving self kubelet client certificate after SubjectAccessReview.", "signed"]


@pytest.mark.parametrize(
    "decision,stays,gone",
    [("", 24 * 60, 25 * 60), ("Denied", 59, 2 * 60), ("Approved", 59, 2 * 60)],
)
def test_requests_go_some_time_after_they_are_over(signing: Any, decision: str, stays: int, gone: int) -> None:
    signing.call("POST", PATH, request("eve"))
    if decision:
        found = signing.call("GET", f"{PATH}/r").body
        said = {"type": decision, "status": "True", "reason": "x", "message": "x"}
        signing.call("PUT", f"{PATH}/r/approval", {**found, "status": {"conditions": [said]}})
    signing.run(stays * MINUTE)
    assert signing.call("GET", f"{PATH}/r").code == 200
    signing.run((gone - stays) * MINUTE)
    assert signing.call("GET", f"{PATH}/r").code == 404
