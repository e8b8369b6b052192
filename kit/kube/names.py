"""Which names Kubernetes accepts, and what it says about the others.

Models k8s.io/apimachinery/pkg/util/validation/validation.go and pkg/api/validation/path/name.go. Every function returns
the list of complaints, empty when the value is fine.
"""

from __future__ import annotations

import re
from typing import Final

LABEL_MAX: Final = 63
SUBDOMAIN_MAX: Final = 253

_LABEL: Final = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN: Final = rf"{_LABEL}(\.{_LABEL})*"
_LABEL_1035: Final = "[a-z]([-a-z0-9]*[a-z0-9])?"
_QUALIFIED: Final = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_VALUE: Final = f"({_QUALIFIED})?"
_WILDCARD: Final = rf"\*\.{_SUBDOMAIN}"
_CONFIG_KEY: Final = "[-._a-zA-Z0-9]+"
_PERCENT: Final = "[0-9]+%"

_LABEL_TEXT: Final = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with "
    "an alphanumeric character"
)
_SUBDOMAIN_TEXT: Final = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    "end with an alphanumeric character"
)
_LABEL_1035_TEXT: Final = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, "
    "and end with an alphanumeric character"
)
_QUALIFIED_TEXT: Final = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
)
_VALUE_TEXT: Final = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
    "end with an alphanumeric character"
)
_WILDCARD_TEXT: Final = (
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower "
    "case alphanumeric characters, '-' or '.' and end with an alphanumeric character"
)
_ENV_TEXT: Final = "a valid environment variable name must consist only of printable ASCII characters other than '='"
_CONFIG_KEY_TEXT: Final = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"


def max_length(limit: int, unit: str = "characters") -> str:
    """Return the complaint about a text that is too long; labels count in bytes, names in characters."""
    return f"must be no more than {limit} {unit}"


def regex(text: str, pattern: str, *examples: str) -> str:
    """Return the complaint about a text that does not match, with examples that do."""
    if not examples:
        return f"{text} (regex used for validation is '{pattern}')"
    shown = ",  or ".join(f"'{example}'" for example in examples)
    return f"{text} (e.g. {shown}, regex used for validation is '{pattern}')"


def label(value: str) -> list[str]:
    """Return what is wrong with a DNS-1123 label: the name of a Namespace, a container, a port's Service."""
    dotted = re.fullmatch(_SUBDOMAIN, value)  # a subdomain that is no label can only have dots too many
    text = "must not contain dots" if dotted else regex(_LABEL_TEXT, _LABEL, "my-name", "123-abc")
    return _checked(value, LABEL_MAX, _LABEL, text)


def subdomain(value: str) -> list[str]:
    """Return what is wrong with a DNS-1123 subdomain: the name of most objects."""
    return _checked(value, SUBDOMAIN_MAX, _SUBDOMAIN, regex(_SUBDOMAIN_TEXT, _SUBDOMAIN, "example.com"))


def label_1035(value: str) -> list[str]:
    """Return what is wrong with a DNS-1035 label, which starts with a letter."""
    return _checked(value, LABEL_MAX, _LABEL_1035, regex(_LABEL_1035_TEXT, _LABEL_1035, "my-name", "abc-123"))


def wildcard_subdomain(value: str) -> list[str]:
    """Return what is wrong with a host such as `*.example.com`."""
    return _checked(value, SUBDOMAIN_MAX, _WILDCARD, regex(_WILDCARD_TEXT, _WILDCARD, "*.example.com"))


def qualified(value: str) -> list[str]:
    """Return what is wrong with a label key, `name` or `prefix/name`."""
    parts = value.split("/")
    out: list[str] = []
    if len(parts) == 2:
        if not parts[0]:
            out.append("prefix part must be non-empty")
        else:
            out += [f"prefix part {text}" for text in subdomain(parts[0])]
    elif len(parts) > 2:
        detail = regex(_QUALIFIED_TEXT, _QUALIFIED, "MyName", "my.name", "123-abc")
        return [f"a valid label key {detail} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"]
    name = parts[-1]
    if not name:
        out.append("name part must be non-empty")
    elif _bytes(name) > LABEL_MAX:
        out.append(f"name part {max_length(LABEL_MAX, 'bytes')}")
    if not re.fullmatch(_QUALIFIED, name):
        out.append(f"name part {regex(_QUALIFIED_TEXT, _QUALIFIED, 'MyName', 'my.name', '123-abc')}")
    return out


def label_value(value: str) -> list[str]:
    """Return what is wrong with the value of a label."""
    return _checked(value, LABEL_MAX, _VALUE, regex(_VALUE_TEXT, _VALUE, "MyValue", "my_value", "12345"), "bytes")


def path_segment(value: str) -> list[str]:
    """Return what is wrong with a name that only has to fit into a URL: Roles and their bindings."""
    if value in {".", ".."}:
        return [f"may not be '{value}'"]
    return [f"may not contain '{bad}'" for bad in ("/", "%") if bad in value]


def port_name(value: str) -> list[str]:
    """Return what is wrong with the name of a container port (IANA service name)."""
    out: list[str] = []
    if _bytes(value) > 15:
        out.append(max_length(15))
    if not re.fullmatch("[-a-z0-9]+", value):
        out.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not re.search("[a-z]", value):
        out.append("must contain at least one letter (a-z)")
    if "--" in value:
        out.append("must not contain consecutive hyphens")
    if value.startswith("-") or value.endswith("-"):
        out.append("must not begin or end with a hyphen")
    return out


def env_name(value: str) -> list[str]:
    """Return what is wrong with the name of an environment variable."""
    fine = value and all(" " <= char <= "~" and char != "=" for char in value)
    return [] if fine else [_ENV_TEXT]


def config_key(value: str) -> list[str]:
    """Return what is wrong with a key of a ConfigMap or Secret."""
    out = [max_length(SUBDOMAIN_MAX)] if _bytes(value) > SUBDOMAIN_MAX else []
    if not re.fullmatch(_CONFIG_KEY, value):
        out.append(regex(_CONFIG_KEY_TEXT, _CONFIG_KEY, "key.name", "KEY_NAME", "key-name"))
    return out + _dots(value)


def percent(value: str) -> list[str]:
    """Return what is wrong with a percentage such as `25%`."""
    text = regex("a valid percent string must be a numeric string followed by an ending '%'", _PERCENT, "1%", "93%")
    return [] if re.fullmatch(_PERCENT, value) else [text]


def _checked(value: str, limit: int, pattern: str, complaint: str, unit: str = "characters") -> list[str]:
    out = [max_length(limit, unit)] if _bytes(value) > limit else []
    if not re.fullmatch(pattern, value):
        out.append(complaint)
    return out


def _dots(value: str) -> list[str]:
    if value in {".", ".."}:
        return [f"must not be '{value}'"]
    return ["must not start with '..'"] if value.startswith("..") else []


def _bytes(value: str) -> int:
    return len(value.encode("utf-8", "surrogatepass"))
