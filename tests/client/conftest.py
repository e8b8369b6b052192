"""A whole embedded cluster for the clients that people use: a process of its own, in real time."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for `definitions`, beside the tests
RIG = os.environ.get("KUBE_RIG", "")
LEFT_OUT = pytest.StashKey[int]()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "rig: needs the real control plane that KUBE_RIG starts")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the tests of a real server out where there is none."""
    left_out = [] if RIG else [item for item in items if item.get_closest_marker("rig")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
        config.stash[LEFT_OUT] = len(left_out)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what was left out."""
    if count := config.stash.get(LEFT_OUT, 0):
        terminalreporter.write_line(f"deselected: {count} tests need a real API server (KUBE_RIG)")


@pytest.fixture(scope="session")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Return the handle of a new cluster."""
    from kit.providers.base import Wanted, quiet
    from kit.providers.embedded import Embedded

    folder, name = tmp_path_factory.mktemp("official"), f"official-{os.getpid()}"
    provider = Embedded()
    yield provider.up(Wanted(name, clock="realtime", seed=1, state_dir=folder), quiet)
    provider.down(name, delete=True)
