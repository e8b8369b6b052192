"""What Go says about JSON it can't read: only asked when Python's parser has refused a text.

Models encoding/json/scanner.go: a state is a function of the next byte; the first byte that does not fit is named.
"""

from __future__ import annotations

import re
from typing import Final

END: Final = "unexpected end of JSON input"
_BRACKETS: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"|[\[\]{}]', re.DOTALL)
_SPACE: Final = b" \t\r\n"
_ESCAPES: Final = b'"\\/bfnrt'
_HEX: Final = b"0123456789abcdefABCDEF"
_DIGITS: Final = b"0123456789"


def too_deep(data: bytes, limit: int) -> str:
    """Return Go's complaint about the first bracket that nests deeper than `limit`, or "" (asked before a parser recurses)."""
    if data.count(b"[") + data.count(b"{") <= limit:
        return ""
    depth = 0
    for match in _BRACKETS.finditer(data):
        bracket = match[0]
        if bracket in b"[{":
            depth += 1
            if depth > limit:
                return f"invalid character {_quoted(bracket[0])} exceeded max depth"
        elif bracket in b"]}":
            depth -= 1
    return ""


class _Found(Exception):
    """The complaint."""


def explain(data: bytes) -> str:
    """Return Go's complaint about a JSON text that is not too deep, or "" when Go has none."""
    try:
        _Scanner(data).document()
    except _Found as found:
        return str(found)
    return ""


class _Scanner:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def _peek(self) -> int:
        if self._at >= len(self._data):
            raise _Found(END)
        return self._data[self._at]

    def _bad(self, where: str) -> _Found:
        return _Found(f"invalid character {_quoted(self._peek())} {where}")

    def _space(self) -> None:
        while self._at < len(self._data) and self._data[self._at] in _SPACE:
            self._at += 1

    def document(self) -> None:
        """Read the whole text."""
        self._value()
        self._space()
        if self._at < len(self._data):
            raise self._bad("after top-level value")

    def _value(self) -> None:
        self._space()
        first = self._peek()
        if first == ord("{"):
            self._object()
        elif first == ord("["):
            self._array()
        elif first == ord('"'):
            self._string()
        elif first == ord("-") or first in _DIGITS:
            self._number()
        else:
            self._literal(first)

    def _literal(self, first: int) -> None:
        word = {ord("t"): b"true", ord("f"): b"false", ord("n"): b"null"}.get(first)
        if word is None:
            raise self._bad("looking for beginning of value")
        for byte in word:
            if self._peek() != byte:
                raise self._bad(f"in literal {word.decode()} (expecting {_quoted(byte)})")
            self._at += 1

    def _object(self) -> None:
        self._at += 1
        self._space()
        if self._peek() == ord("}"):
            self._at += 1
            return
        while True:
            self._space()
            if self._peek() != ord('"'):
                raise self._bad("looking for beginning of object key string")
            self._string()
            self._space()
            if self._peek() != ord(":"):
                raise self._bad("after object key")
            self._at += 1
            self._value()
            if self._closes(b"}", "after object key:value pair"):
                return

    def _array(self) -> None:
        self._at += 1
        self._space()
        if self._peek() == ord("]"):
            self._at += 1
            return
        while True:
            self._value()
            if self._closes(b"]", "after array element"):
                return

    def _closes(self, end: bytes, where: str) -> bool:
        self._space()
        byte = self._peek()
        if byte not in end + b",":
            raise self._bad(where)
        self._at += 1
        return byte in end

    def _string(self) -> None:
        self._at += 1
        while (byte := self._peek()) != ord('"'):
            if byte == ord("\\"):
                self._at += 1
                self._escape()
            elif byte < 0x20:
                raise self._bad("in string literal")
            self._at += 1
        self._at += 1

    def _escape(self) -> None:
        if self._peek() == ord("u"):
            for _ in range(4):
                self._at += 1
                if self._peek() not in _HEX:
                    raise self._bad("in \\u hexadecimal character escape")
        elif self._peek() not in _ESCAPES:
            raise self._bad("in string escape code")

    def _number(self) -> None:
        if self._peek() == ord("-"):
            self._at += 1
            if self._peek() not in _DIGITS:
                raise self._bad("in numeric literal")
        if self._peek() == ord("0"):
            self._at += 1
        else:
            self._digits()
        if self._data[self._at : self._at + 1] == b".":
            self._at += 1
            if self._peek() not in _DIGITS:
                raise self._bad("after decimal point in numeric literal")
            self._digits()
        if self._data[self._at : self._at + 1] in {b"e", b"E"}:
            self._at += 1
            if self._peek() in b"+-":
                self._at += 1
            if self._peek() not in _DIGITS:
                raise self._bad("in exponent of numeric literal")
            self._digits()

    def _digits(self) -> None:
        while self._at < len(self._data) and self._data[self._at] in _DIGITS:
            self._at += 1


def _quoted(byte: int) -> str:
    special = {ord("'"): "'\\''", ord('"'): "'\"'", ord("\n"): "'\\n'", ord("\t"): "'\\t'", ord("\r"): "'\\r'"}
    if byte in special:
        return special[byte]
    char = chr(byte)
    return f"'{char}'" if char.isprintable() else f"'\\x{byte:02x}'" if byte < 0x80 else f"'\\u{byte:04x}'"
