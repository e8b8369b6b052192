"""nginx's configuration: words, blocks and the table of what may stand where. Models src/core/ngx_conf_file.c.

Every directive in `DIRECTIVES` is read and checked; those in `UNSIMULATED` exist in nginx and are refused by name; all others are unknown.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from kit.embedded.core.filesystem import Tree, build, normal
from kit.embedded.core.inodes import Dir
from kit.embedded.core.program import Errno
from kit.embedded.images.busybox.pattern import matches

MAX_DEPTH = 20


class ConfigError(Exception):
    """What `[emerg]` says about a configuration."""


@dataclass(slots=True)
class Directive:
    """One directive: its words, and its block when it has one."""

    name: str
    args: list[str]
    block: list[Directive] | None
    file: str
    line: int

    def all(self, name: str) -> list[Directive]:
        """Return the directives of that name in the block."""
        return [one for one in self.block or () if one.name == name]

    def last(self, name: str) -> Directive | None:
        """Return the last directive of that name in the block."""
        return next(reversed(self.all(name)), None)


# name: (contexts, fewest, most arguments, has a block); contexts: m main, e events, h http, s server, l location, u upstream
DIRECTIVES: dict[str, tuple[str, int, int, bool]] = {
    "user": ("m", 1, 2, False),
    "worker_processes": ("m", 1, 1, False),
    "worker_rlimit_nofile": ("m", 1, 1, False),
    "pid": ("m", 1, 1, False),
    "daemon": ("m", 1, 1, False),
    "events": ("m", 0, 0, True),
    "http": ("m", 0, 0, True),
    "worker_connections": ("e", 1, 1, False),
    "multi_accept": ("e", 1, 1, False),
    "use": ("e", 1, 1, False),
    "include": ("mehslut", 1, 1, False),
    "error_log": ("mhsl", 1, 2, False),
    "access_log": ("hsl", 1, 9, False),
    "log_format": ("h", 2, 99, False),
    "types": ("hsl", 0, 0, True),
    "default_type": ("hsl", 1, 1, False),
    "types_hash_max_size": ("hsl", 1, 1, False),
    "types_hash_bucket_size": ("hsl", 1, 1, False),
    "server_names_hash_bucket_size": ("h", 1, 1, False),
    "server_names_hash_max_size": ("h", 1, 1, False),
    "sendfile": ("hsl", 1, 1, False),
    "tcp_nopush": ("hsl", 1, 1, False),
    "tcp_nodelay": ("hsl", 1, 1, False),
    "keepalive_timeout": ("hsl", 1, 2, False),
    "keepalive_requests": ("hsl", 1, 1, False),
    "client_body_timeout": ("hsl", 1, 1, False),
    "client_header_timeout": ("hs", 1, 1, False),
    "send_timeout": ("hsl", 1, 1, False),
    "reset_timedout_connection": ("hsl", 1, 1, False),
    "charset": ("hsl", 1, 1, False),
    "server_tokens": ("hsl", 1, 1, False),
    "client_max_body_size": ("hsl", 1, 1, False),
    "resolver": ("hsl", 1, 9, False),
    "resolver_timeout": ("hsl", 1, 1, False),
    "upstream": ("h", 1, 1, True),
    "server": ("hu", 0, 9, False),  # a block in http, one line in upstream
    "keepalive": ("u", 1, 1, False),
    "listen": ("s", 1, 9, False),
    "server_name": ("s", 1, 99, False),
    "location": ("sl", 1, 2, True),
    "root": ("hsl", 1, 1, False),
    "alias": ("l", 1, 1, False),
    "index": ("hsl", 1, 99, False),
    "autoindex": ("hsl", 1, 1, False),
    "try_files": ("sl", 2, 99, False),
    "return": ("sl", 1, 2, False),
    "error_page": ("hsl", 2, 99, False),
    "add_header": ("hsl", 2, 3, False),
    "allow": ("hsl", 1, 1, False),
    "deny": ("hsl", 1, 1, False),
    "internal": ("l", 0, 0, False),
    "auth_basic": ("hsl", 1, 1, False),
    "log_not_found": ("hsl", 1, 1, False),
    "proxy_pass": ("l", 1, 1, False),
    "proxy_set_header": ("hsl", 2, 2, False),
    "proxy_http_version": ("hsl", 1, 1, False),
    "proxy_connect_timeout": ("hsl", 1, 1, False),
    "proxy_read_timeout": ("hsl", 1, 1, False),
    "proxy_send_timeout": ("hsl", 1, 1, False),
    "proxy_redirect": ("hsl", 1, 2, False),
    "proxy_buffering": ("hsl", 1, 1, False),
    "proxy_ssl_name": ("hsl", 1, 1, False),
    "proxy_ssl_server_name": ("hsl", 1, 1, False),
    "ssl_certificate": ("hs", 1, 1, False),
    "ssl_certificate_key": ("hs", 1, 1, False),
    "ssl_protocols": ("hs", 1, 9, False),
    "ssl_ciphers": ("hs", 1, 1, False),
    "ssl_prefer_server_ciphers": ("hs", 1, 1, False),
    "ssl_session_cache": ("hs", 1, 2, False),
    "ssl_session_tickets": ("hs", 1, 1, False),
    "ssl_session_timeout": ("hs", 1, 1, False),
    "ssl_ecdh_curve": ("hs", 1, 1, False),
}
UNSIMULATED = frozenset(
    [
        "auth_basic_user_file",
        "auth_request",
        "expires",
        "fastcgi_pass",
        "geo",
        "gzip",
        "gzip_types",
        "gzip_vary",
        "if",
        "limit_conn",
        "limit_req",
        "limit_req_zone",
        "load_module",
        "map",
        "merge_slashes",
        "mirror",
        "proxy_cache",
        "proxy_cache_path",
        "proxy_next_upstream",
        "rewrite",
        "satisfy",
        "set",
        "set_real_ip_from",
        "split_clients",
        "ssl_client_certificate",
        "ssl_crl",
        "ssl_ocsp",
        "ssl_reject_handshake",
        "ssl_stapling",
        "ssl_trusted_certificate",
        "ssl_verify_client",
        "stream",
        "stub_status",
        "sub_filter",
        "uwsgi_pass",
        "http2",
        "real_ip_header",
        "env",
    ]
)
BLOCK_CONTEXT = {"events": "e", "http": "h", "server": "s", "location": "l", "upstream": "u", "types": "t"}


def load(fs: Tree, path: str = "/etc/nginx/nginx.conf", extra: str = "") -> Directive:
    """Read a configuration with all it includes; `extra` is what `-g` adds."""
    root = Directive("", [], [], path, 0)
    if extra:
        root.block = list(_block(fs, iter(_words(extra, "command line")), "m", "command line", 0))
    root.block = [*(root.block or []), *_file(fs, path, "m", 0)]
    if not root.all("events"):
        raise ConfigError('no "events" section in configuration')
    return root


class Source(NamedTuple):
    """One file of a configuration and those it includes: what a thousand containers of one image have alike."""

    path: str
    text: str
    included: tuple[Source, ...]

    def files(self) -> Iterator[tuple[str, str]]:
        """Yield (path, text) of all files."""
        yield self.path, self.text
        for one in self.included:
            yield from one.files()

    def load(self, extra: str) -> Directive:
        """Read it as `load` does."""
        return load(Tree(build(dict(self.files()))), self.path, extra)


def source(fs: Tree, path: str, depth: int = 0) -> Source | None:
    """Return a file with all it includes; None where something is odd, which `load` then tells."""
    if depth > MAX_DEPTH or normal(path) != path:
        return None
    try:
        text = fs.read(path).decode("utf-8", "replace")
        names = [name for pattern in _patterns(text, path) for name in _matching(fs, pattern)]
    except (Errno, ConfigError):
        return None
    included: list[Source] = []
    for name in names:
        one = source(fs, name, depth + 1)
        if one is None:
            return None
        included.append(one)
    return Source(path, text, tuple(included))


@lru_cache(maxsize=32)
def _patterns(text: str, path: str) -> tuple[str, ...]:
    """Return what a file includes."""
    if "include" not in text:
        return ()
    found, first, before = [], True, ""
    for word, _, mark in _split(text, path):
        if before == "include" and not mark:
            found.append(word)
        before = word if first and not mark else ""
        first = mark
    return tuple(found)


def _matching(fs: Tree, pattern: str) -> list[str]:
    """Return the files that `include` names."""
    path = pattern if pattern.startswith("/") else f"/etc/nginx/{pattern}"
    if not set(path) & set("*?["):
        return [path]
    folder, _, last = path.rpartition("/")
    names = sorted(fs.listdir(folder)) if fs.exists(folder) else []
    return [f"{folder}/{name}" for name in names if matches(last, name) and not name.startswith(".")]


Word = tuple[str, int, bool]  # text, line, whether it is a mark ({ } ;)


def _words(text: str, file: str) -> Iterator[Word]:
    line, at = 1, 0
    while at < len(text):
        char = text[at]
        if char.isspace():
            line += char == "\n"
            at += 1
        elif char == "#":
            end = text.find("\n", at)
            at = len(text) if end < 0 else end
        elif char in "{};":
            yield char, line, True
            at += 1
        else:
            word, start, at = _quoted(text, at, file, line) if char in "\"'" else _bare(text, at)
            yield word, line, False
            line += text.count("\n", start, at)


def _quoted(text: str, at: int, file: str, line: int) -> tuple[str, int, int]:
    quote, out, start = text[at], [], at
    at += 1
    while at < len(text) and text[at] != quote:
        if text[at] == "\\" and at + 1 < len(text):
            at += 1
            out.append({"n": "\n", "t": "\t", "r": "\r", '"': '"', "'": "'", "\\": "\\"}.get(text[at], "\\" + text[at]))
        else:
            out.append(text[at])
        at += 1
    if at >= len(text):
        raise ConfigError(
            f'unexpected end of file, expecting ";" or "}}" in {file}:{line + text.count(chr(10), start)}'
        )
    return "".join(out), start, at + 1


def _bare(text: str, at: int) -> tuple[str, int, int]:
    start, out = at, []
    while at < len(text) and not text[at].isspace() and text[at] not in ";{":
        if text[at] == "$" and text[at + 1 : at + 2] == "{":
            end = text.find("}", at)
            end = len(text) - 1 if end < 0 else end
            out.append(text[at : end + 1])
            at = end + 1
            continue
        if text[at] == "\\" and at + 1 < len(text):
            out.append(text[at])
            at += 1
        out.append(text[at])
        at += 1
    return "".join(out), start, at


def _file(fs: Tree, path: str, context: str, depth: int) -> Iterator[Directive]:
    try:
        text = fs.read(path).decode("utf-8", "replace")
    except Errno as error:
        number = {"ENOENT": 2, "EACCES": 13}.get(error.name, 21)
        raise ConfigError(f'open() "{path}" failed ({number}: {error})') from None
    if "include" in text:
        yield from _block(fs, iter(_split(text, path)), context, path, depth, last=text.count("\n") + 1)
    else:
        yield from _alone(text, path, context)


@lru_cache(maxsize=8)
def _split(text: str, path: str) -> tuple[Word, ...]:
    """Return the words of a file that includes others."""
    return tuple(_words(text, path))


@lru_cache(maxsize=32)  # a thousand containers of one image read the same few files; directives are only read
def _alone(text: str, path: str, context: str) -> tuple[Directive, ...]:
    """Return the directives of a file that includes no other."""
    return tuple(_block(Tree(Dir()), _words(text, path), context, path, 0, last=text.count("\n") + 1))


def _block(
    fs: Tree, words: Iterator[Word], context: str, file: str, depth: int, *, inside: bool = False, last: int = 1
) -> Iterator[Directive]:
    parts: list[str] = []
    line = 1
    for text, here, mark in words:
        if not mark:
            line = here if not parts else line
            parts.append(text)
            continue
        if text == "}":
            if parts or not inside:
                raise ConfigError(f'unexpected "}}" in {file}:{here}')
            return
        if not parts:
            raise ConfigError(f'unexpected "{text}" in {file}:{here}')
        yield from _directive(fs, words, parts, text == "{", context, file, here, depth, last)
        parts = []
    if parts or inside:
        wanted = '";" or "}"' if parts else '"}"'
        raise ConfigError(f"unexpected end of file, expecting {wanted} in {file}:{last}")


def _directive(
    fs: Tree, words: Iterator[Word], parts: list[str], opens: bool, context: str, file: str, line: int, depth: int, last: int
) -> Iterator[Directive]:  # fmt: skip
    name, *args = parts
    where = f"in {file}:{line}"
    made = Directive(name, args, None, file, line)
    if context == "t" and name != "include":
        yield made
        return
    _check(made, opens, context, where)
    if name == "include":
        yield from _include(fs, args[0], context, depth, where)
        return
    if opens:
        inner = BLOCK_CONTEXT[name]
        made.block = list(_block(fs, words, inner, file, depth, inside=True, last=last))
    yield made


def _check(made: Directive, opens: bool, context: str, where: str) -> None:
    name = made.name
    if name in UNSIMULATED:
        raise ConfigError(
            f'directive "{name}" is not simulated by the embedded cluster (a kind cluster runs the real nginx) {where}'
        )
    if name not in DIRECTIVES:
        raise ConfigError(f'unknown directive "{name}" {where}')
    contexts, fewest, most, block = DIRECTIVES[name]
    block = block or (name == "server" and context == "h")
    if context not in contexts:
        raise ConfigError(f'"{name}" directive is not allowed here {where}')
    if block and not opens:
        raise ConfigError(f'directive "{name}" has no opening "{{" {where}')
    if opens and not block:
        raise ConfigError(f'directive "{name}" is not terminated by ";" {where}')
    if not fewest <= len(made.args) <= most or (name == "server" and block and made.args):
        raise ConfigError(f'invalid number of arguments in "{name}" directive {where}')


def _include(fs: Tree, pattern: str, context: str, depth: int, where: str) -> Iterator[Directive]:
    if depth > MAX_DEPTH:
        raise ConfigError(f"too many nested includes {where}")
    for path in _matching(fs, pattern):
        yield from _file(fs, path, context, depth + 1)
