"""Addresses that stand for many: `{a,b}` and `[1-9:2]`. Models curl's tool_urlglob.c."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice, product

MOST = 10_000
ADDRESS = frozenset("0123456789abcdefABCDEF:.")


class BadGlob(Exception):
    """A set or range that can't be read."""

    def __init__(self, why: str, url: str, at: int) -> None:
        super().__init__(f"{why} in URL position {at + 1}:\n{url}\n{' ' * at}^")


def expand(url: str) -> Iterator[str]:
    """Yield the addresses that one stands for. BadGlob."""
    parts: list[list[str]] = [[""]]
    at = 0
    while at < len(url):
        character = url[at]
        end = url.find("]" if character == "[" else "}", at) if character in "[{" else -1
        if character == "[" and _is_address(url[at + 1 : max(at, end)]):
            parts.append([url[at : end + 1]])
            at = end + 1
        elif character in "[{":
            if end < 0:
                wrong = ("unmatched brace", at) if character == "{" else ("bad range specification", at + 1)
                raise BadGlob(wrong[0], url, wrong[1])
            inside = url[at + 1 : end]
            parts.append(inside.split(",") if character == "{" else _range(inside, url, at + 1))
            at = end + 1
        elif character in "]}":
            raise BadGlob("unmatched close brace/bracket", url, at)
        else:
            literal = at
            while at < len(url) and url[at] not in "[]{}":
                at += 1
            parts.append([url[literal:at]])
    yield from islice(("".join(found) for found in product(*parts)), MOST)


def _is_address(text: str) -> bool:
    """Say whether what is in brackets is an IPv6 address."""
    return ":" in text.partition("-")[0] and not set(text) - ADDRESS


def _range(text: str, url: str, at: int) -> list[str]:
    span, _, step = text.partition(":")
    first, dash, last = span.partition("-")
    by = int(step) if step.isdecimal() and int(step) else 1
    if dash and len(first) == len(last) == 1 and first.isalpha() and last.isalpha() and first <= last:
        return [chr(code) for code in range(ord(first), ord(last) + 1, by)]
    if not (first.isdecimal() and last.isdecimal()) or int(first) > int(last) or (int(last) - int(first)) // by >= MOST:
        raise BadGlob("bad range", url, at)
    width = len(first) if first.startswith("0") else 0
    return [f"{number:0{width}}" for number in range(int(first), int(last) + 1, by)]
