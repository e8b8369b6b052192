"""`import kit` in a fresh interpreter, and with it the object `kit.lab`."""

from __future__ import annotations

import subprocess
import sys

from stage import ROOT, Row, timed

TIMES = 5


def measure():
    """The best of a few, the interpreter's own start included."""
    yield Row("interpreter alone", _best("pass"), "s")
    yield Row("interpreter and `import kit`", _best("import kit"), "s", 0.4)
    yield Row("interpreter, `import kit` and `kit.lab`", _best("import kit; kit.lab"), "s", 0.4)


def _best(code):
    return min(timed(lambda: subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)) for _ in range(TIMES))
