"""IP addresses and CIDR ranges.

Models k8s.io/apiserver/pkg/cel/library/{ip,cidr}.go and Go's net/netip.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from kit.kube.cel.numbers import RunError
from kit.kube.gotext import quoted

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_ZERO: Final = "IPv4 field has octet with leading zero"


class AddressError(ValueError):
    """A text that is no address; the message is Go's."""


@dataclass(frozen=True, slots=True)
class IP:
    """An address."""

    value: Address
    type_name = "net.IP"

    def __str__(self) -> str:
        return str(self.value)

    @property
    def size(self) -> int:
        """Return its bytes."""
        return len(self.value.packed)


@dataclass(frozen=True, slots=True)
class CIDR:
    """An address and how many of its bits count."""

    value: Address
    bits: int
    type_name = "net.CIDR"

    def __str__(self) -> str:
        return f"{self.value}/{self.bits}"

    @property
    def size(self) -> int:
        """Return the bytes that count."""
        return -(-self.bits // 8)

    @property
    def network(self) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
        """Return the range itself."""
        return ipaddress.ip_network(str(self), strict=False)


def address(text: str) -> Address:
    """Return an address; raise AddressError."""
    first = next((char for char in text if char in ".:%"), "")
    if not first:
        raise AddressError(_said(text, "unable to parse IP"))
    if first == "%":
        raise AddressError(_said(text, "missing IPv6 address"))
    if first == ".":
        return ipaddress.IPv4Address(_four(text, text, 0))
    _check_six(text)
    try:
        return ipaddress.IPv6Address(text)
    except ValueError:
        raise AddressError(_said(text, "unable to parse IP")) from None


def _said(text: str, why: str, at: str = "") -> str:
    return f"ParseAddr({quoted(text)}): {why}" + (f" (at {quoted(at)})" if at else "")


def _four(whole: str, text: str, start: int) -> str:
    """Return four numbers with dots; raise AddressError."""
    value = digits = fields = 0
    for index, char in enumerate(text):
        rest = text[start + index :]
        if "0" <= char <= "9":
            if digits == 1 and value == 0:
                raise AddressError(_said(whole, _ZERO))
            value, digits = value * 10 + int(char), digits + 1
            if value > 255:
                raise AddressError(_said(whole, "IPv4 field has value >255"))
        elif char == ".":
            if not index or index == len(text) - 1 or text[index - 1] == ".":
                raise AddressError(_said(whole, "IPv4 field must have at least one digit", rest))
            if fields == 3:
                raise AddressError(_said(whole, "IPv4 address too long"))
            fields, value, digits = fields + 1, 0, 0
        else:
            raise AddressError(_said(whole, "unexpected character", rest))
    if fields < 3:
        raise AddressError(_said(whole, "IPv4 address too short"))
    return text


_FIELD: Final = re.compile(r"[0-9a-fA-F]*")


def _check_six(whole: str) -> None:
    """Want what Go reads as an IPv6 address; raise AddressError."""
    text, percent, zone = whole.partition("%")
    if percent and not zone:
        raise AddressError(_said(whole, "zone must be a non-empty string"))
    gap = text.startswith("::")
    rest, fields = (text[2:], 0) if gap else (text, 0)
    while fields < 8 and rest:
        found = _FIELD.match(rest)
        digits = found[0] if found else ""
        if len(digits) > 4:
            raise AddressError(_said(whole, "each group must have 4 or less digits", rest))
        if not digits:
            raise AddressError(_said(whole, "each colon-separated field must have at least one digit", rest))
        after = rest[len(digits) :]
        if after.startswith("."):
            fields, rest = _embedded_four(whole, rest, fields, gap=gap), ""
            break
        fields, rest = fields + 1, after
        if not rest:
            break
        if rest[0] != ":":
            raise AddressError(_said(whole, "unexpected character, want colon", rest))
        if len(rest) == 1:
            raise AddressError(_said(whole, "colon must be followed by more characters", rest))
        rest = rest[1:]
        if rest[0] == ":":
            if gap:
                raise AddressError(_said(whole, "multiple :: in address", rest))
            gap, rest = True, rest[1:]
    if rest:
        raise AddressError(_said(whole, "trailing garbage after address", rest))
    if fields < 8 and not gap:
        raise AddressError(_said(whole, "address string too short"))
    if fields == 8 and gap:
        raise AddressError(_said(whole, "the :: must expand to at least one field of zeros"))


def _embedded_four(whole: str, rest: str, fields: int, *, gap: bool) -> int:
    """Read an IPv4 address at the end of another; return how many fields there are then."""
    if not gap and fields != 6:
        raise AddressError(_said(whole, "embedded IPv4 address must replace the final 2 fields of the address", rest))
    if fields > 6:
        raise AddressError(_said(whole, "too many hex fields to fit an embedded IPv4 at the end of the address", rest))
    _four(whole, rest, 0)
    return fields + 2


def to_ip(text: str) -> IP:
    """Return an address; raise RunError."""
    try:
        found = address(text)
    except AddressError as error:
        raise RunError(f"IP Address {quoted(text)} parse error during conversion from string: {error}") from None
    if getattr(found, "scope_id", None):
        raise RunError(f"IP address {quoted(text)} with zone value is not allowed")
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
        raise RunError(f"IPv4-mapped IPv6 address {quoted(text)} is not allowed")
    return IP(found)


_PREFIX: Final = "network address parse error during conversion from string: "


def to_cidr(text: str) -> CIDR:
    """Return a range; raise RunError."""
    try:
        return _cidr(text)
    except AddressError as error:
        raise RunError(f"{_PREFIX}{_PREFIX}{error}") from None


def _cidr(text: str) -> CIDR:
    head, slash, bits = text.rpartition("/")
    say = f"netip.ParsePrefix({quoted(text)}): "
    if not slash:
        raise AddressError(f"{say}no '/'")
    try:
        found = address(head)
    except AddressError as error:
        raise AddressError(f"{say}{error}") from None
    if not (bits.isascii() and bits.isdigit()) or (len(bits) > 1 and bits[0] == "0"):
        raise AddressError(f"{say}bad bits after slash: {quoted(bits)}")
    if int(bits) > found.max_prefixlen:
        raise AddressError(f"{say}prefix length out of range")
    if getattr(found, "scope_id", None):
        raise AddressError(f"{say}IPv6 zones cannot be present in a prefix")
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
        raise RunError(f"{_PREFIX}IPv4-mapped IPv6 address {quoted(text)} is not allowed")
    return CIDR(found, int(bits))


def _readable(read: Callable[[str], Any]) -> Callable[[str], bool]:
    def readable(text: str) -> bool:
        try:
            read(text)
        except RunError:
            return False
        return True

    return readable


def _contains_ip(own: CIDR, other: IP | str) -> bool:
    if isinstance(other, str):
        try:
            other = to_ip(other)
        except RunError:
            raise RunError("no such overload") from None
    return other.value in own.network


def _contains_cidr(own: CIDR, other: CIDR | str) -> bool:
    found = to_cidr(other) if isinstance(other, str) else other
    return own.bits <= found.bits and own.value.version == found.value.version and found.value in own.network


def _link_local_multicast(one: IP) -> bool:
    return one.value in ipaddress.ip_network("224.0.0.0/24" if one.value.version == 4 else "ff02::/16")


def _global(one: IP) -> bool:
    value = one.value
    broadcast = str(value) == "255.255.255.255"
    return not (value.is_unspecified or value.is_loopback or value.is_multicast or value.is_link_local or broadcast)


FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    "ip": lambda one: to_ip(one) if isinstance(one, str) else IP(one.value),
    "isIP": _readable(to_ip),
    "ip.isCanonical": lambda text: str(to_ip(text)) == text,
    "family": lambda one: one.value.version,
    "isUnspecified": lambda one: one.value.is_unspecified,
    "isLoopback": lambda one: one.value.is_loopback,
    "isLinkLocalMulticast": _link_local_multicast,
    "isLinkLocalUnicast": lambda one: one.value.is_link_local,
    "isGlobalUnicast": _global,
    "cidr": to_cidr,
    "isCIDR": _readable(to_cidr),
    "containsIP": _contains_ip,
    "containsCIDR": _contains_cidr,
    "prefixLength": lambda one: one.bits,
    "masked": lambda one: CIDR(one.network.network_address, one.bits),
}
