"""The mechanism of validation: small checks of one value, and tables of rows that say where they apply.

A check gets a value (None when it isn't there), the path it is reported under, and the list it adds its causes to.
`rows` makes one check of an object out of many checks of its parts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any, Final

from kit.kube import names, selectors, status
from kit.kube.status import Cause

Obj = dict[str, Any]
Causes = list[Cause]
Check = Callable[[Any, str, Causes], None]
NameRule = Callable[[str], list[str]]

INT32: Final = 2**31 - 1
NOT_NEGATIVE: Final = "must be greater than or equal to 0"
IP_TEXT: Final = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
CIDR_TEXT: Final = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
PORT_TEXT: Final = "must be between 1 and 65535, inclusive"
_PART: Final = re.compile(r"\[\]|[^.\[\]]+")


def rows(*table: tuple[str, Check] | tuple[str, Check, str]) -> Check:
    """Return the check of an object by a table: where (`spec.rules[].host`), which check, and the path reported instead.

    A part whose parent isn't there is not checked; `[]` stands for every item of a list.
    """
    steps = tuple((tuple(_PART.findall(row[0])), row[1], row[2] if len(row) == 3 else "") for row in table)

    def run(obj: Any, at: str, out: Causes) -> None:
        for parts, check, shown in steps:
            _descend(obj, at, parts, check, shown, out)

    return run


def _descend(value: Any, at: str, parts: tuple[str, ...], check: Check, shown: str, out: Causes) -> None:
    for index, part in enumerate(parts):
        if value is None:
            return
        if part == "[]":
            for number, one in enumerate(value):
                _descend(one, f"{at}[{number}]", parts[index + 1 :], check, shown, out)
            return
        value = value.get(part)
        at = f"{at}.{part}" if at else part
    check(value, shown or at, out)


def both(*checks: Check) -> Check:
    """Return the check that is all of them, one after the other."""

    def run(value: Any, at: str, out: Causes) -> None:
        for check in checks:
            check(value, at, out)

    return run


def required(value: Any, at: str, out: Causes) -> None:
    """Want something to be there."""
    if value in (None, "", [], {}):
        out.append(status.required(at))


def unsupported(at: str, value: Any, allowed: tuple[str, ...]) -> Cause:
    """Return what is wrong with a word that is none of `allowed`: it is another, or it is missing."""
    return status.not_supported(at, value, allowed) if value else status.required(at)


def natural(value: Any, at: str, out: Causes) -> None:
    """Want a number that is not negative, where there is one."""
    if value is not None and value < 0:
        out.append(status.invalid_value(at, value, NOT_NEGATIVE))


def between(low: int, high: int) -> Check:
    """Return a check that wants a number of that range, where there is one."""

    def run(value: Any, at: str, out: Causes) -> None:
        if value is not None and not low <= value <= high:
            out.append(status.invalid_value(at, value, f"must be between {low} and {high}, inclusive"))

    return run


port: Final = between(1, 65535)
identity: Final = between(0, INT32)


def one_of(*allowed: str) -> Check:
    """Return a check that wants one of these words, where there is one; the order is the message's."""
    known = frozenset(allowed)

    def run(value: Any, at: str, out: Causes) -> None:
        if value is not None and value not in known:
            out.append(status.not_supported(at, value, allowed))

    return run


def always_one_of(*allowed: str) -> Check:
    """Return a check that wants one of these words; nothing at all is none of them."""
    known = one_of(*allowed)
    return lambda value, at, out: known(value or "", at, out)


def named(rule: NameRule) -> Check:
    """Return a check that wants a name made by a rule, where there is one."""

    def run(value: Any, at: str, out: Causes) -> None:
        if value:
            name(rule, value, at, out)

    return run


def name(rule: NameRule, value: str, at: str, out: Causes) -> None:
    """Add what is wrong with a name."""
    complaints = known_good(rule, value)
    if complaints:
        out.extend(status.invalid_value(at, value, text) for text in complaints)


@lru_cache(maxsize=8192)
def known_good(rule: NameRule, value: str) -> tuple[str, ...]:
    """Return what is wrong with a name; most names are asked about again and again."""
    return tuple(rule(value))


def needed(rule: NameRule) -> Check:
    """Return a check that wants a name made by a rule, and wants it to be there."""

    def run(value: Any, at: str, out: Causes) -> None:
        if value:
            name(rule, value, at, out)
        else:
            out.append(status.required(at))

    return run


label: Final = named(names.label)
subdomain: Final = named(names.subdomain)


def labels(value: Mapping[str, str] | None, at: str, out: Causes) -> None:
    """Want labels whose keys and values are made as they should be."""
    for key, text in (value or {}).items():
        name(names.qualified, key, at, out)
        if text:
            name(names.label_value, text, at, out)


def selector(value: Mapping[str, Any] | None, at: str, out: Causes) -> None:
    """Want a label selector that can be read, where there is one."""
    if value:
        out.extend(selectors.complaints(value, at))


def address(value: Any, at: str, out: Causes) -> None:
    """Want an IP address, where there is one."""
    if value is None:
        return
    complaint = known_good(ip_complaints, value)
    out.extend(status.invalid_value(at, value, text) for text in complaint)


def ip_complaints(text: str) -> list[str]:
    """Return what is wrong with an IP address. Models pkg/util/validation/ip.go."""
    if is_ip(text):
        return []
    parts = text.split(".")
    if len(parts) == 4 and all(re.fullmatch("[0-9]+", part) for part in parts):
        bare = ".".join(str(int(part)) for part in parts)
        if is_ip(bare):
            return ["must not have leading 0s"]
    return [IP_TEXT]


@lru_cache(maxsize=4096)
def is_ip(text: str) -> bool:
    """Return whether a text is an IP address."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return "%" not in text


def family(text: str) -> str:
    """Return IPv4 or IPv6 for an address, "" for what is none."""
    for kind, said in ((IPv4Address, "IPv4"), (IPv6Address, "IPv6")):
        try:
            kind(text)
        except (AddressValueError, ValueError):
            continue
        return said
    return ""


def cidr(value: Any, at: str, out: Causes) -> None:
    """Want a network such as 10.9.8.0/24, where there is one."""
    if value is not None and not is_cidr(value):
        out.append(status.invalid_value(at, value, CIDR_TEXT))


def is_cidr(text: str) -> bool:
    """Return whether a text is a network in CIDR form."""
    if "/" not in text:
        return False
    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return bool(re.fullmatch("[0-9]+", text.rpartition("/")[2]))


def duplicates(values: Iterable[Any]) -> Iterable[tuple[int, Any]]:
    """Yield index and value of those that were there before."""
    seen: set[Any] = set()
    for index, value in enumerate(values):
        if value and value in seen:
            yield index, value
        seen.add(value)


def percentage(value: Any, at: str, out: Causes) -> None:
    """Want a count or a percentage that is not negative. Models ValidatePositiveIntOrPercent."""
    if isinstance(value, str):
        name(names.percent, value, at, out)
    else:
        natural(value, at, out)


def at_most_whole(value: Any, at: str, out: Causes) -> None:
    """Want a percentage of at most 100. Models IsNotMoreThan100Percent."""
    if isinstance(value, str) and re.fullmatch("[0-9]+%", value) and int(value[:-1]) > 100:
        out.append(status.invalid_value(at, value, "must not be greater than 100%"))


def share(value: Any) -> int:
    """Return the number in a count or a percentage, 0 for what is none."""
    if isinstance(value, str):
        return int(value.removesuffix("%")) if re.fullmatch("[0-9]+%?", value) else 0
    return int(value or 0)
