"""The cluster map in a browser: how long an update of 500 objects takes."""

from __future__ import annotations

import json
import subprocess
import sys

from stage import ROOT, Row

PROGRAM = ROOT / "tests" / "browser" / "measure_graph.py"


def measure():
    """The program prints one line of JSON: {"update_ms": N}."""
    if not PROGRAM.exists():
        return
    done = subprocess.run([sys.executable, str(PROGRAM)], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    yield Row("graph update, 500 objects", json.loads(done.stdout.splitlines()[-1])["update_ms"], "ms", 50)
