"""Texts cut into tokens, and the words ANTLR has for what is none.

Models cel-go/parser/gen/CEL.g4 and common/source.go.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

END: Final = "<EOF>"


class Token(NamedTuple):
    """One token: its kind, its text and where it starts."""

    kind: str
    text: str
    place: int


_STRING: Final = (
    r"'''(?:[^\\]|\\E)*?'''|\"\"\"(?:[^\\]|\\E)*?\"\"\"|'(?:[^\\'\n\r]|\\E)*'|\"(?:[^\\\"\n\r]|\\E)*\""
).replace(
    r"\\E",
    r"\\(?:[abfnrtv\"'\\?`]|[xX][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-3][0-7][0-7])",
)
_RAW: Final = r"'''(?:.|\n)*?'''|\"\"\"(?:.|\n)*?\"\"\"|'[^'\n\r]*'|\"[^\"\n\r]*\""
_TOKEN: Final = re.compile(
    "|".join(
        [
            r"(?P<SKIP>[ \t\r\n\f]+|//[^\n]*)",
            rf"(?P<BYTES>[bB](?:[rR](?:{_RAW})|(?:{_STRING})))",
            rf"(?P<STRING>[rR](?:{_RAW})|(?:{_STRING}))",
            r"(?P<FLOAT>\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\.\d+(?:[eE][+-]?\d+)?)",
            r"(?P<UINT>(?:0x[0-9a-fA-F]+|\d+)[uU])",
            r"(?P<INT>0x[0-9a-fA-F]+|\d+)",
            r"(?P<WORD>[_a-zA-Z][_a-zA-Z0-9]*)",
            r"(?P<ESCAPED>`[a-zA-Z0-9_.\-/ ]+`)",
            r"(?P<SIGN>==|!=|<=|>=|&&|\|\||[\[\]{}().,\-!?:+*/%<>])",
        ]
    )
)
_BEGUN: Final = re.compile(
    r"(?P<triple>'''|\"\"\")(?:[^\\]|\\.)*|(?P<quote>['\"])(?:(?!(?P=quote))[^\\\n\r]|\\[abfnrtv\"'\\?`]|\\[xX][0-9a-fA-F]{2}"
    r"|\\u[0-9a-fA-F]{4}|\\U[0-9a-fA-F]{8}|\\[0-3][0-7][0-7])*(?:\\(?:[xX][0-9a-fA-F]?|u[0-9a-fA-F]{0,3}|U[0-9a-fA-F]{0,7}"
    r"|[0-3][0-7]?)?)?|[&|=]?",
    re.DOTALL,
)
_KEYWORDS: Final = {"true": "BOOL", "false": "BOOL", "null": "NULL", "in": "SIGN"}


def tokens(text: str) -> tuple[list[Token], list[tuple[int, str]]]:
    """Return the tokens of a text, an end last, and what is wrong at which place."""
    out: list[Token] = []
    wrong: list[tuple[int, str]] = []
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            begun = _BEGUN.match(text, at)
            end = min((begun.end() if begun else at) + 1, len(text))
            wrong.append((at, f"Syntax error: token recognition error at: '{text[at:end]}'"))
            at = end
            continue
        kind = str(found.lastgroup)
        if kind != "SKIP":
            out.append(Token(_KEYWORDS.get(found[0], kind) if kind == "WORD" else kind, found[0], at))
        at = found.end()
    out.append(Token("END", END, len(text)))
    return out, wrong


_ESCAPE: Final = re.compile(r"\\(?:([abfnrtv\"'\\?`])|[xX]([0-9a-fA-F]{2})|u(.{4})|U(.{8})|([0-3][0-7][0-7]))")
_NAMED: Final = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def text_of(token: str) -> str:
    """Return what a literal of a text says; raise ValueError for a code that is no character."""
    raw, inner = _inner(token)
    if raw:
        return inner
    return _ESCAPE.sub(_character, inner.replace("\r\n", "\n").replace("\r", "\n"))


def bytes_of(token: str) -> bytes:
    """Return what a literal of bytes says; raise ValueError."""
    raw, inner = _inner(token[1:])
    if raw:
        return inner.encode()
    out, at = b"", 0
    for found in _ESCAPE.finditer(inner):
        out += inner[at : found.start()].encode()
        if found[3] or found[4]:
            raise ValueError("no code points in bytes")
        code = found[2] or found[5]
        out += bytes([int(code, 16 if found[2] else 8)]) if code else _character(found).encode()
        at = found.end()
    return out + inner[at:].encode()


def _inner(token: str) -> tuple[bool, str]:
    raw = token[0] in "rR"
    body = token[1:] if raw else token
    marks = 3 if len(body) >= 6 and body[:3] in {"'''", '"""'} else 1
    return raw, body[marks:-marks]


def _character(found: re.Match[str]) -> str:
    if found[1]:
        return _NAMED.get(found[1], found[1])
    code = found[2] or found[3] or found[4]
    number = int(code, 16) if code else int(found[5], 8)
    if 0xD800 <= number < 0xE000 or number > 0x10FFFF:
        raise ValueError("no character")
    return chr(number)
