"""What Go keeps of a quantity it has read: a scaled 64-bit integer where that does, else a decimal of any size.

Models ParseQuantity of k8s.io/apimachinery/pkg/api/resource/quantity.go: a text that is good enough is kept and written again.
"""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple

_PARTS: Final = re.compile(r"(?P<sign>[+-]?)0*(?P<whole>[0-9]*)(?:\.(?P<part>[0-9]*))?(?P<suffix>.*)")
_DECIMAL: Final = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY: Final = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_DIGITS: Final = 18  # of a 64-bit integer, whatever they are
_BINARY_DIGITS: Final = 15
_NANO: Final = 9
_WORD: Final = 64


class _Read(NamedTuple):
    """A text taken apart: +-digits * 2**shift * 10**scale."""

    sign: str
    digits: str
    shift: int
    scale: int
    family: str
    small: bool  # a 64-bit integer holds the digits
    kept: bool  # the text is good enough to be written again

    @property
    def number(self) -> int:
        """Return the amount without its scale."""
        return int(self.sign + self.digits) << self.shift


def kept(text: str) -> str:
    """Return the text of a quantity if Go writes it again as it is, else ""; it must be one that can be read."""
    read = _read(text)
    return text if text == "0" or (read.small and read.kept) else ""


def fields(text: Any) -> dict[str, Any]:
    """Return the fields of resource.Quantity of a text as the API server writes it, or of None, which protobuf makes 0."""
    if text is None or text == "0":
        return {"s": "0", "Format": "DecimalSI"}
    read = _read(text)
    if read.small:
        amount = {"value": read.number, "scale": read.scale}
        return {"i": amount, "s": text if read.kept else "", "Format": read.family}
    return {"d": _dec(read.number * 10 ** (read.scale + _NANO)), "Format": read.family}


def _read(text: str) -> _Read:
    found = _PARTS.fullmatch(text)
    sign, whole, part, suffix = found.groups() if found else ("", "", "", "")
    whole, part = whole or "0", part or ""
    if suffix in _BINARY:
        exponent = _BINARY[suffix]
        small = not part and _BINARY_DIGITS - len(whole) - exponent * 3 // 10 - 1 >= 0
        return _Read(sign, whole, exponent, 0, "BinarySI", small, small and int(whole) % 8 != 0)
    exponent = _DECIMAL[suffix] if suffix in _DECIMAL else int(suffix[1:])
    digits, scale = whole + part, exponent - len(part)
    family = "DecimalSI" if suffix in _DECIMAL else "DecimalExponent"
    good = scale % 3 == 0 and not digits.endswith("000") and digits[0] != "0"
    return _Read(sign, digits, 0, scale, family, len(digits) <= _DIGITS and scale >= -_NANO, good)


def _dec(nanos: int) -> dict[str, Any]:
    """Return *inf.Dec: a big.Int in words of 64 bits, the lowest first, and how many digits stand behind the point."""
    size, words = abs(nanos), []
    while size:
        words.append(size % 2**_WORD)
        size >>= _WORD
    return {"Dec": {"unscaled": {"neg": nanos < 0, "abs": words}, "scale": _NANO}}
