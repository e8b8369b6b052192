"""Formats by name.

Models k8s.io/apiserver/pkg/cel/library/format.go.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from kit.kube import names
from kit.kube.cel.library import urls
from kit.kube.cel.numbers import NONE, Optional
from kit.kube.custom.formats import fits

Check = Callable[[str], list[str]]


@dataclass(frozen=True, slots=True)
class Format:
    """A format."""

    name: str
    type_name = "kubernetes.NamedFormat"


def _prefix(check: Check) -> Check:
    """Return a check of what names begin with: a dash at its end is well."""
    return lambda text: check(f"{text[:-1]}a" if text.endswith("-") else text)


def _form(name: str, wrong: str) -> Check:
    return lambda text: [] if fits(name, text) else [wrong]


def _uri(text: str) -> list[str]:
    try:
        urls.parse(text)
    except urls.URLError as error:
        return [str(error)]
    return []


def _qualified(text: str) -> list[str]:
    return names.qualified(text)


CHECKS: Final[Mapping[str, Check]] = {
    "dns1123Label": names.label,
    "dns1123Subdomain": names.subdomain,
    "dns1035Label": names.label_1035,
    "qualifiedName": _qualified,
    "dns1123LabelPrefix": _prefix(names.label),
    "dns1123SubdomainPrefix": _prefix(names.subdomain),
    "dns1035LabelPrefix": _prefix(names.label_1035),
    "labelValue": names.label_value,
    "uri": _uri,
    "uuid": _form("uuid", "does not match the UUID format"),
    "byte": _form("byte", "invalid base64"),
    "date": _form("date", "invalid date"),
    "datetime": _form("date-time", "invalid datetime"),
}


def _validate(form: Format, text: str) -> Optional:
    wrong = CHECKS[form.name](text)
    return Optional(wrong) if wrong else NONE


FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    "format.named": lambda name: Optional(Format(name)) if name in CHECKS else NONE,
    **{f"format.{name}": (lambda name=name: Format(name)) for name in CHECKS},
    "validate": _validate,
}
