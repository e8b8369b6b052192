"""Reading `application/vnd.kubernetes.protobuf` bodies into the JSON shape of an object.

kubectl's typed clients send nothing else. Fields come from a table recorded from the Go types; the wire format is that of
gogo/protobuf: non-pointer fields are always written, so a zero that JSON would leave out is dropped here. Bytes come from
strangers: every length is checked, nesting is bounded, and what is wrong is a BadRequest.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from kit.errors import Status
from kit.kube import times
from kit.kube.data import load
from kit.kube.jsonsyntax import too_deep
from kit.kube.literals import loads
from kit.kube.quantities import QuantityError, canonical
from kit.kube.wire import BYTES, FIXED64, VARINT, ProtobufError, cut, fields, skip, varint

MAGIC: Final = b"k8s\0"
MAX_DEPTH: Final = 100
_META: Final = "meta.k8s.io/v1"
_UNVERSIONED: Final = frozenset(
    {"APIVersions", "APIResourceList"}
)  # what discovery says of the core group has no version


@dataclass(frozen=True, slots=True)
class _Field:
    number: int
    json: str
    type: str
    repeated: bool
    map: bool
    pointer: bool
    inline: bool
    omitempty: bool
    omitzero: bool

    @property
    def go(self) -> str:
        """The field's name in Go, which errors say."""
        if self.json == "metadata":
            return self.type.rpartition(".")[2]
        return {"uid": "UID", "apiVersion": "APIVersion"}.get(self.json, self.json[:1].upper() + self.json[1:])


@dataclass(frozen=True, slots=True)
class _Message:
    name: str
    special: str
    fields: dict[int, _Field]


def decode(data: bytes) -> dict[str, Any]:
    """Return the object a body holds, with apiVersion and kind first; raise Status BadRequest."""
    try:
        return read(data)
    except ProtobufError as error:
        raise Status("BadRequest", str(error)) from None


def read(data: bytes) -> dict[str, Any]:
    """Return the object a body holds, with apiVersion and kind first; raise ProtobufError."""
    if not data:
        raise ProtobufError("empty data")
    if not data.startswith(MAGIC):
        expected = " ".join(str(byte) for byte in MAGIC)
        raise ProtobufError(f"provided data does not appear to be a protobuf message, expected prefix [{expected}]")
    if data == MAGIC:
        raise ProtobufError("empty body")
    return _envelope(data, 0)


def _envelope(data: bytes, depth: int) -> dict[str, Any]:
    api_version, kind, raw = _unknown(memoryview(data)[len(MAGIC) :])
    name = message_of(api_version, kind)
    try:
        if name is None:
            registered = (
                f'no kind "{kind}" is registered for version "{api_version}" in scheme "pkg/runtime/scheme.go:111"'
            )
            raise ProtobufError(registered)
        body = _message(raw, _table(name), depth + 1)
    except (ProtobufError, times.TimeError, QuantityError) as error:
        raise ProtobufError(str(error), api_version, kind) from None
    return {"kind": kind, "apiVersion": api_version, **body}


def message_of(api_version: str, kind: str) -> str | None:
    """Return the message of a kind, None for one without. Metadata alone looks the same in every version."""
    version = _META if api_version.startswith("meta.k8s.io/") else api_version
    if not version and kind in _UNVERSIONED:
        version = "v1"
    found: str | None = load("protobuf")["kinds"].get(f"{version}/{kind}")
    return found


def _unknown(data: memoryview) -> tuple[str, str, memoryview]:
    """Return the apiVersion, kind and bytes of a runtime.Unknown."""
    api_version, kind, raw = "", "", memoryview(b"")
    for number, wire, value in fields(data, "Unknown", (1, 2, 3, 4)):
        if number == 1:
            for inner, inner_wire, text in fields(_chunk(wire, value, "TypeMeta"), "TypeMeta", (1, 2)):
                if inner == 1:
                    api_version = _text(_chunk(inner_wire, text, "APIVersion"))
                elif inner == 2:
                    kind = _text(_chunk(inner_wire, text, "Kind"))
        elif number == 2:
            raw = _chunk(wire, value, "Raw")
    return api_version, kind, raw


@cache
def _table(name: str) -> _Message:
    special, rows = load("protobuf")["messages"][name]
    found = {}
    for number, key, kind, flags in rows:
        found[number] = _Field(number, key, kind, *(letter in flags for letter in "rmpioz"))
    return _Message(name, special, found)


def _chunk(wire: int, value: Any, field: str) -> memoryview:
    if wire != BYTES:
        raise ProtobufError(f"proto: wrong wireType = {wire} for field {field}")
    out: memoryview = value
    return out


def _text(value: memoryview) -> str:
    return str(value, "utf-8", "replace")


def _message(data: memoryview, message: _Message, depth: int) -> dict[str, Any]:
    """Return the fields of a message as JSON members."""
    if depth > MAX_DEPTH:
        raise ProtobufError(f"exceeded max depth of {MAX_DEPTH}")
    out: dict[str, Any] = {}
    for number, wire, value in fields(data, message.name.rpartition(".")[2], message.fields):
        field = message.fields.get(number)
        if field is not None:
            _put(out, field, wire, value, depth)
    for field in _required(message.name):
        if field.json not in out:
            out[field.json] = _zero(field, depth)
    return out


@cache
def _required(name: str) -> tuple[_Field, ...]:
    """Return the fields that JSON always shows."""
    message = _table(name)
    if message.special:
        return ()
    named = (field for field in message.fields.values() if field.json not in {"", "-"})
    return tuple(field for field in named if not (field.omitempty or field.omitzero or field.inline))


def _zero(field: _Field, depth: int) -> Any:
    if field.pointer or field.repeated or field.map:
        return None
    if field.type in _ZEROS:
        return _ZEROS[field.type]
    return _value(field, BYTES, memoryview(b""), depth)


def _put(out: dict[str, Any], field: _Field, wire: int, value: Any, depth: int) -> None:
    if field.map:
        key, item = _entry(_chunk(wire, value, field.go), field, depth)
        out.setdefault(field.json, {})[key] = item
    elif field.repeated:
        out.setdefault(field.json, []).extend(_several(field, wire, value, depth))
    elif field.inline:
        out.update(_message(_chunk(wire, value, field.go), _table(field.type), depth + 1))
    else:
        found = _value(field, wire, value, depth)
        if field.pointer or not _is_left_out(found, field):
            out[field.json] = found


def _is_left_out(value: Any, field: _Field) -> bool:
    """Return whether Go leaves a non-pointer field out of JSON: a zero scalar by omitempty, a zero struct by omitzero."""
    if field.type in _ZEROS:
        return (field.omitempty or field.omitzero) and not value
    if _table(field.type).special == "list":
        return field.omitempty and not value
    return field.omitzero and value in (None, {}, "0s")


def _several(field: _Field, wire: int, value: Any, depth: int) -> list[Any]:
    """Return the one value of a repeated field, or all of them where numbers are packed."""
    if wire == BYTES and field.type in _NUMBERS:
        return [_NUMBERS[field.type](number) for number in _packed(value)]
    return [_value(field, wire, value, depth)]


def _packed(data: memoryview) -> list[int]:
    at, out = 0, []
    while at < len(data):
        number, at = varint(data, at)
        out.append(number)
    return out


def _entry(data: memoryview, field: _Field, depth: int) -> tuple[str, Any]:
    """Return a map's key and value. Wire types are not looked at here, as in the generated code."""
    key, item, at = "", None, 0
    while at < len(data):
        tag, at = varint(data, at)
        if tag >> 3 == 1:
            size, at = varint(data, at)
            chunk, at = cut(data, at, size)
            key = _text(chunk)
        elif tag >> 3 == 2:
            value: Any
            value, at = varint(data, at)
            if field.type not in _NUMBERS:
                value, at = cut(data, at, value)
            item = _value(field, VARINT if field.type in _NUMBERS else BYTES, value, depth)
        else:
            at = skip(data, at, tag & 7)
    if item is None:
        item = _ZEROS[field.type] if field.type in _ZEROS else _value(field, BYTES, memoryview(b""), depth)
    return key, item


def _value(field: _Field, wire: int, value: Any, depth: int) -> Any:
    if field.type in _NUMBERS:
        if wire != VARINT:
            raise ProtobufError(f"proto: wrong wireType = {wire} for field {field.go}")
        return _NUMBERS[field.type](value)
    if field.type == "double":
        if wire != FIXED64:
            raise ProtobufError(f"proto: wrong wireType = {wire} for field {field.go}")
        number = struct.unpack("<d", value)[0]
        return int(number) if number.is_integer() and abs(number) < 2**53 else number
    data = _chunk(wire, value, field.go)
    if field.type == "string":
        return _text(data)
    if field.type == "bytes":
        return base64.b64encode(data).decode("ascii")
    message = _table(field.type)
    special = _SPECIALS.get(message.special)
    return special(data, message, depth) if special else _message(data, message, depth + 1)


def _signed(bits: int) -> Callable[[int], int]:
    def read(value: int) -> int:
        value &= (1 << bits) - 1
        return value - (1 << bits) if value >> (bits - 1) else value

    return read


_NUMBERS: Final[dict[str, Callable[[int], Any]]] = {"int32": _signed(32), "int64": _signed(64), "bool": bool}
_ZEROS: Final[Mapping[str, Any]] = {"int32": 0, "int64": 0, "bool": False, "string": "", "bytes": "", "double": 0}


def _plain(data: memoryview, message: _Message, depth: int) -> dict[str, Any]:
    """Return every field of a special message by name."""
    return _message(data, message, depth + 1)


def _time(data: memoryview, message: _Message, depth: int) -> str | None:
    if not len(data):
        return None
    found = _plain(data, message, depth)
    return times.from_timestamp(found.get("seconds", 0), found.get("nanos", 0), micro=message.special == "microtime")


def _duration(data: memoryview, message: _Message, depth: int) -> str:
    return times.go_duration(_plain(data, message, depth).get("duration", 0))


def _quantity(data: memoryview, message: _Message, depth: int) -> str:
    text = _plain(data, message, depth).get("string", "")
    return canonical(text) if text else "0"


def _int_or_string(data: memoryview, message: _Message, depth: int) -> int | str:
    found = _plain(data, message, depth)
    out: int | str = found.get("strVal", "") if found.get("type") == 1 else found.get("intVal", 0)
    return out


def _raw(data: memoryview, message: _Message, depth: int) -> Any:
    raw = base64.b64decode(next(iter(_plain(data, message, depth).values()), ""))
    if not raw:
        return None
    if raw.startswith(MAGIC):
        return _envelope(raw, depth)
    try:
        if too_deep(raw, MAX_DEPTH):
            raise ValueError("deep")
        return loads(raw)
    except ValueError:
        raise ProtobufError(f"invalid JSON in {message.name.rpartition('.')[2]}") from None


def _list(data: memoryview, message: _Message, depth: int) -> list[Any]:
    items: list[Any] = _plain(data, message, depth).get("items", [])
    return items


def _schema_or_array(data: memoryview, message: _Message, depth: int) -> Any:
    found = _plain(data, message, depth)
    return found["jSONSchemas"] if found.get("jSONSchemas") else found.get("schema")


def _schema_or_bool(data: memoryview, message: _Message, depth: int) -> Any:
    found = _plain(data, message, depth)
    return found.get("schema", found.get("allows", False))


def _schema_or_strings(data: memoryview, message: _Message, depth: int) -> Any:
    found = _plain(data, message, depth)
    return found["property"] if found.get("property") else found.get("schema")


_SPECIALS: Final[dict[str, Callable[[memoryview, _Message, int], Any]]] = {
    "time": _time,
    "microtime": _time,
    "duration": _duration,
    "quantity": _quantity,
    "int-or-string": _int_or_string,
    "raw": _raw,
    "list": _list,
    "schema-or-array": _schema_or_array,
    "schema-or-bool": _schema_or_bool,
    "schema-or-strings": _schema_or_strings,
}
