"""nginx that may not write everywhere: as a user, or on a root file system that is read-only."""

from __future__ import annotations

import pytest
import wirebox as wire

from kit.embedded.core.filesystem import Tree
from kit.embedded.core.inodes import Dir, Mount
from kit.embedded.images import registry

WARNING = 'the "user" directive makes sense only if the master process runs with super-user privileges, ignored in /etc/nginx/nginx.conf:2'
CACHE, RUN = "/var/cache/nginx", "/run"


def started(*writable: str, uid: int = 101, readonly: bool = False, argv: list[str] | None = None) -> wire.Box:
    """Return nginx, with a volume that all may write to at each of `writable`."""
    image = registry().resolve("nginx:1.30")
    tree = Tree(image.root)
    tree.mounts |= {path: Mount(path, Dir(mode=0o777)) for path in writable}
    tree.readonly = readonly
    return wire.Box(wire.Net(), image, tree=tree, uid=uid, argv=argv)


def said(box: wire.Box) -> list[str]:
    """Return what came on stderr, without dates and pids."""
    return [line.partition("#1: ")[2] or line for line in box.err.decode().splitlines()]


def test_a_user_may_not_make_the_folders() -> None:
    box = started()
    wrong = f'mkdir() "{CACHE}/client_temp" failed (13: Permission denied)'
    assert said(box) == [WARNING, f"nginx: [warn] {WARNING}", wrong, f"nginx: [emerg] {wrong}"]
    assert box.exits == [1]


def test_a_user_may_not_write_the_pid() -> None:
    box = started(CACHE)
    assert said(box)[-1] == 'nginx: [emerg] open() "/run/nginx.pid" failed (13: Permission denied)'
    assert box.exits == [1]


@pytest.mark.parametrize("uid", [0, 101])
def test_with_both_volumes_it_serves(uid: int) -> None:
    box = started(CACHE, RUN, uid=uid, readonly=True)
    reply, _ = box.send(80, b"GET / HTTP/1.0\r\n\r\n")
    assert reply.startswith(b"HTTP/1.1 200 OK")
    made = box.tree.lookup(f"{CACHE}/client_temp")
    assert (made.mode, made.uid) == (0o700, 101)
    assert (WARNING in box.err.decode()) is bool(uid)


def test_a_read_only_root() -> None:
    box = started(uid=0, readonly=True)
    assert said(box)[-1] == f'nginx: [emerg] mkdir() "{CACHE}/client_temp" failed (30: Read-only file system)'
    assert box.exits == [1]


def test_the_test_of_a_configuration_makes_them_too() -> None:
    box = started(argv=["nginx", "-t"])
    assert said(box) == [
        f"nginx: [warn] {WARNING}",
        f'nginx: [emerg] mkdir() "{CACHE}/client_temp" failed (13: Permission denied)',
        "nginx: configuration file /etc/nginx/nginx.conf test failed",
    ]
