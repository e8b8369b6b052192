"""Patterns that users write: RE2's, as in Go; a bad one raises and is not logged."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import re2

PatternError = re2.error


@lru_cache(maxsize=256)
def pattern(text: str) -> Any:
    """Return the compiled pattern; raise PatternError."""
    options = re2.Options()
    options.log_errors = False
    return re2.compile(text, options=options)


def found_in(text: str, value: str) -> bool:
    """Return whether a pattern is found in a value; one that can't be read is found in none."""
    try:
        return pattern(text).search(value) is not None
    except PatternError:
        return False
