"""Every notebook under nbval, each on its own new settled cluster: exercises run to the end, solutions print what is stored."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kit.course.settled import settled_cluster

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted([*ROOT.glob("labs/**/*.ipynb"), *ROOT.glob("solutions/**/*.ipynb")])
STRICT = ["--nbval", "--nbval-sanitize-with", str(ROOT / "tests/nbval.ini")]


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: str(path.relative_to(ROOT)))
def test_runs_as_stored(notebook: Path) -> None:
    with settled_cluster(f"nbval-{os.getpid()}") as settled:
        command = [sys.executable, "-m", "pytest", "-c", os.devnull, "-q", "-p", "no:cacheprovider", "--nbval-current-env",
                   "--nbval-cell-timeout", "60", *STRICT, str(notebook)]  # fmt: skip
        environment = {**os.environ, **settled.variables, "PYTHONWARNINGS": "ignore"}
        done = subprocess.run(
            command, env=environment, cwd=notebook.parent, capture_output=True, text=True, timeout=300, check=False
        )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


def test_there_are_notebooks_in_both_languages() -> None:
    names = {str(path.relative_to(ROOT)) for path in NOTEBOOKS}
    for lab in ("00_tour", "01_pods"):
        assert {
            f"labs/{lab}.ipynb",
            f"labs/zh/{lab}.ipynb",
            f"solutions/{lab}.ipynb",
            f"solutions/zh/{lab}.ipynb",
        } <= names
