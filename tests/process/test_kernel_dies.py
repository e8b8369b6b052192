"""A kernel is killed in the middle of a check's disturbance: the cluster takes the disturbance back when its time is over."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kit.client.capabilities import Control
from kit.client.connect import connect
from kit.client.objects import Objects
from kit.providers.base import Handle, Wanted, quiet
from kit.providers.embedded import Embedded

NAME = f"dies-{os.getpid()}"
KERNEL = """
import sys
from kit.checks.disturbance import Undo, disturbance
from kit.client.capabilities import Control
from kit.client.connect import connect
from kit.client.objects import Objects

connection = connect(sys.argv[1])
node, merge = "/api/v1/nodes/lab-worker", "application/merge-patch+json"
undo = [Undo("PATCH", node, {"spec": {"unschedulable": None}}, merge)]
with disturbance(Objects(connection, "default"), Control(connection), "X8.2", "30s", undo):
    connection.json("PATCH", node, body={"spec": {"unschedulable": True}}, content_type=merge)
    print("disturbed", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def handle(tmp_path: Path) -> Iterator[Handle]:
    yield Embedded().up(Wanted(NAME, clock="settled", seed=3, state_dir=tmp_path), quiet)
    Embedded().down(NAME, delete=True)


def test_the_cluster_undoes_what_a_dead_kernel_left(handle: Handle) -> None:
    connection = connect(handle.kubeconfig)
    objects, control = Objects(connection, "default"), Control(connection)
    with subprocess.Popen(
        [sys.executable, "-c", KERNEL, str(handle.kubeconfig)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as kernel:
        assert kernel.stdout and kernel.stdout.readline() == "disturbed\n"
        os.kill(kernel.pid, signal.SIGKILL)
    assert objects.get("node", "lab-worker")["spec"]["unschedulable"] is True
    control.advance(31_000)
    assert "unschedulable" not in objects.get("node", "lab-worker")["spec"]
