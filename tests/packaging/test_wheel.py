"""The wheel in an environment of its own and a fresh home: it carries the course, and a lab runs from it."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
RUNNER = Path(__file__).with_name("run_notebooks.py")
COURSE = ("labs", "solutions", "manifests")


@pytest.fixture(scope="module")
def built(tree, tmp_path_factory):
    """Build the sdist, and the wheel from it, offline; return the folder."""
    target = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", target, tree]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return target


@pytest.fixture(scope="module")
def installed(built, environment, tmp_path_factory):
    """Install the wheel; return the environment, whose cluster is gone afterwards."""
    home = tmp_path_factory.mktemp("home")
    made = environment(tmp_path_factory.mktemp("env") / "venv", home)
    install = ["uv", "pip", "install", "-q", "--offline", "--no-deps", "--python", made.bin / "python"]
    subprocess.run([sys.executable, "-m", *install, *built.glob("*.whl")], check=True)
    yield made
    made.run("labkit", "down", "--delete")


def course_of(tree):
    """Return the course's files, as paths in the repository."""
    files = (path for part in COURSE for path in (tree / part).rglob("*") if path.is_file())
    return {str(path.relative_to(tree)) for path in files}


def test_wheel_and_sdist_carry_the_whole_course_once(tree, built):
    wanted = course_of(tree)
    assert "labs/course.toml" in wanted
    (wheel,) = built.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    prefix = "kit/course_files/"
    assert {name.removeprefix(prefix) for name in names if name.startswith(prefix)} == wanted
    assert {name.partition("/")[0] for name in names if ".dist-info" not in name} == {"kit"}
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        files = {name.partition("/")[2] for name in archive.getnames()}
    assert wanted <= files
    assert {"binder/start", "constraints.txt", "Makefile", "setup.py"} <= files


def test_every_file_of_the_package_is_in_the_wheel(tree, built):
    (wheel,) = built.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {str(path.relative_to(tree)) for path in (tree / "kit").rglob("*") if path.is_file()} <= names


def test_labs_are_listed_and_none_can_be_built(installed):
    rows = json.loads(installed.run("labkit", "labs", "list", "--json"))
    assert [row["number"] for row in rows] == sorted(row["number"] for row in rows)
    assert "01" in {row["number"] for row in rows}
    refused = subprocess.run(
        [installed.bin / "labkit", "labs", "build"],
        env=installed.variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode == 1
    assert "a clone of the repository" in refused.stderr


def test_the_first_lab_runs_from_the_wheel_in_a_fresh_home(installed):
    python = str(installed.bin / "python")
    installed.run(python, "-c", "from kit.cli import lab; lab.prepared()")
    folder = installed.home / "kubernetes-labs"
    first = min(folder.glob("[0-9][0-9]_*.ipynb")).name
    report = json.loads(installed.run(python, str(RUNNER), str(folder), first, LABKIT_CLOCK="settled"))
    assert Path(report["kit"]).is_relative_to(installed.folder)
    shown = report["shown"][first]
    assert f"lab-{first[:2]}" in shown
    assert "TODO" in shown
    assert not [line for line in shown.splitlines() if line.startswith("ERROR")]
    assert (folder / "solutions" / first).is_file()
