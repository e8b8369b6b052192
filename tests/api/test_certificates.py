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

from kit.embedded.controllers.certificates import Certificates

PATH = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
CLIENT = "kubernetes.io/kube-apiserver-client"


def request(user: str, *groups: str, usages: tuple[str, ...] = ("client auth",), **spec: Any) -> dict[str, Any]:
    names = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    subject = x509.Name([*names, x509.NameAttribute(NameOID.COMMON_NAME, user)])
    key = ec.generate_private_key(ec.SECP256R1())
    pem = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(subject)
        .sign(key, hashes.SHA256())
        .public_bytes(Encoding.PEM)
    )
    body = {"signerName": CLIENT, "request": base64.b64encode(pem).decode(), "usages": list(usages), **spec}
    return {"metadata": {"name": "r"}, "spec": body}


def approve(world: Any, **headers: str) -> Any:
    found = world.call("GET", f"{PATH}/r").body
    said = {"type": "Approved", "status": "True", "reason": "Because", "message": "yes"}
    return world.call("PUT", f"{PATH}/r/approval", {**found, "status": {"conditions": [said]}}, headers=headers)


@pytest.fixture
def signing(staffed: Callable[[], Any]) -> Any:
    world = staffed()
    world.engine.register(Certificates(world.clock, world.api.context.signer))
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
