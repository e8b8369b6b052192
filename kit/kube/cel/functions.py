"""The functions of Kubernetes' CEL libraries that cel-python lacks, and its own where they differ.

Models k8s.io/apiserver/pkg/cel/library/{lists,regex}.go and cel-go/ext/strings.go. Lists and texts are short: schemas bound them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any, Final

from celpy import celtypes
from celpy.evaluation import CELEvalError

from kit.kube.patterns import pattern as compiled

Bool, Int, Text, List = celtypes.BoolType, celtypes.IntType, celtypes.StringType, celtypes.ListType


def is_sorted(items: Any) -> Any:
    """Return whether each item is no less than the one before."""
    return Bool(all(one <= other for one, other in pairwise(items)))


def total(items: Any) -> Any:
    """Return the sum; of nothing it is 0."""
    out: Any = Int(0)
    for index, item in enumerate(items):
        out = item if not index else out + item
    return out


def least(items: Any) -> Any:
    """Return the smallest item; of nothing there is none."""
    return min(items) if items else CELEvalError("min called on empty list", ValueError, None)


def greatest(items: Any) -> Any:
    """Return the largest item; of nothing there is none."""
    return max(items) if items else CELEvalError("max called on empty list", ValueError, None)


def index_of(where: Any, what: Any, start: Any = 0) -> Any:
    """Return the first place of an item or text, -1 when it is nowhere."""
    if isinstance(where, str):
        return Int(where.find(what, start))
    return Int(next((index for index, item in enumerate(where) if item == what), -1))


def last_index_of(where: Any, what: Any, end: Any = None) -> Any:
    """Return the last place of an item or text, -1 when it is nowhere."""
    if isinstance(where, str):
        return Int(where.rfind(what) if end is None else where.rfind(what, 0, end + len(what)))
    places = [index for index, item in enumerate(where) if item == what]
    return Int(places[-1] if places else -1)


def find(text: Any, pattern: Any) -> Any:
    """Return the first match of a pattern, "" when there is none."""
    found = compiled(str(pattern)).search(str(text))
    return Text(found[0] if found else "")


def find_all(text: Any, pattern: Any, limit: Any = -1) -> Any:
    """Return the matches of a pattern, the first `limit` of them."""
    found = [one[0] for one in compiled(str(pattern)).finditer(str(text))]
    return List(Text(one) for one in (found if limit < 0 else found[:limit]))


def matches(text: Any, pattern: Any) -> Any:
    """Return whether a pattern is found in a text."""
    return Bool(compiled(str(pattern)).search(str(text)) is not None)


def char_at(text: Any, index: Any) -> Any:
    """Return one character, "" at the end."""
    if not 0 <= index <= len(text):
        return CELEvalError(f"index out of range: {int(index)}", IndexError, None)
    return Text(text[index : index + 1])


def join(items: Any, between: Any = "") -> Any:
    """Return the items as one text."""
    return Text(str(between).join(items))


def replace(text: Any, old: Any, new: Any, limit: Any = -1) -> Any:
    """Return a text with parts of it replaced."""
    return Text(str(text).replace(old, new, int(limit)))


def split(text: Any, by: Any, limit: Any = -1) -> Any:
    """Return the parts of a text, `limit` of them at most."""
    if limit == 0:
        return List([])
    parts = list(text) if not by else str(text).split(by) if limit < 0 else str(text).split(by, int(limit) - 1)
    return List(Text(part) for part in parts)


def substring(text: Any, start: Any, end: Any = None) -> Any:
    """Return a part of a text."""
    last = len(text) if end is None else end
    if not 0 <= start <= last <= len(text):
        return CELEvalError(f"index out of range: {int(start)}", IndexError, None)
    return Text(text[start:last])


def text_of(value: Any) -> Any:
    """Return a value as text, truth as Go writes it."""
    return Text(str(bool(value)).lower()) if isinstance(value, Bool) else Text(value)


FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    "isSorted": is_sorted,
    "sum": total,
    "min": least,
    "max": greatest,
    "indexOf": index_of,
    "lastIndexOf": last_index_of,
    "find": find,
    "findAll": find_all,
    "matches": matches,
    "charAt": char_at,
    "join": join,
    "replace": replace,
    "split": split,
    "substring": substring,
    "lowerAscii": lambda text: Text("".join(char.lower() if char.isascii() else char for char in text)),
    "upperAscii": lambda text: Text("".join(char.upper() if char.isascii() else char for char in text)),
    "trim": lambda text: Text(str(text).strip()),
    "reverse": lambda text: Text(str(text)[::-1]),
    "dyn": lambda value: value,
    "string": text_of,
}
