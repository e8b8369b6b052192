"""Reset of a lab's namespace: what `labkit reset` asks of a running cluster."""

from __future__ import annotations

import json
import statistics

from stage import Client, Row, lab, timed

NAMESPACE = "lab-bench"
TIMES = 7


def measure():
    """Fill the namespace as a lab does, then empty it; the median of a few."""
    with lab() as one:
        client = Client(one.environment["KUBECONFIG"])
        took = statistics.median(_once(one, client) for _ in range(TIMES))
        client.close()
    yield Row("reset of a lab", took * 1000, "ms", 300)


def _once(one, client):
    client.call("POST", "/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
    one.kubectl("-n", NAMESPACE, "create", "deployment", "web", "--image=nginx:1.30", "--replicas=5")
    one.kubectl("-n", NAMESPACE, "expose", "deployment", "web", "--port=80")
    one.kubectl("-n", NAMESPACE, "rollout", "status", "deployment/web", "--timeout=30s")
    took = timed(lambda: client.call("POST", "/kit/v1/reset", {"namespaces": [NAMESPACE]}))
    names = [item["metadata"]["name"] for item in json.loads(client.call("GET", "/api/v1/namespaces"))["items"]]
    if NAMESPACE in names:
        raise SystemExit("the namespace is still there")
    return took
