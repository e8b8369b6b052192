"""`kubectl top` and `kubectl get --raw /metrics` on a whole cluster, in the forms a real one with metrics-server prints."""

from __future__ import annotations

import re
from typing import Any

import pytest

from kit.client.capabilities import control
from kit.client.connect import connect

pytestmark = pytest.mark.slow

LOOP = "while :; do :; done"
PODS = re.compile(r"NAME +CPU\(cores\) +MEMORY\(bytes\) *\n")
NODES = re.compile(r"NAME +CPU\(cores\) +CPU\(%\) +MEMORY\(bytes\) +MEMORY\(%\) *\n")


@pytest.fixture
def busy(kubectl: Any, live: Any) -> Any:
    """Return kubectl beside a Pod that is busy and two that are not, measured."""
    if live.handle.provider != "embedded":
        pytest.fail("this module measures the embedded cluster's own add-on: run it without --provider")
    kubectl("create", "deployment", "web", "--image=nginx:1.30", "--replicas=2")
    kubectl("run", "loop", "--image=busybox:1.37", "--labels=run=loop", "--", "sh", "-c", LOOP)
    kubectl("wait", "--for=condition=Ready", "pod", "--all", "--timeout=20s")
    connection = connect(live.handle.kubeconfig)
    control(connection, live.handle.control).advance(45_000)
    return kubectl


def rows(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()]


def test_top(busy: Any) -> None:
    printed = busy("top", "pods")
    assert PODS.match(printed)
    found = {row[0]: row[1:] for row in rows(printed)[1:]}
    assert len(found) == 3
    cpu, memory = found["loop"]
    assert int(cpu.removesuffix("m")) > 900 and memory == "0Mi"
    assert all(row[1] == "3Mi" for name, row in found.items() if name.startswith("web-"))

    by_cpu = rows(busy("top", "pods", "--sort-by=cpu", "--no-headers"))
    by_memory = rows(busy("top", "pods", "--sort-by=memory", "--no-headers"))
    assert (by_cpu[0][0], by_memory[-1][0]) == ("loop", "loop")
    assert [row[0] for row in rows(busy("top", "pods", "-l", "run=loop", "--no-headers"))] == ["loop"]
    assert rows(busy("top", "pod", "loop", "--containers"))[0] == ["POD", "NAME", "CPU(cores)", "MEMORY(bytes)"]
    assert rows(busy("top", "pod", "loop", "--containers", "--no-headers"))[0][:2] == ["loop", "loop"]
    everywhere = rows(busy("top", "pods", "-A"))
    assert everywhere[0][0] == "NAMESPACE" and [busy.namespace, "loop"] in [row[:2] for row in everywhere]

    printed = busy("top", "nodes")
    assert NODES.match(printed)
    assert [row[0] for row in rows(printed)[1:]] == ["lab-control-plane", "lab-worker", "lab-worker2"]
    assert [row[0] for row in rows(busy("top", "nodes", "-l", "disk=ssd", "--no-headers"))] == ["lab-worker2"]
    assert int(rows(busy("top", "nodes", "--sort-by=cpu", "--no-headers"))[0][1].removesuffix("m")) > 900

    assert busy.run("top", "pod", "nope").stderr == 'Error from server (NotFound): pods "nope" not found\n'
    assert busy.run("top", "node", "nope").stderr == 'Error from server (NotFound): node "nope" not found\n'
    nothing = busy.run("top", "pods", "-l", "a=nothing")
    assert nothing.stderr == f"No resources found in {busy.namespace} namespace.\n"

    listed = rows(busy("get", "podmetrics"))
    assert listed[0] == ["NAME", "CPU", "MEMORY", "WINDOW"] and len(listed) == 4
    assert rows(busy("api-resources", "--api-group=metrics.k8s.io", "--no-headers")) == [
        ["nodes", "metrics.k8s.io/v1beta1", "false", "NodeMetrics"],
        ["pods", "metrics.k8s.io/v1beta1", "true", "PodMetrics"],
    ]
    assert "PodMetrics sets resource usage metrics of a pod." in busy("explain", "podmetrics")
    service = rows(busy("get", "apiservice", "v1beta1.metrics.k8s.io", "--no-headers"))[0]
    assert service[:3] == ["v1beta1.metrics.k8s.io", "Local", "True"]


def test_metrics(kubectl: Any) -> None:
    kubectl("get", "pods")
    printed = kubectl("get", "--raw", "/metrics")
    assert re.search(r'apiserver_request_total\{[^}]*resource="pods"[^}]*verb="LIST"[^}]*\} [1-9]', printed)
    assert re.search(r"apiserver_request_duration_seconds_count\{.*\} [1-9]", printed)
    assert re.search(r'kubernetes_build_info\{.*git_version="v1\.37\.2".*\} 1', printed)
    assert re.search(r"apiserver_storage_size_bytes\{.*\} [1-9]", printed)
    assert 'kubernetes_healthcheck{name="ping",type="healthz"} 1.0' in kubectl("get", "--raw", "/metrics/slis")
