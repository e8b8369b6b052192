"""The string formats a schema may ask for. Models k8s.io/kube-openapi/pkg/validation/strfmt: what it does not know, it lets pass."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from ipaddress import ip_address, ip_network
from typing import Final

from kit.kube import names, times
from kit.kube.patterns import found_in

_DATE: Final = re.compile(r"(\d{4})-(\d\d)-(\d\d)")
_DATE_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:?\d\d)")
_DURATION: Final = re.compile(
    r"\s*\d+(\.\d+)?\s*(ns|nano|us|µs|micro|ms|milli|s|sec|second|m|min|minute|h|hr|hour|d|day|w|week)s?\s*"
)
_UUID: Final = r"(?i)^[0-9a-f]{8}-?[0-9a-f]{4}-?%s[0-9a-f]{3}-?%s[0-9a-f]{3}-?[0-9a-f]{12}$"
_DAYS: Final = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def fits(form: str, text: str) -> bool:
    """Return whether a text is of a format."""
    check = _FORMATS.get(form)
    return check is None or check(text)


def _pattern(text: str) -> Callable[[str], bool]:
    return lambda value: found_in(text, value)


def _date(text: str) -> bool:
    found = _DATE.fullmatch(text)
    if not found:
        return False
    year, month, day = (int(part) for part in found.groups())
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return 1 <= month <= 12 and 1 <= day <= (28 if month == 2 and not leap else _DAYS[month - 1])


def _date_time(text: str) -> bool:
    if not _DATE_TIME.fullmatch(text) or not _date(text[:10]):
        return False
    hour, minute, second = (int(part) for part in text[11:19].split(":"))
    return hour < 24 and minute < 60 and second < 60


def _duration(text: str) -> bool:
    try:
        times.parse_go_duration(text)
    except times.TimeError:
        return bool(_DURATION.fullmatch(text))
    return True


def _address(version: int) -> Callable[[str], bool]:
    def check(text: str) -> bool:
        try:
            return ip_address(text).version == version
        except ValueError:
            return False

    return check


def _network(text: str) -> bool:
    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return "/" in text


def _byte(text: str) -> bool:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def _isbn(length: int) -> Callable[[str], bool]:
    def check(text: str) -> bool:
        digits = text.replace("-", "").replace(" ", "")
        if not re.fullmatch(r"\d{9}[\dX]" if length == 10 else r"\d{13}", digits):
            return False
        values = [10 if digit == "X" else int(digit) for digit in digits]
        if length == 10:
            return sum((10 - place) * value for place, value in enumerate(values)) % 11 == 0
        return sum(value * (3 if place % 2 else 1) for place, value in enumerate(values)) % 10 == 0

    return check


def _card(text: str) -> bool:
    digits = re.sub(r"[- ]", "", text)
    if not re.fullmatch(r"\d{13,19}", digits):
        return False
    doubled = [int(digit) * (2 if place % 2 else 1) for place, digit in enumerate(reversed(digits))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


_FORMATS: Final[Mapping[str, Callable[[str], bool]]] = {
    "date-time": _date_time,
    "datetime": _date_time,
    "date": _date,
    "duration": _duration,
    "email": _pattern(r"^[^@\s<>]+@[^@\s<>]+$"),
    "hostname": _pattern(r"(?i)^[a-z0-9]([a-z0-9-]{0,62})(\.[a-z0-9]([a-z0-9-]{0,62}))*\.?$"),
    "ipv4": _address(4),
    "ipv6": _address(6),
    "ip": lambda text: _address(4)(text) or _address(6)(text),
    "cidr": _network,
    "mac": _pattern(r"(?i)^([0-9a-f]{2}[:-]){5}([0-9a-f]{2}[:-]){0,2}[0-9a-f]{2}$|^([0-9a-f]{4}\.){2,3}[0-9a-f]{4}$"),
    "uri": _pattern(r"^([A-Za-z][A-Za-z0-9+.-]*:[^\s]*|/[^\s]*)$"),
    "uuid": _pattern(_UUID % ("[0-9a-f]", "[0-9a-f]")),
    "uuid3": _pattern(_UUID % ("3", "[0-9a-f]")),
    "uuid4": _pattern(_UUID % ("4", "[89ab]")),
    "uuid5": _pattern(_UUID % ("5", "[89ab]")),
    "byte": _byte,
    "isbn": lambda text: _isbn(10)(text) or _isbn(13)(text),
    "isbn10": _isbn(10),
    "isbn13": _isbn(13),
    "creditcard": _card,
    "hexcolor": _pattern(r"(?i)^#?([0-9a-f]{3}|[0-9a-f]{6})$"),
    "rgbcolor": _pattern(r"^rgb\(\s*(\d{1,3}%?\s*,\s*){2}\d{1,3}%?\s*\)$"),
    "ssn": _pattern(r"^\d{3}[- ]?\d{2}[- ]?\d{4}$"),
    "bsonobjectid": _pattern(r"(?i)^[0-9a-f]{24}$"),
    "k8s-short-name": lambda text: not names.label(text),
    "k8s-long-name": lambda text: not names.subdomain(text),
}
