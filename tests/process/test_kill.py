"""kill -9 of the cluster's process, many times under writes: what was acknowledged is there, once; Pods run again."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kit.client.connect import connect
from kit.client.objects import Objects
from kit.client.wait import WallTicker, wait
from kit.errors import KitError, Status
from kit.providers.base import Wanted, quiet
from kit.providers.embedded import Embedded

NAME = f"kill-{os.getpid()}"


@pytest.fixture
def wanted(tmp_path: Path) -> Iterator[Wanted]:
    yield Wanted(NAME, clock="realtime", seed=3, state_dir=tmp_path)
    Embedded().down(NAME, delete=True)


def pid_of(name: str) -> int:
    found = next(one for one in Embedded().status() if one.name == name)
    assert found.pid
    return found.pid


def write_until_cut(objects: Objects, done: list[str], first: int) -> None:
    """Create ConfigMaps, and keep the names of those the server acknowledged."""
    for number in range(first, first + 10_000):
        name = f"c-{number}"
        try:
            objects.create(
                {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"n": str(number)}}
            )
        except (KitError, Status, OSError):
            return
        done.append(name)


@pytest.mark.parametrize("rounds", [pytest.param(20, id="short"), pytest.param(200, id="long", marks=pytest.mark.long)])
@pytest.mark.timeout(900)
def test_nothing_acknowledged_is_lost(wanted: Wanted, rounds: int) -> None:
    provider = Embedded()
    done: list[str] = []
    for number in range(rounds):
        objects = Objects(connect(provider.up(wanted, quiet).kubeconfig), "default")
        writer = threading.Thread(target=write_until_cut, args=(objects, done, number * 10_000))
        writer.start()
        before = len(done)
        assert wait(lambda: len(done) > before + number % 7, "20s", WallTicker())  # noqa: B023
        os.kill(pid_of(NAME), signal.SIGKILL)
        writer.join()
    objects = Objects(connect(provider.up(wanted, quiet).kubeconfig), "default")
    found = [item["metadata"]["name"] for item in objects.list("configmap")]
    assert len(found) == len(set(found))
    assert set(done) <= set(found)
    assert len(set(found) - set(done) - {"kube-root-ca.crt"}) <= rounds  # the one in flight may have been kept


def test_pods_start_again_as_after_a_reboot(wanted: Wanted) -> None:
    provider = Embedded()
    objects = Objects(connect(provider.up(wanted, quiet).kubeconfig), "default")
    assert wait(lambda: objects.find("serviceaccount", "default"), "10s", WallTicker())
    container = {"name": "c", "image": "nginx:1.30"}
    objects.create({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [container]}})
    before = running(objects)
    os.kill(pid_of(NAME), signal.SIGKILL)
    objects = Objects(connect(provider.up(wanted, quiet).kubeconfig), "default")
    after = wait(
        lambda: (pod := running(objects)) and pod["status"]["containerStatuses"][0]["restartCount"] == 1 and pod,
        "20s",
        WallTicker(),
    )
    assert after
    assert after["metadata"]["uid"] == before["metadata"]["uid"]


def running(objects: Objects) -> Any:
    def ready() -> Any:
        pod = objects.get("pod", "p")
        states = (pod.get("status") or {}).get("containerStatuses") or []
        return pod if states and states[0]["ready"] else None

    return wait(ready, "20s", WallTicker())
