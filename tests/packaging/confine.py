"""Runs a command as mybinder.org would let it: another user, no network but loopback, no administrator's home.

    unshare -n -m python confine.py UID CGROUP|- COMMAND...

The folder of this Python stays readable when it is in the administrator's home, which another user can't enter.
"""

from __future__ import annotations

import fcntl
import os
import pwd
import socket
import struct
import subprocess
import sys
from pathlib import Path

SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1


def loopback_up():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(control, SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | IFF_UP))


def python_readable():
    """Put the Python and its environment, and nothing else, where a stranger finds them."""
    home = Path(pwd.getpwuid(os.getuid()).pw_dir).resolve()
    hidden = [place for place in (Path(sys.base_prefix).resolve(), Path(sys.prefix)) if place.is_relative_to(home)]
    if not hidden or home.stat().st_mode & 0o005 == 0o005:
        return
    _mount("-t", "tmpfs", "-o", "mode=0755", "none", "/mnt")
    for number, place in enumerate(hidden):
        (aside := Path(f"/mnt/{number}")).mkdir()
        _mount("--bind", str(place), str(aside))
    _mount("-t", "tmpfs", "-o", "mode=0755", "none", str(home))
    for number, place in enumerate(hidden):
        place.mkdir(parents=True)
        _mount("--bind", f"/mnt/{number}", str(place))


def _mount(*arguments):
    subprocess.run(["mount", *arguments], check=True)


def main(user, cgroup, *command):
    loopback_up()
    if user:
        _mount("--make-rprivate", "/")
        python_readable()
    if cgroup != "-":
        (Path(cgroup) / "cgroup.procs").write_text(str(os.getpid()))
    if user:
        os.setgroups([])
        os.setgid(user)
        os.setuid(user)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
