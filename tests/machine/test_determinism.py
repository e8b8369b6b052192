"""The same seed and the same inputs give the same bytes for ever; a turn cut short changes nothing."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from kit.embedded.cluster import Cluster
from kit.embedded.core.settings import Settings
from kit.embedded.core.store import Row
from kit.embedded.core.turns import Output, Request

TOKEN = "secret"


class Signer:
    """Signs nothing that depends on chance."""

    def token(self, claims: Any) -> str:
        return "token"

    def claims(self, token: str) -> dict[str, Any] | None:
        return None

    def authority(self) -> str:
        return "-----BEGIN CERTIFICATE-----\nMAMCAQE=\n-----END CERTIFICATE-----\n"


def deployment(image: str) -> dict[str, Any]:
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": image}]}}
    spec = {"replicas": 4, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}


def script() -> list[tuple[int, str, str, Any]]:
    """Return (ms, method, path, body): a Deployment, a Service, a Pod that loops, a rollout, a deletion."""
    base, apps = "/api/v1/namespaces/default", "/apis/apps/v1/namespaces/default/deployments"
    loop = {"containers": [{"name": "c", "image": "busybox:1.37", "command": ["sh", "-c", "while true; do :; done"]}]}
    return [
        (100, "POST", apps, deployment("nginx:1.30")),
        (
            200,
            "POST",
            f"{base}/services",
            {"metadata": {"name": "web"}, "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}},
        ),
        (300, "POST", f"{base}/pods", {"metadata": {"name": "loop"}, "spec": loop}),
        (5000, "PUT", f"{apps}/web", deployment("nginx:1.31")),
        (9000, "DELETE", f"{base}/pods/loop", {"gracePeriodSeconds": 1}),
    ]


def play(seed: int, budget: int, rows: list[Row] | None = None) -> tuple[bytes, list[Output]]:
    """Return the trace as bytes and all outputs, with turns of at most `budget` steps; the journal's rows go into `rows`."""
    cluster = Cluster(Settings(seed=seed, admin_token=TOKEN), Signer())
    outputs: list[Output] = []
    journal = [] if rows is None else rows

    def turn(inputs: list[Request], now: int) -> None:
        batch = cluster.turn(inputs, now, budget)
        outputs.extend(batch.outputs)
        journal.extend(batch.rows)
        while not batch.done:
            batch = cluster.turn([], now, budget)
            outputs.extend(batch.outputs)
            journal.extend(batch.rows)

    for number, (due, method, path, body) in enumerate(script()):
        while (next_due := cluster.turn([], cluster.now, 0).next_due) is not None and next_due < due:
            turn([], next_due)
        headers = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json", "user-agent": "test/1"}
        turn([Request(number, method, path, (), headers, json.dumps(body).encode())], due)
    turn([], 20_000)
    trace = json.dumps([list(step) for step in cluster.trace.since(0, 1_000_000)]).encode()
    return trace, outputs


def test_same_seed_same_bytes() -> None:
    assert play(7, 100_000) == play(7, 100_000)


def digest() -> str:
    """Return one number for the trace and all rows of a run."""
    rows: list[Row] = []
    trace, _ = play(7, 100_000, rows)
    return hashlib.sha256(trace + repr(rows).encode()).hexdigest()


def test_every_process_makes_the_same_bytes() -> None:
    command = [sys.executable, "-c", "import test_determinism; print(test_determinism.digest())"]
    found = {
        subprocess.run(
            command,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parent)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(found) == 1


def test_another_seed_differs() -> None:
    assert play(7, 100_000)[0] != play(8, 100_000)[0]


def test_where_a_turn_is_cut_does_not_matter() -> None:
    assert play(7, 100_000) == play(7, 3)
