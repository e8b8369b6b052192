"""Whether a server's certificate is to be trusted, said as a Go program says it.

Models crypto/x509/verify.go (Verify, VerifyHostname, buildChains and the texts of their errors) for what meets a cluster: no name
constraints, no policies. Times are the cluster's, which OpenSSL's own verification can't be given.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import ipaddress
import re
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

LEAD = "tls: failed to verify certificate: x509: "
UNKNOWN = "certificate signed by unknown authority"
BLOCK = re.compile(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
MAX_NAMES = 100
MAX_DEPTH = 10
KINDS = {  # of keys: what an algorithm of signatures is called, Go's type, what is said of a signature that is wrong
    "RSA": ("*rsa.PublicKey", "crypto/rsa: verification error"),
    "ECDSA": ("*ecdsa.PublicKey", "x509: ECDSA verification failure"),
    "Ed25519": ("ed25519.PublicKey", "x509: Ed25519 verification failure"),
}


def complaint(chain: Sequence[bytes], authority: bytes, name: str, wall_ms: int) -> str:
    """Return why the certificates of a server (DER, its own first) are not trusted for `name` at a time, "" when they are."""
    from cryptography import x509

    try:
        leaf, *between = [x509.load_der_x509_certificate(one) for one in chain]
    except ValueError as error:
        return f"tls: failed to parse certificate from server: x509: {error}"
    roots = _roots(authority)
    now = dt.datetime.fromtimestamp(wall_ms / 1000, dt.UTC)
    found = _untimely(leaf, now) or _other_name(leaf, name)
    if not found and leaf not in roots:
        found = _unrooted(leaf, roots, between, now)
    found = found or _unfit(leaf)
    return LEAD + found if found else ""


def _roots(authority: bytes) -> list[Any]:
    """Return the certificates of a PEM; what is none is passed over, as by AppendCertsFromPEM."""
    from cryptography import x509

    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # authorities of a host may be older than today's rules
        for block in BLOCK.findall(authority):
            with contextlib.suppress(ValueError):
                found.append(x509.load_pem_x509_certificate(block))
    return found


def _untimely(one: Any, now: dt.datetime) -> str:
    for late, limit, word in ((now < one.not_valid_before_utc, one.not_valid_before_utc, "before"),
                              (now > one.not_valid_after_utc, one.not_valid_after_utc, "after")):  # fmt: skip
        if late:
            return f"certificate has expired or is not yet valid: current time {_rfc(now)} is {word} {_rfc(limit)}"
    return ""


def _rfc(time: dt.datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def _other_name(leaf: Any, name: str) -> str:
    """Return what a HostnameError says, "" when the certificate is `name`'s."""
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    try:
        others = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        others = None
    names = others.get_values_for_type(x509.DNSName) if others is not None else []
    addresses = others.get_values_for_type(x509.IPAddress) if others is not None else []
    address = _address(name)
    if address in addresses if address else any(_matches(one, name) for one in names):
        return ""
    common = [str(one.value) for one in leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    if others is None and common and _matches(common[-1], name):
        return "certificate relies on legacy Common Name field, use SANs instead"
    if address and not addresses:
        return f"cannot validate certificate for {name} because it doesn't contain any IP SANs"
    valid = [str(one) for one in addresses] if address else names
    if len(valid) > MAX_NAMES:
        return f"certificate is valid for {len(valid)} names, but none matched {name}"
    if not valid:
        return f"certificate is not valid for any names, but wanted to match {name}"
    return f"certificate is valid for {', '.join(valid)}, not {name}"


def _address(name: str) -> Any:
    try:
        return ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return None


def _matches(pattern: str, name: str) -> bool:
    """Say whether a name of a certificate is meant: `*` stands for the whole first label."""
    wanted, given = pattern.lower().rstrip(".").split("."), name.lower().rstrip(".").split(".")
    if len(wanted) != len(given) or not all(wanted) or not all(given):
        return False
    return wanted[1:] == given[1:] and (wanted[0] == given[0] or (wanted[0] == "*" and len(wanted) > 1))


def _unrooted(leaf: Any, roots: Sequence[Any], between: Sequence[Any], now: dt.datetime) -> str:
    """Return why no chain leads from a certificate to an authority: the first error, with the hint that Go gives."""
    hints: list[str] = []
    errors: list[str] = []
    for _ in _chains((leaf,), roots, between, now, hints, errors):
        return ""
    if errors:
        return errors[0]
    return UNKNOWN + (hints[0] if hints else "")


def _chains(
    chain: tuple[Any, ...], roots: Sequence[Any], between: Sequence[Any], now: dt.datetime, hints: list[str], errors: list[str]
) -> Iterator[None]:  # fmt: skip
    if len(chain) > MAX_DEPTH:
        return
    child = chain[-1]
    for parent in (*roots, *between):
        if parent.subject != child.issuer or parent in chain:
            continue
        why = _unsigned(child, parent)
        if why:
            hints.append(f" (possibly because of {_quoted(why)} while trying to verify candidate authority certificate {_quoted(_called(parent))})")  # noqa: E501  # fmt: skip
            continue
        wrong = _untimely(parent, now)
        if wrong:
            errors.append(wrong)
        elif parent in roots:
            yield
        elif not _authorises(parent):
            errors.append("certificate is not authorized to sign other certificates")
        else:
            yield from _chains((*chain, parent), roots, between, now, hints, errors)


def _unsigned(child: Any, parent: Any) -> str:
    """Return why a signature does not hold."""
    from cryptography.exceptions import InvalidSignature

    if not _authorises(parent):
        return "x509: invalid signature: parent certificate cannot sign this kind of certificate"
    wanted, has = _signature_kind(child), _key_kind(parent)
    if wanted != has:
        return (
            f"x509: signature algorithm specifies an {wanted} public key, but have public key of type {KINDS[has][0]}"
        )
    try:
        child.verify_directly_issued_by(parent)
    except (InvalidSignature, ValueError, TypeError):
        return KINDS[has][1]
    return ""


def _key_kind(one: Any) -> str:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519

    key = one.public_key()
    if isinstance(key, ec.EllipticCurvePublicKey):
        return "ECDSA"
    return "Ed25519" if isinstance(key, ed25519.Ed25519PublicKey) else "RSA"


def _signature_kind(one: Any) -> str:
    from cryptography.x509.oid import SignatureAlgorithmOID

    oid = one.signature_algorithm_oid
    if oid == SignatureAlgorithmOID.ED25519:
        return "Ed25519"
    return "ECDSA" if oid.dotted_string.startswith("1.2.840.10045.4.") else "RSA"


def _authorises(one: Any) -> bool:
    from cryptography import x509

    try:
        return bool(one.extensions.get_extension_for_class(x509.BasicConstraints).value.ca)
    except x509.ExtensionNotFound:
        return False


def _called(one: Any) -> str:
    from cryptography.x509.oid import NameOID

    for oid in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME):
        found = one.subject.get_attributes_for_oid(oid)
        if found:
            return str(found[0].value)
    return f"serial:{one.serial_number}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _unfit(leaf: Any) -> str:
    """Return what is said of a certificate that is not for servers."""
    from cryptography import x509
    from cryptography.x509.oid import ExtendedKeyUsageOID

    try:
        uses = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return ""
    fit = {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE} & set(uses)
    return "" if fit else "certificate specifies an incompatible key usage"
