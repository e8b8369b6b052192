"""A disturbance on loan is undone by the cluster itself, also after a restart from its journal."""

from __future__ import annotations

import json
from typing import Any

from test_determinism import TOKEN, Signer

from kit.embedded.cluster import Cluster
from kit.embedded.core.settings import Settings
from kit.embedded.core.store import Row
from kit.embedded.core.turns import Answer, Request

PATH = "/api/v1/namespaces/default/configmaps"
SETTINGS = Settings(seed=1, admin_token=TOKEN)


def ask(cluster: Cluster, method: str, path: str, body: Any = None) -> tuple[int, dict[str, Any], list[Row]]:
    headers = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json"}
    raw = b"" if body is None else json.dumps(body).encode()
    batch = cluster.turn([Request(1, method, path, (), headers, raw)], cluster.now, 100_000)
    answer = next(output for output in batch.outputs if isinstance(output, Answer))
    return answer.response.status, json.loads(answer.response.body), list(batch.rows)


def disturbed() -> tuple[Cluster, dict[tuple[str, str], bytes | None]]:
    """Return a cluster with a lease of 10 s that deletes a ConfigMap, and its journal."""
    cluster = Cluster(SETTINGS, Signer())
    rows = list(cluster.turn([], 0, 100_000).rows)
    rows += ask(cluster, "POST", PATH, {"metadata": {"name": "disturbance"}})[2]
    cluster.lease("x", 10_000, [{"method": "DELETE", "path": f"{PATH}/disturbance"}])
    rows += cluster.turn([], cluster.now, 100_000).rows
    return cluster, {(row.table, row.key): row.value for row in rows}


def test_expires_by_itself() -> None:
    cluster, _ = disturbed()
    cluster.turn([], 9_999, 100_000)
    assert ask(cluster, "GET", f"{PATH}/disturbance")[0] == 200
    cluster.turn([], 10_000, 100_000)
    assert ask(cluster, "GET", f"{PATH}/disturbance")[0] == 404


def test_a_release_undoes_or_forgets() -> None:
    cluster, _ = disturbed()
    assert cluster.release("x", undo=False)
    cluster.turn([], 60_000, 100_000)
    assert ask(cluster, "GET", f"{PATH}/disturbance")[0] == 200
    assert not cluster.release("x", undo=True)


def test_survives_the_process() -> None:
    _, journal = disturbed()
    again = Cluster(SETTINGS, Signer(), [Row(table, key, value) for (table, key), value in journal.items()])
    assert ask(again, "GET", f"{PATH}/disturbance")[0] == 200
    again.turn([], 11_000, 100_000)
    assert ask(again, "GET", f"{PATH}/disturbance")[0] == 404


def test_a_reset_undoes_and_empties() -> None:
    cluster, _ = disturbed()
    ask(cluster, "POST", "/api/v1/namespaces", {"metadata": {"name": "lab-77"}})
    cluster.reset(["lab-77"])
    cluster.turn([], cluster.now + 1000, 100_000)
    assert ask(cluster, "GET", f"{PATH}/disturbance")[0] == 404
    assert ask(cluster, "GET", "/api/v1/namespaces/lab-77")[0] == 404
