"""`labkit env`."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

from kit.cli import options
from kit.cli.kubeconfig import running
from kit.providers.base import Handle


def env(name: options.Name = None, provider: options.ProviderName = None, state_dir: options.StateDir = None) -> None:
    """Print the variables for a shell."""
    for key, value in variables(running(name, provider), os.environ.get("PATH", "")).items():
        options.say(f"export {key}={shlex.quote(value)}")


def variables(handle: Handle, path: str) -> dict[str, str]:
    """Return the variables under which kubectl and `kit` find a cluster; our own folder of commands leads PATH."""
    ours = str(Path(sys.executable).parent)
    rest = [folder for folder in path.split(os.pathsep) if folder and folder != ours]
    return {
        "KUBECONFIG": str(handle.kubeconfig),
        "LABKIT_NAME": handle.name,
        "LABKIT_PROVIDER": handle.provider,
        "PATH": os.pathsep.join([ours, *rest]),
    }
