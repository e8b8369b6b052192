"""What an image is: a name, a tag, what it runs and the files it brings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kit.embedded.core.inodes import Dir


@dataclass(frozen=True, slots=True)
class Image:
    """One tag of one image; `root` is shared by all containers (the tree copies on write). `aliases` are further names of the same tag.

    `size` is in bytes, `digest` a stable `sha256:…` made of the name; `user` as in a Dockerfile ("" is root).
    """

    name: str
    tag: str
    root: Dir
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    workdir: str = "/"
    user: str = ""
    ports: tuple[int, ...] = ()
    stop_signal: str = "TERM"
    volumes: tuple[str, ...] = ()
    size: int = 0
    digest: str = ""
    aliases: tuple[str, ...] = ()
