"""When a real cluster is ready: its API says so, every node is Ready, CoreDNS is available, the default ServiceAccount is there.

`kind create --wait` looks at control planes only and ends well when its time runs out, so the kit looks itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kit.client.connect import Connection, connect
from kit.errors import KitError, Status, Unavailable

PAUSE_S = 0.5
ASK_S = 5.0


@dataclass(frozen=True)
class Ready:
    """What must be true: so many nodes, and signs of life newer than `since` (ISO 8601: nodes that were started again)."""

    nodes: int
    since: str = ""


def await_ready(
    kubeconfig: Path,
    ready: Ready,
    progress: Callable[[str], None],
    within_s: float,
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Return when the cluster is ready; Unavailable, with what is missing, when it is not in time."""
    limit, said = time.monotonic() + within_s, ""
    while lacking := lacks(kubeconfig, ready):
        if lacking != said:
            progress(f"waiting: {lacking}")
            said = lacking
        if time.monotonic() > limit:
            raise Unavailable(
                f"the cluster was not ready within {within_s:.0f} s: {lacking}", "labkit doctor looks for the cause"
            )
        pause(PAUSE_S)


def lacks(kubeconfig: Path, ready: Ready) -> str:
    """Return what a cluster lacks to be ready, "" when nothing."""
    try:
        connection = connect(kubeconfig)
        return next((words for look in _LOOKS if (words := look(connection, ready))), "")
    except (KitError, Status):
        return "the API does not answer"


def server_version(kubeconfig: Path) -> str:
    """Return the Kubernetes version, "" when the cluster does not answer within 3 s."""
    try:
        answer = connect(kubeconfig).request("GET", "/version", timeout_s=3)
        return str(answer.json().get("gitVersion", "")) if answer.code == 200 else ""
    except (KitError, Status):
        return ""


def _readyz(connection: Connection, ready: Ready) -> str:
    return "" if connection.request("GET", "/readyz", timeout_s=ASK_S).code == 200 else "the API is not ready"


def _nodes(connection: Connection, ready: Ready) -> str:
    nodes = connection.json("GET", "/api/v1/nodes", timeout_s=ASK_S)["items"]
    good = sum(_holds(node, "Ready") for node in nodes)
    return "" if good >= ready.nodes else f"{good} of {ready.nodes} nodes are Ready"


def _heartbeats(connection: Connection, ready: Ready) -> str:
    """A node that was stopped stays Ready for 50 s in the words of its last heartbeat."""
    if not ready.since:
        return ""
    path = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
    leases = connection.json("GET", path, timeout_s=ASK_S)["items"]
    fresh = sum(lease["spec"].get("renewTime", "") > ready.since for lease in leases)
    return "" if fresh >= ready.nodes else f"{fresh} of {ready.nodes} nodes report again"


def _dns(connection: Connection, ready: Ready) -> str:
    path = "/apis/apps/v1/namespaces/kube-system/deployments/coredns"
    answer = connection.request("GET", path, timeout_s=ASK_S)
    return "" if answer.code == 200 and _holds(answer.json(), "Available") else "CoreDNS is not available"


def _account(connection: Connection, ready: Ready) -> str:
    path = "/api/v1/namespaces/default/serviceaccounts/default"
    code = connection.request("GET", path, timeout_s=ASK_S).code
    return "" if code == 200 else "the default ServiceAccount is not there"


def _system(connection: Connection, ready: Ready) -> str:
    """After a start anew the Pods of the system still have the status of before: each must have been started since."""
    if not ready.since:
        return ""
    pods = connection.json("GET", "/api/v1/namespaces/kube-system/pods", timeout_s=ASK_S)["items"]
    back = sum(_holds(pod, "Ready") and _started(pod) > ready.since for pod in pods)
    return "" if back == len(pods) else f"{back} of {len(pods)} system Pods run again"


def _started(pod: dict[str, Any]) -> str:
    containers = pod["status"].get("containerStatuses") or [{}]
    return min(str(((one.get("state") or {}).get("running") or {}).get("startedAt", "")) for one in containers)


def _holds(body: dict[str, Any], condition: str) -> bool:
    conditions = body.get("status", {}).get("conditions") or []
    return any(one["type"] == condition and one["status"] == "True" for one in conditions)


_LOOKS = (_readyz, _nodes, _heartbeats, _system, _dns, _account)
