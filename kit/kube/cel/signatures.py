"""What can be called: functions and operators with their types, as the API server's CEL environment declares them.

Models cel-go/common/stdlib and k8s.io/apiserver/pkg/cel/library. A line is `RECEIVER.(ARGUMENTS) RESULT` or `(ARGUMENTS) RESULT`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final, NamedTuple

from kit.kube.cel.types import Type, parsed


class Overload(NamedTuple):
    """One way to call a function."""

    receiver: Type | None
    arguments: tuple[Type, ...]
    result: Type


_NUMBERS: Final = ("int", "uint", "double")
_ORDERED: Final = ("bool", "int", "uint", "double", "string", "bytes", "timestamp", "duration")
_PARTS: Final = ("getFullYear", "getMonth", "getDayOfYear", "getDate", "getDayOfMonth", "getDayOfWeek")
_CLOCK: Final = ("getHours", "getMinutes", "getSeconds", "getMilliseconds")

OPERATORS: Final[Mapping[str, tuple[str, ...]]] = {
    "_==_": ("(A, A) bool",),
    "_!=_": ("(A, A) bool",),
    **{
        name: (
            *(f"({one}, {one}) bool" for one in _ORDERED),
            *(f"({one}, {other}) bool" for one in _NUMBERS for other in _NUMBERS if one != other),
        )
        for name in ("_<_", "_<=_", "_>_", "_>=_")
    },
    "@in": ("(A, list(A)) bool", "(A, map(A, B)) bool"),
    "_+_": (
        *(f"({one}, {one}) {one}" for one in (*_NUMBERS, "string", "bytes", "duration")),
        "(list(A), list(A)) list(A)", "(timestamp, duration) timestamp", "(duration, timestamp) timestamp",
    ),
    "_-_": (
        *(f"({one}, {one}) {one}" for one in (*_NUMBERS, "duration")),
        "(timestamp, timestamp) duration", "(timestamp, duration) timestamp",
    ),
    "_*_": tuple(f"({one}, {one}) {one}" for one in _NUMBERS),
    "_/_": tuple(f"({one}, {one}) {one}" for one in _NUMBERS),
    "_%_": ("(int, int) int", "(uint, uint) uint"),
    "!_": ("(bool) bool",),
    "-_": ("(int) int", "(double) double"),
    "_&&_": ("(bool, bool) bool",),
    "_||_": ("(bool, bool) bool",),
    "_?_:_": ("(bool, A, A) A",),
    "_[_]": ("(list(A), int) A", "(map(A, B), A) B"),
}  # fmt: skip

FUNCTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "size": tuple(
        form for of in ("string", "bytes", "list(A)", "map(A, B)") for form in (f"({of}) int", f"{of}.() int")
    ),
    **dict.fromkeys(("startsWith", "endsWith", "contains"), ("string.(string) bool",)),
    "matches": ("string.(string) bool", "(string, string) bool"),
    "int": tuple(f"({one}) int" for one in (*_NUMBERS, "string", "timestamp", "duration")),
    "uint": tuple(f"({one}) uint" for one in (*_NUMBERS, "string")),
    "double": tuple(f"({one}) double" for one in (*_NUMBERS, "string")),
    "string": tuple(f"({one}) string" for one in (*_NUMBERS, "bool", "string", "bytes", "timestamp", "duration")),
    "bytes": ("(string) bytes", "(bytes) bytes"),
    "bool": ("(bool) bool", "(string) bool"),
    "timestamp": ("(string) timestamp", "(timestamp) timestamp", "(int) timestamp"),
    "duration": ("(string) duration", "(duration) duration", "(int) duration"),
    "dyn": ("(A) dyn",),
    "type": ("(A) type",),
    **dict.fromkeys(_PARTS, ("timestamp.() int", "timestamp.(string) int")),
    **dict.fromkeys(_CLOCK, ("timestamp.() int", "timestamp.(string) int", "duration.() int")),
    # library/lists.go, regex.go
    "isSorted": ("list(A).() bool",),
    "sum": tuple(f"list({one}).() {one}" for one in (*_NUMBERS, "duration")),
    "min": ("list(A).() A",),
    "max": ("list(A).() A",),
    "indexOf": ("list(A).(A) int", "string.(string) int", "string.(string, int) int"),
    "lastIndexOf": ("list(A).(A) int", "string.(string) int", "string.(string, int) int"),
    "find": ("string.(string) string",),
    "findAll": ("string.(string) list(string)", "string.(string, int) list(string)"),
    # cel-go/ext/strings.go
    "charAt": ("string.(int) string",),
    "join": ("list(string).() string", "list(string).(string) string"),
    **dict.fromkeys(("lowerAscii", "upperAscii", "trim", "reverse"), ("string.() string",)),
    "replace": ("string.(string, string) string", "string.(string, string, int) string"),
    "split": ("string.(string) list(string)", "string.(string, int) list(string)"),
    "substring": ("string.(int) string", "string.(int, int) string"),
}


@cache
def overloads(name: str) -> tuple[Overload, ...]:
    """Return the ways to call a function or operator, none when there is no such one."""
    return tuple(_overload(text) for text in OPERATORS.get(name) or FUNCTIONS.get(name, ()))


def _overload(text: str) -> Overload:
    head, _, result = text.rpartition(" ")
    receiver, dot, rest = head.partition(".(") if ".(" in head else ("", "", head[1:])
    listed = parsed(f"x({rest}").of if rest != ")" else ()
    return Overload(parsed(receiver) if dot else None, listed, parsed(result))
