"""What a kubeconfig says about certificates, as one TLS context. Keys that it holds stay in memory: nothing is left in a folder."""

from __future__ import annotations

import base64
import binascii
import ssl
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kit.errors import BadInput, Unavailable


@dataclass(frozen=True)
class Trust:
    """Whom we believe (the PEM text of an authority, the system's when it is empty) and who we are (a certificate and its key)."""

    ca: str = field(default="", repr=False)
    cert: str = field(default="", repr=False)
    key: str = field(default="", repr=False)
    verify: bool = True

    def context(self) -> ssl.SSLContext:
        """Return the TLS context."""
        context = ssl.create_default_context(cadata=self.ca or None)
        context.verify_flags &= (
            ~ssl.VERIFY_X509_STRICT
        )  # kubectl does not ask for it, and clusters' own authorities do not keep it
        if not self.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if self.cert:
            self._identify(context)
        return context

    def _identify(self, context: ssl.SSLContext) -> None:
        """Load certificate and key: OpenSSL in Python reads files only, so there is one (0600) for as long as that takes."""
        with tempfile.NamedTemporaryFile("w", encoding="ascii", suffix=".pem") as file:
            file.write(f"{self.cert}\n{self.key}\n")
            file.flush()
            context.load_cert_chain(file.name)


def trust(cluster: Mapping[str, Any], user: Mapping[str, Any], kubeconfig: Path) -> Trust:
    """Return what the entries of a kubeconfig say; relative paths start at its folder."""
    return Trust(
        ca=_pem(cluster, "certificate-authority", kubeconfig),
        cert=_pem(user, "client-certificate", kubeconfig),
        key=_pem(user, "client-key", kubeconfig),
        verify=not cluster.get("insecure-skip-tls-verify", False),
    )


def _pem(entry: Mapping[str, Any], name: str, kubeconfig: Path) -> str:
    try:
        if data := entry.get(f"{name}-data"):
            return base64.b64decode(data).decode("ascii")
        return (kubeconfig.parent / entry[name]).read_text(encoding="ascii") if entry.get(name) else ""
    except OSError as error:
        raise Unavailable(f"{kubeconfig} names a {name} that can't be read: {error}", "labkit doctor") from error
    except (binascii.Error, UnicodeDecodeError) as error:
        raise BadInput(
            f"the {name} of {kubeconfig} is not PEM", "labkit kubeconfig prints the path of a good one"
        ) from error
