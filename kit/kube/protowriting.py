"""Writing objects as `application/vnd.kubernetes.protobuf`, byte for byte as the API server does; `protobuf.py` reads them.

Fields come from the same table. The wire format is that of gogo/protobuf: fields in the order of their numbers, those that are
no pointers even when they are zero, maps in the order of their keys, all of it in a `runtime.Unknown` behind four magic bytes.
Models k8s.io/apimachinery/pkg/runtime/serializer/protobuf/protobuf.go and the generated Marshal methods.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from json import JSONEncoder
from typing import Any, Final

from kit.kube import times
from kit.kube.data import load
from kit.kube.protobuf import MAGIC, message_of
from kit.kube.quantities import canonical
from kit.kube.wire import BYTES, FIXED64, VARINT

Writer = Callable[[Any], bytes]
_Step = Callable[[bytearray, Mapping[str, Any]], None]
LIST_META: Final = "io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta"
_TAIL: Final = b"\x1a\x00\x22\x00"  # contentEncoding and contentType of a runtime.Unknown, both empty
_json = JSONEncoder(separators=(",", ":"), ensure_ascii=False, check_circular=False).encode


def writable(api_version: str, kind: str) -> bool:
    """Return whether objects of a kind can be written."""
    return message_of(api_version, kind) is not None


def encode(obj: Mapping[str, Any]) -> bytes:
    """Return an object with its envelope; KeyError for a kind that has no form in protobuf (custom resources)."""
    api_version, kind = obj.get("apiVersion", ""), obj["kind"]
    return envelope(api_version, kind, message(api_version, kind)(obj))


def message(api_version: str, kind: str) -> Writer:
    """Return what writes objects of a kind without an envelope, as they lie in a list."""
    name = message_of(api_version, kind)
    if name is None:
        raise KeyError(f"{api_version}/{kind}")
    return _writer(name)


def envelope(api_version: str, kind: str, body: bytes) -> bytes:
    """Return a message with what it is in front of it."""
    meta = _chunk(b"\x0a", api_version.encode()) + _chunk(b"\x12", kind.encode())
    return b"".join((MAGIC, _chunk(b"\x0a", meta), _chunk(b"\x12", body), _TAIL))


def listing(api_version: str, kind: str, meta: Mapping[str, Any], items: Iterable[bytes]) -> bytes:
    """Return a list around items that are written already: in every list they are field 2, behind the metadata."""
    parts = [_chunk(b"\x0a", _writer(LIST_META)(meta)), *(_chunk(b"\x12", item) for item in items)]
    return envelope(api_version, kind, b"".join(parts))


def event(kind: str, obj: bytes) -> bytes:
    """Return an event of a watch as a frame: its length in four bytes, then a WatchEvent around an encoded object."""
    body = _chunk(b"\x0a", kind.encode()) + _chunk(b"\x12", _chunk(b"\x0a", obj))
    return struct.pack(">I", len(body)) + body


# --- messages -------------------------------------------------------------------------------------------------------


@cache
def _writer(name: str) -> Writer:
    """Return what writes a message without its length."""
    special, rows = load("protobuf")["messages"][name]
    if special:
        return _SPECIALS[special](rows)
    return _message(rows)


def _message(rows: list[Any]) -> Writer:
    steps = [_step(*row) for row in sorted(rows, key=lambda row: int(row[0]))]

    def write(obj: Any) -> bytes:
        out = bytearray()
        for step in steps:
            step(out, obj)
        return bytes(out)

    return write


def _step(number: int, key: str, kind: str, flags: str) -> _Step:
    """Return what appends one field of a message."""
    if "m" in flags:
        return _map(_tag(number, BYTES), key, kind)
    tag = _tag(number, _WIRES.get(kind, BYTES))
    if "r" in flags:
        return _repeated(tag, key, kind)
    if "i" in flags:
        return lambda out, obj: out.extend(_chunk(tag, _writer(kind)(obj)))
    if "p" in flags or kind == "bytes":  # a slice of bytes that is not there is nil
        return _pointer(tag, key, kind)
    return _plain(tag, key, kind)


def _plain(tag: bytes, key: str, kind: str) -> _Step:
    zero = tag + _ZEROS[kind] if kind in _ZEROS else None
    write = _value(kind)

    def step(out: bytearray, obj: Mapping[str, Any]) -> None:
        value = obj.get(key)
        if value is not None:
            out += tag
            out += write(value)
        elif zero is not None:
            out += zero
        else:
            out += _chunk(tag, _absent(kind))

    return step


def _pointer(tag: bytes, key: str, kind: str) -> _Step:
    write = _value(kind)
    null = kind not in _SCALARS and load("protobuf")["messages"][kind][0].startswith("schema-or")  # neither of the two

    def step(out: bytearray, obj: Mapping[str, Any]) -> None:
        value = obj.get(key)
        if value is not None or (null and key in obj):
            out += tag
            out += write(value)

    return step


def _repeated(tag: bytes, key: str, kind: str) -> _Step:
    write = _value(kind)

    def step(out: bytearray, obj: Mapping[str, Any]) -> None:
        for value in obj.get(key) or ():
            out += tag
            out += write(value)

    return step


def _map(tag: bytes, key: str, kind: str) -> _Step:
    write, inner = _value(kind), _tag(2, _WIRES.get(kind, BYTES))

    def step(out: bytearray, obj: Mapping[str, Any]) -> None:
        found = obj.get(key)
        if found:
            for name in sorted(found):
                out += _chunk(tag, _chunk(b"\x0a", name.encode("utf-8", "replace")) + inner + write(found[name]))

    return step


@cache
def _absent(kind: str) -> bytes:
    """Return a message that is no pointer and not there: all zero."""
    return _writer(kind)({} if not load("protobuf")["messages"][kind][0] else None)


def _value(kind: str) -> Writer:
    """Return what writes a value behind its tag; messages are looked up when they are met, for they hold each other."""
    scalar = _SCALARS.get(kind)
    if scalar is not None:
        return scalar

    def write(value: Any) -> bytes:
        body = _writer(kind)(value)
        return _varint(len(body)) + body

    return write


# --- values ---------------------------------------------------------------------------------------------------------


def _varint(value: int) -> bytes:
    if 0 <= value < 0x80:
        return _SMALL[value]
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _tag(number: int, wire: int) -> bytes:
    return _varint(number << 3 | wire)


def _chunk(tag: bytes, data: bytes) -> bytes:
    return b"".join((tag, _varint(len(data)), data))


def _text(value: str) -> bytes:
    data = value.encode("utf-8", "replace")
    return _varint(len(data)) + data


def _binary(value: str) -> bytes:
    data = base64.b64decode(value or "")
    return _varint(len(data)) + data


_SMALL: Final = tuple(bytes((number,)) for number in range(0x80))
_SCALARS: Final[Mapping[str, Writer]] = {
    "string": _text,
    "bytes": _binary,
    "int32": _varint,
    "int64": _varint,
    "bool": _varint,
    "double": lambda value: struct.pack("<d", value),
}
_WIRES: Final[Mapping[str, int]] = {"int32": VARINT, "int64": VARINT, "bool": VARINT, "double": FIXED64}
_ZEROS: Final[Mapping[str, bytes]] = {
    "string": b"\0",
    "int32": b"\0",
    "int64": b"\0",
    "bool": b"\0",
    "double": struct.pack("<d", 0),
}


# --- messages whose JSON is no object -------------------------------------------------------------------------------


def _fields(rows: list[Any], told: Callable[[Any], Mapping[str, Any]]) -> Writer:
    """Return what writes the fields that `told` makes of a value."""
    write = _message(rows)
    return lambda value: write(told(value))


def _time(unit: int) -> Callable[[list[Any]], Writer]:
    """Return what writes a time in whole `unit`s of nanoseconds; one that is not there is empty."""

    def made(rows: list[Any]) -> Writer:
        write = _message(rows)

        def told(value: str | None) -> bytes:
            if value is None:
                return b""
            seconds, nanos = times.timestamp(value)
            return write({"seconds": seconds, "nanos": nanos // unit * unit})

        return told

    return made


def _number_or_text(value: int | str | None) -> Mapping[str, Any]:
    return {"type": 1, "strVal": value} if isinstance(value, str) else {"intVal": value}


def _raw(rows: list[Any]) -> Writer:
    """Return what writes JSON as it is; an object inside an object stays JSON."""
    tag = _tag(rows[0][0], BYTES)
    return lambda value: b"" if value is None else _chunk(tag, _json(value).encode("utf-8", "replace"))


def _either(other: str) -> Callable[[list[Any]], Writer]:
    """Return what writes a schema or its alternative. A schema allows."""

    def told(value: Any) -> Mapping[str, Any]:
        return {"schema": value, "allows": True} if isinstance(value, dict) else {other: value}

    return lambda rows: _fields(rows, told)


_SPECIALS: Final[Mapping[str, Callable[[list[Any]], Writer]]] = {
    "time": _time(10**9),
    "microtime": _time(1000),
    "duration": lambda rows: _fields(rows, lambda value: {"duration": times.parse_go_duration(value or "0s")}),
    "quantity": lambda rows: _fields(rows, lambda value: {"string": canonical(value or "0")}),
    "int-or-string": lambda rows: _fields(rows, _number_or_text),
    "raw": _raw,
    "list": lambda rows: _fields(rows, lambda value: {"items": value}),
    "schema-or-array": _either("jSONSchemas"),
    "schema-or-bool": _either("allows"),
    "schema-or-strings": _either("property"),
}
