"""JSON as Go's encoding/json writes it: `<`, `>`, `&` and the two line separators of JavaScript are escaped inside strings."""

from __future__ import annotations

from json import JSONEncoder, dumps
from typing import Any, Final

ESCAPED: Final = tuple((sign, f"\\u{ord(sign):04x}") for sign in "<>&\u2028\u2029")

_compact = JSONEncoder(separators=(",", ":"), ensure_ascii=False, check_circular=False).encode


def encode(value: Any) -> str:
    """Return a value as compact JSON."""
    return escaped(_compact(value))


def indented(value: Any) -> str:
    """Return a value as JSON for people."""
    return escaped(dumps(value, indent=2, ensure_ascii=False))


def escaped(text: str) -> str:
    """Return JSON with Go's escapes: none of these signs stands outside of strings."""
    for sign, code in ESCAPED:
        if sign in text:
            text = text.replace(sign, code)
    return text
