"""Keys, certificates and tokens of one cluster: made once, kept in its state folder (0600 in 0700), EC P-256 throughout.

The administrator is a token in `system:masters` (256 bit). Service-account tokens are ES256 JWTs: a key costs nothing to make, where
the real cluster's RSA key takes a tenth of a second. `cryptography` is imported only to make something, and for the first JWT.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import secrets
import ssl
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kit.runtime import signing
from kit.runtime.state import write_private

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

YEARS = 10
NAMES = (
    "localhost",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
)
ADDRESSES = ("127.0.0.1", "::1", "10.96.0.1")
SETTLED = dt.datetime(
    2026, 1, 1, tzinfo=dt.UTC
)  # when a cluster with a fixed epoch begins: what runs in it looks at its own clock
_FILES = ("ca.crt", "ca.key", "server.crt", "server.key", "sa.key", "token")


class Credentials:
    """The credentials in a folder; made when they are not all there. It is the machine's `Signer`."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        self.name = name
        self._signing: EllipticCurvePrivateKey | None = None
        if not all((folder / file).is_file() for file in _FILES):
            self._make()
        self.token_text = (folder / "token").read_text(encoding="ascii").strip()
        self._authority = (folder / "ca.crt").read_text(encoding="ascii")

    def context(self) -> ssl.SSLContext:
        """Return the server's TLS: HTTP/1.1 only, client certificates of our authority are taken, none is needed."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self.folder / "server.crt", self.folder / "server.key")
        context.load_verify_locations(self.folder / "ca.crt")
        context.verify_mode = ssl.CERT_OPTIONAL
        context.set_alpn_protocols(["http/1.1"])
        return context

    def kubeconfig(self, url: str, path: Path) -> Path:
        """Write the kubeconfig: cluster, context and user `lab`, authority and token inline (JSON is YAML)."""
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {
                    "name": "lab",
                    "cluster": {"server": url, "certificate-authority-data": _base64(self._authority.encode())},
                }
            ],
            "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": "lab", "namespace": "default"}}],
            "users": [{"name": "lab", "user": {"token": self.token_text}}],
            "current-context": "lab",
        }
        write_private(path, json.dumps(document, indent=1).encode() + b"\n")
        return path

    # --- Signer ---

    def token(self, claims: Mapping[str, Any]) -> str:
        """Return a signed service-account JWT."""
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

        head = {"alg": "ES256", "kid": self._key_id()}
        text = ".".join(_base64url(json.dumps(part, separators=(",", ":")).encode()) for part in (head, dict(claims)))
        first, second = decode_dss_signature(
            self._key().sign(text.encode(), ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
        )
        return f"{text}.{_base64url(first.to_bytes(32, 'big') + second.to_bytes(32, 'big'))}"

    def claims(self, token: str) -> dict[str, Any] | None:
        """Return the claims of a JWT that we signed, else None."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

        text, _, tail = token.rpartition(".")
        try:
            signature = _unbase64url(tail)
            if len(signature) != 64 or json.loads(_unbase64url(text.split(".")[0])).get("alg") != "ES256":
                return None
            pair = encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))
            self._key().public_key().verify(pair, text.encode(), ec.ECDSA(hashes.SHA256()))
            claims = json.loads(_unbase64url(text.split(".")[1]))
        except (ValueError, IndexError, AttributeError, InvalidSignature):
            return None
        return claims if isinstance(claims, dict) else None

    def key_set(self) -> Sequence[Mapping[str, str]]:
        """Return the public keys that our tokens are checked with, as JSON Web Keys."""
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        point = self._key().public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        place = {"crv": "P-256", "alg": "ES256", "x": _base64url(point[1:33]), "y": _base64url(point[33:])}
        return ({"use": "sig", "kty": "EC", "kid": self._key_id(), **place},)

    def _key_id(self) -> str:
        """Return what a key is called. Models pkg/serviceaccount/jwt.go: keyIDFromPublicKey."""
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        encoded = self._key().public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return _base64url(hashlib.sha256(encoded).digest())

    def authority(self) -> str:
        """Return the PEM of the cluster's certificate authority."""
        return self._authority

    def subject(self, request: bytes) -> tuple[str, tuple[str, ...]] | None:
        """Return the user and the groups a PEM certificate request names, None when it is not one."""
        return signing.subject(request)

    def other_names(self, request: bytes) -> Sequence[str]:
        """Return the other names a PEM certificate request asks for."""
        return signing.other_names(request)

    def certificate(self, request: bytes, usages: Sequence[str], seconds: int) -> bytes:
        """Return the PEM of a certificate for a request, signed by our authority."""
        return signing.certificate(self._load("ca.crt"), self._load("ca.key"), request, usages, seconds)

    # --- certificates ---

    def client_certificate(self, user: str, groups: tuple[str, ...] = ()) -> tuple[bytes, bytes]:
        """Return (certificate, key) as PEM for a user of these groups."""
        return _issue(self._load("ca.crt"), self._load("ca.key"), user, groups)

    def _load(self, file: str) -> bytes:
        return (self.folder / file).read_bytes()

    def _key(self) -> EllipticCurvePrivateKey:
        if self._signing is None:
            from cryptography.hazmat.primitives.serialization import load_pem_private_key

            self._signing = load_pem_private_key(self._load("sa.key"), None)  # type: ignore[assignment]
        return self._signing  # type: ignore[return-value]

    def _make(self) -> None:
        authority, key = _issue(None, None, "kubernetes", ())
        certificate, server = _issue(authority, key, "kube-apiserver", (), names=NAMES, addresses=ADDRESSES)
        tokens = _pem(_new_key())
        made = (authority, key, certificate, server, tokens, secrets.token_urlsafe(32).encode())
        for file, data in zip(_FILES, made, strict=True):
            write_private(self.folder / file, data)


def _new_key() -> EllipticCurvePrivateKey:
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.generate_private_key(ec.SECP256R1())


def _pem(key: EllipticCurvePrivateKey) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _issue(
    ca: bytes | None,
    ca_key: bytes | None,
    name: str,
    groups: tuple[str, ...],
    names: tuple[str, ...] = (),
    addresses: tuple[str, ...] = (),
) -> tuple[bytes, bytes]:
    """Return (certificate, key) as PEM: an authority without `ca`, a server's with `names`, else a client's."""
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    key = _new_key()
    organisations = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    subject = x509.Name([*organisations, x509.NameAttribute(NameOID.COMMON_NAME, name)])
    parent = x509.load_pem_x509_certificate(ca) if ca else None
    signer: Any = load_pem_private_key(ca_key, None) if ca_key else key
    today = dt.datetime.now(dt.UTC)  # noqa: TID251 - a certificate's dates are the wall's
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(parent.subject if parent else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(min(today, SETTLED) - dt.timedelta(days=1))
        .not_valid_after(today + dt.timedelta(days=365 * YEARS))
        .add_extension(x509.BasicConstraints(ca=parent is None, path_length=None), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if parent is None:
        usage = dict.fromkeys(
            (
                "content_commitment",
                "key_encipherment",
                "data_encipherment",
                "key_agreement",
                "encipher_only",
                "decipher_only",
            )
        )
        signs = x509.KeyUsage(digital_signature=True, key_cert_sign=True, crl_sign=True, **dict.fromkeys(usage, False))
        builder = builder.add_extension(signs, critical=True)
    else:
        purpose = ExtendedKeyUsageOID.SERVER_AUTH if names else ExtendedKeyUsageOID.CLIENT_AUTH
        builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
    if names:
        where: list[x509.GeneralName] = [x509.DNSName(one) for one in names]
        where += [x509.IPAddress(ipaddress.ip_address(one)) for one in addresses]
        builder = builder.add_extension(x509.SubjectAlternativeName(where), critical=False)
    return builder.sign(signer, hashes.SHA256()).public_bytes(Encoding.PEM), _pem(key)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _unbase64url(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
