"""What a new cluster has from its first moment is what a real control plane has (tests/facts/fresh.json.xz), and stays."""

from __future__ import annotations

import json
import re

import pytest

from kit.embedded.cluster import Cluster
from kit.embedded.core.settings import Settings
from kit.embedded.core.turns import Request
from kit.runtime.credentials import Credentials

FLOW = "/apis/flowcontrol.apiserver.k8s.io/v1"
ADDRESSES = "/apis/networking.k8s.io/v1/ipaddresses"
SERVICES = "/api/v1/namespaces/default/services"
# What is of the machine it was recorded on, or of its clock.
OWN = (
    (re.compile(r"apiserver-[a-z2-7]{26}(_[0-9a-f-]{36})?"), "apiserver-x"),
    (re.compile(r"(serving:)[0-9a-f]{24}"), r"\1x"),
    (re.compile(r"\d{4}-\d\d-\d\d(T[\d:.]+Z)?"), "<time>"),
    (re.compile(r"\"(vm|lab-control-plane)\""), '"<host>"'),
    (re.compile(r"172\.18\.0\.2:\d+"), "<address>"),
    (re.compile(r"-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----\\n"), "<certificate>"),
    (re.compile(r"\"port\": \d+"), '"port": 0'),
)
# A front proxy is not served: nothing is said of its authority.
UNSERVED = re.compile("requestheader-")
# Two writers of one condition, and a controller that adds the finalizer, are one here.
OTHER_OWNERS = {"ServiceCIDR"}
# Conditions of parts that answered nobody where it was recorded.
UNHEALTHY = {"ComponentStatus"}


def bare(obj):
    """Return an object's text without what is of its machine."""
    meta = {
        key: value
        for key, value in obj["metadata"].items()
        if key not in {"uid", "resourceVersion", "creationTimestamp"}
    }
    if obj["kind"] in OTHER_OWNERS:
        meta.pop("managedFields")
    entries = sorted(meta.get("managedFields", ()), key=lambda one: one["manager"])
    if entries:
        meta["managedFields"] = [{key: value for key, value in one.items() if key != "time"} for one in entries]
    kept = json.loads(json.dumps({**obj, "metadata": meta}), object_hook=_without)
    text = json.dumps(kept, sort_keys=True)
    for pattern, instead in OWN:
        text = pattern.sub(instead, text)
    return text


def _without(found):
    return {key: value for key, value in found.items() if not UNSERVED.search(key)}


def settle(cluster, ms):
    """Let time pass."""
    while not cluster.turn((), cluster.now + ms, 10_000).done:
        ms = 0


def ask(cluster, method, path, body=None):
    """Send one request and return its answer."""
    sent = {"authorization": "Bearer t", "content-type": "application/json"}
    request = Request(1, method, path, (), sent, b"" if body is None else json.dumps(body).encode())
    response = cluster.turn((request,), cluster.now, 10_000).outputs[0].response
    return response.status, json.loads(response.body)


@pytest.fixture
def cluster(tmp_path):
    made = Cluster(Settings(admin_token="t", nodes=1), Credentials(tmp_path, "x"))
    settle(made, 1000)
    return made


@pytest.fixture
def ours(cluster):
    return {bare(obj) for resource in cluster.store.resources() for obj in cluster.store.list(resource)}


def test_everything_of_a_fresh_control_plane_is_there(facts, ours):
    real = [obj for obj in facts("fresh.json")["items"] if obj["kind"] not in UNHEALTHY]
    missing = [text for obj in real if (text := bare(obj)) not in ours]
    print(f"\nfresh.json: {len(real) - len(missing)}/{len(real)} matched")
    assert not missing, "\n".join(missing)


def test_the_parts_of_the_control_plane_are_healthy(cluster):
    found = ask(cluster, "GET", "/api/v1/componentstatuses")[1]
    assert [one["metadata"]["name"] for one in found["items"]] == ["scheduler", "controller-manager", "etcd-0"]
    assert all(one["conditions"][0]["status"] == "True" for one in found["items"])
    code, one = ask(cluster, "GET", "/api/v1/componentstatuses/nope")
    assert (code, one["message"], one["details"]["kind"]) == (
        404,
        'componentstatus "nope" not found',
        "componentstatus",
    )


def dangling(cluster, name):
    return ask(cluster, "GET", f"{FLOW}/flowschemas/{name}")[1]["status"]["conditions"][0]


def test_a_schema_says_whether_its_level_is_there(cluster):
    spec = {"matchingPrecedence": 7000, "priorityLevelConfiguration": {"name": "mine"}, "rules": []}
    ask(cluster, "POST", f"{FLOW}/flowschemas", {"metadata": {"name": "mine"}, "spec": spec})
    settle(cluster, 1000)
    about = 'This FlowSchema references the PriorityLevelConfiguration object named "mine"'
    told = dangling(cluster, "mine")
    assert (told["status"], told["reason"], told["message"]) == (
        "True",
        "NotFound",
        f"{about} but there is no such object",
    )
    level = {"type": "Limited", "limited": {"limitResponse": {"type": "Reject"}}}
    made = ask(cluster, "POST", f"{FLOW}/prioritylevelconfigurations", {"metadata": {"name": "mine"}, "spec": level})
    assert made[0] == 201
    settle(cluster, 1000)
    told = dangling(cluster, "mine")
    assert (told["status"], told["reason"], told["message"]) == ("False", "Found", f"{about} and it exists")


def test_what_flow_control_begins_with_comes_back_within_a_minute(cluster):
    assert ask(cluster, "DELETE", f"{FLOW}/flowschemas/probes")[0] == 200
    assert ask(cluster, "GET", f"{FLOW}/flowschemas/probes")[0] == 404
    settle(cluster, 60_000)
    assert ask(cluster, "GET", f"{FLOW}/flowschemas/probes")[0] == 200


def test_the_api_server_renews_its_lease(cluster):
    def renewed():
        return next(one for one in cluster.store.list("leases.coordination.k8s.io", "kube-system"))["spec"]["renewTime"]

    before = renewed()
    settle(cluster, 11_000)
    assert renewed() > before


def addresses(cluster):
    return {
        one["metadata"]["name"]: one["spec"]["parentRef"]["name"] for one in ask(cluster, "GET", ADDRESSES)[1]["items"]
    }


def test_a_cluster_ip_has_an_object_as_long_as_its_service_lives(cluster):
    spec = {"ports": [{"port": 80}]}
    made = ask(cluster, "POST", SERVICES, {"metadata": {"name": "a"}, "spec": spec})[1]
    assert addresses(cluster)[made["spec"]["clusterIP"]] == "a"
    ask(cluster, "POST", SERVICES, {"metadata": {"name": "a"}, "spec": spec})  # refused: it is there
    ask(cluster, "DELETE", f"{SERVICES}/a")
    assert set(addresses(cluster).values()) == {"kubernetes", "kube-dns"}


def test_an_address_with_an_object_is_not_given_out(cluster):
    parent = {"resource": "services", "namespace": "default", "name": "x"}
    assert ask(cluster, "POST", ADDRESSES, {"metadata": {"name": "10.96.7.7"}, "spec": {"parentRef": parent}})[0] == 201
    wanted = {"metadata": {"name": "b"}, "spec": {"clusterIP": "10.96.7.7", "ports": [{"port": 80}]}}
    code, refused = ask(cluster, "POST", SERVICES, wanted)
    assert code == 422
    assert refused["message"] == (
        'Service "b" is invalid: spec.clusterIPs: Invalid value: ["10.96.7.7"]: '
        "failed to allocate IP 10.96.7.7: provided IP is already allocated"
    )


def test_a_new_start_makes_what_is_missing(cluster):
    cluster.store.remove(next(key for key, _ in cluster.store.items("servicecidrs.networking.k8s.io")))
    cluster.api.restored()
    assert cluster.store.list("servicecidrs.networking.k8s.io")
    uids = [obj["metadata"]["uid"] for resource in cluster.store.resources() for obj in cluster.store.list(resource)]
    assert len(uids) == len(set(uids))
