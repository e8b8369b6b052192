"""Certificates that are asked for by CertificateSigningRequest: what a request says, and the certificate for it.

Models pkg/controller/certificates/authority (policies.go) and pkg/controller/certificates/signer. `cryptography` is imported when the
first one is asked for.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

BACKDATE = dt.timedelta(minutes=5)
PURPOSES = {"client auth": "CLIENT_AUTH", "server auth": "SERVER_AUTH"}
USES = {
    "digital signature": "digital_signature",
    "key encipherment": "key_encipherment",
    "key agreement": "key_agreement",
}
ALL_USES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


def subject(request: bytes) -> tuple[str, tuple[str, ...]] | None:
    """Return the common name and the organisations a PEM request names, None when it is none or its signature is wrong."""
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    try:
        found = x509.load_pem_x509_csr(request)
        if not found.is_signature_valid:
            return None
    except ValueError:
        return None
    names = [str(one.value) for one in found.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    groups = tuple(str(one.value) for one in found.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME))
    return names[0] if names else "", groups


def other_names(request: bytes) -> list[str]:
    """Return the hosts, addresses, mail addresses and URIs a PEM request asks for, none when it is no request."""
    from cryptography import x509

    try:
        found = x509.load_pem_x509_csr(request).extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except (ValueError, x509.ExtensionNotFound):
        return []
    return [str(one.value) for one in found.value]


def certificate(ca: bytes, ca_key: bytes, request: bytes, usages: Sequence[str], seconds: int) -> bytes:
    """Return the PEM certificate for a PEM request, good for these usages from five minutes ago."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
    from cryptography.x509.oid import ExtendedKeyUsageOID

    asked, parent = x509.load_pem_x509_csr(request), x509.load_pem_x509_certificate(ca)
    signer: Any = load_pem_private_key(ca_key, None)
    now = dt.datetime.now(dt.UTC)  # noqa: TID251 - a certificate's dates are the wall's
    ends = min(now + dt.timedelta(seconds=seconds), parent.not_valid_after_utc)
    builder = (
        x509.CertificateBuilder()
        .subject_name(asked.subject)
        .issuer_name(parent.subject)
        .public_key(asked.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATE)
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    purposes = [getattr(ExtendedKeyUsageOID, PURPOSES[one]) for one in usages if one in PURPOSES]
    uses = {USES[one] for one in usages if one in USES}
    if uses:
        builder = builder.add_extension(x509.KeyUsage(**{one: one in uses for one in ALL_USES}), critical=True)
    if purposes:
        builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
    for extension in asked.extensions:
        if isinstance(extension.value, x509.SubjectAlternativeName):
            builder = builder.add_extension(extension.value, critical=False)
    return builder.sign(signer, hashes.SHA256()).public_bytes(Encoding.PEM)
