"""`labkit lab`: a cluster, the learner's folder, and JupyterLab on it."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer

import kit
from kit.cli import options
from kit.cli.env import variables
from kit.providers import choose
from kit.providers.base import Handle

FIRST = "00_*.ipynb"
SETTINGS = Path(kit.__file__).parent / "notebook" / "settings"


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
    at = state_dir.absolute() if state_dir else None
    with options.progress() as show:
        show("bringing the labs up to date")
        folder = prepared()
        os.chdir(folder)  # here a provider chosen earlier is found, and one named now is remembered
        handle = choose.connect(name, provider, progress=show, nodes=nodes, clock=clock, seed=seed, state_dir=at)
    options.say(f"cluster {handle.name} ({handle.provider}) answers; your labs are in {folder}")
    environment = {**os.environ, **shared(handle, os.environ), **settings(os.environ)}
    command = arguments(folder, context.args)
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
        *(["--allow-root"] if os.geteuid() == 0 else []),  # in a container there is often nobody else
        *opened,
        *further,
    ]  # fmt: skip


def shared(handle: Handle, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of kernels and terminals; the provider is not one: the folder remembers it, and it may change."""
    found = variables(handle, environment.get("PATH", ""))
    return {key: value for key, value in found.items() if key != "LABKIT_PROVIDER" or key in environment}


def settings(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variable that lays our settings (no news pop-up, widgets keep their state) under the learner's own."""
    further = environment.get("JUPYTER_CONFIG_PATH")
    return {"JUPYTER_CONFIG_PATH": os.pathsep.join([*([further] if further else []), str(SETTINGS)])}


def terminal() -> dict[str, Any]:
    """Return terminado's settings: not a login shell, whose profile would reset PATH (Debian's does)."""
    if bash := shutil.which("bash"):
        return {"shell_command": [bash, "--norc", "-i"]}
    return {"shell_command": [os.environ.get("SHELL") or "sh"]}
