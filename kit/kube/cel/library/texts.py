"""Texts: the strings extension, its `format`, and regular expressions, which RE2 runs.

Models cel-go/ext/{strings,formatting_v2}.go and k8s.io/apiserver/pkg/cel/library/regex.go.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from kit.kube.cel.costs import traversal
from kit.kube.cel.library.conversions import time_text
from kit.kube.cel.numbers import Duration, RunError, Timestamp, TypeName, double_text, type_name
from kit.kube.patterns import PatternError, pattern

LONGEST: Final = 1 << 20  # of what one call makes


def expression(text: str) -> Any:
    """Return a pattern; raise RunError in Go's words."""
    try:
        return pattern(text)
    except PatternError as error:
        raise RunError(f"error parsing regexp: {_why(error, text)}") from None


def _why(error: PatternError, text: str) -> str:
    said = error.args[0].decode() if error.args and isinstance(error.args[0], bytes) else str(error)
    head, _, rest = said.partition(": ")
    return f"{_GO.get(head, head)}: `{rest or text}`"


_GO: Final = {
    "missing ]": "missing closing ]",
    "missing )": "missing closing )",
    "invalid perl operator": "invalid or unsupported Perl syntax",
    "bad repetition operator": "invalid nested repetition operator",
    "no argument for repetition operator": "missing argument to repetition operator",
    "invalid repetition size": "invalid repeat count",
    "invalid named capture group": "invalid named capture",
}


def _find_all(text: str, by: str, limit: int = -1) -> list[str]:
    found: list[str] = []
    end = -1
    for one in expression(by).finditer(text):
        if 0 <= limit <= len(found):
            break
        if one[0] or one.start() != end:  # as in Go: nothing is not found right after something
            found.append(one[0])
        end = one.end()
    return found


def _find(text: str, by: str) -> str:
    return next(iter(_find_all(text, by, 1)), "")


def _char_at(text: str, index: int) -> str:
    if not 0 <= index <= len(text):
        raise RunError(f"index out of range: {index}")
    return text[index : index + 1]


def _substring(text: str, start: int, end: int | None = None) -> str:
    last = len(text) if end is None else end
    for one in (start, last):
        if not 0 <= one <= len(text):
            raise RunError(f"index out of range: {one}")
    if start > last:
        raise RunError(f"invalid substring range. start: {start}, end: {last}")
    return text[start:last]


def _replace(text: str, old: str, new: str, limit: int = -1) -> str:
    if len(text) + (len(text) // max(len(old), 1) + 1) * len(new) > LONGEST:
        raise RunError("operation cancelled: actual cost limit exceeded")
    return text.replace(old, new, limit)


def _split(text: str, by: str, limit: int = -1) -> list[str]:
    if limit == 0:
        return []
    if not by:
        parts = list(text)
        return parts if limit < 0 or limit >= len(parts) else [*parts[: limit - 1], "".join(parts[limit - 1 :])]
    return text.split(by) if limit < 0 else text.split(by, limit - 1)


_QUOTED: Final = {
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
    "\\": "\\\\",
    '"': '\\"',
}


def quoted(text: str) -> str:
    """Return a text as a literal."""
    return '"' + "".join(_QUOTED.get(char, char) for char in text) + '"'


# --- format ---


class Clause(NamedTuple):
    """One clause of a format: its letter and precision."""

    letter: str
    precision: int


_CLAUSE: Final = re.compile(r"(?:\.(\d*))?(.)?", re.DOTALL)
_NO_PRECISION: Final = (
    "could not parse formatting clause: error while parsing precision: error while converting precision to integer: "
    'strconv.Atoi: parsing "": invalid syntax'
)
STRING: Final = "string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps"
_KINDS: Final[Mapping[str, tuple[str, frozenset[str]]]] = {
    "s": (
        STRING,
        frozenset(
            {"string", "bool", "bytes", "int", "uint", "double", "map", "list", "type", "null_type", "google.protobuf.Duration",
             "google.protobuf.Timestamp"}
        ),
    ),
    "d": ("decimal clause can only be used on integers", frozenset({"int", "uint", "double*"})),
    "f": ("fixed-point clause can only be used on doubles", frozenset({"double"})),
    "e": ("scientific clause can only be used on doubles", frozenset({"double"})),
    "x": ("only integers, byte buffers, and strings can be formatted as hex", frozenset({"int", "uint", "string", "bytes"})),
    "X": ("only integers, byte buffers, and strings can be formatted as hex", frozenset({"int", "uint", "string", "bytes"})),
    "o": ("octal clause can only be used on integers", frozenset({"int", "uint"})),
    "b": ("only integers and bools can be formatted as binary", frozenset({"int", "uint", "bool"})),
}  # fmt: skip


def clauses(text: str) -> Iterator[str | Clause]:
    """Return the parts of a format, in order; raise RunError for a bad clause when it is reached."""
    at = 0
    while at < len(text):
        sign = text.find("%", at)
        if sign < 0:
            yield text[at:]
            return
        yield text[at:sign]
        found = _CLAUSE.match(text, sign + 1)
        letter = found[2] if found else None
        if not found or letter is None:
            raise RunError("unexpected end of string")
        if found[1] == "":
            raise RunError(_NO_PRECISION)
        if letter == "%":
            yield "%"
        elif letter not in _KINDS:
            raise RunError(f'could not parse formatting clause: unrecognized formatting clause "{letter}"')
        else:
            yield Clause(letter, int(found[1] or 6))
        at = found.end()


def misfit(clause: Clause, kind: str) -> str:
    """Return why a clause can't write values of a type, "" when it can."""
    words, good = _KINDS[clause.letter]
    return "" if kind in good else f"error during formatting: {words}, was given {kind}"


def formatted(text: str, values: list[Any]) -> str:
    """Return a format with its clauses filled in."""
    out, index = "", 0
    for part in clauses(text):
        if isinstance(part, str):
            out += part
            continue
        if index >= len(values):
            raise RunError(f"index {index} out of range")
        value = values[index]
        index += 1
        wrong = misfit(part, type_name(value))
        if wrong:
            raise RunError(wrong)
        if traversal(value) > LONGEST // 10:
            raise RunError("operation cancelled: actual cost limit exceeded")
        out += _WRITERS[part.letter](value, min(part.precision, 1000))
        if len(out) > LONGEST:
            raise RunError("operation cancelled: actual cost limit exceeded")
    return out


def shown(value: Any, *, inner: bool = False) -> str:
    """Return a value as %s writes it; texts in lists and maps stand in quotes."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case str():
            return quoted(value) if inner else value
        case float():
            return f"{value:.6f}" if inner else double_text(value)
        case bytes():
            text = value.decode(errors="replace")
            return f"b{quoted(text)}" if inner else text
        case Timestamp():
            return f'timestamp("{time_text(value)}")' if inner else time_text(value)
        case Duration():
            return f'duration("{value}")' if inner else str(value)
        case TypeName():
            return value.name
        case list():
            return f"[{', '.join(shown(one, inner=True) for one in value)}]"
        case dict():
            pairs = sorted((shown(key), shown(key, inner=True), key) for key in value)
            return "{" + ", ".join(f"{key}:{shown(value[name], inner=True)}" for _, key, name in pairs) + "}"
    if isinstance(value, int):
        return str(int(value))
    raise RunError(f"error during formatting: {STRING}, was given {type_name(value)}")


_SUPERSCRIPTS: Final = str.maketrans("0123456789-+", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺")


_INFINITE: Final = {float("inf"): "∞", float("-inf"): "-∞"}


def _scientific(value: float, _: int) -> str:
    mantissa, _e, exponent = f"{value:.6e}".partition("e")
    sign = "-" if exponent[0] == "-" else ""
    return f"{mantissa}×10{(sign + exponent[1:]).translate(_SUPERSCRIPTS)}"


def _hex(value: Any, _: int) -> str:
    if isinstance(value, str | bytes):
        return (value.encode() if isinstance(value, str) else value).hex()
    return f"{value:x}"


_WRITERS: Final[Mapping[str, Callable[[Any, int], str]]] = {
    "s": lambda value, _: shown(value),
    "d": lambda value, _: str(int(value)),
    "f": lambda value, precision: _INFINITE.get(value) or f"{value:.{precision}f}",
    "e": _scientific,
    "x": _hex,
    "X": lambda value, precision: _hex(value, precision).upper(),
    "o": lambda value, _: f"{value:o}",
    "b": lambda value, _: f"{int(value):b}",
}


def _join(items: list[str], between: str = "") -> str:
    if sum(map(len, items)) + len(items) * len(between) > LONGEST:
        raise RunError("operation cancelled: actual cost limit exceeded")
    return between.join(items)


def _ascii(change: Callable[[str], str]) -> Callable[[str], str]:
    return lambda text: "".join(change(char) if char.isascii() else char for char in text)


FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    "startsWith": str.startswith,
    "endsWith": str.endswith,
    "contains": lambda text, part: part in text,
    "matches": lambda text, by: expression(by).search(text) is not None,
    "find": _find,
    "findAll": _find_all,
    "charAt": _char_at,
    "join": _join,
    "lowerAscii": _ascii(str.lower),
    "upperAscii": _ascii(str.upper),
    "trim": str.strip,
    "replace": _replace,
    "split": _split,
    "substring": _substring,
    "strings.quote": quoted,
    "format": formatted,
    "jsonpatch.escapeKey": lambda text: text.replace("~", "~0").replace("/", "~1"),
}
