"""What a shell needs to reach the lab: a kubeconfig whose namespace is the lab's, kubectl on PATH, the lab's manifests."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import yaml

from kit.course.progress import write_whole
from kit.errors import KitError
from kit.runtime.state import user_state

_LIMIT_S = 180


def environment(kubeconfig: Path, cluster: str, namespace: str, manifests: Path) -> dict[str, str]:
    """Write the lab's kubeconfig and return the variables that make `kubectl` use it."""
    folder = state_folder() / "kubeconfigs"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    target = folder / f"{cluster}-{namespace}.yaml"
    write_whole(target, in_namespace(kubeconfig, namespace))
    tools = str(Path(sys.executable).parent)
    paths = [tools, *(part for part in os.environ.get("PATH", "").split(os.pathsep) if part and part != tools)]
    return {"KUBECONFIG": str(target), "PATH": os.pathsep.join(paths), "MANIFESTS": str(manifests)}


def in_namespace(kubeconfig: Path, namespace: str) -> str:
    """Return the text of a kubeconfig whose current context names `namespace`."""
    document = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))
    for entry in document.get("contexts") or []:
        if entry["name"] == document.get("current-context"):
            entry["context"]["namespace"] = namespace
    return yaml.safe_dump(document, sort_keys=True)


def state_folder() -> Path:
    """Return the folder of the kit's own state."""
    given = os.environ.get("LABKIT_STATE_DIR")
    return Path(given) if given else user_state()


def shell(command: str, variables: Mapping[str, str]) -> str:
    """Run a course author's script line by `sh -c`; what it prints is returned, a failure raises."""
    ran = subprocess.run(
        ["/bin/sh", "-c", command],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=_LIMIT_S,
        check=False,
    )
    if ran.returncode:
        raise KitError(f"{command!r} failed with {ran.returncode}: {(ran.stderr or ran.stdout).strip()}")
    return ran.stdout
