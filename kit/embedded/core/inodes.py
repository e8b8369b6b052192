"""What a virtual tree is made of: files, directories, links, devices, and the volumes that are mounted into it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from kit.embedded.core.program import Program

R, W = 4, 2  # what a mode bit allows


@dataclass(slots=True)
class File:
    """A regular file; `program` makes it executable, `dynamic` computes its content at each open (as /proc does)."""

    data: bytes | bytearray = b""
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    mtime: int = 0  # ms since 1970 as the cluster tells them
    program: Program | None = None
    dynamic: Callable[[], bytes] | None = None
    owner: object = None

    @property
    def size(self) -> int:
        """Length of the content in bytes."""
        return len(self.dynamic()) if self.dynamic else len(self.data)


@dataclass(slots=True)
class Dir:
    """A directory: names in the order they were made."""

    children: dict[str, Any] = field(default_factory=dict)
    mode: int = 0o755
    uid: int = 0
    gid: int = 0
    mtime: int = 0
    owner: object = None


@dataclass(slots=True)
class Link:
    """A symbolic link."""

    target: str
    mtime: int = 0
    owner: object = None


@dataclass(slots=True)
class Device:
    """A character device by name: null, zero, full, urandom, tty, stdin, stdout, stderr."""

    name: str
    mode: int = 0o666
    owner: object = None


Node = File | Dir | Link | Device


def permits(node: Node, want: int, uid: int, gid: int) -> bool:
    """Say whether a node's mode bits let a user read it (`R`) or write to it (`W`); root may all."""
    if not uid or not isinstance(node, File | Dir):
        return True
    shift = 6 if node.uid == uid else 3 if node.gid == gid else 0
    return bool((node.mode >> shift) & want)


@dataclass(slots=True, eq=False)
class Quota:
    """The owner mark of a volume that counts its bytes: beyond `limit` writes fail with ENOSPC."""

    limit: int = 1 << 28
    used: int = 0


@dataclass(slots=True)
class Mount:
    """A volume in a tree: `root` a Dir (or a single File, for subPath), shared by all who mount it."""

    path: str
    root: Dir | File
    readonly: bool = False
    kind: str = "ext4"
    options: str = ""  # after `rw,relatime`, as the kernel lists them
