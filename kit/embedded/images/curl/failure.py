"""Why a transfer fails: curl's exit codes and its words. Models lib/strerror.c and the failf calls of 8.14."""

from __future__ import annotations

from kit.embedded.images.webclient import BadUrl

CERTIFICATE = """More details here: https://curl.se/docs/sslcerts.html

curl failed to verify the legitimacy of the server and therefore could not
establish a secure connection to it. To learn more about this situation and
how to fix it, please visit the webpage mentioned above.
"""
REJECTED = {
    "port": "Port number was not a decimal number between 0 and 65535",
    "host": "No host part in the URL",
    "input": "Malformed input to a URL function",
}
# The words of Go's crypto/tls (which the port speaks) -> curl's code and words (with OpenSSL); the first that is found in them counts.
TLS = (
    ("signed by unknown authority", 60, "SSL certificate problem: unable to get local issuer certificate"),
    ("is after", 60, "SSL certificate problem: certificate has expired"),
    ("is before", 60, "SSL certificate problem: certificate is not yet valid"),
    ("incompatible key usage", 60, "SSL certificate problem: unsuitable certificate purpose"),
    ("failed to verify certificate", 60, "SSL: no alternative certificate subject name matches target {kind} '{name}'"),
    ("HTTP response", 35, "TLS connect error: error:0A0000C6:SSL routines::packet length too long"),
    ("does not look like", 35, "TLS connect error: error:0A0000C6:SSL routines::packet length too long"),
    ("wrong version number", 35, "TLS connect error: error:0A0000C6:SSL routines::packet length too long"),
    ("packet length too long", 35, "TLS connect error: error:0A0000C6:SSL routines::packet length too long"),
    ("reset", 35, "Recv failure: Connection reset by peer"),
    ("EOF", 35, "TLS connect error: error:0A000126:SSL routines::unexpected eof while reading"),
    ("handshake failure", 35, "TLS connect error: error:0A000410:SSL routines::ssl/tls alert handshake failure"),
)  # fmt: skip


class Failure(Exception):
    """A transfer that failed: curl's exit code and its message."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code

    def shown(self) -> str:
        """Return what is printed on stderr."""
        more = CERTIFICATE if self.code == 60 else ""
        return f"curl: ({self.code}) {self}\n{more}"


def rejected(part: str) -> Failure:
    """Return what is said of an address that can't be read."""
    return Failure(3, f"URL rejected: {REJECTED[part]}")


def unusable(bad: BadUrl) -> Failure:
    """Return what is said of an address whose scheme or port won't do."""
    return Failure(1, f'Protocol "{bad.value}" not supported') if bad.part == "scheme" else rejected(bad.part)


def insecure(why: str, name: str) -> Failure:
    """Return what is said of a handshake that failed."""
    kind = "ipv4 address" if name.replace(".", "").isdecimal() else "hostname"
    for words, code, text in TLS:
        if words in why:
            return Failure(code, text.format(kind=kind, name=name))
    return Failure(35, f"TLS connect error: {why.removeprefix('remote error: ').removeprefix('tls: ')}")


def timed_out(spent_ms: int, received: int, expected: int | None) -> Failure:
    """Return what is said of an answer that takes too long."""
    whole = "" if expected is None else f" out of {expected}"
    return Failure(28, f"Operation timed out after {spent_ms} milliseconds with {received}{whole} bytes received")
