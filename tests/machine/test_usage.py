"""metrics.k8s.io as metrics-server on a real cluster answered it (recorded/metrics.json of tests/api), and what is measured."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from test_determinism import Signer

from kit.embedded.cluster import Cluster, Settings
from kit.embedded.core.turns import Answer, Request
from kit.embedded.core.usage import Point, Usage
from kit.embedded.parts import metering
from kit.kube import selectors
from kit.kube.quantities import Quantity

RECORDED = json.loads((Path(__file__).parents[1] / "api" / "recorded" / "metrics.json").read_text())
BASE = "/apis/metrics.k8s.io/v1beta1"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
LOOP = ["sh", "-c", "while :; do :; done"]


class World:
    def __init__(self, **settings):
        self.cluster = Cluster(Settings(admin_token="t", **{"metrics": True, **settings}), Signer())
        self.run(2_000)

    def run(self, ms):
        end = self.cluster.now + ms
        while not self.cluster.turn([], end, 10_000).done:
            pass

    def ask(self, path, *, accept="application/json", method="GET", body=None, user=None):
        path, _, query = path.partition("?")
        sent = {"authorization": "Bearer t", "accept": accept, "content-type": "application/json"}
        sent |= {"impersonate-user": user} if user else {}
        data = b"" if body is None else json.dumps(body).encode()
        request = Request(1, method, path, tuple(parse_qsl(query, keep_blank_values=True)), sent, data)
        batch = self.cluster.turn([request], self.cluster.now, 10_000)
        return next(one.response for one in batch.outputs if isinstance(one, Answer))

    def json(self, path, **more):
        return json.loads(self.ask(path, **more).body)

    def pod(self, name, image="busybox:1.37", command=None, **spec):
        container = {"name": "c", "image": image, **({"command": command} if command else {})}
        meta = {"name": name, "labels": {"app": name}}
        body = {"metadata": meta, "spec": {"containers": [container, *spec.pop("more", ())], **spec}}
        assert self.ask("/api/v1/namespaces/default/pods", method="POST", body=body).status == 201


@pytest.fixture(scope="module")
def busy():
    world = World()
    world.pod("loop", command=LOOP)
    world.pod("web", "nginx:1.30", more=[{"name": "side", "image": "busybox:1.37", "command": LOOP}])
    world.pod("once", command=["true"], restartPolicy="Never")
    world.run(50_000)
    return world


def shape(value):
    """Return the keys of a document in their order, without its values."""
    if isinstance(value, dict):
        return [(key, shape(inner)) for key, inner in value.items() if key != "labels"]
    return [shape(value[0])] if isinstance(value, list) and value else type(value).__name__


def test_discovery_is_the_real_one(busy):
    assert busy.json("/apis/metrics.k8s.io") == RECORDED["group"]
    assert busy.json(BASE) == RECORDED["resources"]
    groups = busy.json("/apis", accept=AGGREGATED)["items"]
    assert groups[-1] == RECORDED["aggregated"]


def test_openapi_is_the_real_one(busy):
    document = busy.json(f"/openapi/v3{BASE}")
    assert document["components"]["schemas"] == RECORDED["schemas"]
    assert f"{BASE}/namespaces/{{namespace}}/pods/{{name}}" in document["paths"]
    assert {"apis/metrics.k8s.io", "apis/metrics.k8s.io/v1beta1"} <= busy.json("/openapi/v3")["paths"].keys()


def test_objects_and_tables_have_the_real_shape(busy):
    assert shape(busy.json(f"{BASE}/nodes")) == shape(RECORDED["node"])
    assert shape(busy.json(f"{BASE}/namespaces/default/pods/loop")) == shape(RECORDED["pod"])
    table = busy.json(f"{BASE}/nodes", accept=TABLE)
    assert table["columnDefinitions"] == RECORDED["table"]["columnDefinitions"]
    assert shape(table["rows"]) == shape(RECORDED["table"]["rows"])
    one = busy.json(f"{BASE}/namespaces/default/pods/loop", accept=TABLE)
    assert shape(one) == shape(RECORDED["podTable"])
    assert busy.json(f"{BASE}/namespaces/kube-public/pods", accept=TABLE) == RECORDED["empty"]


def test_refusals_are_the_real_ones(busy):
    busy.pod("young")
    busy.run(3_000)
    for path, told in RECORDED["refusals"].items():
        assert busy.json(f"{BASE}/{path}") == told
    for path, words in RECORDED["refusedWords"].items():
        assert busy.json(f"{BASE}/{path}")["message"] == words
    assert busy.ask(f"{BASE}/nodes", method="POST", body={}).status == 405


def test_what_runs_is_measured(busy):
    pods = {one["metadata"]["name"]: one for one in busy.json(f"{BASE}/pods")["items"]}
    assert pods.keys() >= {"loop", "web"}
    assert "once" not in pods  # it has ended
    (loop,) = pods["loop"]["containers"]
    assert 0.99 < Quantity.parse(loop["usage"]["cpu"]).nano / 1e9 < 1.01  # one core
    assert pods["loop"]["window"] == "15s"
    web = {one["name"]: one["usage"] for one in pods["web"]["containers"]}
    assert Quantity.parse(web["c"]["cpu"]).milli < 10
    assert Quantity.parse(web["side"]["cpu"]).milli > 900
    assert Quantity.parse(web["c"]["memory"]).value > 3 << 20
    nodes = busy.json(f"{BASE}/nodes")["items"]
    total = sum(Quantity.parse(node["usage"]["cpu"]).milli for node in nodes)
    assert 1_900 < total < 2_100


def test_selectors_choose(busy):
    assert [one["metadata"]["name"] for one in busy.json(f"{BASE}/pods?labelSelector=app=web")["items"]] == ["web"]
    assert [one["metadata"]["name"] for one in busy.json(f"{BASE}/pods?fieldSelector=metadata.name=loop")["items"]] == [
        "loop"
    ]
    assert [one["metadata"]["name"] for one in busy.json(f"{BASE}/nodes?labelSelector=disk=ssd")["items"]] == [
        "lab-worker2"
    ]


def test_protobuf_is_answered(busy):
    answer = busy.ask(f"{BASE}/pods", accept="application/vnd.kubernetes.protobuf")
    assert answer.body.startswith(b"k8s\0") and b"PodMetricsList" in answer.body


def test_the_api_service_is_there_and_views_may_read(busy):
    found = busy.json("/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.metrics.k8s.io")
    assert (found["spec"]["groupPriorityMinimum"], found["spec"]["versionPriority"]) == (100, 100)
    assert found["status"]["conditions"][0]["status"] == "True"
    assert busy.ask(f"{BASE}/namespaces/default/pods", user="jo").status == 403
    binding = {
        "metadata": {"name": "jo"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "jo"}],
    }
    where = "/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings"
    assert busy.ask(where, method="POST", body=binding).status == 201
    assert busy.ask(f"{BASE}/namespaces/default/pods", user="jo").status == 200
    assert busy.ask(f"{BASE}/nodes", user="jo").status == 403


def test_a_cluster_without_the_add_on_has_none_of_it():
    world = World(metrics=False)
    assert world.ask(f"{BASE}/nodes").status == 404
    assert world.ask("/apis/metrics.k8s.io").status == 404
    assert world.ask("/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.metrics.k8s.io").status == 404


def test_a_limit_is_seen():
    world = World()
    world.pod("held", command=LOOP)
    tight = {"name": "c", "image": "busybox:1.37", "command": LOOP, "resources": {"limits": {"cpu": "200m"}}}
    body = {"metadata": {"name": "tight"}, "spec": {"containers": [tight]}}
    world.ask("/api/v1/namespaces/default/pods", method="POST", body=body)
    world.run(50_000)
    usage, view = world.cluster.api.context.usage, world.cluster.engine.view
    used = metering.used(usage, view, "cpu", "default", selectors.parse(""))
    assert 190 <= used["tight"].milli <= 210 < 900 < used["held"].milli
    assert metering.used(usage, view, "cpu", "default", selectors.parse(""), "other") == {}
    memory = metering.used(usage, view, "memory", "default", selectors.parse("app=held"))
    assert [*memory] == ["held"] and memory["held"].milli == 256 * 1024 * 1000


def test_what_ended_still_counts_for_its_node():
    world = World(nodes=1)
    world.run(32_000)
    script = ["sh", "-c", "i=0; while [ $i -lt 3000 ]; do i=$((i+1)); done"]  # over long before the next sample
    world.pod("short", command=script, restartPolicy="Never", tolerations=[{"operator": "Exists"}])
    seen = []
    for _ in range(3):
        seen += [Quantity.parse(one["usage"]["cpu"]).nano for one in world.json(f"{BASE}/nodes")["items"]]
        world.run(15_000)
    assert world.json("/api/v1/namespaces/default/pods/short")["status"]["phase"] == "Succeeded"
    assert (seen[0], seen[2]) == (0, 0) and seen[1] > 1_000_000


def test_samples_are_paired_as_metrics_server_pairs_them():
    usage = Usage()
    name = ("default", "a")
    usage.store({name: {"c": Point(0, 1, 14_000, 15_000)}}, {"n": Point(0, 0, 0, 15_000)})
    assert usage.pod(*name) is None and usage.node("n") is None
    usage.store({name: {"c": Point(8_000_000, 1, 14_000, 30_000)}}, {"n": Point(15_000_000, 0, 0, 30_000)})
    assert usage.pod(*name)["c"].cpu_nano == 8_000_000 * 1_000_000 // 15_000
    assert usage.node("n").cpu_nano == 1_000_000_000
    # begun within the window: too young at 9 s, measured from its start at 11 s; begun anew: no rate over the restart
    usage.store({name: {"c": Point(9_000_000, 1, 36_000, 45_000)}}, {})
    assert usage.pod(*name) is None and usage.node("n") is None
    usage.store({name: {"c": Point(11_000_000, 1, 49_000, 60_000)}}, {})
    assert usage.pod(*name)["c"] == (1_000_000_000, 1, 60_000, 11_000)
    # a Pod is told of only when all its containers are
    usage.store({name: {"c": Point(12_000_000, 1, 49_000, 75_000), "d": Point(0, 1, 74_000, 75_000)}}, {})
    assert usage.pod(*name) is None
