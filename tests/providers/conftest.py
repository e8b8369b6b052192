"""A home of its own, a fake `docker` on PATH, and the real `kind` command where the machine or the rig has one."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

SHIMS = Path(__file__).parents[1] / "shims"
MARKER = "kindcommand"


def kind_command() -> str | None:
    """Return the kind command: on PATH, else among what the rig unpacked."""
    if found := shutil.which("kind"):
        return found
    cache = os.environ.get("KUBE_RIG_CACHE") or str(
        Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kube-rig"
    )
    return shutil.which("kind", path=str(Path(cache) / "tools" / "bin"))


KIND = kind_command()  # before a test changes HOME


def pytest_configure(config):
    config.addinivalue_line("markers", f"{MARKER}: drives the real kind command with a fake engine")


def pytest_collection_modifyitems(config, items):
    if KIND:
        return
    left_out = [item for item in items if item.get_closest_marker(MARKER)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
        config.stash[REASON] = f"{len(left_out)} tests need a kind command: none on PATH, none in the rig's cache"


REASON = pytest.StashKey[str]()


def pytest_terminal_summary(terminalreporter, config):
    if reason := config.stash.get(REASON, ""):
        terminalreporter.write_line(f"deselected: {reason}")


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Let the kit keep its state in an empty folder, and see none of this machine's settings."""
    for name in [name for name in os.environ if name.startswith(("LABKIT_", "KIND_", "DOCKER_"))] + ["KUBECONFIG"]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path


@pytest.fixture
def shim(home, monkeypatch):
    """Put the fake `docker` before all others; the returned function sets how it behaves."""
    state = home / "docker"
    state.mkdir()
    tools = home / "tools"
    tools.mkdir()
    (tools / "docker").symlink_to(SHIMS / "docker")
    if KIND:
        (tools / "kind").symlink_to(KIND)
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}/usr/local/bin{os.pathsep}/usr/bin{os.pathsep}/bin")
    monkeypatch.setenv("SHIM_DOCKER_STATE", str(state))

    def behave(mode: str) -> Path:
        monkeypatch.setenv("SHIM_DOCKER_MODE", mode)
        return state

    behave("ok")
    return behave
