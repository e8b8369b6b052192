"""Keys, tokens and files of a cluster."""

from __future__ import annotations

import base64
import hashlib
import json
import stat

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from kit.runtime.credentials import Credentials


def test_files_are_ours_alone_and_stay_the_same(tmp_path):
    first = Credentials(tmp_path, "lab")
    path = first.kubeconfig("https://127.0.0.1:1", tmp_path / "kubeconfig")
    names = ("ca.crt", "ca.key", "server.crt", "server.key", "sa.key", "token", "kubeconfig")
    assert {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()} == dict.fromkeys(names, 0o600)
    assert Credentials(tmp_path, "lab").token_text == first.token_text
    assert len(base64.urlsafe_b64decode(first.token_text + "=")) * 8 >= 128
    document = json.loads(path.read_text())
    assert document["users"] == [{"name": "lab", "user": {"token": first.token_text}}]
    assert (
        base64.b64decode(document["clusters"][0]["cluster"]["certificate-authority-data"]).decode() == first.authority()
    )


def test_two_clusters_share_nothing(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one, other = Credentials(tmp_path / "a", "a"), Credentials(tmp_path / "b", "b")
    assert one.token_text != other.token_text
    assert other.claims(one.token({"sub": "x"})) is None


def test_service_account_tokens_are_verified(tmp_path):
    signer = Credentials(tmp_path, "lab")
    claims = {"iss": "https://kubernetes.default.svc.cluster.local", "sub": "system:serviceaccount:a:b", "exp": 5}
    token = signer.token(claims)
    assert signer.token(claims) == token
    assert signer.claims(token) == claims
    head, body, tail = token.split(".")
    forged = base64.urlsafe_b64encode(json.dumps({**claims, "sub": "admin"}).encode()).rstrip(b"=").decode()
    assert signer.claims(f"{head}.{forged}.{tail}") is None
    none = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    assert signer.claims(f"{none}.{body}.") is None
    for broken in ("", "a", "a.b", "a.b.c", "é.é.é", token[:-4], token + "A"):
        assert signer.claims(broken) is None


def test_the_published_keys_verify_tokens(tmp_path):
    signer = Credentials(tmp_path, "lab")
    (key,) = signer.key_set()
    text, _, tail = signer.token({"sub": "x"}).rpartition(".")
    assert json.loads(_decoded(text.split(".")[0])) == {"alg": key["alg"], "kid": key["kid"]}
    x, y = (int.from_bytes(_decoded(key[name]), "big") for name in "xy")
    public = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    first, second = (int.from_bytes(part, "big") for part in (_decoded(tail)[:32], _decoded(tail)[32:]))
    public.verify(encode_dss_signature(first, second), text.encode(), ec.ECDSA(hashes.SHA256()))
    encoded = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert _decoded(key["kid"]) == hashlib.sha256(encoded).digest()


def _decoded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_a_certificate_request_is_read_and_signed(tmp_path):
    made = Credentials(tmp_path, "lab")
    key = ec.generate_private_key(ec.SECP256R1())
    words = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "team"), x509.NameAttribute(NameOID.COMMON_NAME, "eve")]
    asked = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(words)).sign(key, hashes.SHA256())
    pem = asked.public_bytes(Encoding.PEM)
    assert made.subject(pem) == ("eve", ("team",))
    assert made.subject(b"nonsense") is None
    signed = x509.load_pem_x509_certificate(made.certificate(pem, ("client auth", "digital signature"), 3600))
    signed.verify_directly_issued_by(x509.load_pem_x509_certificate(made.authority().encode()))
    assert signed.subject == asked.subject
    assert (signed.not_valid_after_utc - signed.not_valid_before_utc).total_seconds() == 3900
    purposes = signed.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(purposes) == [ExtendedKeyUsageOID.CLIENT_AUTH]
