"""A machine that can run kind: the rig's engine and images (KUBE_RIG), else the docker and kind that are on PATH."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
RIG = os.environ.get("KUBE_RIG", "")
NODE_IMAGE = "kindest/node:v1.37.2"
BASES = ("python:3.13-slim", "nginx:1.30")
REASON = pytest.StashKey[str]()


def pytest_collection_modifyitems(config, items):
    if RIG or (shutil.which("kind") and shutil.which("docker")):
        return
    left_out = [item for item in items if item.path.is_relative_to(HERE)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
        config.stash[REASON] = f"{len(left_out)} tests need kind and docker on PATH, or KUBE_RIG"


def pytest_terminal_summary(terminalreporter, config):
    if reason := config.stash.get(REASON, ""):
        terminalreporter.write_line(f"deselected: {reason}")


def rig(*words):
    """Run the rig and return what it prints."""
    command = ["bash", str(Path(RIG) / "rig.sh"), *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="session")
def machine(tmp_path_factory):
    """Return the environment in which docker and kind work, with a state folder of its own."""
    env = {key: value for key, value in os.environ.items() if key != "KUBECONFIG" and not key.startswith("LABKIT_")}
    env["XDG_STATE_HOME"] = str(tmp_path_factory.mktemp("state"))
    if RIG:
        rig("image")
        words = dict(word.split("=", 1) for word in shlex.split(rig("env")) if "=" in word)
        env["PATH"] = words["PATH"].replace("$PATH", env["PATH"])
        env["DOCKER_HOST"] = words["DOCKER_HOST"]
        env["LABKIT_KIND_IMAGE"] = NODE_IMAGE
    return env


@pytest.fixture(scope="session")
def labkit(machine):
    """Run `labkit` on that machine."""

    def run(*words, **options):
        command = [sys.executable, "-m", "kit.cli.main", *words]
        return subprocess.run(command, capture_output=True, text=True, check=False, env=machine, timeout=900, **options)

    return run


@pytest.fixture(scope="session")
def images(machine):
    """Return what puts the course's images into the engine, once a cluster of this name runs."""

    def fetch(cluster):
        if RIG:
            rig("load", "--name", cluster)
            return
        for image in BASES:
            subprocess.run(["docker", "pull", image], check=True, capture_output=True, env=machine)

    return fetch
