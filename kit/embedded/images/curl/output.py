"""Where what curl fetches goes: standard output or a file, made when the first byte comes. Models curl's tool_cb_wrt.c."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from kit.embedded.core.program import Close, Context, Errno, Open, Write
from kit.embedded.images.curl.failure import Failure
from kit.embedded.images.curl.report import warning

Work = Generator[Any, Any, Any]
BINARY = (
    'Binary output can mess up your terminal. Use "--output -" to tell curl to output it to your terminal anyway, '
    'or consider "--output <FILE>" to save to a file.'
)


class Output:
    """One destination. `path` "" is standard output; `terminal` says that this is one and nobody asked for it by `-o -`."""

    def __init__(
        self, ctx: Context, path: str, *, terminal: bool = False, silent: bool = False, folders: bool = False
    ) -> None:
        self.path = path
        self._ctx = ctx
        self._fd = None if path else 1
        self._terminal = terminal
        self._silent = silent
        self._folders = folders

    def write(self, data: bytes) -> Work:
        """Write a piece. Failure."""
        if self._terminal and b"\0" in data:
            yield from self._warn(BINARY)
            raise _failed(data, 0)
        fd = self._fd if self._fd is not None else (yield from self._open(data))
        try:
            yield Write(fd, data)
        except Errno:
            raise _failed(data, 0) from None

    def close(self, *, wanted: bool) -> Work:
        """Close the file; when it is `wanted` and nothing came it is made empty."""
        if self._fd is None and wanted:
            yield from self._open(b"")
        if self.path and self._fd is not None:
            yield Close(self._fd)
            self._fd = None

    def _open(self, data: bytes) -> Generator[Any, Any, int]:
        folder = self.path.rpartition("/")[0]
        try:
            if self._folders and folder:
                self._ctx.fs.mkdir(folder, self._ctx.cwd, parents=True)
            fd: int = yield Open(self.path, "w")
        except Errno as error:
            yield from self._warn(f"Failed to open the file {self.path}: {error}")
            raise _failed(data, 0) from None
        self._fd = fd
        return fd

    def _warn(self, text: str) -> Work:
        if not self._silent:
            yield Write(2, warning(text).encode("utf-8", "surrogateescape"))


def _failed(data: bytes, done: int) -> Failure:
    return Failure(23, f"Failure writing output to destination, passed {len(data)} returned {done}")
