"""What a file descriptor stands for: files, devices, pipes, terminals, logs, sockets. One description may have several descriptors.

`read` and `write` answer at once or return `BLOCKED` after noting who waits; `notify` wakes those who wait, who then try again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from kit.embedded.core.filesystem import Tree
from kit.embedded.core.ids import Ids
from kit.embedded.core.inodes import File
from kit.embedded.core.ports import TlsChannel
from kit.embedded.core.program import Errno
from kit.embedded.net.hosts import Listener
from kit.embedded.net.secure import Secured, Stream
from kit.embedded.net.wires import End

if TYPE_CHECKING:
    from kit.embedded.node.processes import Process

PIPE_SIZE = 65536
FILE_LIMIT = 256 << 20


class Blocked:
    """The answer of a call that has to wait."""


BLOCKED: Final = Blocked()


class Description:
    """An open file description. `refs` counts its descriptors; at the last one it is closed."""

    __slots__ = ("refs", "waiting")
    tty = False

    def __init__(self) -> None:
        self.refs = 0
        self.waiting: list[tuple[Process, int]] = []

    def read(self, size: int) -> bytes | Blocked:
        """Return bytes, b"" at the end, or BLOCKED."""
        raise Errno("EBADF")

    def write(self, data: bytes) -> int | Blocked:
        """Take some of `data` -> how many bytes, or BLOCKED when there is no room."""
        raise Errno("EBADF")

    @property
    def readable(self) -> bool:
        """Say whether a read would not wait."""
        return True

    def wait(self, process: Process) -> None:
        """Note that `process` waits for a change."""
        if len(self.waiting) > 8:
            self.waiting = [(other, token) for other, token in self.waiting if other.token == token]
        self.waiting.append((process, process.token))

    def notify(self) -> None:
        """Let those who wait try again."""
        if self.waiting:
            waiting, self.waiting = self.waiting, []
            for process, token in waiting:
                process.retry(token)

    def release(self) -> None:
        """Drop one descriptor."""
        self.refs -= 1
        if self.refs <= 0:
            self.close()

    def close(self) -> None:
        """Let go of what it stands for."""


class FileHandle(Description):
    """A regular file with an offset; `tree` accounts for its bytes."""

    __slots__ = ("_append", "_clock", "_content", "_file", "_tree", "_write", "offset")

    def __init__(self, tree: Tree, file: File, mode: str, clock: Callable[[], int]) -> None:
        super().__init__()
        self._tree = tree
        self._file = file
        self._append = mode == "a"
        self._write = mode != "r"
        self._clock = clock
        self._content = file.dynamic() if file.dynamic else None
        self.offset = 0

    def read(self, size: int) -> bytes | Blocked:
        data = self._file.data if self._content is None else self._content
        piece = bytes(data[self.offset : self.offset + size])
        self.offset += len(piece)
        return piece

    def write(self, data: bytes) -> int | Blocked:
        file = self._file
        if not self._write:
            raise Errno("EBADF")
        content = file.data
        if self._append:
            self.offset = len(content)
        end = self.offset + len(data)
        if end > FILE_LIMIT:
            raise Errno("EFBIG")
        if end > len(content):
            self._tree.charge(file, end - len(content))
        if not isinstance(content, bytearray):
            content = file.data = bytearray(content)
        if self.offset > len(content):
            content.extend(bytes(self.offset - len(content)))
        content[self.offset : end] = data
        self.offset = end
        file.mtime = self._clock()
        return len(data)


class DeviceHandle(Description):
    """A character device: null, zero, full, random, urandom."""

    __slots__ = ("_ids", "_name")

    def __init__(self, name: str, ids: Ids) -> None:
        super().__init__()
        self._name = name
        self._ids = ids

    def read(self, size: int) -> bytes | Blocked:
        if self._name in ("zero", "full"):
            return bytes(size)
        if self._name in ("random", "urandom"):
            block = self._ids.draw(64)
            return (
                (block * (size // 64 + 1))[:size]
                if size > 4096
                else b"".join(self._ids.draw(64) for _ in range(size // 64 + 1))[:size]
            )
        return b""

    def write(self, data: bytes) -> int | Blocked:
        if self._name == "full":
            raise Errno("ENOSPC")
        return len(data)


class Pipe:
    """64 KiB between writers and readers."""

    __slots__ = ("buffer", "reader", "writer")

    def __init__(self) -> None:
        self.buffer = bytearray()
        self.reader = PipeReader(self)
        self.writer = PipeWriter(self)


class PipeReader(Description):
    """The end one reads; at the end of all writers it reads b""."""

    __slots__ = ("closed", "pipe")

    def __init__(self, pipe: Pipe) -> None:
        super().__init__()
        self.pipe = pipe
        self.closed = False

    def read(self, size: int) -> bytes | Blocked:
        buffer = self.pipe.buffer
        if buffer:
            data = bytes(buffer[:size])
            del buffer[:size]
            self.pipe.writer.notify()
            return data
        return b"" if self.pipe.writer.closed else BLOCKED

    @property
    def readable(self) -> bool:
        return bool(self.pipe.buffer) or self.pipe.writer.closed

    def close(self) -> None:
        self.closed = True
        self.pipe.buffer.clear()
        self.pipe.writer.notify()


class PipeWriter(Description):
    """The end one writes."""

    __slots__ = ("closed", "pipe")

    def __init__(self, pipe: Pipe) -> None:
        super().__init__()
        self.pipe = pipe
        self.closed = False

    def write(self, data: bytes) -> int | Blocked:
        if self.pipe.reader.closed:
            raise Errno("EPIPE")
        room = PIPE_SIZE - len(self.pipe.buffer)
        if room <= 0:
            return BLOCKED
        self.pipe.buffer += data[:room]
        self.pipe.reader.notify()
        return min(room, len(data))

    @property
    def readable(self) -> bool:
        return False

    def close(self) -> None:
        self.closed = True
        self.pipe.reader.notify()


class Sink(Description):
    """Bytes handed to `deliver` (a log, an exec's stream); `allow(n)` says how many may go now, the writer waits for the rest."""

    __slots__ = ("_allow", "_deliver")

    def __init__(self, deliver: Callable[[bytes], None], allow: Callable[[Sink, int], int]) -> None:
        super().__init__()
        self._deliver = deliver
        self._allow = allow

    def write(self, data: bytes) -> int | Blocked:
        taken = self._allow(self, len(data))
        if taken <= 0:
            return BLOCKED
        self._deliver(data[:taken])
        return taken

    def read(self, size: int) -> bytes | Blocked:
        return b""


class Socket(Description):
    """A connection's end."""

    __slots__ = ("end",)

    def __init__(self, end: End) -> None:
        super().__init__()
        self.end: Stream = end
        end.watch = self.notify

    def secure(self, channel: TlsChannel, *, server: bool, ready: Callable[[str], None]) -> None:
        """Speak TLS from now on; `ready` hears how it went."""
        if isinstance(self.end, End):
            self.end = Secured(self.end, channel, server=server, ready=ready)
            self.end.watch = self.notify

    def pump(self) -> None:
        """Look at what has arrived."""
        if isinstance(self.end, Secured):
            self.end.pump()

    def read(self, size: int) -> bytes | Blocked:
        data = self.end.recv(size)
        return BLOCKED if data is None else data

    def write(self, data: bytes) -> int | Blocked:
        return self.end.send(data) or BLOCKED

    @property
    def readable(self) -> bool:
        return self.end.readable

    def close(self) -> None:
        self.end.close()


class ListenSocket(Description):
    """A listening socket."""

    __slots__ = ("listener",)

    def __init__(self, listener: Listener) -> None:
        super().__init__()
        self.listener = listener
        listener.watch = self.notify

    @property
    def readable(self) -> bool:
        return bool(self.listener.backlog)

    def close(self) -> None:
        self.listener.close()
