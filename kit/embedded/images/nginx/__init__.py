"""The image `nginx`: a web server and reverse proxy whose answers and logs are nginx's own."""

from __future__ import annotations

from kit.embedded.core.filesystem import build
from kit.embedded.core.inodes import Dir, File, Link, Node
from kit.embedded.images.busybox.image import devices, shell_files
from kit.embedded.images.curl import curl_files
from kit.embedded.images.image import Image
from kit.embedded.images.nginx.files import DEFAULT_CONF, ERROR_PAGE, NGINX_CONF, WELCOME, mime_types
from kit.embedded.images.nginx.program import nginx_program
from kit.embedded.images.registry import Family

MADE = 1_767_225_600_000  # the date of the recorded files: 2026-01-01
PASSWD = """root:x:0:0:root:/root:/bin/bash
www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin
nginx:x:101:101:nginx user:/nonexistent:/bin/false
"""
FIRST_WITH_CURL = 18
LINES = {"1.30": 6, "1.31": 4, "1.29": 8, "1.28": 3, "1.27": 5, "1.26": 3, "1.25": 5, "1.24": 0, "1.23": 4, "1.22": 1, "1.21": 6, "1.20": 2,
         "1.19": 10, "1.18": 0, "1.17": 10, "1.16": 1, "1.15": 12, "1.14": 2, "1.13": 12, "1.12": 2, "1.11": 13, "1.10": 3, "1.9": 15,
         "1.8": 1, "1.7": 12}  # fmt: skip


def nginx(tag: str, version: str) -> Image:
    """Return the image `nginx:tag`."""
    files: dict[str, bytes | str | Node | None] = {
        **shell_files(without=frozenset(("wget",))),
        **devices(),
        **(curl_files() if _has_curl(tag, version) else {}),
        "/tmp": Dir(mode=0o1777),  # noqa: S108 -- a path in the container
        "/root": Dir(mode=0o700),
        "/run": None,
        "/proc": None,
        "/var/cache/nginx": None,
        "/var/run": Link("/run"),
        "/etc/passwd": PASSWD,
        "/etc/group": "root:x:0:\nwww-data:x:33:\nnginx:x:101:\n",
        "/etc/hosts": "127.0.0.1\tlocalhost\n",
        "/etc/nginx/nginx.conf": _file(NGINX_CONF),
        "/etc/nginx/mime.types": _file(mime_types()),
        "/etc/nginx/conf.d/default.conf": _file(DEFAULT_CONF),
        "/usr/share/nginx/html/index.html": _file(WELCOME),
        "/usr/share/nginx/html/50x.html": _file(ERROR_PAGE),
        "/var/log/nginx/access.log": Link("/dev/stdout"),
        "/var/log/nginx/error.log": Link("/dev/stderr"),
        "/usr/sbin/nginx": File(b"\x7fELF", 0o755, program=nginx_program(version)),
    }
    env = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "NGINX_VERSION": version}
    command = ("nginx", "-g", "daemon off;")
    return Image("nginx", tag, build(files), command=command, env=env, ports=(80,), stop_signal="QUIT", size=72_000_000)


def _has_curl(tag: str, version: str) -> bool:
    """Say whether the publisher's image brings curl: since 1.18, but not the slim one."""
    return not tag.endswith("-slim") and int(version.split(".")[1]) >= FIRST_WITH_CURL


def _file(text: str) -> File:
    return File(text.encode(), mtime=MADE)


FAMILY = Family(
    "nginx",
    nginx,
    LINES,
    {"latest": "1.30.6", "stable": "1.30.6", "mainline": "1.31.4", "1": "1.31.4"},
    ("-alpine", "-alpine-slim", "-bookworm", "-trixie", "-perl", "-alpine-perl", "-otel"),
)
