"""Resident memory: the cluster's process with three nodes and nothing to do, and both API servers full of objects."""

from __future__ import annotations

import json
import time

from stage import Client, Row, lab, resident, rig
from throughput import answer

COUNTS = (0, 1_000, 10_000)
MAPS = "/api/v1/namespaces/default/configmaps"
TEXT = "every object has a text of its own, as objects do: " * 4
SHARE = 1 / 3  # of the real API server's and its etcd's
SETTLE_S = 6


def measure():
    """Wait until it has started in full, then read what the kernel says."""
    with lab("--nodes", "3") as one:
        time.sleep(SETTLE_S)
        pid = one.status()["pid"]
        yield Row("idle memory, 3 nodes", resident(pid), "MB", 120)
        ours = _filled(Client(one.environment["KUBECONFIG"]), [pid])
    with rig() as real:
        theirs = _filled(Client(real), _servers(real)) if real else {}
    for count, size in ours.items():
        yield Row(f"memory with {count:,} ConfigMaps", size, "MB", SHARE, theirs.get(count), relative=True)


def _filled(client, pids):
    """Return how many MB the processes hold at each count of objects."""
    sizes, made = {}, 0
    for count in COUNTS:
        answer(client, [client.raw("POST", MAPS, _map(number)) for number in range(made, count)])
        made = count
        time.sleep(SETTLE_S)
        sizes[count] = sum(map(resident, pids))
    client.close()
    return sizes


def _servers(kubeconfig):
    pids = json.loads((kubeconfig.parent / "state.json").read_text(encoding="utf-8"))["pids"]
    return [pid for name, (pid, _) in pids.items() if name in {"etcd", "kube-apiserver", "apiserver"}]


def _map(number):
    return {"metadata": {"name": f"map-{number:05d}"}, "data": {"text": f"{number}: {TEXT}"}}
