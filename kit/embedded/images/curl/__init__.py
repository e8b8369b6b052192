"""The program `curl` and the files it comes with, for images that bring it."""

from __future__ import annotations

from kit.embedded.core.inodes import File, Node
from kit.embedded.images.curl.build import DEBIAN, Build
from kit.embedded.images.curl.program import curl_program
from kit.embedded.images.curl.transfer import STORE

AUTHORITIES = b"# No authority of the world outside: the embedded cluster's programs do not reach it.\n"


def curl_files(build: Build = DEBIAN) -> dict[str, bytes | str | Node | None]:
    """Return the program and the authorities it trusts, none of which is the cluster's own."""
    return {"/usr/bin/curl": File(b"\x7fELF", 0o755, program=curl_program(build)), STORE: File(AUTHORITIES)}
