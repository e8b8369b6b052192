"""The API over HTTPS with one client: p50 of each verb, beside the real API server's in the same run."""

from __future__ import annotations

from stage import Client, Row, lab, median, rig

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
MERGE = "application/merge-patch+json"
PODS = "/api/v1/namespaces/bench/pods"
MAPS = "/api/v1/namespaces/bench/configmaps"
COUNT = 500
BAR = 1.0  # of the real one's


def measure():
    """Measure both, one after the other, twice, and keep the better run of each."""
    with rig() as real, lab() as one:
        ours = _best(Client(one.environment["KUBECONFIG"]))
        theirs = _best(Client(real)) if real else {}
    for what, ms in ours.items():
        yield Row(what, ms, "ms", BAR, theirs.get(what), relative=True)


def _best(client):
    _fill(client)
    runs = [_verbs(client, run) for run in range(2)]
    client.close()
    return {what: min(run[what] for run in runs) for what in runs[0]}


def _fill(client):
    """500 Pods that no node takes, so that nothing runs beside the measure."""
    client.call("POST", "/api/v1/namespaces", {"metadata": {"name": "bench"}})
    client.call("POST", "/api/v1/namespaces/bench/serviceaccounts", {"metadata": {"name": "runner"}})
    for number in range(COUNT):
        client.call("POST", PODS, _pod(f"pod-{number:04d}"))
    client.call("POST", MAPS, _map("one"))


def _verbs(client, run):
    """Return p50 in ms of each verb."""
    measured = {
        "get a Pod": (lambda n: client.call("GET", f"{PODS}/pod-0001"), 400),
        "list 500 Pods, JSON": (lambda n: client.call("GET", PODS), 30),
        "list 500 Pods, Table": (lambda n: client.call("GET", PODS, accept=TABLE), 30),
        "create a ConfigMap": (lambda n: client.call("POST", MAPS, _map(f"map-{run}-{n}")), 200),
        "create a Pod": (lambda n: client.call("POST", PODS, _pod(f"more-{run}-{n}")), 200),
        "patch a ConfigMap (merge)": (
            lambda n: client.call("PATCH", f"{MAPS}/one", {"data": {"key": f"{run}-{n}"}}, kind=MERGE),
            200,
        ),
        "patch a Pod (merge)": (
            lambda n: client.call("PATCH", f"{PODS}/pod-0002", {"metadata": {"labels": {"n": f"{run}-{n}"}}}, kind=MERGE),
            200,
        ),
    }  # fmt: skip
    result = {}
    for what, (action, times) in measured.items():
        result[what] = 1000 * median(action, times)
        if what == "create a Pod":
            for number in range(times):
                client.call("DELETE", f"{PODS}/more-{run}-{number}?gracePeriodSeconds=0")
    return result


def _map(name):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"key": "value"}}


def _pod(name):
    container = {"name": "web", "image": "nginx:1.30", "ports": [{"containerPort": 80}],
                 "resources": {"requests": {"cpu": "10m"}}}  # fmt: skip
    spec = {"serviceAccountName": "runner", "nodeSelector": {"bench": "nowhere"}, "containers": [container]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": "web"}}, "spec": spec}
