"""The image `busybox`: its file tree, and the shell's files for other images."""

from __future__ import annotations

from collections.abc import Mapping

from kit.embedded.core.filesystem import build
from kit.embedded.core.inodes import Device, Dir, File, Link, Node
from kit.embedded.core.program import Program
from kit.embedded.images.busybox.applets import APPLETS
from kit.embedded.images.busybox.applets.paths import TEMPORARY
from kit.embedded.images.busybox.shell import shell_program
from kit.embedded.images.image import Image

# The recorded build has no such applets; other images (with a coreutils of their own) get them.
ABSENT = frozenset(("printenv", "nohup", "pgrep", "pkill", "curl", "adduser"))
PASSWD = """root:x:0:0:root:/root:/bin/sh
daemon:x:1:1:daemon:/usr/sbin:/bin/false
bin:x:2:2:bin:/bin:/bin/false
sys:x:3:3:sys:/dev:/bin/false
sync:x:4:100:sync:/bin:/bin/sync
mail:x:8:8:mail:/var/spool/mail:/bin/false
www-data:x:33:33:www-data:/var/www:/bin/false
operator:x:37:37:Operator:/var:/bin/false
nobody:x:65534:65534:nobody:/home:/bin/false
"""
GROUP = """root:x:0:
daemon:x:1:
bin:x:2:
sys:x:3:
adm:x:4:
tty:x:5:
disk:x:6:
mail:x:8:
www-data:x:33:
users:x:100:
nobody:x:65534:
"""
DEVICES = ("null", "zero", "full", "urandom", "random", "tty", "stdin", "stdout", "stderr")
SIZE = 4_430_000


def program_file(program: Program) -> File:
    """Return an executable file that runs `program`."""
    return File(b"\x7fELF", 0o755, program=program)


def devices() -> dict[str, Node]:
    """Return the files of /dev."""
    files: dict[str, Node] = {f"/dev/{name}": Device(name if name != "random" else "urandom") for name in DEVICES}
    files["/dev/fd"] = Link("/proc/self/fd")
    return files


def busybox_files() -> dict[str, bytes | str | Node | None]:
    """Return the tree of the busybox image."""
    applets = {name: program for name, program in APPLETS.items() if name not in ABSENT}
    files: dict[str, bytes | str | Node | None] = {
        "/root": Dir(mode=0o700),
        TEMPORARY: Dir(mode=0o1777),
        "/home": None,
        "/proc": None,
        "/sys": None,
        "/usr/bin": None,
        "/usr/sbin": None,
        "/var/www": None,
        "/etc/passwd": PASSWD,
        "/etc/group": GROUP,
        "/etc/hostname": "",
        "/etc/hosts": "127.0.0.1\tlocalhost\n",
        "/etc/resolv.conf": "",
        "/usr/bin/env": Link("../../bin/env"),
        "/bin/sh": program_file(shell_program(applets)),
        **{f"/bin/{name}": program_file(program) for name, program in applets.items()},
        **devices(),
    }
    return files


def busybox(tag: str = "1.37") -> Image:
    """Return the image `busybox:tag`."""
    return Image("busybox", tag, build(busybox_files()), command=("sh",), size=SIZE, env=_path())


def _path() -> Mapping[str, str]:
    return {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}


def shell_files(*, without: frozenset[str] = frozenset()) -> dict[str, bytes | str | Node | None]:
    """Return `sh` and the applets as an image with a distribution's own tools has them: files found along PATH.

    `without` names what the other image does not have (as `wget` in most).
    """
    files: dict[str, bytes | str | Node | None] = {"/bin/sh": program_file(shell_program({}))}
    for name, program in APPLETS.items():
        if name not in without:
            files[f"/usr/bin/{name}"] = program_file(program)
            if name not in ("[", "env"):
                files[f"/bin/{name}"] = Link(f"../usr/bin/{name}")
    return files
