"""Endpoints that people write become EndpointSlices: what a real controller manager (1.37.2) made of the same objects."""

from __future__ import annotations

from typing import Any

import pytest
from stage import MERGE, Stage

SPACE = "/api/v1/namespaces/default"
SLICES = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"
SUBSETS: list[dict[str, Any]] = [
    {
        "addresses": [
            {"ip": "10.1.2.3", "hostname": "h", "nodeName": "node9"},
            {"ip": "10.1.2.1"},
            {"ip": "fd00::1"},
        ],
        "notReadyAddresses": [{"ip": "10.1.2.4"}],
        "ports": [{"port": 80, "name": "b", "appProtocol": "http"}, {"port": 81, "name": "a"}],
    },
    {"addresses": [{"ip": "10.1.2.3"}], "ports": [{"port": 90}]},
]
TWO_PORTS = [
    {"name": "a", "port": 81, "protocol": "TCP"},
    {"appProtocol": "http", "name": "b", "port": 80, "protocol": "TCP"},
]


@pytest.fixture
def stage() -> Stage:
    """Return a stage with a Service without a selector, and Endpoints for it."""
    found = Stage()
    found.create({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}, "spec": {"ports": [{"port": 80}]}})
    metadata = {"name": "a", "labels": {"foo": "bar"}, "annotations": {"x": "z"}}
    found.create({"apiVersion": "v1", "kind": "Endpoints", "metadata": metadata, "subsets": SUBSETS})
    found.settle()
    return found


def slices(stage: Stage) -> list[dict[str, Any]]:
    """Return the slices, those with most ports first."""
    stage.settle()
    found = stage.ask("GET", f"{SLICES}?labelSelector=kubernetes.io/service-name=a")["items"]
    return sorted(found, key=lambda one: (-len(one["ports"] or ()), one["addressType"]))


def addresses(stage: Stage) -> list[list[str]]:
    """Return the addresses of the slices."""
    return [[one["addresses"][0] for one in each["endpoints"]] for each in slices(stage)]


def test_families_and_ports_are_apart(stage: Stage) -> None:
    """One slice for each family and set of ports, with the labels and annotations of the Endpoints."""
    first, second, third = slices(stage)
    h = {"hostname": "h", "nodeName": "node9"}
    assert first["endpoints"] == [
        {"addresses": ["10.1.2.1"], "conditions": {"ready": True}},
        {"addresses": ["10.1.2.3"], "conditions": {"ready": True}, **h},
        {"addresses": ["10.1.2.4"], "conditions": {"ready": False}},
    ]
    assert (second["addressType"], second["endpoints"][0]["addresses"]) == ("IPv6", ["fd00::1"])
    assert first["ports"] == second["ports"] == TWO_PORTS
    assert third["ports"] == [{"name": "", "port": 90, "protocol": "TCP"}]
    for one in (first, second, third):
        assert one["metadata"]["annotations"] == {"x": "z"}
        assert one["metadata"]["labels"] == {
            "endpointslice.kubernetes.io/managed-by": "endpointslicemirroring-controller.k8s.io",
            "foo": "bar",
            "kubernetes.io/service-name": "a",
        }
        assert one["metadata"]["generation"] == 1


def test_a_change_is_followed(stage: Stage) -> None:
    """An address and a subset that go, a label that comes."""
    names = [one["metadata"]["name"] for one in slices(stage)]
    changed = [{**SUBSETS[0], "addresses": SUBSETS[0]["addresses"][1:]}]
    patch = {"metadata": {"labels": {"new": "x"}}, "subsets": changed}
    stage.ask("PATCH", f"{SPACE}/endpoints/a", patch, MERGE)
    assert addresses(stage) == [["10.1.2.1", "10.1.2.4"], ["fd00::1"]]
    found = slices(stage)
    assert [one["metadata"]["name"] for one in found] == names[:2]
    assert all(one["metadata"]["labels"]["new"] == "x" and one["metadata"]["generation"] == 2 for one in found)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "endpoints/a", {"metadata": {"labels": {"endpointslice.kubernetes.io/skip-mirror": "true"}}}),
        ("PATCH", "endpoints/a", {"metadata": {"annotations": {"control-plane.alpha.kubernetes.io/leader": "x"}}}),
        ("PATCH", "endpoints/a", {"subsets": None}),
        ("DELETE", "endpoints/a", None),
        ("DELETE", "services/a", None),
    ],
)
def test_what_is_no_longer_meant_goes(stage: Stage, method: str, path: str, body: Any) -> None:
    """The slices go with the Endpoints, their content, their Service, or when they are not to be mirrored."""
    assert len(slices(stage)) == 3
    stage.ask(method, f"{SPACE}/{path}", body, MERGE if body else None)
    assert slices(stage) == []


def test_a_selector_takes_over(stage: Stage) -> None:
    """A Service with a selector has the slices of its Pods only."""
    stage.ask("PATCH", f"{SPACE}/services/a", {"spec": {"selector": {"app": "x"}}}, MERGE)
    (only,) = slices(stage)
    assert only["metadata"]["labels"]["endpointslice.kubernetes.io/managed-by"] == "endpointslice-controller.k8s.io"


def test_what_was_lost_is_made_again(stage: Stage) -> None:
    """A slice that somebody deletes comes back."""
    stage.ask("DELETE", f"{SLICES}/{slices(stage)[0]['metadata']['name']}")
    assert addresses(stage) == [["10.1.2.1", "10.1.2.3", "10.1.2.4"], ["fd00::1"], ["10.1.2.3"]]
