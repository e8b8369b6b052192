"""Texts that nest deeper than we look: what is below becomes a mark, so that nothing recurses through ten thousand levels.

No field of a built-in type is that deep: what is marked is a field nobody knows, which goes, or of the wrong type, which is refused.
Where the mark would stay (custom resources, raw JSON) the object is refused.
"""

from __future__ import annotations

import re
from typing import Any, Final

MAX_DEPTH: Final = 200  # we look so far
DEEPEST: Final = 10_000  # and a server reads so far
MARK: Final = "\0nests deeper"
REFUSAL: Final = f"this cluster keeps values that nest at most {MAX_DEPTH} levels deep"
_MARK_TEXT: Final = b'"\\u0000nests deeper"'
_BRACKETS: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"|[\[\]{}]', re.DOTALL)


class Cut(dict[str, Any]):
    """An object with a mark in it."""


def holds(value: Any) -> bool:
    """Return whether a mark is in a value."""
    if isinstance(value, dict):
        return any(holds(item) for item in value.values())
    return any(holds(item) for item in value) if isinstance(value, list) else value == MARK


def cut(data: bytes) -> list[bytes]:
    """Return a JSON text in pieces of at most so many levels, the outermost first: what is deeper is a mark and a piece of its own."""
    pieces: list[bytes] = []
    parts: list[list[bytes]] = [[]]
    starts, depth = [0], 0

    def close(end: int) -> None:
        pieces.append(b"".join((*parts.pop(), data[starts.pop() : end])))
        parts[-1].append(_MARK_TEXT)
        starts[-1] = end

    for match in _BRACKETS.finditer(data):
        bracket = match[0]
        if bracket in b"[{":
            depth += 1
            if depth > 1 and depth % MAX_DEPTH == 1:
                parts[-1].append(data[starts[-1] : match.start()])
                parts.append([])
                starts.append(match.start())
        elif bracket in b"]}":
            if len(parts) > 1 and depth % MAX_DEPTH == 1:
                close(match.end())
            depth -= 1
    while len(parts) > 1:  # it ends in the middle: the piece itself says so
        close(len(data))
    return [b"".join((*parts[0], data[starts[0] :])), *reversed(pieces)]
