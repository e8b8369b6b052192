"""The command line on a machine that can run kind, with a state folder of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.fixture(scope="session")
def machine(engine_env, tmp_path_factory):
    """Return the environment in which docker and kind work, with a state folder of its own."""
    return {**engine_env, "XDG_STATE_HOME": str(tmp_path_factory.mktemp("state"))}


@pytest.fixture(scope="session")
def labkit(machine):
    """Run `labkit` on that machine."""

    def run(*words, **options):
        command = [sys.executable, "-m", "kit.cli.main", *words]
        return subprocess.run(command, capture_output=True, text=True, check=False, env=machine, timeout=900, **options)

    return run
