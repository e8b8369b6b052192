"""The generated tables are what the facts give."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

COMPILE = Path(__file__).parents[1] / "facts" / "compile_data.py"


def test_no_table_is_stale() -> None:
    done = subprocess.run([sys.executable, COMPILE, "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
