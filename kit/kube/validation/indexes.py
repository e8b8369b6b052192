"""Lists of indexes as Jobs write them: `0,2-4`. Models validateIndexesFormat of pkg/apis/batch/validation/validation.go."""

from __future__ import annotations

import re

from kit.kube.gotext import go_quoted


class IndexesError(ValueError):
    """What is wrong with a list."""


def parsed(text: str, limit: int) -> set[int]:
    """Return the indexes, all below `limit`. IndexesError."""
    found: set[int] = set()
    last: int | None = None
    for part in text.split(",") if text else ():
        words = part.split("-")
        if len(words) > 2:
            why = "violates the requirement that an index interval can have at most two parts separated by '-'"
            raise IndexesError(f"the fragment {go_quoted(part)} {why}")
        first, end = _number(words[0], limit), _number(words[-1], limit)
        for before, now in ((last, first), *([(first, end)] if len(words) == 2 else [])):
            if before is not None and before >= now:
                raise IndexesError(f"non-increasing order, previous: {before}, current: {now}")
        found.update(range(first, end + 1))
        last = end
    return found


def _number(word: str, limit: int) -> int:
    if not re.fullmatch("[+-]?[0-9]+", word):
        raise IndexesError(f"cannot convert string to integer for index: {go_quoted(word)}")
    if int(word) >= limit:
        raise IndexesError(f"too large index: {go_quoted(word)}")
    return int(word)
