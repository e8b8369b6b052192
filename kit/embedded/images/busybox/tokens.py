"""The shell's tokens and its kinds of characters."""

from __future__ import annotations

from dataclasses import dataclass

from kit.embedded.images.busybox.syntax import Word

OPERATORS = ("<<-", "&&", "||", ";;", "<<", ">>", "<&", ">&", "<>", ">|", "&>", ";", "&", "|", "<", ">", "(", ")")
DELIMITERS = frozenset(" \t\n;&|<>()")
SPECIAL = frozenset("@*#?-$!0123456789")
NAME_START = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_")
NAME = NAME_START | frozenset("0123456789")
MAX_DEPTH = 40
ESCAPES = {
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "v": "\v",
    "e": "\x1b",
    "\\": "\\",
    "'": "'",
    '"': '"',
}
UNQUOTED_STOP = DELIMITERS | frozenset("\\'\"$`")


@dataclass(slots=True)
class Token:
    """One token: kind is word, op, newline or eof; `start` is where it begins."""

    kind: str
    text: str
    word: Word | None = None
    start: int = 0
    line: int = 0
