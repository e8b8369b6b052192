"""The player of tests/api/test_facts_replay.py on a real API server: what is held against ours is what the real one says, today.

The control plane of KUBE_RIG runs; its controllers are stopped, as they were when the cases were recorded (access.jsonl: they run).
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "api"))
from realserver import RealServer
from replaying import bare, differences, outcome

pytestmark = [pytest.mark.rig, pytest.mark.slow, pytest.mark.timeout(600)]
FILES = (
    "defaulting.jsonl",
    "immutability.jsonl",
    "mutations.jsonl",
    "patches.jsonl",
    "tables.jsonl",
    "validation.jsonl",
)
RIG = os.environ.get("KUBE_RIG", "")
# Answered so only where the history has been compacted meanwhile, as the server does every five minutes; or by what else is there.
OF_THEIR_TIME = {
    "val-list-continue-expired",
    "val-list-rv-exact-expired",
    "val-list-watch-expired-rv",
    "val-list-nolabel-limit-remaining",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    made = tmp_path_factory.mktemp("real")
    program = str(Path(RIG) / "control-plane")
    subprocess.run([program, "up", "--dir", str(made)], check=True, capture_output=True)
    yield made
    subprocess.run([program, "down", "--dir", str(made)], check=True, capture_output=True)


@pytest.fixture(scope="module")
def real(folder: Path) -> Iterator[RealServer]:
    server = RealServer(json.loads((folder / "admin.conf").read_text()))
    yield server
    server.close()


@pytest.fixture(scope="module")
def alone(folder: Path, real: RealServer) -> RealServer:
    """The same server without controllers and scheduler; whatever needs them has run."""
    pids = json.loads((folder / "state.json").read_text())["pids"]
    for name in ("kube-controller-manager", "kube-scheduler"):
        os.kill(pids[name][0], signal.SIGKILL)
    return real


def differing(server: RealServer, case: dict[str, Any]) -> list[str]:
    """Return how a case differs each time it is played: admission and authorization read from caches that are late now and then."""
    found: list[str] = []
    for pause_ms in (0, 300, 1500):
        server.run(pause_ms)
        with server.tidy():
            found = outcome(server, case)
        if not found:
            break
    return found


def held(name: str, cases: list[dict[str, Any]], server: RealServer) -> None:
    missed = {case["id"]: found[0] for case in cases if (found := differing(server, case))}
    print(f"\n{name}: {len(cases) - len(missed)}/{len(cases)} matched")
    assert missed == {}


def test_discovery(real: RealServer, facts: Callable[[str], Any]) -> None:
    for path, want in facts("discovery.json")["legacy"].items():
        assert list(differences(bare(want), bare(json.loads(real.call("GET", path).response.body)))) == []


@pytest.mark.long
def test_access(real: RealServer, facts: Callable[[str], Any]) -> None:
    held("access.jsonl", facts("access.jsonl"), real)


@pytest.mark.parametrize("name", [*FILES[:-1], pytest.param(FILES[-1], marks=pytest.mark.long)])
def test_cases(name: str, alone: RealServer, facts: Callable[[str], Any]) -> None:
    held(name, [case for case in facts(name) if case["id"] not in OF_THEIR_TIME], alone)
