"""URLs as requests have them.

Models k8s.io/apiserver/pkg/cel/library/urls.go and Go's net/url (ParseRequestURI).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, unquote, unquote_plus

from kit.kube.cel.numbers import RunError
from kit.kube.gotext import quoted

_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):")
_PATH: Final = "/$&+,:;=@!~*'()"
_WRONG_HOST: Final = re.compile(r"[\s<>\"{}|\\^`#?/]")


class URLError(ValueError):
    """A text that is no URL; the message is Go's."""


@dataclass(frozen=True, slots=True)
class URL:
    """A URL in its parts."""

    scheme: str
    host: str
    path: str
    query: str
    type_name = "kubernetes.URL"


def parse(text: str) -> URL:
    """Return a URL; raise URLError."""

    def wrong(why: str) -> URLError:
        return URLError(f"parse {quoted(text)}: {why}")

    if not text:
        raise wrong("empty url")
    if any(char < " " or char == "\x7f" for char in text):
        raise URLError(f"parse {quoted(text)}: net/url: invalid control character in URL")
    found = _SCHEME.match(text)
    if text[0] == ":":
        raise wrong("missing protocol scheme")
    scheme, rest = (found[1].lower(), text[found.end() :]) if found else ("", text)
    rest, _, query = rest.partition("?")
    if not rest.startswith("/"):
        if scheme:
            return URL(scheme, "", "", query)
        raise wrong("invalid URI for request")
    host = ""
    if rest.startswith("//") and (scheme or not rest.startswith("///")):
        authority, slash, path = rest[2:].partition("/")
        rest = slash + path
        host = _host(authority.rpartition("@")[2], wrong)
    bad = re.search(r"%(?![0-9A-Fa-f]{2}).{0,2}", rest)
    if bad:
        raise wrong(f"invalid URL escape {quoted(bad[0])}")
    return URL(scheme, host, rest, query)


def _host(host: str, wrong: Callable[[str], URLError]) -> str:
    bad = _WRONG_HOST.search(host)
    if bad:
        raise wrong(f"invalid character {quoted(bad[0])} in host name")
    if host.startswith("["):
        inner, bracket, port = host.rpartition("]")
        if not bracket:
            raise wrong("missing ']' in host")
        del inner
    else:
        name, colon, last = host.partition(":")
        port = colon + last
        del name
    if port and not re.fullmatch(r":[0-9]*", port):
        raise wrong(f"invalid port {quoted(port)} after host")
    return unquote(host)


def to_url(text: str) -> URL:
    """Return a URL; raise RunError."""
    try:
        return parse(text)
    except URLError as error:
        raise RunError(f"URL parse error during conversion from string: {error}") from None


def _is_url(text: str) -> bool:
    try:
        parse(text)
    except URLError:
        return False
    return True


def _split_port(host: str) -> tuple[str, str]:
    if host.startswith("["):
        name, _, port = host[1:].partition("]")
        return name, port.removeprefix(":")
    name, _, port = host.partition(":")
    return name, port


def _query(one: URL) -> dict[str, list[str]]:
    out: dict[str, list[str]] = {}
    for part in one.query.split("#")[0].split("&"):
        if part:
            key, _, value = part.partition("=")
            out.setdefault(unquote_plus(key), []).append(unquote_plus(value))
    return out


FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    "url": to_url,
    "isURL": _is_url,
    "getScheme": lambda one: one.scheme,
    "getHost": lambda one: one.host,
    "getHostname": lambda one: _split_port(one.host)[0],
    "getPort": lambda one: _split_port(one.host)[1],
    "getEscapedPath": lambda one: (
        quote(unquote(one.path), safe=_PATH) if "%" not in one.path else quote(one.path, safe=_PATH + "%")
    ),
    "getQuery": _query,
}
