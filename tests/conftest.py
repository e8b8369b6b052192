"""Fixtures every test may use."""

from __future__ import annotations

import json
import lzma
import os
import shlex
import shutil
import subprocess
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from kit.errors import KitError
from kit.providers import choose
from kit.providers.base import Handle

RIG = os.environ.get("KUBE_RIG", "")
NODE_IMAGE = "kindest/node:v1.37.2"
BASES = ("python:3.13-slim", "nginx:1.30")
NO_CLUSTER = 75  # the exit code by which CI knows that a real cluster could not be made
LEFT_OUT = pytest.StashKey[dict[str, int]]()
NEEDS = {
    "kind": "a real cluster (--provider=kind)",
    "rig": "a real API server (KUBE_RIG)",
}  # marker: what it stands for
FACTS = Path(__file__).parent / "facts"


@cache
def _read(name: str) -> Any:
    text = lzma.decompress((FACTS / f"{name}.xz").read_bytes()).decode()
    return [json.loads(line) for line in text.splitlines()] if name.endswith(".jsonl") else json.loads(text)


@pytest.fixture(scope="session")
def facts() -> Callable[[str], Any]:
    """Return a reader of recorded truth: `facts("patches.jsonl")` is a list of cases, `facts("schema.json")` a document."""
    return _read


class Ledger:
    """The misses that are known of the recorded cases: reason by id."""

    def __init__(self, path: Path) -> None:
        entries = tomllib.loads(path.read_text(encoding="utf-8"))["miss"]
        self.known = {id: entry["reason"] for entry in entries for id in entry["ids"].split()}

    def hold(self, name: str, played: Iterable[str], missed: Mapping[str, str]) -> None:
        """Say how many cases matched; fail unless each of the missed (id: how it differs) is listed, and nothing else that was played."""
        ids = list(played)
        print(f"\n{name}: {len(ids) - len(missed)}/{len(ids)} matched")
        unlisted = [f"{id}: {text}" for id, text in missed.items() if id not in self.known]
        assert not unlisted, "\n".join(unlisted)
        stale = [id for id in ids if id in self.known and id not in missed]
        assert not stale, f"these match now, take them out of the ledger: {' '.join(stale)}"


@pytest.fixture(scope="session")
def ledger() -> Ledger:
    """Return the ledger of known misses (tests/parity)."""
    return Ledger(FACTS.parent / "parity" / "ledger.toml")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--provider`: on which cluster the behaviour tests run."""
    parser.addoption("--provider", choices=("embedded", "kind"), default="embedded", help="where behaviour tests run")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests that need what is not here or not asked for."""
    there = {"kind": config.getoption("--provider") == "kind", "rig": bool(RIG)}
    config.stash[LEFT_OUT] = {}
    for marker in [marker for marker, is_there in there.items() if not is_there]:
        left_out = [item for item in items if item.get_closest_marker(marker)]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
        config.stash[LEFT_OUT][marker] = len(left_out)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what was left out."""
    for marker, count in config.stash.get(LEFT_OUT, {}).items():
        if count:
            terminalreporter.write_line(f"deselected: {count} tests need {NEEDS[marker]}")


def rig(*words: str) -> str:
    """Run the rig and return what it prints."""
    command = ["bash", str(Path(RIG) / "rig.sh"), *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="session")
def engine_env() -> dict[str, str]:
    """Return the environment in which docker and kind work: the rig's engine (KUBE_RIG), else what is on PATH."""
    env = {key: value for key, value in os.environ.items() if key != "KUBECONFIG" and not key.startswith("LABKIT_")}
    if not RIG:
        if not (shutil.which("kind") and shutil.which("docker")):
            pytest.exit("no real cluster: kind and docker are not on PATH, and KUBE_RIG is not set", NO_CLUSTER)
        return env
    try:
        rig("image")
        words = dict(word.split("=", 1) for word in shlex.split(rig("env")) if "=" in word)
    except subprocess.CalledProcessError as error:
        pytest.exit(f"no real cluster: the rig failed: {error.stderr[-500:]}", NO_CLUSTER)
    paths = words["PATH"].replace("$PATH", env["PATH"])
    return {**env, "PATH": paths, "DOCKER_HOST": words["DOCKER_HOST"], "LABKIT_KIND_IMAGE": NODE_IMAGE}


@pytest.fixture(scope="session")
def course_images(engine_env: dict[str, str]) -> Callable[[str], None]:
    """Return what puts the course's images into the engine, once a cluster of this name runs."""

    def fetch(cluster: str) -> None:
        if RIG:
            rig("load", "--name", cluster)
            return
        for image in BASES:
            subprocess.run(["docker", "pull", image], check=True, capture_output=True, env=engine_env)

    return fetch


@pytest.fixture(scope="session")
def real_cluster(engine_env: dict[str, str], course_images: Callable[[str], None]) -> Iterator[Handle]:
    """Return the kind cluster `lab`, made or adopted by our own provider, with the course's images in it; it stays."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("KUBECONFIG", raising=False)
        for name, value in engine_env.items():
            patch.setenv(name, value)
        try:
            handle = choose.connect("lab", "kind", nodes=3)
        except KitError as error:
            pytest.exit(f"no real cluster: {error}", NO_CLUSTER)
        words = ["docker", "image", "inspect", *BASES]
        if subprocess.run(words, capture_output=True, env=engine_env, check=False).returncode:
            course_images("lab")
            handle = choose.connect("lab", "kind", nodes=3)
        yield handle
