"""Servers that the real kubectl of the virtual environment talks to."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "controllers")]  # `stage` imitates the kubelet that the recordings had


@pytest.fixture(scope="session")
def recorded_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Return the machine as the transcripts had it (three nodes, an imitated kubelet) behind its HTTPS server."""
    from recorded_server import RecordedServer

    server = RecordedServer(tmp_path_factory.mktemp("server"))
    yield server
    server.close()


@pytest.fixture(scope="session")
def player(recorded_server: Any, facts: Callable[[str], Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return what plays transcripts with the real kubectl."""
    from playing import Player

    return Player(recorded_server, facts("kubectl-worlds.json"), tmp_path_factory.mktemp("kubectl"))


@pytest.fixture(scope="session")
def live(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Return the real kubectl on a whole cluster: embedded as a process of its own, in real time, or the real one."""
    from shell import Kubectl

    if request.config.getoption("--provider") == "kind":
        yield Kubectl(request.getfixturevalue("real_cluster"), tmp_path_factory.mktemp("work"))
        return

    from kit.providers.base import Wanted, quiet
    from kit.providers.embedded import Embedded

    folder, name = tmp_path_factory.mktemp("live"), f"kubectl-{os.getpid()}"
    provider = Embedded()
    handle = provider.up(Wanted(name, clock="realtime", seed=1, state_dir=folder), quiet)
    yield Kubectl(handle, tmp_path_factory.mktemp("work"))
    provider.down(name, delete=True)


@pytest.fixture
def kubectl(live: Any, request: pytest.FixtureRequest) -> Iterator[Any]:
    """Return kubectl in a namespace of the test's own."""
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.removeprefix("test_"))[:50].strip("-")
    yield live.inside(name)
    live("delete", "namespace", name, "--wait=false")
