"""Names and assignments among the words of a command."""

from __future__ import annotations

from kit.embedded.images.busybox.lexer import Lexer
from kit.embedded.images.busybox.syntax import (
    Assignment,
    Part,
    Text,
    Word,
    word_of,
)
from kit.embedded.images.busybox.tokens import NAME, NAME_START


def may_name(text: str, extra: str = "") -> bool:
    """Say whether `text` can name a variable, or with `extra` characters a function."""
    return bool(text) and text[0] in NAME_START and all(char in NAME or char in extra for char in text)


def assignment_of(word: Word) -> Assignment | None:
    """Return the assignment that a word is, None when it is none."""
    first = word.parts[0] if word.parts else None
    if not isinstance(first, Text) or first.quoted:
        return None
    name, equals, value = first.text.partition("=")
    append = name.endswith("+")
    if not equals or not may_name(name[:-1] if append else name):
        return None
    rest = Lexer(word.raw.partition("=")[2])
    parts = [Text(value), *word.parts[1:]] if value else list(word.parts[1:])
    if rest.text.startswith("~"):
        found: list[Part] = []
        rest._tilde(found)
        if found:
            parts[0] = Text(value[rest.pos :])
            parts = [*found, *parts]
    return Assignment(name[:-1] if append else name, word_of(parts, rest.text), append)
