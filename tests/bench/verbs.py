"""The API over HTTPS with one client: p50 of each verb, beside the real API server's in the same run."""

from __future__ import annotations

from functools import partial

from stage import beside, median

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
JSON, MERGE, STRATEGIC = (f"application/{what}+json" for what in ("json-patch", "merge-patch", "strategic-merge-patch"))
APPLY = "application/apply-patch+yaml"
PODS = "/api/v1/namespaces/bench/pods"
MAPS = "/api/v1/namespaces/bench/configmaps"
COUNT = 500
RUNS = 4
PODS_MADE = 60
BAR = 0.8  # of the real one's
PATCHES = {  # what: path, kind of patch, and the patch that writes a text
    "patch a Pod (json)": (
        f"{PODS}/pod-0003",
        JSON,
        lambda text: [{"op": "add", "path": "/metadata/labels/n", "value": text}],
    ),
    "patch a Pod (merge)": (f"{PODS}/pod-0002", MERGE, lambda text: {"metadata": {"labels": {"n": text}}}),
    "patch a Pod (strategic)": (
        f"{PODS}/pod-0004",
        STRATEGIC,
        lambda text: {
            "metadata": {"labels": {"n": text}},
            "spec": {"containers": [{"name": "web", "image": f"nginx:{text}"}]},
        },
    ),
    "patch a Pod (apply)": (
        f"{PODS}/pod-0005?fieldManager=bench",
        APPLY,
        lambda text: {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "pod-0005", "labels": {"n": text}, "annotations": {"n": text}},
        },
    ),
}


def measure():
    """Measure both in turn, verb by verb, and keep the best of each."""
    return beside(_fill, _verbs, BAR)


def _fill(client):
    """500 Pods that no node takes, so that nothing runs beside the measure."""
    client.call("POST", "/api/v1/namespaces", {"metadata": {"name": "bench"}})
    client.call("POST", "/api/v1/namespaces/bench/serviceaccounts", {"metadata": {"name": "runner"}})
    for number in range(COUNT):
        client.call("POST", PODS, _pod(f"pod-{number:04d}"))
    client.call("POST", MAPS, _map("one"))


def _verbs(client):
    """Yield p50 in ms of each verb, several times."""
    for run in range(RUNS):
        for what, (action, times) in _actions(client, run).items():
            yield {what: 1000 * median(action, times)}
        for number in range(PODS_MADE):
            client.call("DELETE", f"{PODS}/more-{run}-{number}?gracePeriodSeconds=0")


def _actions(client, run):
    """Return each verb's action, which is given a number, and how often to take it."""
    return {
        "get a Pod": (lambda n: client.call("GET", f"{PODS}/pod-0001"), 200),
        "list 500 Pods, JSON": (lambda n: client.call("GET", PODS), 12),
        "list 500 Pods, Table": (lambda n: client.call("GET", PODS, accept=TABLE), 12),
        "create a ConfigMap": (lambda n: client.call("POST", MAPS, _map(f"map-{run}-{n}")), 100),
        "create a Pod": (lambda n: client.call("POST", PODS, _pod(f"more-{run}-{n}")), PODS_MADE),
        "update a ConfigMap": (lambda n: client.call("PUT", f"{MAPS}/one", _map("one", f"{run}-{n}")), 100),
        "patch a ConfigMap (merge)": (
            lambda n: client.call("PATCH", f"{MAPS}/one", {"data": {"key": f"{run}:{n}"}}, kind=MERGE),
            100,
        ),
        **{what: (partial(_patch, client, body, path, kind, run), 100) for what, (path, kind, body) in PATCHES.items()},
    }  # fmt: skip


def _patch(client, body, path, kind, run, n):
    client.call("PATCH", path, body(f"{run}-{n}"), kind=kind)


def _map(name, value="value"):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"key": value}}


def _pod(name):
    container = {"name": "web", "image": "nginx:1.30", "ports": [{"containerPort": 80}],
                 "resources": {"requests": {"cpu": "10m"}}}  # fmt: skip
    spec = {"serviceAccountName": "runner", "nodeSelector": {"bench": "nowhere"}, "containers": [container]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": "web"}}, "spec": spec}
