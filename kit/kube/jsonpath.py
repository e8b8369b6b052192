"""JSONPath as custom resources use it for columns: fields, indexes, slices, wildcards, filters by comparison.

Models k8s.io/client-go/util/jsonpath, without recursion (`..`), ranges and unions. A missing key finds nothing.
"""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, Final

Step = Callable[[Any], Iterator[Any]]
Test = Callable[[Any], bool]

_FIELD: Final = re.compile(r"\.((?:\\.|[^.\[\]\\])+)")
_QUOTED: Final = re.compile(r"\[(?:'((?:\\.|[^'\\])*)'|\"((?:\\.|[^\"\\])*)\")\]")
_INDEX: Final = re.compile(r"\[(-?\d+)\]")
_SLICE: Final = re.compile(r"\[(-?\d*):(-?\d*)(?::(\d+))?\]")
_FILTER: Final = re.compile(r"\[\?\(\s*@((?:\.(?:\\.|[\w-])+)+)\s*(?:(==|!=|<=|>=|<|>)\s*([^)]*?)\s*)?\)\]")
_OPERATORS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class JSONPathError(ValueError):
    """The path is none, or uses what is not supported."""


def find(path: str, obj: Any) -> list[Any]:
    """Return the values at a path such as `.spec.size` or `.status.conditions[?(@.type=="Ready")].status`."""
    found = [obj]
    for step in _steps(path):
        found = [value for one in found for value in step(one)]
    return found


def shown(values: list[Any]) -> str:
    """Return values as kubectl prints them: side by side, objects and lists as JSON. Models PrintResults."""
    return " ".join(_text(value) for value in values)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, separators=(",", ":"), ensure_ascii=False)


@lru_cache(maxsize=512)
def _steps(path: str) -> tuple[Step, ...]:
    text = path.strip()
    if text.startswith("{") and text.endswith("}"):
        text = text[1:-1].strip()
    text = text.removeprefix("$")
    if text and text[0] not in ".[":
        text = f".{text}"
    steps: list[Step] = []
    at = 0
    while at < len(text):
        step, at = _step(text, at, path)
        steps.append(step)
    return tuple(steps)


def _step(text: str, at: int, path: str) -> tuple[Step, int]:
    if text.startswith("[*]", at):
        return _every, at + 3
    for pattern, build in _KINDS:
        match = pattern.match(text, at)
        if match:
            return build(match), match.end()
    if text[at:] == ".":
        return lambda value: iter((value,)), at + 1
    raise JSONPathError(f"unsupported JSONPath {path!r} at {text[at:]!r}")


def _plain(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def _field(match: re.Match[str]) -> Step:
    name = match[1]
    return _every if name == "*" else _key(_plain(name))


def _quoted(match: re.Match[str]) -> Step:
    return _key(_plain(match[1] if match[1] is not None else match[2]))


def _key(name: str) -> Step:
    def step(value: Any) -> Iterator[Any]:
        if isinstance(value, dict) and name in value:
            yield value[name]

    return step


def _every(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def _index(match: re.Match[str]) -> Step:
    position = int(match[1])

    def step(value: Any) -> Iterator[Any]:
        if isinstance(value, list) and -len(value) <= position < len(value):
            yield value[position]

    return step


def _slice(match: re.Match[str]) -> Step:
    low, high, stride = (int(part) if part else None for part in match.groups())

    def step(value: Any) -> Iterator[Any]:
        if isinstance(value, list):
            yield from value[low:high:stride]

    return step


def _filter(match: re.Match[str]) -> Step:
    test = _test(match[1], match[2], match[3])

    def step(value: Any) -> Iterator[Any]:
        if isinstance(value, list):
            yield from (item for item in value if test(item))

    return step


def _test(path: str, sign: str | None, literal: str | None) -> Test:
    if sign is None:
        return lambda item: bool(find(path, item))
    compare, wanted = _OPERATORS[sign], _literal(literal or "")

    def test(item: Any) -> bool:
        found = find(path, item)
        return bool(found) and _comparable(found[0], wanted) and compare(found[0], wanted)

    return test


def _comparable(one: Any, other: Any) -> bool:
    numbers = isinstance(one, int | float) and isinstance(other, int | float)
    return numbers if isinstance(one, int | float) else type(one) is type(other)


def _literal(text: str) -> Any:
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        return _plain(text[1:-1])
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        raise JSONPathError(f"unsupported literal {text!r}") from None


_KINDS: Final[tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Step]], ...]] = (
    (_FIELD, _field),
    (_QUOTED, _quoted),
    (_INDEX, _index),
    (_SLICE, _slice),
    (_FILTER, _filter),
)
