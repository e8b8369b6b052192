"""A whole embedded cluster for the clients that people use: a process of its own, in real time."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for `definitions`, beside the tests


@pytest.fixture(scope="session")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Return the handle of a new cluster."""
    from kit.providers.base import Wanted, quiet
    from kit.providers.embedded import Embedded

    folder, name = tmp_path_factory.mktemp("official"), f"official-{os.getpid()}"
    provider = Embedded()
    yield provider.up(Wanted(name, clock="realtime", seed=1, state_dir=folder), quiet)
    provider.down(name, delete=True)
