"""WebSocket frames (RFC 6455), the server's end: bytes in, messages out; no socket."""

from __future__ import annotations

import base64
import hashlib
import struct
from dataclasses import dataclass

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
NORMAL, PROTOCOL_ERROR, TOO_BIG, INTERNAL_ERROR = 1000, 1002, 1009, 1011
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_MAX_MESSAGE = 1 << 22


class Broken(Exception):
    """The peer broke the protocol; `code` is what the closing frame says."""

    def __init__(self, code: int, why: str) -> None:
        super().__init__(why)
        self.code = code


@dataclass(frozen=True, slots=True)
class Message:
    """One whole message or control frame."""

    opcode: int
    data: bytes


def accept_key(key: str) -> str:
    """Return the Sec-WebSocket-Accept of a Sec-WebSocket-Key."""
    return base64.b64encode(hashlib.sha1(key.encode() + _GUID, usedforsecurity=False).digest()).decode()


def encode(opcode: int, data: bytes) -> bytes:
    """Return one whole frame, unmasked as a server sends it."""
    size = len(data)
    if size < 126:
        return struct.pack(">BB", 0x80 | opcode, size) + data
    if size < 1 << 16:
        return struct.pack(">BBH", 0x80 | opcode, 126, size) + data
    return struct.pack(">BBQ", 0x80 | opcode, 127, size) + data


def closing(code: int, why: str = "") -> bytes:
    """Return the frame that closes."""
    return encode(CLOSE, struct.pack(">H", code) + why.encode()[:120])


def mask(key: bytes, data: bytes) -> bytes:
    """Return `data` with the four bytes of `key` laid over it (its own inverse)."""
    size = len(data)
    pattern = (key * (size // 4 + 1))[:size]
    return (int.from_bytes(data, "little") ^ int.from_bytes(pattern, "little")).to_bytes(size, "little")


class Reader:
    """Puts a client's frames together to messages."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._parts = bytearray()
        self._opcode = 0

    def feed(self, data: bytes) -> list[Message]:
        """Take bytes and return the messages that are whole now. Broken when the client breaks the rules."""
        self._buffer += data
        messages = []
        while (frame := self._next()) is not None:
            if (message := self._assemble(*frame)) is not None:
                messages.append(message)
        return messages

    def _next(self) -> tuple[bool, int, bytes] | None:
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        first, second = buffer[0], buffer[1]
        if first & 0x70 or not second & 0x80:
            raise Broken(PROTOCOL_ERROR, "reserved bits or an unmasked frame")
        size, at = second & 0x7F, 2
        if size >= 126:
            width = 2 if size == 126 else 8
            if len(buffer) < 2 + width:
                return None
            size, at = int.from_bytes(buffer[2 : 2 + width], "big"), 2 + width
        if size > _MAX_MESSAGE or len(self._parts) + size > _MAX_MESSAGE:
            raise Broken(TOO_BIG, f"a message of more than {_MAX_MESSAGE} bytes")
        if len(buffer) < at + 4 + size:
            return None
        payload = mask(bytes(buffer[at : at + 4]), bytes(buffer[at + 4 : at + 4 + size]))
        del buffer[: at + 4 + size]
        return bool(first & 0x80), first & 0x0F, payload

    def _assemble(self, final: bool, opcode: int, payload: bytes) -> Message | None:
        if opcode >= CLOSE:
            if not final or len(payload) > 125 or opcode > PONG:
                raise Broken(PROTOCOL_ERROR, "a control frame that is none")
            return Message(opcode, payload)
        if (opcode == CONTINUATION) != bool(self._opcode) or opcode > BINARY:
            raise Broken(PROTOCOL_ERROR, "a fragment out of place")
        self._opcode = self._opcode or opcode
        self._parts += payload
        if not final:
            return None
        message = Message(self._opcode, bytes(self._parts))
        self._opcode = 0
        self._parts.clear()
        return message
