"""SPDY/3.1 frames, as much as port-forward uses: bytes in, frames out; no socket.

Flow-control windows are not kept (the peer, moby/spdystream, has none either). Header blocks share one zlib stream a direction, with the
dictionary of the SPDY/3 specification (adler32 e3c6a7c2).
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field

SYN_STREAM, SYN_REPLY, RST_STREAM, SETTINGS, PING, GOAWAY, HEADERS, WINDOW_UPDATE = 1, 2, 3, 4, 6, 7, 8, 9
FIN = 1
CANCEL = 5
_VERSION = 3
_MAX_FRAME = 1 << 22
_MAX_HEADERS = 1 << 16

_LISTED = """options,head,post,put,delete,trace,accept,accept-charset,accept-encoding,accept-language,accept-ranges,age,allow,
authorization,cache-control,connection,content-base,content-encoding,content-language,content-length,content-location,content-md5,
content-range,content-type,date,etag,expect,expires,from,host,if-match,if-modified-since,if-none-match,if-range,if-unmodified-since,
last-modified,location,max-forwards,pragma,proxy-authenticate,proxy-authorization,range,referer,retry-after,server,te,trailer,
transfer-encoding,upgrade,user-agent,vary,via,warning,www-authenticate,method,get,status,200 OK,version,HTTP/1.1,url,public,
set-cookie,keep-alive,origin"""
_WORDS = _LISTED.replace("\n", "").split(",")
_TAIL = (
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505203 Non-Authoritative Information"
    "204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden404 Not Found500 Internal Server Error"
    "501 Not Implemented503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, "
    "Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,"
    "text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0."
)
DICTIONARY = b"".join(struct.pack(">I", len(word)) + word.encode() for word in _WORDS) + _TAIL.encode()


class Broken(Exception):
    """The peer sent something that is not SPDY/3.1; the connection is over."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame: `kind` None is data. `stream` is a stream's number, or a PING's id."""

    kind: int | None
    stream: int
    flags: int = 0
    data: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    code: int = 0

    @property
    def fin(self) -> bool:
        """Whether the sender sends no more on this stream."""
        return bool(self.flags & FIN)


class Framer:
    """One end of a SPDY connection."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._inflate = zlib.decompressobj(zdict=DICTIONARY)
        self._deflate = zlib.compressobj(zdict=DICTIONARY)

    def feed(self, data: bytes) -> list[Frame]:
        """Take bytes and return the frames that are whole now. Broken when they are none."""
        self._buffer += data
        frames = []
        while len(self._buffer) >= 8:
            head, rest = struct.unpack_from(">II", self._buffer)
            size = rest & 0xFFFFFF
            if size > _MAX_FRAME:
                raise Broken(f"a frame of {size} bytes")
            if len(self._buffer) < 8 + size:
                break
            payload = bytes(self._buffer[8 : 8 + size])
            del self._buffer[: 8 + size]
            frames.append(self._frame(head, rest >> 24, payload))
        return frames

    def data(self, stream: int, data: bytes, *, fin: bool = False) -> bytes:
        """Return a data frame."""
        return struct.pack(">II", stream, (FIN if fin else 0) << 24 | len(data)) + data

    def syn_stream(self, stream: int, headers: dict[str, str], *, fin: bool = False) -> bytes:
        """Return the frame that opens a stream (a client's; the tests use it)."""
        return self._control(SYN_STREAM, FIN if fin else 0, struct.pack(">IIH", stream, 0, 0) + self._block(headers))

    def syn_reply(self, stream: int, headers: dict[str, str]) -> bytes:
        """Return the frame that accepts a stream."""
        return self._control(SYN_REPLY, 0, struct.pack(">I", stream) + self._block(headers))

    def rst_stream(self, stream: int, code: int) -> bytes:
        """Return the frame that breaks a stream off."""
        return self._control(RST_STREAM, 0, struct.pack(">II", stream, code))

    def ping(self, id: int) -> bytes:
        """Return a PING, or the answer to one."""
        return self._control(PING, 0, struct.pack(">I", id))

    def _frame(self, head: int, flags: int, payload: bytes) -> Frame:
        if not head & 0x80000000:
            return Frame(None, head, flags, payload)
        version, kind = head >> 16 & 0x7FFF, head & 0xFFFF
        if version != _VERSION:
            raise Broken(f"version {version}")
        if kind in {SETTINGS, GOAWAY, WINDOW_UPDATE}:
            return Frame(kind, 0, flags)
        if len(payload) < 4:
            raise Broken("a frame that is too short")
        stream = struct.unpack_from(">I", payload)[0]
        if kind == PING:
            return Frame(kind, stream, flags)
        stream &= 0x7FFFFFFF
        if kind == RST_STREAM:
            return Frame(kind, stream, flags, code=int.from_bytes(payload[4:8], "big"))
        if kind not in {SYN_STREAM, SYN_REPLY, HEADERS}:
            raise Broken(f"a frame of type {kind}")
        return Frame(kind, stream, flags, headers=self._headers(payload[10 if kind == SYN_STREAM else 4 :]))

    def _control(self, kind: int, flags: int, payload: bytes) -> bytes:
        return struct.pack(">II", 0x80000000 | _VERSION << 16 | kind, flags << 24 | len(payload)) + payload

    def _block(self, headers: dict[str, str]) -> bytes:
        plain = struct.pack(">I", len(headers))
        for name, value in headers.items():
            for text in (name.lower().encode(), value.encode()):
                plain += struct.pack(">I", len(text)) + text
        return self._deflate.compress(plain) + self._deflate.flush(zlib.Z_SYNC_FLUSH)

    def _headers(self, block: bytes) -> dict[str, str]:
        try:
            plain = self._inflate.decompress(block, _MAX_HEADERS)
            count, at, texts = struct.unpack_from(">I", plain)[0], 4, []
            for _ in range(2 * min(count, 256)):
                size = struct.unpack_from(">I", plain, at)[0]
                texts.append(plain[at + 4 : at + 4 + size].decode("utf-8", "replace"))
                at += 4 + size
        except (zlib.error, struct.error) as error:
            raise Broken(f"a header block: {error}") from error
        return dict(zip(texts[::2], texts[1::2], strict=True))
