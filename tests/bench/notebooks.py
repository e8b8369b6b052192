"""Both labs in both languages under nbval: the notebooks' own tests, by the wall."""

from __future__ import annotations

import subprocess
import sys

from stage import ROOT, Row, timed

TESTS = ROOT / "tests" / "notebooks"


def measure():
    """Run them as `make test` does, in one process."""
    if not TESTS.is_dir():
        return
    command = [sys.executable, "-m", "pytest", str(TESTS), "-q", "-p", "no:cacheprovider"]
    done = []
    took = timed(lambda: done.append(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)))
    if done[0].returncode:
        raise SystemExit(done[0].stdout[-3000:])
    yield Row("both labs under nbval, both languages", took, "s", 30)
