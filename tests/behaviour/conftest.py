"""One cluster and a namespace for each test; what is true of Kubernetes must be true on every provider."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kit.client.capabilities import control
from kit.client.connect import connect
from kit.client.execute import Ran, execute
from kit.client.objects import Objects
from kit.client.wait import Ticker, ticker, wait
from kit.course.settled import settled_cluster

sys.path.insert(0, str(Path(__file__).parent))  # for `shapes`, beside the tests


@dataclass
class World:
    """A namespace of a cluster, and the clock that waits count on."""

    objects: Objects
    clock: Ticker
    kubeconfig: Path

    def until(self, condition: Callable[[], Any], within: str = "120s") -> Any:
        """Return what `condition` gives once it is true; fail when `within` of cluster time passes without."""
        found = wait(condition, within, self.clock)
        assert found, f"not within {within}: {condition}"
        return found

    def pod(self, name: str) -> dict[str, Any]:
        """Return a Pod."""
        return self.objects.get("pod", name)

    def ready(self, name: str, within: str = "120s") -> dict[str, Any]:
        """Return a Pod once it is Ready."""
        self.until(lambda: _is_ready(self.objects.find("pod", name)), within)
        return self.pod(name)

    def run(self, pod: str, *argv: str) -> Ran:
        """Run a command in a Pod."""
        return execute(self.objects.connection, pod, list(argv), namespace=self.objects.namespace)

    def kubectl(self, *argv: str) -> str:
        """Run the real kubectl in the namespace and return what it printed."""
        command = ["kubectl", "-n", self.objects.namespace, *argv]
        env = {**os.environ, "KUBECONFIG": str(self.kubeconfig)}
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout


def _is_ready(pod: dict[str, Any] | None) -> bool:
    conditions = (pod or {}).get("status", {}).get("conditions") or []
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


@pytest.fixture(scope="session")
def cluster(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Return a handle: a new settled embedded cluster, or the kind cluster made by our own command."""
    if request.config.getoption("--provider") == "kind":
        yield request.getfixturevalue("real_cluster")
        return
    with settled_cluster(f"behaviour-{os.getpid()}") as settled:
        yield settled.handle


@pytest.fixture
def world(cluster: Any, request: pytest.FixtureRequest) -> Iterator[World]:
    """Return a new namespace, deleted at the end."""
    name = (
        "t-"
        + "".join(c if c.isalnum() else "-" for c in request.node.name.removeprefix("test_"))[:40].strip("-").lower()
    )
    connection = connect(cluster.kubeconfig, namespace=name)
    objects = Objects(connection, name)
    objects.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    clock = ticker(control(connection, cluster.control))
    assert wait(lambda: objects.find("serviceaccount", "default"), "30s", clock)
    yield World(objects, clock, Path(cluster.kubeconfig))
    objects.delete("namespace", name)
