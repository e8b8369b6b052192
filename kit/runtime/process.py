"""The cluster's process seen from outside: start, find, adopt, stop. It outlives kernels and terminals.

A process is ours and alive when `process.json` names a pid that still has the start time written there and the API answers with our
token. Two starts at once are ordered by a lock file: the first starts, the second finds it and adopts. A process of another version
is stopped and started again on the same state.
"""

from __future__ import annotations

import contextlib
import fcntl
import http.client
import json
import os
import select
import shutil
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import kit
from kit import errors
from kit.errors import BadInput, Refused, Unavailable
from kit.runtime import state

START_S = 30.0
STOP_S = 10.0
ENTRY = ("-m", "kit.runtime.serve")


@dataclass
class Wish:
    """What a new cluster shall be; None: as it was, or the default."""

    nodes: int | None = None
    clock: str | None = None
    seed: int | None = None
    port: int | None = None
    expose: bool | None = None
    webhook_urls: bool | None = None
    defaults: dict[str, Any] = field(default_factory=lambda: {"nodes": 3, "clock": "realtime", "seed": 0})


@dataclass(frozen=True)
class Running:
    """A cluster's process. `pid` 0 and `url` "" when it is stopped."""

    name: str
    state: Path
    pid: int = 0
    url: str = ""
    version: str = ""
    config: dict[str, Any] = field(default_factory=dict)
    ports: tuple[dict[str, Any], ...] = ()

    @property
    def kubeconfig(self) -> Path:
        """Where its kubeconfig is."""
        return self.state / "kubeconfig"

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self.pid != 0


def folder_of(name: str, state_dir: Path | None, registry: state.Registry) -> Path:
    """Return the state folder of a cluster: named by the caller, known, or the default."""
    state.checked_name(name)
    known = registry.find(name)
    wanted = Path(os.path.abspath(state_dir.expanduser())) / name if state_dir else None  # noqa: PTH100 - links must stay visible
    if wanted and known and known != wanted and _look(name, known).alive:
        raise Refused(
            f"the cluster {name} runs already, with its state in {known}",
            f"labkit down --name {name}, or choose another --name",
        )
    return wanted or known or registry.default(name)


def find(name: str, registry: state.Registry | None = None) -> Running | None:
    """Return a cluster that is known, running or stopped; None when there is none of this name."""
    folder = (registry or state.Registry()).find(name)
    return _look(name, folder) if folder and (folder / "cluster.json").is_file() else None


def start(name: str, wish: Wish, state_dir: Path | None = None, registry: state.Registry | None = None) -> Running:
    """Start a cluster, or adopt the one that runs; return it when its API answers."""
    registry = registry or state.Registry()
    folder = folder_of(name, state_dir, registry)
    if state_dir:
        state.private_folder(folder.parent)
    state.private_folder(folder)
    with _locked(folder):
        found = _look(name, folder)
        if found.alive and found.version != kit.__version__:
            stop(found)
            found = _look(name, folder)
        if found.alive:
            _agree(found, wish)
            registry.note(name, folder)
            return found
        config = _config(name, folder, wish)
        state.replace(folder / "cluster.json", config)
        url = _launch(folder)
        state.replace(folder / "cluster.json", {**config, "port": urlsplit(url).port})
        registry.note(name, folder)
        return _look(name, folder)


def stop(running: Running) -> None:
    """End a cluster's process; its state stays."""
    if not running.alive:
        return
    born = state.started(running.pid)
    if not born:
        return
    for number, patience in ((signal.SIGTERM, STOP_S), (signal.SIGKILL, STOP_S)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(running.pid, number)
        limit = time.monotonic() + patience
        while time.monotonic() < limit:
            if _gone(running.pid, born):
                (running.state / "process.json").unlink(missing_ok=True)
                return
            time.sleep(0.02)
    raise Unavailable(f"the process {running.pid} of the cluster {running.name} does not end", f"kill -9 {running.pid}")


def remove(running: Running, registry: state.Registry | None = None) -> None:
    """End a cluster's process and throw its state away."""
    stop(running)
    if (running.state / "cluster.json").is_file():  # only what is ours
        shutil.rmtree(running.state, ignore_errors=True)
    (registry or state.Registry()).forget(running.name)


def renew(name: str, registry: state.Registry | None = None) -> Running:
    """Begin a cluster anew: same settings, same credentials and port, nothing in it. The way out of a damaged state."""
    found = find(name, registry)
    if found is None:
        raise Unavailable(f"there is no cluster named {name}", f"labkit up --name {name}")
    stop(found)
    for file in found.state.glob("state.db*"):
        file.unlink()
    return start(name, Wish(), registry=registry)


def ask(running: Running, method: str, path: str, body: Any = None, timeout_s: float = 5.0) -> dict[str, Any]:
    """Send one request to a cluster as its administrator; Unavailable when it does not answer."""
    parts = urlsplit(running.url)
    try:
        context = ssl.create_default_context(cafile=running.state / "ca.crt")
        token = (running.state / "token").read_text(encoding="ascii").strip()
        connection = http.client.HTTPSConnection("127.0.0.1", parts.port, context=context, timeout=timeout_s)
        sent = None if body is None else json.dumps(body)
        connection.request(method, path, sent, {"Authorization": f"Bearer {token}", "Content-Type": "application/json"})
        answer = connection.getresponse()
        found = json.loads(answer.read())
        connection.close()
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise Unavailable(f"the cluster {running.name} does not answer at {running.url}", "labkit status") from error
    if answer.status >= 400:
        raise Unavailable(str(found.get("message", found)), "")
    return dict(found)


# --- inside ---


def _look(name: str, folder: Path) -> Running:
    """Return what is known of the cluster in a folder, alive only if it is proven."""
    note, config = state.load(folder / "process.json"), state.load(folder / "cluster.json")
    stopped = Running(name, folder, config=config)
    pid = note.get("pid")
    if not isinstance(pid, int) or not note.get("started") or state.started(pid) != note["started"]:
        return stopped
    alive = Running(name, folder, pid, note["url"], note.get("version", ""), config, tuple(note.get("ports") or ()))
    try:
        ask(alive, "GET", "/kit/v1/version")
    except Unavailable:
        return stopped
    return alive


def _agree(found: Running, wish: Wish) -> None:
    """Refuse to adopt a cluster that is not what was asked for."""
    for key in ("nodes", "clock", "seed", "webhook_urls"):
        wanted, has = getattr(wish, key), found.config.get(key)
        if wanted is not None and wanted != has:
            raise Refused(
                f"the cluster {found.name} runs already with {key} {has}, not {wanted}",
                f"labkit down --name {found.name}, or choose another --name",
            )


def _config(name: str, folder: Path, wish: Wish) -> dict[str, Any]:
    """Return what the process is started with. Nodes and seed of a cluster that has state stay what they were."""
    before = state.load(folder / "cluster.json")
    config = {**wish.defaults, **before, "name": name}
    has_state = (folder / "state.db").is_file()
    for key in ("nodes", "clock", "seed", "port", "expose", "webhook_urls"):
        value = getattr(wish, key)
        if value is None:
            continue
        if has_state and key in {"nodes", "seed"} and before.get(key) not in {None, value}:
            raise Refused(
                f"the cluster {name} was made with {key} {before[key]}, not {value}",
                f"labkit reset --name {name} begins it anew",
            )
        config[key] = value
    config["fixed_port"] = wish.port is not None
    if config["clock"] not in {"realtime", "settled"}:
        why = (
            "the stepped clock is not built yet"
            if config["clock"] == "stepped"
            else f"there is no clock {config['clock']!r}"
        )
        raise BadInput(why, "--clock realtime or --clock settled")
    if not 1 <= int(config["nodes"]) <= 1000:
        raise BadInput(f"a cluster can't have {config['nodes']} nodes", "--nodes takes 1 to 1000")
    return config


def _launch(folder: Path) -> str:
    """Start the process, detached, and return its URL when it is ready."""
    reading, writing = os.pipe()
    os.set_inheritable(writing, True)
    log = os.open(folder / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        child = subprocess.Popen(
            [sys.executable, *ENTRY, str(folder), str(writing)],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=(writing,), start_new_session=True, cwd="/", umask=0o077,
            env=_environment(),
        )  # fmt: skip
    finally:
        os.close(writing)
        os.close(log)
    child.returncode = 0  # it is not ours to wait for: it outlives us
    with os.fdopen(reading, "rb") as pipe:
        answered, _, _ = select.select([pipe], [], [], START_S)
        line = pipe.readline() if answered else b""
    if not line:
        raise Unavailable(
            "the cluster's process did not start", f"the end of {folder / 'log'}:\n{_tail(folder / 'log')}"
        )
    message = json.loads(line)
    if "url" not in message:
        kind = getattr(errors, str(message.get("kind")), Unavailable)
        raise kind(message["what"], message["next"])
    return str(message["url"])


def _environment() -> dict[str, str]:
    """Return the environment without what a learner's shell may have put there for Python."""
    home = str(Path(kit.__file__).parent.parent)
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    return {**kept, "PYTHONPATH": home, "PYTHONHASHSEED": "0", "PYTHONUNBUFFERED": "1"}


def _tail(path: Path) -> str:
    with contextlib.suppress(OSError):
        return "\n".join(path.read_text(encoding="utf-8", errors="replace").splitlines()[-5:])
    return "(empty)"


def _gone(pid: int, born: str) -> bool:
    """Tell whether a process has ended; one that is our own child is taken leave of."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    return state.started(pid) != born


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Let one starter in at a time."""
    handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
