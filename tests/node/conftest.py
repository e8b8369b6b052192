"""Lets the tests of this folder import what stands beside them, and what plays other recordings."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "controllers")]  # `asking`, `scenario`
sys.path.append(str(HERE.parent / "kubectl"))  # `transcripts`


@pytest.fixture
def world() -> Any:
    """Return kubelets on a store with a plain apply."""
    from world import World

    return World()


@pytest.fixture
def bench() -> Any:
    """Return a container's kernel alone."""
    from kernel import Bench

    return Bench()
