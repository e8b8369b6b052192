"""`listen … ssl`: certificates read and checked, connections that speak TLS. Models ngx_event_openssl.c, ngx_http_ssl_module.c."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from kit.embedded.core.filesystem import Tree
from kit.embedded.core.ports import Pair
from kit.embedded.core.program import Errno, Flaw, Secure
from kit.embedded.images.nginx.config import ConfigError, Directive
from kit.embedded.images.nginx.site import Server, Site
from kit.embedded.images.serving import CONNECTION

OPEN = "BIO_new_file() failed (SSL: error:{code}:system library::{why}:calling fopen({path}, r) error:{bio})"
CODES = {
    "ENOENT": ("80000002", "10000080:BIO routines::no such file"),
    "EACCES": ("8000000D", "10080002:BIO routines::system lib"),
    "ENOTDIR": ("80000014", "10080002:BIO routines::system lib"),
}
FLAWS = {
    "certificate": 'cannot load certificate "{certificate}": PEM_read_bio_X509_AUX() failed '
    "(SSL: error:0480006C:PEM routines::no start line:Expecting: TRUSTED CERTIFICATE)",
    "key": 'cannot load certificate key "{key}": PEM_read_bio_PrivateKey() failed '
    "(SSL: error:1E08010C:DECODER routines::unsupported:No supported data to decode. Input type: PEM)",
    "mismatch": 'SSL_CTX_use_PrivateKey("{key}") failed '
    "(SSL: error:05800074:x509 certificate routines::key values mismatch)",
}
OTHER = 'SSL_CTX_use_certificate("{certificate}") failed (SSL: error:0A00018F:SSL routines::{flaw})'
PLAIN = "plain"


def loaded(fs: Tree, site: Site) -> Generator[Any, Any, dict[tuple[str, str], Pair]]:
    """Return the certificates of all servers that speak TLS, by the paths of certificate and key. ConfigError."""
    found: dict[tuple[str, str], Pair] = {}
    for server in site.servers:
        paths = _paths(server)
        if paths is not None and paths not in found:
            certificate, key = (_read(fs, path, what) for path, what in zip(paths, ("", " key"), strict=True))
            flaw = yield Flaw(Pair(certificate, key))
            if flaw:
                raise ConfigError(FLAWS.get(flaw, OTHER).format(certificate=paths[0], key=paths[1], flaw=flaw))
            found[paths] = Pair(certificate, key)
    return found


def _paths(server: Server) -> tuple[str, str] | None:
    certificate, key = (server.top.one(f"ssl_certificate{end}") for end in ("", "_key"))
    if certificate is None and server.secure is None:
        return None
    where = server.secure or certificate
    if certificate is None and where is not None:
        raise ConfigError(f'no "ssl_certificate" is defined for the "listen ... ssl" directive in {_place(where)}')
    if certificate is not None and key is None:
        raise ConfigError(f'no "ssl_certificate_key" is defined for certificate "{_full(certificate)}"')
    return (_full(certificate), _full(key)) if certificate is not None and key is not None else None


def _full(rule: Directive) -> str:
    path = rule.args[0]
    return path if path.startswith("/") else f"/etc/nginx/{path}"


def _place(rule: Directive) -> str:
    return f"{rule.file}:{rule.line}"


def _read(fs: Tree, path: str, what: str) -> bytes:
    try:
        return fs.read(path)
    except Errno as error:
        if error.name == "EISDIR":  # OpenSSL opens a folder, and finds nothing in it
            return b""
        code, bio = CODES.get(error.name, CODES["ENOENT"])
        why = OPEN.format(code=code, why=error, path=path, bio=bio)
        raise ConfigError(f'cannot load certificate{what} "{path}": {why}') from None


def handshake(site: Site, port: int) -> Generator[Any, Any, str]:
    """Begin to speak TLS on the connection -> "" when it holds, PLAIN, or why not."""

    def pick(name: str) -> Pair:
        return site.pairs[_paths(site.server(port, name)) or next(iter(site.pairs))]

    return (yield Secure(CONNECTION, pick=pick))  # type: ignore[no-any-return]
