"""What lies on a node's disk before anybody writes there: the folders of kind's node image, and who the node is."""

from __future__ import annotations

from kit.embedded.core.filesystem import Tree, build
from kit.embedded.core.inodes import Dir, Link, Node

OWNER = "node"
FOLDERS = (
    "LICENSES", "boot", "dev", "etc/kubernetes/manifests", "home", "kind", "media", "mnt", "opt", "proc", "root", "run", "srv", "sys",
    "tmp", "usr/bin", "usr/lib", "usr/lib64", "usr/sbin", "var/lib/kubelet", "var/log",
)  # fmt: skip
LINKS = ("bin", "lib", "lib64", "sbin")  # Debian's merged /usr
RELEASE = (
    'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\nVERSION_ID="12"\nVERSION="12 (bookworm)"\n'
    'VERSION_CODENAME=bookworm\nID=debian\nHOME_URL="https://www.debian.org/"\nSUPPORT_URL="https://www.debian.org/support"\n'
    'BUG_REPORT_URL="https://bugs.debian.org/"\n'
)


def disk(name: str) -> Tree:
    """Return the disk of a node of that name."""
    files: dict[str, bytes | str | Node | None] = {
        **{f"/{folder}": None for folder in FOLDERS},
        **{f"/{link}": Link(f"usr/{link}") for link in LINKS},
        "/etc/hostname": f"{name}\n",
        "/etc/os-release": RELEASE,
    }
    root = build(files)
    _own(root)
    return Tree(root, owner=OWNER)


def _own(folder: Dir) -> None:
    folder.owner = OWNER
    for one in folder.children.values():
        one.owner = OWNER
        if isinstance(one, Dir):
            _own(one)
