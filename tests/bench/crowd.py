"""A thousand Pods from one Deployment until all are Ready, on ten nodes of a settled cluster."""

from __future__ import annotations

import json
import time

from stage import Client, Row, lab

PODS = 1_000
TIMES = 2


def measure():
    """The best of two clusters."""
    yield Row(f"{PODS} Pods from one Deployment to Ready (settled)", min(_once() for _ in range(TIMES)), "s", 5)


def _once():
    """In a settled cluster the next answer comes when everything has settled."""
    with lab("--nodes", "12", "--clock", "settled") as one:
        client = Client(one.environment["KUBECONFIG"])
        begin = time.perf_counter()
        client.call("POST", "/apis/apps/v1/namespaces/default/deployments", _deployment())
        ready = 0
        while ready < PODS:
            found = client.call("GET", "/apis/apps/v1/namespaces/default/deployments/crowd")
            ready = json.loads(found)["status"].get("readyReplicas", 0)
        took = time.perf_counter() - begin
        client.close()
    return took


def _deployment():
    container = {"name": "web", "image": "nginx:1.30"}
    template = {"metadata": {"labels": {"app": "crowd"}}, "spec": {"containers": [container]}}
    return {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "crowd"},
        "spec": {"replicas": PODS, "selector": {"matchLabels": {"app": "crowd"}}, "template": template},
    }  # fmt: skip
