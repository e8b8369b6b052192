"""The second `labkit lab`: from the command until /lab and the cluster answer, and until a notebook has an idle kernel."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from stage import BIN, ROOT, Row

sys.path.insert(0, str(ROOT / "tests" / "cli"))
from jupyter import LABKIT, Jupyter, fresh_environment


def measure():
    """Start once, so that notebooks and cluster are there; stop; start again."""
    with tempfile.TemporaryDirectory(prefix="labkit-bench-") as folder:
        env = fresh_environment(Path(folder))
        try:
            _started(env)
            subprocess.run([LABKIT, "down"], env=env, check=True, capture_output=True)
            page, kernel = _started(env)
        finally:
            subprocess.run([LABKIT, "down", "--delete"], env=env, check=True, capture_output=True)
    yield Row("second `labkit lab` until /lab and the cluster answer", page, "s", 4)
    yield Row("  until a notebook has an idle kernel", kernel, "s", 8)


def _started(env):
    server = Jupyter(env)
    try:
        server.ask("/lab")
        path = subprocess.run(
            [LABKIT, "kubeconfig"], env=env, check=True, capture_output=True, text=True
        ).stdout.strip()
        asked = [BIN / "kubectl", "--kubeconfig", path, "get", "nodes"]
        subprocess.run(asked, env=env, check=True, capture_output=True)
        page = server.elapsed()
        server.notebook("01_pods.ipynb").close()
        return page, server.elapsed()
    finally:
        server.stop()
