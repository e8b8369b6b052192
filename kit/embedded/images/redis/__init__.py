"""The image `redis`: server and client, RESP on the wire, its own keys, expiry on cluster time."""

from __future__ import annotations

from kit.embedded.core.filesystem import build
from kit.embedded.core.inodes import Dir, File, Link, Node
from kit.embedded.images.busybox.image import devices, shell_files
from kit.embedded.images.image import Image
from kit.embedded.images.redis.cli import cli_program
from kit.embedded.images.redis.server import server_program
from kit.embedded.images.registry import Family

PASSWD = """root:x:0:0:root:/root:/bin/bash
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
redis:x:999:999::/home/redis:/bin/sh
"""

ENTRYPOINT = """#!/bin/sh
set -e

# first arg is `-f` or `--some-option`
# or first arg is `something.conf`
if [ "${1#-}" != "$1" ] || [ "${1%.conf}" != "$1" ]; then
	set -- redis-server "$@"
fi

exec "$@"
"""


def redis(tag: str, version: str) -> Image:
    """Return the image `redis:tag`."""
    files: dict[str, bytes | str | Node | None] = {
        **shell_files(without=frozenset(("wget", "nslookup", "ping", "vi"))),
        **devices(),
        "/data": None,
        "/tmp": Dir(mode=0o1777),  # noqa: S108 -- a path in the container
        "/root": Dir(mode=0o700),
        "/proc": None,
        "/etc/passwd": PASSWD,
        "/etc/group": "root:x:0:\nnogroup:x:65534:\nredis:x:999:\n",
        "/etc/hosts": "127.0.0.1\tlocalhost\n",
        "/usr/local/bin/redis-server": File(b"\x7fELF", 0o755, program=server_program(version)),
        "/usr/local/bin/redis-cli": File(b"\x7fELF", 0o755, program=cli_program(version)),
        "/usr/local/bin/docker-entrypoint.sh": File(ENTRYPOINT.encode(), 0o755),
        "/usr/local/bin/redis-sentinel": Link("redis-server"),
    }
    env = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "REDIS_VERSION": version}
    return Image(
        "redis", tag, build(files), entrypoint=("/usr/local/bin/docker-entrypoint.sh",), command=("redis-server",), env=env,
        workdir="/data", ports=(6379,), volumes=("/data",), size=52_000_000,
    )  # fmt: skip


FAMILY = Family(
    "redis",
    redis,
    {"8.0": 6, "8.2": 3, "8.4": 0, "7.4": 7, "7.2": 12, "7.0": 15, "6.2": 21},
    {"8": "8.0.6", "latest": "8.0.6", "7": "7.4.7", "6": "6.2.21", "alpine": "8.0.6"},
    ("-alpine", "-bookworm", "-trixie"),
)
