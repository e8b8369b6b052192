"""`labkit lab`: a cluster, the learner's folder, and JupyterLab on it."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import typer

from kit.cli import options
from kit.cli.env import variables
from kit.providers import choose

FIRST = "00_*.ipynb"


def lab(
    context: typer.Context,
    name: options.Name = None,
    provider: options.ProviderName = None,
    nodes: options.Nodes = None,
    clock: options.ClockMode = None,
    seed: options.Seed = None,
    state_dir: options.StateDir = None,
) -> None:
    """Start a cluster and open JupyterLab on the course; further arguments go to JupyterLab."""
    with options.progress() as show:
        handle = choose.connect(name, provider, progress=show, nodes=nodes, clock=clock, seed=seed, state_dir=state_dir)
        show("bringing the labs up to date")
        folder = prepared()
    options.say(f"cluster {handle.name} ({handle.provider}) answers; your labs are in {folder}")
    environment = {**os.environ, **variables(handle, os.environ.get("PATH", ""))}
    command = arguments(folder, context.args)
    os.chdir(folder)
    sys.stdout.flush()
    os.execve(command[0], command, environment)  # noqa: S606 - JupyterLab takes this process's place: Ctrl-C reaches it


def prepared() -> Path:
    """Bring the learner's folder up to date and return it."""
    from kit.course import catalog, folder

    root = catalog.course_root()
    chosen = os.environ.get("LABKIT_FOLDER")
    target = Path(chosen) if chosen else folder.learners_folder(root, Path.home())
    brought = str(folder.bring(root, target))
    if brought:
        options.say(brought)
    return target.resolve()


def arguments(folder: Path, further: list[str]) -> list[str]:
    """Return JupyterLab's command line: terminals keep PATH and KUBECONFIG, and the first lab is opened."""
    first = next(iter(sorted(path.name for path in folder.glob(FIRST))), "")
    opened = [f"--LabApp.default_url=/lab/tree/{first}"] if first else []
    return [
        sys.executable, "-m", "jupyterlab",
        f"--ServerApp.root_dir={folder}",
        f"--ServerApp.terminado_settings={json.dumps(terminal())}",
        "--LabApp.expose_app_in_browser=True",
        *opened,
        *further,
    ]  # fmt: skip


def terminal() -> dict[str, Any]:
    """Return terminado's settings: not a login shell, whose profile would reset PATH (Debian's does)."""
    if bash := shutil.which("bash"):
        return {"shell_command": [bash, "--norc", "-i"]}
    return {"shell_command": [os.environ.get("SHELL") or "sh"]}
