"""Quoting and numbers as the shell and its builtins write and read them."""

from __future__ import annotations

SAFE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=:,./@%^")
NAME_START = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_")
NAME = NAME_START | frozenset("0123456789")


def is_name(text: str) -> bool:
    """Say whether `text` can name a variable."""
    return bool(text) and text[0] in NAME_START and all(char in NAME for char in text)


def quoted(text: str) -> str:
    """Return `text` between single quotes, in the way ash prints variables."""
    return "'" + text.replace("'", "'\"'\"'") + "'"


def single_quoted(text: str) -> str:
    """Return `text` quoted when it needs to be (as `set -x` shows it)."""
    return text if text and all(char in SAFE for char in text) else quoted(text)


def integer(text: str) -> int | None:
    """Return a decimal number, None when `text` isn't one."""
    stripped = text.strip(" \t\n")
    digits = stripped[1:] if stripped[:1] in ("+", "-") else stripped
    if not digits.isascii() or not digits.isdigit() or len(digits) > 19:
        return None
    return int(stripped)


def natural(text: str) -> int | None:
    """Return a number without a sign, None when `text` isn't one."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
