"""Quantities: `500m`, `1.5Gi`, `1e3`, exact to the nano and written back as the API server does.

Models k8s.io/apimachinery/pkg/api/resource/quantity.go. A value is an integer of nanos: no float ever.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache, total_ordering
from typing import Any, Final

from kit.kube import goquantity
from kit.kube.literals import written

NANO: Final = 10**9
_MAX: Final = (2**63 - 1) * NANO
_PATTERN: Final = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*)([+-]?[0-9]*)\Z")
_DIGITS: Final = 1000
_DECIMAL: Final = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY: Final = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_DECIMAL_NAMES: Final = {exponent: name for name, exponent in _DECIMAL.items()}
_BINARY_NAMES: Final = {exponent: name for name, exponent in _BINARY.items()}

WRONG_FORMAT: Final = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
WRONG_NUMBER: Final = "unable to parse numeric part of quantity"
WRONG_SUFFIX: Final = "unable to parse quantity's suffix"


class QuantityError(ValueError):
    """The text is no quantity; the message is the API server's."""


@total_ordering
@dataclass(frozen=True, slots=True, eq=False)
class Quantity:
    """An amount in nanos, and the family of suffixes it is written with: decimal, binary or exponent."""

    nano: int = 0
    family: str = "decimal"

    @staticmethod
    def parse(text: Any) -> Quantity:
        """Read a quantity as JSON carries it, a text or a number; raise QuantityError."""
        if isinstance(text, str):
            return _parse(text.strip())
        if text is None:
            return Quantity()
        if isinstance(text, bool) or not isinstance(text, int | float):
            raise QuantityError(WRONG_FORMAT)
        return _parse(written(text))

    @staticmethod
    def of(value: int, family: str = "decimal") -> Quantity:
        """Return a whole number as a quantity."""
        return Quantity(value * NANO, family)

    @staticmethod
    def of_milli(value: int, family: str = "decimal") -> Quantity:
        """Return thousandths as a quantity."""
        return Quantity(value * NANO // 1000, family)

    @property
    def value(self) -> int:
        """Return the amount in whole units, rounded away from zero."""
        return _rounded(self.nano, NANO)

    @property
    def milli(self) -> int:
        """Return the amount in thousandths, rounded away from zero."""
        return _rounded(self.nano, NANO // 1000)

    def __bool__(self) -> bool:
        return self.nano != 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Quantity) and self.nano == other.nano

    def __lt__(self, other: Quantity) -> bool:
        return self.nano < other.nano

    def __hash__(self) -> int:
        return hash(self.nano)

    def __add__(self, other: Quantity) -> Quantity:
        return Quantity(self.nano + other.nano, self.family if self.nano else other.family)

    def __sub__(self, other: Quantity) -> Quantity:
        return Quantity(self.nano - other.nano, self.family if self.nano else other.family)

    def __neg__(self) -> Quantity:
        return Quantity(-self.nano, self.family)

    def __str__(self) -> str:
        if self.nano == 0:
            return "0"
        if self.family == "binary" and abs(self.nano) >= 1024 * NANO and self.nano % NANO == 0:
            return _binary(self.value)
        mantissa, exponent = _decimal(self.nano)
        if self.family != "exponent":
            return f"{mantissa}{_DECIMAL_NAMES.get(exponent, '')}"  # Go has no name beyond E and leaves it out
        return f"{mantissa}e{exponent}" if exponent else str(mantissa)


def canonical(text: Any) -> str:
    """Return a quantity as the API server writes it: as it was written where that will do; raise QuantityError."""
    if not isinstance(text, str):
        Quantity.parse(text)
    return _written("0" if text is None else written(text).strip())


@lru_cache(maxsize=4096)
def _written(text: str) -> str:
    found = _parse(text)
    return goquantity.kept(text) or str(found)


@lru_cache(maxsize=4096)
def _parse(text: str) -> Quantity:
    match = _PATTERN.match(text)
    if not match or not text or (match[3] is None and not match[2] and not match[4] and not match[5]):
        raise QuantityError(WRONG_FORMAT)
    sign, whole, part, letters, digits = match.groups()
    if not whole and not part:
        raise QuantityError(WRONG_NUMBER)
    base, exponent, family = _suffix(letters + digits)
    nano = _nanos(_fraction(whole, part or ""), base, exponent)
    if family == "binary":
        nano, family = min(nano, _MAX), "decimal" if 0 < nano < NANO else family
    return Quantity(-nano if sign == "-" else nano, family)


def _fraction(whole: str, part: str) -> Fraction:
    """Return the number before the suffix; of very many digits only how large or small it is."""
    whole, part = whole.lstrip("0"), part.rstrip("0")
    if len(whole) > _DIGITS:
        return Fraction(10**_DIGITS)
    if len(part) > _DIGITS:
        part = part[:_DIGITS] + "1"  # what is cut off still rounds up
    return Fraction(int(whole + part or "0"), 10 ** len(part))


def _suffix(text: str) -> tuple[int, int, str]:
    if text in _DECIMAL:
        return 10, _DECIMAL[text], "decimal"
    if text in _BINARY:
        return 2, _BINARY[text], "binary"
    match = re.fullmatch(r"[eE]([+-]?[0-9]{1,10})", text)
    if not match:
        raise QuantityError(WRONG_SUFFIX)
    return 10, int(match[1]), "exponent"


def _nanos(number: Fraction, base: int, exponent: int) -> int:
    """Return nanos, rounded up; huge exponents are never multiplied out."""
    if number == 0:
        return 0
    if base == 10 and exponent > 100:
        return _MAX
    if base == 10 and exponent < -100 - len(str(number.numerator)):
        return 1
    scaled = number * Fraction(base) ** exponent * NANO
    return -(-scaled.numerator // scaled.denominator)


def _rounded(nano: int, unit: int) -> int:
    size = -(-abs(nano) // unit)
    return size if nano >= 0 else -size


def _decimal(nano: int) -> tuple[int, int]:
    """Return the mantissa without trailing thousands, and its exponent, a multiple of three."""
    mantissa, exponent = nano, -9
    while mantissa % 1000 == 0:
        mantissa, exponent = mantissa // 1000, exponent + 3
    return mantissa, exponent


def _binary(value: int) -> str:
    exponent = 0
    while value % 1024 == 0 and exponent < 60:
        value, exponent = value // 1024, exponent + 10
    return f"{value}{_BINARY_NAMES.get(exponent, '')}"
