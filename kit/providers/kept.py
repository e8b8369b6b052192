"""What the kit keeps of a kind cluster: its folder with our kubeconfig, and one small file; one at a time works on it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from kit.errors import Refused
from kit.runtime import state

FILE = "kind.json"


@dataclass
class Kept:
    """One cluster's folder. `loaded`: image -> id in the nodes; `missing`: image -> why it is not there."""

    name: str
    folder: Path
    nodes: int = 0
    ports: list[dict[str, Any]] = field(default_factory=list)
    loaded: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    @property
    def kubeconfig(self) -> Path:
        """Return where its kubeconfig is; no other file is ever written."""
        return self.folder / "kubeconfig"

    @property
    def notes(self) -> tuple[str, ...]:
        """Return what `labkit status` says of images."""
        return tuple(f"{image} is not preloaded: {why}" for image, why in sorted(self.missing.items()))

    def save(self) -> None:
        """Write it down."""
        value = asdict(self)
        state.replace(self.folder / FILE, {key: value[key] for key in ("nodes", "ports", "loaded", "missing")})

    def remove(self) -> None:
        """Throw the folder away, if it is one of ours."""
        if (self.folder / FILE).is_file():
            shutil.rmtree(self.folder, ignore_errors=True)
        registry().forget(self.name)

    @contextlib.contextmanager
    def locked(self, progress: Callable[[str], None]) -> Iterator[None]:
        """Hold the cluster alone: a second `labkit up` waits for the first one and adopts what it made."""
        handle = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                progress(f"waiting for another labkit that works on {self.name}")
                fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


def registry() -> state.Registry:
    """Return the register of kind clusters, beside that of embedded ones."""
    return state.Registry(state.user_state() / "kind")


def find(name: str) -> Kept | None:
    """Return what is kept of a cluster, None when the kit never had it."""
    folder = registry().find(name)
    return _load(name, folder) if folder and (folder / FILE).is_file() else None


def everyone() -> list[Kept]:
    """Return all clusters that the kit keeps."""
    return [kept for name in registry().names() if (kept := find(name))]


def open_folder(name: str, state_dir: Path | None) -> Kept:
    """Return the folder of a cluster, made and ours; Refused when the cluster is kept elsewhere."""
    known = registry().find(state.checked_name(name))
    wanted = None
    if state_dir:
        wanted = Path(os.path.abspath(state_dir.expanduser())) / "kind" / name  # noqa: PTH100 - links must stay visible
        if known and known != wanted and (known / FILE).is_file():
            raise Refused(
                f"the kind cluster {name} keeps its kubeconfig in {known}",
                f"leave --state-dir away, or labkit down --provider kind --name {name} --delete first",
            )
        state.private_folder(wanted.parents[1])
    folder = wanted or known or registry().default(name)
    state.private_folder(folder)
    kept = _load(name, folder)
    kept.save()
    registry().note(name, folder)
    return kept


def _load(name: str, folder: Path) -> Kept:
    value = state.load(folder / FILE)
    return Kept(
        name,
        folder,
        nodes=int(value.get("nodes") or 0),
        ports=list(value.get("ports") or []),
        loaded=dict(value.get("loaded") or {}),
        missing=dict(value.get("missing") or {}),
    )
