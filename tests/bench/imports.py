"""`import kit` in a fresh interpreter, and with it the object `kit.lab`."""

from __future__ import annotations

import subprocess
import sys

from stage import ROOT, Row, timed

TIMES = 5


def measure():
    """The best of a few, less the interpreter's own start."""
    bare = _best("pass")
    yield Row("`import kit`", _best("import kit") - bare, "s", 0.4)
    yield Row("`import kit` and reach `kit.lab`", _best("import kit; kit.lab") - bare, "s", 0.4)


def _best(code):
    return min(timed(lambda: subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)) for _ in range(TIMES))
