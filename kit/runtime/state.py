"""Where clusters are kept: the state folder of each, who may own it, and the registry that finds it by name."""

from __future__ import annotations

import json
import os
import re
import stat
import threading
from pathlib import Path
from typing import Any

from kit.errors import BadInput, Refused

APP = "kubernetes-lab-kit"
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


def checked_name(name: str) -> str:
    """Return `name` if a cluster may be called so; BadInput else."""
    if not NAME.fullmatch(name):
        raise BadInput(
            f"a cluster can't be called {name!r}",
            "a name has 1 to 40 of the characters a-z, 0-9 and '-', and begins with a letter or a digit",
        )
    return name


def user_state() -> Path:
    """Return the folder for the kit's state of this user (not made yet); `LABKIT_HOME` names another one."""
    if given := os.environ.get("LABKIT_HOME"):
        return Path(given)
    import platformdirs

    return Path(platformdirs.user_state_dir(APP, appauthor=False))


def private_folder(path: Path) -> Path:
    """Return `path` as a folder that is ours alone, made if it is missing; Refused when it is another's, a link, or open to others."""
    if path.is_symlink():
        raise Refused(
            f"{path} is a symbolic link: the state of a cluster is not kept behind one",
            "name the folder itself with --state-dir",
        )
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = path.lstat()
    except OSError as error:
        raise Refused(
            f"{path} can't be the state folder: {error.strerror}", "name another one with --state-dir"
        ) from error
    if not stat.S_ISDIR(found.st_mode):
        raise Refused(f"{path} is not a folder", "name another one with --state-dir")
    if found.st_uid != os.getuid():
        raise Refused(f"{path} belongs to another user", "name a folder of your own with --state-dir")
    if found.st_mode & 0o022:
        raise Refused(
            f"{path} can be written by others (mode {stat.S_IMODE(found.st_mode):04o})",
            f"chmod 700 {path}, or name another folder with --state-dir",
        )
    if found.st_mode & 0o077:
        path.chmod(0o700)
    return path


class Registry:
    """Names of clusters and their state folders: one small file each."""

    def __init__(self, root: Path | None = None) -> None:
        self._root = (root or user_state()) / "clusters"

    def default(self, name: str) -> Path:
        """Return where a cluster is kept when nobody says otherwise."""
        return self._root.parent / "state" / name

    def find(self, name: str) -> Path | None:
        """Return the state folder of a cluster that is known, else None."""
        try:
            return Path(json.loads((self._root / f"{checked_name(name)}.json").read_text(encoding="utf-8"))["state"])
        except (OSError, ValueError, KeyError):
            return None

    def note(self, name: str, state: Path) -> None:
        """Remember where a cluster is kept."""
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace(self._root / f"{checked_name(name)}.json", {"state": str(state)})

    def forget(self, name: str) -> None:
        """Forget a cluster."""
        (self._root / f"{checked_name(name)}.json").unlink(missing_ok=True)

    def names(self) -> list[str]:
        """Return the names of all clusters that are known."""
        return sorted(path.stem for path in self._root.glob("*.json"))


def replace(path: Path, value: Any) -> None:
    """Write JSON for us alone, at once."""
    write_private(path, json.dumps(value, indent=1).encode())


def write_private(path: Path, data: bytes) -> None:
    """Replace a file that only we may read, at once: a reader sees the old or the new."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
    fresh.replace(path)


def load(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file; {} when there is none."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def started(pid: int) -> str:
    """Return when a process started, in a form that tells it from a later one of the same pid; "" when it is not there."""
    if not Path("/proc/self/stat").exists():  # macOS
        return _asked(pid)
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] == "Z" else fields[19]


def _asked(pid: int) -> str:
    import subprocess

    found = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return found.stdout.strip()
