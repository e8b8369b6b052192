"""One notebook under nbval in a process of its own, forked from one that has imported pytest and nbval: their import takes 2 s."""

from __future__ import annotations

import multiprocessing
import os
import sys
import tempfile
from pathlib import Path

import pytest

from kit.course.settled import settled_cluster

LIMIT_S = 300
_FORKING = multiprocessing.get_context("forkserver")
_FORKING.set_forkserver_preload(["pytest", "nbval.plugin", "nbformat", "kit.course.settled"])


def play(notebook: Path, name: str, *options: str) -> tuple[int | None, str]:
    """Run a notebook on a new settled cluster called `name`; return pytest's exit code (None: not done in time) and what it printed."""
    with settled_cluster(name) as settled, tempfile.NamedTemporaryFile() as said:
        environment = {**os.environ, **settled.variables}
        process = _FORKING.Process(target=_run, args=(notebook, environment, said.name, options))
        process.start()
        process.join(LIMIT_S)
        code = process.exitcode
        process.kill()
        process.join()
        return code, Path(said.name).read_text(encoding="utf-8", errors="replace")


def _run(notebook: Path, environment: dict[str, str], said: str, options: tuple[str, ...]) -> None:
    with Path(said).open("wb") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    os.environ.update({**environment, "PYTHONWARNINGS": "ignore", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"})
    os.chdir(notebook.parent)
    words = ["-c", os.devnull, "-q", "-W", "ignore", "-p", "no:cacheprovider", "-p", "nbval.plugin",
             "--nbval", "--nbval-current-env", *options, str(notebook)]  # fmt: skip
    code = int(pytest.main(words))
    sys.stdout.flush()
    os._exit(code)
