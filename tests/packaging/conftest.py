"""What the tests of packaging share: a copy of the tree, and an environment of its own that borrows the third-party packages of ours."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "build", "dist", "work", "facts")


class Environment:
    """An empty virtual environment; what it has of third parties it reads from ours, so that nothing is downloaded."""

    def __init__(self, folder, home, base=sys.executable):
        self.folder, self.home = folder, home
        self.bin = folder / "bin"
        subprocess.run([sys.executable, "-m", "uv", "venv", "-q", "--python", base, folder], check=True)
        site = next(folder.glob("lib/python*/site-packages"))
        (site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")

    @property
    def variables(self):
        """Return the variables of a newcomer's shell in which the environment is activated."""
        kept = {key: os.environ[key] for key in ("LANG", "TMPDIR") if key in os.environ}
        ours = str(Path(sys.executable).parent)  # kubectl is a program of a package that is borrowed
        return {**kept, "HOME": str(self.home), "PATH": os.pathsep.join([str(self.bin), ours, "/usr/bin", "/bin"])}

    def run(self, *command, **more):
        """Run a command and return what it printed."""
        done = subprocess.run(
            command, env={**self.variables, **more}, cwd=self.home, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}: {done.stdout}\n{done.stderr}"
        return done.stdout


@pytest.fixture(scope="session")
def tree(tmp_path_factory):
    """Return a copy of the working tree as a clone has it."""
    return shutil.copytree(ROOT, tmp_path_factory.mktemp("tree") / "clone", ignore=LEFT_OUT)


@pytest.fixture(scope="session")
def environment():
    """Return the maker of environments: `environment(folder, home)`."""
    return Environment
