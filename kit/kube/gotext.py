"""Values as Go prints them: some of the API server's messages carry `%v` of decoded JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

_ESCAPES = {
    "\\": "\\\\",
    '"': '\\"',
    "\n": "\\n",
    "\t": "\\t",
    "\r": "\\r",
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\v": "\\v",
}


@lru_cache(maxsize=4096)
def quoted(text: str) -> str:
    """Return the text as JSON writes it, non-ASCII letters kept."""
    return json.dumps(text, ensure_ascii=False)


def go_quoted(text: str) -> str:
    """Return the text as Go's `%q` writes it."""
    return '"' + "".join(_ESCAPES.get(c, c) if c.isprintable() or c in _ESCAPES else _escaped(c) for c in text) + '"'


def _escaped(char: str) -> str:
    code = ord(char)
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def plain(value: Any) -> str:
    """Return the value as Go's `%v` writes it: map[a:1 b:[x y]]."""
    match value:
        case None:
            return "<nil>"
        case bool():
            return "true" if value else "false"
        case Mapping():
            return "map[" + " ".join(f"{k}:{plain(value[k])}" for k in sorted(value)) + "]"
        case list():
            return "[" + " ".join(plain(v) for v in value) + "]"
        case float():
            return number(value)
        case _:
            return str(value)


def syntax(value: Any) -> str:
    """Return the value as Go's `%#v` writes it: map[string]interface {}{"a":1}."""
    match value:
        case None:
            return "interface {}(nil)"
        case str():
            return go_quoted(value)
        case Mapping():
            return (
                "map[string]interface {}{"
                + ", ".join(f"{go_quoted(k)}:{syntax(value[k])}" for k in sorted(value))
                + "}"
            )
        case list():
            return "[]interface {}{" + ", ".join(syntax(v) for v in value) + "}"
        case _:
            return plain(value)


def type_name(value: Any) -> str:
    """Return the Go type of a decoded JSON value as `%s` of reflect.TypeOf prints it."""
    match value:
        case None:
            return "%!s(<nil>)"
        case bool():
            return "bool"
        case str():
            return "string"
        case int():
            return "int64"
        case float():
            return "float64"
        case list():
            return "[]interface {}"
        case _:
            return "map[string]interface {}"


def number(value: float) -> str:
    """Return a float as Go's `%v` writes it."""
    text = repr(value)
    if text.endswith(".0"):
        return text[:-2]
    mantissa, e, exponent = text.partition("e")
    return f"{mantissa}e{int(exponent):+03d}" if e else text


def compact(value: Any) -> str:
    """Return the value as Go's encoding/json writes it: no blanks, `<`, `>`, `&` escaped, keys in the order given."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for char in "<>&\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text
