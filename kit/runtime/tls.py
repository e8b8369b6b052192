"""TLS for programs of the cluster: real sessions in memory, by the standard library's OpenSSL. The machine's `Tls`.

A server's certificate is loaded once and kept for the connections to come; OpenSSL reads it from a file, so it passes through one
that only we can read. What clients trust is decided by `trust`, at the cluster's time.
"""

from __future__ import annotations

import contextlib
import ssl
import tempfile
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

from kit.embedded.core.ports import Pair, TlsError
from kit.runtime import trust

ALERTS = ("TLSV13_ALERT_", "TLSV1_ALERT_", "SSLV3_ALERT_")
KEPT = 64  # contexts of servers; a renewed certificate is another one


class OpenSsl:
    """Makes sessions; `folder` holds the API server's own certificate."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._serving: dict[Pair, ssl.SSLContext] = {}
        self._trusting: ssl.SSLContext | None = None

    def flaw(self, pair: Pair) -> str:
        """Return what can't be used (see `core.ports.Tls`)."""
        from cryptography import x509
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

        try:
            certificate = x509.load_pem_x509_certificates(pair.certificate)[0]
        except ValueError:
            return "certificate"
        try:
            key = load_pem_private_key(pair.key, None)
        except (ValueError, TypeError):
            return "key"
        form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        if certificate.public_key().public_bytes(*form) != key.public_key().public_bytes(*form):
            return "mismatch"
        try:
            self._context(pair)
        except ssl.SSLError as error:
            return (error.reason or "unsupported").lower().replace("_", " ")
        return ""

    def server(self, pick: Callable[[str], Pair]) -> Channel:
        """Return a server's side; the certificate is the one for the name that the client asks for."""
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        session = self._context(pick("")).wrap_bio(incoming, outgoing, server_side=True)
        if isinstance(session, _Served):
            session.choose = lambda name: self._context(pick(name))
        return Channel(session, incoming, outgoing)

    def client(self, name: str, authority: bytes | None, wall_ms: int) -> Channel:
        """Return a client's side."""
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        if self._trusting is None:
            self._trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            self._trusting.check_hostname, self._trusting.verify_mode = False, ssl.CERT_NONE  # `trust` looks, see above
        session = self._trusting.wrap_bio(incoming, outgoing, server_hostname=name or None)

        def check() -> None:
            found = "" if authority is None else trust.complaint(certificates(session), authority, name, wall_ms)
            if found:
                raise TlsError(found)

        return Channel(session, incoming, outgoing, check)

    def serving(self) -> Pair:
        """Return the API server's own certificate."""
        return self._own

    @cached_property
    def _own(self) -> Pair:
        return Pair((self._folder / "server.crt").read_bytes(), (self._folder / "server.key").read_bytes())

    def _context(self, pair: Pair) -> ssl.SSLContext:
        context = self._serving.get(pair)
        if context is None:
            context = _loaded(pair)
            if len(self._serving) >= KEPT:
                del self._serving[next(iter(self._serving))]
            self._serving[pair] = context
        return context


class _Served(ssl.SSLObject):
    """A server's session, which chooses its certificate when the client has said whom it wants."""

    choose: Callable[[str], ssl.SSLContext] | None = None


def _loaded(pair: Pair) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.sslobject_class = _Served
    context.sni_callback = _chosen
    context.set_alpn_protocols(["http/1.1"])
    with tempfile.NamedTemporaryFile(prefix="kit-", suffix=".pem") as file:  # made for its owner's eyes alone
        file.write(pair.certificate + b"\n" + pair.key)
        file.flush()
        context.load_cert_chain(file.name)
    return context


def _chosen(session: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> None:
    del context
    if name and isinstance(session, _Served) and session.choose is not None:
        session.context = session.choose(name)


def certificates(session: ssl.SSLObject) -> list[bytes]:
    """Return what a server showed, its own certificate first."""
    from _ssl import ENCODING_DER  # named by the standard library only from 3.13 on

    inner = session if hasattr(session, "get_unverified_chain") else session._sslobj  # type: ignore[attr-defined]
    return [
        one if isinstance(one, bytes) else one.public_bytes(ENCODING_DER) for one in inner.get_unverified_chain() or ()
    ]


class Channel:
    """One side of a session (see `core.ports.TlsChannel`); `check` looks at the other side when the handshake is over."""

    def __init__(
        self, session: ssl.SSLObject, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, check: Callable[[], None] = lambda: None
    ) -> None:  # fmt: skip
        self._session = session
        self._incoming = incoming
        self._outgoing = outgoing
        self._check = check
        self.secured = False
        self._step(b"")

    def receive(self, data: bytes) -> tuple[bytes, bool]:
        """Take bytes of the wire -> what is inside them, and whether the other side has ended. TlsError."""
        self._step(data)
        return self._read() if self.secured else (b"", False)

    def send(self, data: bytes) -> None:
        """Put bytes in."""
        self._session.write(data)

    def end(self) -> None:
        """Say that we send no more."""
        with contextlib.suppress(ssl.SSLError):
            self._session.unwrap()

    def take(self) -> bytes:
        """Return the bytes that the wire is owed."""
        return self._outgoing.read()

    def _step(self, data: bytes) -> None:
        """Go on with the handshake as far as the bytes reach."""
        self._incoming.write(data)
        if self.secured:
            return
        try:
            self._session.do_handshake()
        except ssl.SSLWantReadError:
            return
        except ssl.SSLError as error:
            raise TlsError(_words(error)) from None
        self._check()
        self.secured = True

    def _read(self) -> tuple[bytes, bool]:
        found = bytearray()
        try:
            while piece := self._session.read(65536):
                found += piece
            return bytes(found), True
        except ssl.SSLWantReadError:
            return bytes(found), False
        except ssl.SSLZeroReturnError:
            return bytes(found), True
        except ssl.SSLError as error:
            raise TlsError(_words(error)) from None


def _words(error: ssl.SSLError) -> str:
    """Return Go's words for what OpenSSL met: an alert of the other side, or a record that is wrong."""
    reason = error.reason or "HANDSHAKE_FAILURE"
    for lead in ALERTS:
        if reason.startswith(lead):
            return f"remote error: tls: {reason.removeprefix(lead).lower().replace('_', ' ')}"
    return f"tls: {reason.lower().replace('_', ' ')}"
