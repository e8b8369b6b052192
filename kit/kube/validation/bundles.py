"""Validation of ClusterTrustBundles.

Models pkg/apis/certificates/validation/validation.go (ValidateClusterTrustBundle). Of a certificate the outer shape is looked at, no more.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final

from kit.kube import names, status
from kit.kube.validation import checks, registration
from kit.kube.validation.checks import Causes, Obj

OMITTED: Final = "<value omitted>"
BLOCK: Final = re.compile(r"-----BEGIN ([^-\n]+)-----\s*\n([^-]*)-----END \1-----")
_SEQUENCE: Final = 0x30


def any_name(name: str) -> list[str]:
    """Take every name: what it must be depends on the signer."""
    return []


def bundle(obj: Obj, out: Causes) -> None:
    """Check the name and the spec of a bundle."""
    spec, name = obj.get("spec") or {}, str(obj["metadata"].get("name") or "")
    signer = str(spec.get("signerName") or "")
    _name(name, signer, out)
    if signer:
        registration.signer_name(signer, "spec.signerName", out)
    why = _fault(str(spec.get("trustBundle") or ""))
    if why:
        out.append(status.invalid_value("spec.trustBundle", OMITTED, why))


def keep_signer(new: Obj, old: Obj, out: Causes) -> None:
    """Want the signer to stay."""
    wanted, before = ((obj.get("spec") or {}).get("signerName") or "" for obj in (new, old))
    if wanted != before:
        out.append(status.immutable("spec.signerName", wanted))


def _name(name: str, signer: str, out: Causes) -> None:
    prefix = f"{signer.replace('/', ':')}:" if signer else ""
    if not name.startswith(prefix):
        why = f"ClusterTrustBundle for signerName {signer} must be named with prefix {prefix}"
    elif not signer and ":" in name:
        why = 'ClusterTrustBundle without signer name must not have ":" in its name'
    else:
        complaints = checks.known_good(names.subdomain, name.removeprefix(prefix)) if name else []
        out.extend(status.invalid_value("metadata.name", name, text) for text in complaints)
        return
    out.append(status.invalid_value("metadata.name", name, why))


def _fault(text: str) -> str:
    """Return what is wrong with a bundle's PEM blocks, "" when nothing is."""
    found: list[bytes] = []
    for index, (type_, body) in enumerate(BLOCK.findall(text)):
        if type_ != "CERTIFICATE":
            return f"entry {index} has bad block type: {type_}"
        try:
            found.append(base64.b64decode(body.encode()))
        except (binascii.Error, ValueError):
            return "at least one trust anchor must be provided"
        if not _is_sequence(found[-1]):
            return f"entry {index} does not parse as X.509"
    if not found:
        return "at least one trust anchor must be provided"
    for index, one in enumerate(found):
        if one in found[:index]:
            return f"duplicate trust anchor (indices [{found.index(one)} {index}])"
    return ""


def _is_sequence(data: bytes) -> bool:
    """Return whether bytes are one DER sequence and nothing after it."""
    if len(data) < 2 or data[0] != _SEQUENCE:
        return False
    size = data[1] & 0x7F if data[1] & 0x80 else 0
    length = int.from_bytes(data[2 : 2 + size], "big") if size else data[1]
    return len(data) == 2 + size + length
