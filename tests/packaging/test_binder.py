"""Binder: what repo2docker makes of `binder/`, and the labs as its unprivileged user, without a network, within its 2 GiB."""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
GIB = 1 << 30
STRANGER = 12345
BINDER = {"python_version": "3.12", "python_full_version": "3.12.11", "sys_platform": "linux", "platform_system": "Linux",
          "os_name": "posix", "platform_machine": "x86_64", "implementation_name": "cpython",
          "platform_python_implementation": "CPython", "extra": ""}  # fmt: skip


def pinned(path):
    """Return name -> version of the lines that apply to a Binder image."""
    lines = (Requirement(line) for line in path.read_text().splitlines() if line and not line.startswith("#"))
    return {
        canonicalize_name(line.name): str(line.specifier).removeprefix("==")
        for line in lines
        if line.marker is None or line.marker.evaluate(BINDER)
    }


def needed(requirements, found):
    """Add what `requirements` need, and what that needs, to `found`."""
    for text in requirements:
        wanted = Requirement(text)
        extras = wanted.extras or {""}
        key = (canonicalize_name(wanted.name), frozenset(extras))
        if key in found:
            continue
        found.add(key)
        for line in importlib.metadata.requires(wanted.name) or []:
            inner = Requirement(line)
            if inner.marker is None or any(
                inner.marker.evaluate({**BINDER, "extra": extra}) for extra in {"", *extras}
            ):
                inner.marker = None
                needed([str(inner)], found)


def test_requirements_are_those_of_the_constraints_that_a_run_needs():
    mine, all_of_them = pinned(ROOT / "binder/requirements.txt"), pinned(ROOT / "constraints.txt")
    assert mine.items() <= all_of_them.items(), "make lock writes it anew"
    found = set()
    needed(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"], found)
    assert set(mine) == {name for name, _ in found}, "make lock writes it anew"
    assert not {name for name in mine if name.startswith("jupyterhub")}, "the hub's own version must stay"
    assert "make lock" in (ROOT / "binder/requirements.txt").read_text().splitlines()[0]


def test_requirements_and_constraints_are_names_and_versions_only():
    line = re.compile(r"[a-z0-9][a-z0-9._-]*==[\w.+!]+( ; .+)?")
    for name in ("constraints.txt", "binder/requirements.txt"):
        lines = [text for text in (ROOT / name).read_text().splitlines() if not text.startswith("#")]
        assert [text for text in lines if not line.fullmatch(text)] == []


def test_repo2docker_renders_what_we_mean(tree):
    line = [
        sys.executable,
        "-m",
        "repo2docker",
        "--no-build",
        "--debug",
        "--user-id",
        "1000",
        "--user-name",
        "jovyan",
        str(tree),
    ]
    env = {**os.environ, "DOCKER_HOST": "tcp://127.0.0.1:9"}
    shown = subprocess.run(line, env=env, capture_output=True, text=True, check=False)
    text = shown.stdout + shown.stderr
    assert shown.returncode == 0, text
    assert re.search(r"FROM \S*buildpack-deps:(noble|24\.04)", text)
    assert "Building conda environment for python=3.12" in text
    assert re.search(r"pip install[^\n]* -r \S*binder/requirements.txt", text)
    assert "./binder/postBuild" in text
    assert re.search(r'R2D_ENTRYPOINT="?[^\n]*binder/start', text)
    assert "--chown=1000:1000" in text


def memory_cgroup():
    """Return a new memory cgroup of 2 GiB and the file with its peak, or None where we may not make one."""
    for root, limit, peak in (
        ("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.max_usage_in_bytes"),
        ("/sys/fs/cgroup", "memory.max", "memory.peak"),
    ):
        group = Path(root) / f"kit-binder-{os.getpid()}"
        with contextlib.suppress(OSError):
            group.mkdir()
            try:
                (group / limit).write_text(str(2 * GIB))
                (group / peak).read_text()
                return group, group / peak
            except OSError:
                group.rmdir()
    return None


def resident(home):
    """Return the resident bytes of all processes whose HOME is `home`."""
    total = 0
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if f"HOME={home}\0".encode() in (process / "environ").read_bytes() + b"\0":
                total += int((process / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return total


# what a command started ends with it: the next one is in another network and could not reach it
ALONE = 'command -v labkit >/dev/null && trap "labkit down >&2" EXIT; "$@"'


class Visit:
    """A home as on Binder: the repository is in it, and commands run confined as far as we are allowed to."""

    def __init__(self, environment, cgroup):
        self.environment, self.peak = environment, 0
        self.group, self.group_peak = cgroup or (None, None)

    def run(self, *command):
        """Run a command in the repository; return what it printed."""
        line = ["bash", "-c", ALONE, "alone", *(str(word) for word in command)]
        if os.geteuid() == 0:
            group = str(self.group) if self.group else "-"
            line = ["unshare", "-n", "-m", sys.executable, str(HERE / "confine.py"), str(STRANGER), group, *line]
        home = self.environment.home
        more = {"BINDER_REPO_URL": "a repository", "JUPYTERHUB_SERVICE_PREFIX": "/user/visitor/"}
        env = {**self.environment.variables, **more, "PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0"}
        with subprocess.Popen(
            line, env=env, cwd=home / "repository", stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            while True:
                try:
                    out, err = process.communicate(timeout=0.3)
                    break
                except subprocess.TimeoutExpired:
                    self.peak = max(self.peak, resident(home))
        assert process.returncode == 0, f"{command}:\n{out}\n{err}"
        return out


@pytest.fixture(scope="module")
def visit(tree, environment, tmp_path_factory):
    """Build as Binder does (postBuild), as a stranger to this machine; end the cluster afterwards."""
    place = Path(tempfile.mkdtemp())  # pytest's own folders are closed to strangers
    home = place / "home"
    shutil.copytree(tree, home / "repository")
    shutil.copytree(HERE, home / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    made = environment(place / "venv", home)
    pip = made.bin / "pip"
    pip.write_text(f'#!/bin/sh\nexec {made.bin}/python -m pip --disable-pip-version-check "$@"\n')
    pip.chmod(0o755)
    place.chmod(0o755)
    if os.geteuid() == 0:
        for path in (home, made.folder, *home.rglob("*"), *made.folder.rglob("*")):
            os.chown(path, STRANGER, STRANGER, follow_symlinks=False)
    cgroup = memory_cgroup() if os.geteuid() == 0 else None
    stay = Visit(made, cgroup)
    try:
        stay.run("bash", "binder/postBuild")
        yield stay
    finally:
        if cgroup:
            cgroup[0].rmdir()
        shutil.rmtree(place)


@pytest.mark.slow
def test_the_build_prepares_what_a_launch_needs(visit):
    home = visit.environment.home
    settings = visit.environment.folder / "etc/jupyter/labconfig/default_setting_overrides.json"
    assert json.loads(settings.read_text())["@jupyter-widgets/jupyterlab-manager:plugin"] == {"saveState": True}
    assert (home / "repository/work/01_pods.ipynb").is_file()


@pytest.mark.slow
@pytest.mark.timeout(300)  # in real time: the labs wait for back-offs and rollouts
def test_a_visitor_works_through_the_labs(visit, capsys):
    work = visit.environment.home / "repository/work"
    names = sorted(path.name for path in work.glob("[0-9][0-9]_*.ipynb"))
    python, runner = visit.environment.bin / "python", visit.environment.home / "tests/run_notebooks.py"
    report = json.loads(visit.run("bash", "binder/start", python, runner, work, *names))
    for name in names:
        shown = report["shown"][name]
        assert "You are on Binder" in shown
        assert "TODO" in shown
        assert not [line for line in shown.splitlines() if line.startswith("ERROR")]
    assert json.loads((work / "progress.json").read_text())["labs"]
    in_group = (
        f"{int(visit.group_peak.read_text()) >> 20} MiB with files" if visit.group_peak else "no memory group here"
    )
    with capsys.disabled():
        print(f"\nBinder: {len(names)} labs, peak {visit.peak >> 20} MiB resident, {in_group} (limit 2048)")
    assert visit.peak < 2 * GIB


@pytest.mark.slow
def test_a_launch_has_a_cluster_and_terminals_know_it(visit):
    nodes = visit.run("bash", "binder/start", "kubectl", "get", "nodes", "-o", "name").split()
    assert nodes == ["node/lab-control-plane", "node/lab-worker", "node/lab-worker2"]


@pytest.mark.slow
def test_a_visitor_has_no_network_and_no_privileges(visit):
    if os.geteuid() == 0:
        code = "import os, socket; print(os.getuid(), [name for _, name in socket.if_nameindex()])"
        assert visit.run(visit.environment.bin / "python", "-c", code) == f"{STRANGER} ['lo']\n"


@pytest.mark.slow
def test_an_address_goes_through_the_proxy(visit):
    code = """if True:
        import kit
        spec = {"type": "NodePort", "ports": [{"port": 80}]}
        lab = kit.lab("01")
        lab.session.objects.create({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": spec})
        print(lab.url("web"))"""
    shown = visit.run("bash", "binder/start", visit.environment.bin / "python", "-c", code)
    assert re.search(r"^/user/visitor/proxy/\d+/$", shown, re.MULTILINE)
