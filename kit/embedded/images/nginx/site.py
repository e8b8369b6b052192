"""The servers and locations that a configuration describes, and which of them a request falls to. Models ngx_http_core_module.c."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import re2

from kit.embedded.core.ports import Pair
from kit.embedded.images.nginx.config import ConfigError, Directive

UNITS = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
SECONDS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
DEFAULT_BODY = 1 << 20
INHERITED = ("root", "index", "autoindex", "default_type", "error_page", "add_header", "access_log", "error_log", "server_tokens",
             "client_max_body_size", "auth_basic", "proxy_set_header", "proxy_http_version", "proxy_connect_timeout", "proxy_read_timeout",
             "types", "try_files", "charset", "log_not_found",
             "ssl_certificate", "ssl_certificate_key", "proxy_ssl_name", "proxy_ssl_server_name")  # fmt: skip


@dataclass(slots=True)
class Location:
    """One location (or a server's own level): `kind` is "", "=", "^~", "~", "~*" or "@"; settings hold what counts here."""

    kind: str
    path: str
    settings: dict[str, list[Directive]]
    rules: list[tuple[bool, str]] = field(default_factory=list)  # allow?, address
    inner: list[Location] = field(default_factory=list)
    pattern: Any = None

    def one(self, name: str) -> Directive | None:
        """Return the directive of that name that counts here."""
        found = self.settings.get(name)
        return found[-1] if found else None

    def word(self, name: str, default: str) -> str:
        """Return a directive's first argument."""
        found = self.one(name)
        return found.args[0] if found else default


@dataclass(slots=True)
class Server:
    """One `server` block. `names` as written; `default` the ports it is the default server of; `secure` the first `listen … ssl`."""

    ports: list[int]
    default: set[int]
    names: list[str]
    top: Location
    secured: set[int] = field(default_factory=set)
    secure: Directive | None = None

    @property
    def name(self) -> str:
        """What the error log calls it."""
        return self.names[0] if self.names else ""


@dataclass(slots=True)
class Site:
    """All that a running nginx needs to know."""

    servers: list[Server]
    upstreams: dict[str, list[tuple[str, int]]]
    log_formats: dict[str, str]
    turns: dict[str, int] = field(default_factory=dict)  # round robin
    pairs: dict[tuple[str, str], Pair] = field(default_factory=dict)  # by the paths of certificate and key

    @property
    def ports(self) -> list[int]:
        """The ports to listen on."""
        return sorted({port for server in self.servers for port in server.ports})

    def secure(self, port: int) -> bool:
        """Say whether a port speaks TLS: one `ssl` among its `listen` is enough."""
        return any(port in server.secured for server in self.servers)

    def server(self, port: int, host: str) -> Server:
        """Return the server of a port for a Host header without port."""
        mine = [one for one in self.servers if port in one.ports]
        for matches in (_exact, _leading, _trailing, _regex):
            for one in mine:
                if any(matches(name, host) for name in one.names):
                    return one
        return next((one for one in mine if port in one.default), mine[0])


def _exact(name: str, host: str) -> bool:
    return name.lower() == host or (name.startswith(".") and name[1:].lower() == host)


def _leading(name: str, host: str) -> bool:
    return (name.startswith("*.") and host.endswith(name[1:].lower())) or (
        name.startswith(".") and host.endswith(name.lower())
    )


def _trailing(name: str, host: str) -> bool:
    return name.endswith(".*") and host.startswith(name[:-1].lower())


def _regex(name: str, host: str) -> bool:
    return name.startswith("~") and compiled(name[1:], False, name).search(host) is not None


def compiled(text: str, ignore_case: bool, where: str) -> Any:
    """Compile a pattern with RE2. ConfigError."""
    options = re2.Options()
    options.log_errors = False
    options.case_sensitive = not ignore_case
    try:
        return re2.compile(text, options=options)
    except re2.error as error:
        raise ConfigError(f'pcre2_compile() failed: {error} in "{text}" {where}') from None


def read(root: Directive) -> Site:
    """Return the site of a configuration. ConfigError."""
    http = root.last("http")
    if http is None:
        return Site([], {}, {})
    base = _settings({}, http)
    upstreams = {one.args[0]: [address(peer.args[0]) for peer in one.all("server")] for one in http.all("upstream")}
    for one in http.all("upstream"):
        if not upstreams[one.args[0]]:
            raise ConfigError(f"no servers are inside upstream in {one.file}:{one.line}")
    formats = {
        one.args[0]: "".join(a for a in one.args[1:] if not a.startswith("escape=")) for one in http.all("log_format")
    }
    servers = [_server(one, base, _rules(http)) for one in http.all("server")]
    _defaults(servers, http)
    return Site(servers, upstreams, formats)


def _defaults(servers: list[Server], http: Directive) -> None:
    seen: dict[int, Directive] = {}
    for server, made in zip(servers, http.all("server"), strict=True):
        for port in server.default:
            if port in seen:
                line = next((one for one in made.all("listen") if "default_server" in one.args), made)
                raise ConfigError(f"a duplicate default server for 0.0.0.0:{port} in {line.file}:{line.line}")
            seen[port] = made


def _settings(above: dict[str, list[Directive]], level: Directive) -> dict[str, list[Directive]]:
    """Return the settings of a level: a directive given here replaces all of its name from above."""
    mine: dict[str, list[Directive]] = {}
    for one in level.block or ():
        mine.setdefault(one.name, []).append(one)
    found = {**above, **{name: mine[name] for name in INHERITED if name in mine}}
    for name in ("return", "proxy_pass", "alias", "internal"):
        found[name] = mine.get(name, [])
    if "alias" in mine:
        found["root"] = []
    return found


def _rules(level: Directive) -> list[tuple[bool, str]]:
    return [(one.name == "allow", one.args[0]) for one in level.block or () if one.name in ("allow", "deny")]


def _server(made: Directive, base: dict[str, list[Directive]], rules: list[tuple[bool, str]]) -> Server:
    ports, default, secured, secure = [], set(), set(), None
    for one in made.all("listen"):
        port = _port(one)
        if port is None:
            continue
        if port in ports and not one.args[0].startswith("["):
            raise ConfigError(f"a duplicate listen 0.0.0.0:{port} in {one.file}:{one.line}")
        ports.append(port)
        if "default_server" in one.args:
            default.add(port)
        if "ssl" in one.args:
            secured.add(port)
            secure = secure or one
    names = [name for one in made.all("server_name") for name in one.args]
    for name in names:
        if name.startswith("~"):
            compiled(name[1:], False, f"in {made.file}:{made.line}")
    top = Location("", "", _settings(base, made), _rules(made) or rules)
    top.inner = _locations(made, top)
    return Server(ports or [80], default, [name for name in names if name], top, secured, secure)


def _port(listen: Directive) -> int | None:
    where = f"in {listen.file}:{listen.line}"
    text = listen.args[0]
    for word in ("quic", "http2", "proxy_protocol"):
        if word in listen.args:
            what = f'the "{word}" parameter of "listen" is not simulated'
            raise ConfigError(f"{what} by the embedded cluster (a kind cluster runs the real nginx) {where}")
    if text.startswith("unix:"):
        raise ConfigError(
            f'"listen {text}" is not simulated by the embedded cluster (a kind cluster runs the real nginx) {where}'
        )
    plain = text.rsplit("]", 1)[-1] if text.startswith("[") else text
    number = plain.rsplit(":", 1)[-1] if ":" in plain or plain.isdecimal() else "80"
    if not number.isdecimal() or not 1 <= int(number) <= 65535:
        raise ConfigError(f'invalid port in "{text}" of the "listen" directive {where}')
    return int(number)


def _locations(made: Directive, above: Location) -> list[Location]:
    found: list[Location] = []
    for one in made.all("location"):
        kind, path = ("", one.args[0]) if len(one.args) == 1 else (one.args[0], one.args[1])
        where = f"in {one.file}:{one.line}"
        if len(one.args) == 1 and path[:1] in "=~@^" and path[:1]:
            mark = next((mark for mark in ("^~", "~*", "=", "~") if path.startswith(mark)), "")
            kind, path = (mark, path[len(mark) :]) if mark else ("@", path)
        if kind not in ("", "=", "^~", "~", "~*", "@"):
            raise ConfigError(f'invalid location modifier "{kind}" {where}')
        if any((other.kind in ("~", "~*"), other.kind == "=", other.path) == (kind in ("~", "~*"), kind == "=", path) and kind[:1] != "~"
               for other in found):  # fmt: skip
            raise ConfigError(f'duplicate location "{path}" {where}')
        location = Location(kind, path, _settings(above.settings, one), _rules(one) or above.rules)
        if kind in ("~", "~*"):
            location.pattern = compiled(path, kind == "~*", where)
        location.inner = _locations(one, location)
        found.append(location)
    return found


def choose(level: Location, path: str) -> Location:
    """Return the location of a path: exact, then the longest prefix, then the first pattern, unless the prefix is `^~`."""
    best: Location | None = None
    for one in level.inner:
        if one.kind == "=" and one.path == path:
            return one
        if one.kind in ("", "^~") and path.startswith(one.path) and (best is None or len(one.path) > len(best.path)):
            best = one
    inner = choose(best, path) if best is not None else None
    if inner is not None and inner.kind in ("=", "~", "~*"):
        return inner
    if (inner or best) is None or (inner or best).kind != "^~":  # type: ignore[union-attr]
        for one in level.inner:
            if one.pattern is not None and one.pattern.search(path):
                return choose(one, path)
    return inner or best or level


def address(text: str, default: int = 80) -> tuple[str, int]:
    """Split `host:port`; the port is the default one when there is none."""
    host, _, port = text.partition(":")
    return host, int(port) if port.isdecimal() else default


def size(text: str) -> int:
    """Return the bytes that `10m` stands for; unreadable text counts as the default of 1m."""
    unit = UNITS.get(text[-1:].lower())
    digits = text[:-1] if unit else text
    return int(digits) * (unit or 1) if digits.isdecimal() else DEFAULT_BODY


def duration(text: str) -> int:
    """Return the milliseconds that `1s` or `60` stands for; unreadable text counts as a minute."""
    for unit, factor in SECONDS.items():
        digits = text.removesuffix(unit)
        if digits != text and digits.isdecimal():
            return int(digits) * factor
    return int(text) * 1000 if text.isdecimal() else 60_000
