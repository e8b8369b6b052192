"""What Go can't put into its types: the words of encoding/json about values that do not fit.

Models sigs.k8s.io/json: a value of the wrong type is noted and reading goes on, the first note is told at the end; a type that reads
itself (quantities, times, int-or-string) ends the reading at once, and is told whatever was noted before.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any, Final

from kit.kube.data import load
from kit.kube.literals import written
from kit.kube.quantities import WRONG_FORMAT, Quantity, QuantityError
from kit.kube.schema import DURATION, MICRO_TIME, QUANTITY, TIME, Node
from kit.kube.times import TimeError, parse, parse_go_duration

_SCALARS: Final = frozenset({"string", "integer", "number", "boolean"})


def type_error(obj: Any, node: Node) -> str:
    """Return Go's words about what does not fit, or ""."""
    noted: list[str] = []
    try:
        _check(obj, node, None, noted)
    except (_EndError, QuantityError, TimeError) as error:
        return str(error)
    return noted[0] if noted else ""


class _EndError(ValueError):
    """A complaint that ends the reading."""


Place = tuple[Any, "Node | None", str] | None
"""Where a value is, built as the reading goes down: (the place of what holds it, the struct it is a field of or None, the field)."""


def _wrong(value: Any, node: Node, place: Place, go: str = "", what: str = "") -> str:
    """Return the complaint about a value of another type than the place's."""
    struct, path, named = _told(place)
    where = f"struct field {struct}.{path}" if path else "value"
    kind = go or named or go_type(node)
    return f"json: cannot unmarshal {what or json_type(value)} into Go {where} of type {kind}"


def _told(place: Place) -> tuple[str, str, str]:
    """Return the struct and the path that Go names, and the Go type where the schema does not tell it."""
    if place is None:
        return "", "", ""
    above, holder, key = place
    struct, path, go = _told(above)
    if holder is None:
        return struct, path, go.partition("]")[2]
    go, inside = load("gofields").get(holder.name, {}).get(key, ("", ""))
    return _name(holder) or struct, ".".join(part for part in (path, inside, key) if part), go


def _check(value: Any, node: Node, place: Place, noted: list[str]) -> None:
    if value is None:
        return
    leaf = _LEAVES.get(node.name)
    if leaf:
        leaf(value, node, place)
    elif node.int_or_string:
        if not isinstance(value, str) and (why := _integer(value, 32, node, place)):
            raise _EndError(why)
    elif node.type in _SCALARS:
        noted += _scalar(value, node, place)
    elif node.items:
        if not isinstance(value, list):
            noted.append(_wrong(value, node, place))
            return
        for item in value:
            _check(item, node.items, (place, None, ""), noted)
    elif node.fields or node.values:
        _members(value, node, place, noted)


def _members(value: Any, node: Node, place: Place, noted: list[str]) -> None:
    if not isinstance(value, dict):
        noted.append(_wrong(value, node, place))
        return
    for key, item in value.items():
        child = node.fields.get(key)
        if child:
            _check(item, child, (place, node, key), noted)
        elif node.values:
            _check(item, node.values, (place, None, ""), noted)


def _scalar(value: Any, node: Node, place: Place) -> list[str]:
    if node.type == "integer":
        why = _integer(value, 32 if node.format == "int32" else 64, node, place)
        return [why] if why else []
    if node.format == "byte" and isinstance(value, list):
        return [_wrong(item, node, place, "uint8") for item in value if not _is_byte(item)]
    if node.format == "byte" and isinstance(value, str):
        return _base64(value)
    return [] if _fits(value, node.type) else [_wrong(value, node, place)]


def _is_byte(value: Any) -> bool:
    return value is None or (isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 255)


def _fits(value: Any, kind: str) -> bool:
    if kind == "string":
        return isinstance(value, str)
    if kind == "boolean":
        return isinstance(value, bool)
    return isinstance(value, int | float) and not isinstance(value, bool)


def _integer(value: Any, bits: int, node: Node, place: Place) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and -(2 ** (bits - 1)) <= value < 2 ** (bits - 1):
        return ""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return _wrong(value, node, place, f"int{bits}", f"number {written(value)}" if number else "")


def _base64(value: str) -> list[str]:
    try:
        base64.b64decode(value.replace("\r", "").replace("\n", ""), validate=True)
    except (binascii.Error, ValueError):
        return [f"illegal base64 data at input byte {_bad_byte(value)}"]
    return []


_ALPHABET: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/\r\n")


def _bad_byte(value: str) -> int:
    """Return the position Go names: of the first byte that does not belong, or of the group left unfinished."""
    body = value.rstrip("=")
    for index, char in enumerate(body):
        if char not in _ALPHABET:
            return len(body[:index].encode())
    return len(value) // 4 * 4 if len(value) % 4 else len(body)


# --- types that read themselves ---


def _quantity(value: Any, node: Node, place: Place) -> None:
    if isinstance(value, dict | list | bool):
        raise QuantityError(WRONG_FORMAT)
    Quantity.parse(value)


def _time(value: Any, node: Node, place: Place) -> None:
    parse(_text(value, node, place))


def _duration(value: Any, node: Node, place: Place) -> None:
    parse_go_duration(_text(value, node, place))


def _text(value: Any, node: Node, place: Place) -> str:
    if not isinstance(value, str):
        raise _EndError(_wrong(value, node, place, "string"))
    return value


_LEAVES: Final = {QUANTITY: _quantity, TIME: _time, MICRO_TIME: _time, DURATION: _duration}


def is_leaf(node: Node) -> bool:
    """Return whether a place's type has a decoder of its own: quantities and times."""
    return node.name in _LEAVES


# --- names ---


def json_type(value: Any) -> str:
    """Return what Go calls the kind of a JSON value."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, str):
        return "string"
    if isinstance(value, int | float):
        return "number"
    return "array" if isinstance(value, list) else "object"


def _name(node: Node) -> str:
    return node.name.rpartition(".")[2]


def go_type(node: Node) -> str:
    """Return the Go type of a place: v1.PodSpec, []v1.Container, map[string]string, int32."""
    if node.name and node.fields:
        return ".".join(node.name.split(".")[-2:])
    if node.items:
        return f"[]{go_type(node.items)}"
    if node.values:
        return f"map[string]{go_type(node.values)}"
    if node.name:
        return ".".join(node.name.split(".")[-2:])
    if node.format == "byte":
        return "[]uint8"
    return {"integer": node.format or "int64", "number": "float64", "boolean": "bool"}.get(
        node.type, node.type or "interface {}"
    )
