"""Numbers of JSON texts: bounded before they are read, and with their spelling kept where an error has to name it.

Python reads `1e999` as infinity and refuses integers of more than 4,300 digits; Go keeps the text until a type is known.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Final, Self

_DIGITS: Final = 400  # more than any float has
_MARK: Final = "\0number\0"
_SPELLED: Final = re.compile(r'"\\u0000number\\u0000([-+.0-9eE]*)\\u0000number\\u0000"')


class Literal(float):
    """A number of JSON that is no plain integer, as it was written."""

    __slots__ = ("text",)
    text: str

    def __new__(cls, text: str) -> Self:
        """Read a number, infinity where it is too large for a float."""
        made = super().__new__(cls, text)
        made.text = text
        return made


def written(value: Any) -> str:
    """Return a number as it stood in the text."""
    return value.text if isinstance(value, Literal) else str(value)


def _integer(text: str) -> int | float:
    return int(text) if len(text) <= _DIGITS else Literal(text)


def _constant(name: str) -> Any:
    raise ValueError(name)  # NaN and Infinity are Python's, not JSON's


def _whole(text: str) -> int | float:
    number = Literal(text)
    if not number.is_integer():
        return number
    return (
        int(number) if -(2**63) <= number < 2**63 else -(2**63)
    )  # so a float runs over in Go on the processors it is built for


def spelled(value: Any) -> Any:
    """Return a value whose numbers are texts between marks, for `as_written` to put back as they stood."""
    if isinstance(value, dict):
        return {key: spelled(item) for key, item in value.items()}
    if isinstance(value, list):
        return [spelled(item) for item in value]
    return f"{_MARK}{value.text}{_MARK}" if isinstance(value, Literal) else value


def as_written(text: str) -> str:
    """Return the JSON text of what `spelled` gave, with its numbers as they stood."""
    return _SPELLED.sub(r"\1", text)


def loads(text: str | bytes, hook: Callable[[list[tuple[str, Any]]], Any] | None = None, *, whole: bool = False) -> Any:
    """Return the value of a JSON text; raise ValueError. Ask `jsonsyntax.too_deep` first.

    `whole`: what is whole becomes an integer, as the converter of unstructured objects would make it later.
    """
    return json.loads(
        text,
        object_pairs_hook=hook,
        parse_int=_integer,
        parse_float=_whole if whole else Literal,
        parse_constant=_constant,
    )
