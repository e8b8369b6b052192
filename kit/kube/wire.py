"""The wire format of protocol buffers: fields out of bytes that strangers sent, every length checked.

Models the code that gogo/protobuf generates (Unmarshal and skip), whose words the errors are.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, Final

VARINT, FIXED64, BYTES, _GROUP, _END_GROUP, FIXED32 = 0, 1, 2, 3, 4, 5
_SIZES: Final = {FIXED64: 8, BYTES: 0, FIXED32: 4}  # 0: said in front


class ProtobufError(ValueError):
    """The bytes are no such message; `kind` and `api_version` are "" when even these could not be read."""

    def __init__(self, message: str, api_version: str = "", kind: str = "") -> None:
        super().__init__(message)
        self.api_version = api_version
        self.kind = kind


def fields(data: memoryview, where: str, known: Collection[int]) -> Iterator[tuple[int, int, Any]]:
    """Yield (number, wire type, value) of every field; values are ints or views. Groups of unknown fields are passed over."""
    at, end = 0, len(data)
    while at < end:
        tag, at = varint(data, at)
        number, wire = tag >> 3, tag & 7
        if wire == _END_GROUP:
            raise ProtobufError(f"proto: {where}: wiretype end group for non-group")
        if number == 0 or tag >> 32:
            raise ProtobufError(f"proto: {where}: illegal tag {number} (wire type {tag})")
        value: Any = None
        if wire == VARINT:
            value, at = varint(data, at)
        elif wire in _SIZES:
            size, at = (_SIZES[wire], at) if _SIZES[wire] else varint(data, at)
            value, at = cut(data, at, size)
        elif number not in known:
            at = skip(data, at, wire)
        yield number, wire, value


def cut(data: memoryview, at: int, size: int) -> tuple[memoryview, int]:
    """Return the next `size` bytes, and where they end."""
    if size >> 63:
        raise ProtobufError("proto: negative length found during unmarshaling")
    if at + size > len(data):
        raise ProtobufError("unexpected EOF")
    return data[at : at + size], at + size


def skip(data: memoryview, at: int, wire: int) -> int:
    """Return where a field ends that nobody knows; groups nest."""
    depth = 0
    while True:
        if wire == VARINT:
            _, at = varint(data, at)
        elif wire in _SIZES:
            size, at = (_SIZES[wire], at) if _SIZES[wire] else varint(data, at)
            _, at = cut(data, at, size)
        elif wire == _GROUP:
            depth += 1
        elif wire == _END_GROUP:
            depth -= 1
        else:
            raise ProtobufError(f"proto: illegal wireType {wire}")
        if depth <= 0:
            return at
        tag, at = varint(data, at)
        wire = tag & 7


def varint(data: memoryview, at: int) -> tuple[int, int]:
    """Return a number of up to 64 bits, and where it ends."""
    value = shift = 0
    while True:
        if at >= len(data):
            raise ProtobufError("unexpected EOF")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, at
        shift += 7
        if shift >= 64:
            raise ProtobufError("proto: integer overflow")
