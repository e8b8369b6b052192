"""/metrics: names, help, labels and buckets are the real API server's; what is counted is what happened."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from prometheus_client import parser

from kit.runtime.exposition import Text
from kit.runtime.measuring import Meter

RECORDED = json.loads((Path(__file__).parent / "recorded" / "metrics.json").read_text())["families"]
MAP = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"}}
MAPS = "/api/v1/namespaces/default/configmaps"


class Seconds:
    """A clock that only the test moves."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Seconds()


@pytest.fixture
def told(world, clock):
    """Return a world whose numbers are told, and its meter."""
    world.meter = Meter(clock)
    world.api.context.exposition = Text(world.meter, lambda: 4096, 1_700_000_000)
    return world


def read(world, path="/metrics", **more):
    """Return the samples by name: labels and value."""
    answer = world.call("GET", path, **more).response
    assert answer.status == 200
    found = {}
    for family in parser.text_string_to_metric_families(answer.body.decode()):
        for sample in family.samples:
            found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found


def requests(world, **labels):
    """Return how many requests are counted under some labels."""
    rows = read(world).get("apiserver_request_total", [])
    return sum(value for row, value in rows if all(row[key] == wanted for key, wanted in labels.items()))


def test_every_family_is_one_of_the_real_server(told):
    told.call("POST", MAPS, MAP)
    told.call("GET", "/healthz")
    told.meter.submitted(1, "GET")
    told.meter.answered(1, ("GET", "", "v1", "configmaps", "", "resource", "apiserver", ""), 100)
    seen = set()
    for path in ("/metrics", "/metrics/slis"):
        text = told.call("GET", path).response.body.decode()
        helps = dict(line[7:].split(" ", 1) for line in text.splitlines() if line.startswith("# HELP "))
        types = dict(line[7:].split(" ") for line in text.splitlines() if line.startswith("# TYPE "))
        assert helps.keys() == types.keys()
        for name, help in helps.items():
            type, words, _, _ = RECORDED[name]
            assert (types[name], name.startswith("process_") or help) == (type, name.startswith("process_") or words)
        for family in parser.text_string_to_metric_families(text):
            for sample in family.samples:
                real = RECORDED.get(family.name) or RECORDED[f"{family.name}_total"]
                assert sorted(sample.labels.keys() - {"le"}) == real[2], sample
                if "le" in sample.labels:
                    assert [bound for bound in real[3] if float(bound) == float(sample.labels["le"])], sample
            seen.add(family.name)
    assert len(seen) >= 15


def test_requests_are_counted_by_what_they_were(told):
    assert told.call("POST", MAPS, MAP).code == 201
    assert told.call("POST", MAPS, MAP).code == 409
    told.call("GET", f"{MAPS}/m")
    told.call("GET", f"{MAPS}/nope")
    told.call("GET", MAPS)
    told.call("GET", "/api/v1/configmaps")
    told.call("DELETE", f"{MAPS}/m", dryRun="All")
    apply = {"content-type": "application/apply-patch+yaml"}
    told.call("PATCH", f"{MAPS}/m", raw=json.dumps(MAP).encode(), headers=apply, fieldManager="x", force="true")
    told.call("DELETE", MAPS)
    said = {"resource": "configmaps", "component": "apiserver", "version": "v1", "group": ""}
    assert requests(told, verb="POST", code="201", scope="resource", **said) == 1
    assert requests(told, verb="POST", code="409", **said) == 1
    assert requests(told, verb="GET", code="200", scope="resource", **said) == 1
    assert requests(told, verb="GET", code="404", **said) == 1
    assert requests(told, verb="LIST", scope="namespace", **said) == 1
    assert requests(told, verb="LIST", scope="cluster", **said) == 1
    assert requests(told, verb="DELETE", dry_run="All", **said) == 1
    assert requests(told, verb="APPLY", code="200", **said) == 1
    assert requests(told, verb="DELETE", scope="namespace", **said) == 1


def test_what_no_handler_sees_is_not_counted(told):
    """As on the real server: these were asked of it, and none was among its requests."""
    before = requests(told)
    told.call("GET", "/api/v1/namespaces/default/secrets", headers={"impersonate-user": "jo"})
    told.call("GET", "/api/v1/nothing")
    told.call("PUT", "/api/v1/podtemplates")
    told.call("GET", "/api/v1/limitranges", headers={"authorization": "Bearer no"})
    told.call("GET", "/version")
    told.call("GET", "/metrics/slis")
    assert requests(told) == before


def test_other_paths_are_counted_as_the_real_server_names_them(told):
    aggregated = {"accept": "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"}
    told.call("GET", "/apis", headers=aggregated)
    told.call("GET", "/apis")
    told.call("GET", "/livez")
    told.call("GET", "/openapi/v3")
    told.call("GET", "/openapi/v3/apis/apps/v1")
    assert requests(told, subresource="apis", component="apiserver") == 1
    assert requests(told, subresource="/livez", component="") == 1
    assert requests(told, subresource="openapi/v3") == 1
    assert requests(told, subresource="openapi/v3/") == 1


def test_watches_are_open_then_over(told):
    told.call("GET", MAPS, watch="1")
    ticket = told.ticket
    told.call("POST", MAPS, MAP)
    found = read(told)
    (row,) = [one for one in found["apiserver_longrunning_requests"] if one[0]["verb"] == "WATCH"]
    assert row[1] == 1 and row[0]["scope"] == "namespace"
    assert requests(told, verb="WATCH") == 0
    labels = {"group": "", "resource": "configmaps", "version": "v1"}
    before = {tuple(sorted(row.items())): value for row, value in found["apiserver_watch_events_total"]}
    assert before[tuple(sorted(labels.items()))] == 1
    ticket.hangup()
    found = read(told)
    assert [one[1] for one in found["apiserver_longrunning_requests"] if one[0]["verb"] == "WATCH"] == [0]
    assert requests(told, verb="WATCH", code="200") == 1
    assert (labels, 1.0) in found["apiserver_watch_events_total"]


def test_exec_is_a_connection(told):
    pod = {"metadata": {"name": "p"}, "spec": {"nodeName": "n", "containers": [{"name": "c", "image": "busybox"}]}}
    told.call("POST", "/api/v1/namespaces/default/pods", pod)
    told.call("POST", "/api/v1/namespaces/default/pods/p/exec", command="id", stdout="1")
    assert requests(told, verb="CONNECT", subresource="exec", resource="pods") == 1


def test_deprecated_apis_and_objects(told):
    told.call("GET", "/api/v1/endpoints")
    told.call("POST", MAPS, MAP)
    found = read(told)
    asked = {"group": "", "removed_release": "", "resource": "endpoints", "subresource": "", "version": "v1"}
    assert found["apiserver_requested_deprecated_apis"] == [(asked, 1.0)]
    assert ({"group": "", "resource": "configmaps"}, 1.0) in found["apiserver_resource_objects"]
    assert ({"group": "", "resource": "namespaces"}, 4.0) in found["apiserver_resource_objects"]


def test_health_checks_are_told_one_by_one(told):
    told.call("GET", "/readyz")
    told.call("GET", "/readyz")
    found = read(told, "/metrics/slis")
    assert ({"name": "ping", "type": "healthz"}, 1.0) in found["kubernetes_healthcheck"]
    assert ({"name": "etcd", "status": "success", "type": "readyz"}, 2.0) in found["kubernetes_healthchecks_total"]


def test_form_methods_and_who_may_ask(told):
    answer = told.call("GET", "/metrics", headers={"accept": "application/openmetrics-text; version=1.0.0"})
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"
    assert answer.headers["Process-Start-Time-Unix"] == "1700000000"
    utf8 = told.call("GET", "/metrics", headers={"accept": "text/plain; version=1.0.0; escaping=allow-utf-8"})
    assert utf8.headers["Content-Type"].endswith("escaping=allow-utf-8")
    assert told.call("POST", "/metrics").code == 200
    assert told.call("GET", "/metrics/").code == 404
    refused = told.call("GET", "/metrics", headers={"impersonate-user": "jo"})
    assert (refused.code, refused.body["message"]) == (403, 'forbidden: User "jo" cannot get path "/metrics"')
    monitoring = {"impersonate-user": "jo", "impersonate-group": "system:monitoring"}
    assert told.call("GET", "/metrics", headers=monitoring).code == 200
    assert told.call("DELETE", "/metrics", headers=monitoring).code == 403


def test_delete_begins_anew(told):
    told.call("GET", MAPS)
    answer = told.call("DELETE", "/metrics")
    assert (answer.code, answer.response.body) == (200, b"metrics reset\n")
    assert requests(told) == 0


def test_a_machine_alone_says_that_nothing_is_told(world):
    assert world.call("GET", "/metrics").code == 501


def test_durations_fall_into_buckets(told, clock):
    labels = ("GET", "", "v1", "pods", "", "resource", "apiserver", "")
    for number, seconds in enumerate((0.001, 0.005, 0.3, 61.0)):
        told.meter.submitted(number, "GET")
        clock.now += seconds
        told.meter.answered(number, labels, 1500)
    rows = {row["le"]: value for row, value in read(told)["apiserver_request_duration_seconds_bucket"]}
    assert (rows["0.005"], rows["0.2"], rows["0.4"], rows["60"], rows["+Inf"]) == (2, 2, 3, 3, 4)
    rows = {row["le"]: value for row, value in read(told)["apiserver_request_sli_duration_seconds_bucket"]}
    assert (rows["0.05"], rows["0.4"], rows["60"], rows["+Inf"]) == (2, 3, 3, 4)
    assert read(told)["apiserver_request_duration_seconds_sum"][0][1] == pytest.approx(61.306)
    assert read(told)["apiserver_response_sizes_sum"][0][1] == 6000


def test_the_most_in_hand_within_a_second(clock):
    meter = Meter(clock)
    for number in range(3):
        meter.submitted(number, "POST")
    meter.submitted(9, "GET")
    for number in range(3):
        meter.left(number)
    clock.now += 1
    assert meter.in_hand() == {"readOnly": 1, "mutating": 3}
    clock.now += 5
    assert meter.in_hand() == {"readOnly": 1, "mutating": 0}
