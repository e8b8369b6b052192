"""Cluster IPs and node ports are handed out once."""

from __future__ import annotations

from typing import Any

import pytest

from kit.embedded.core.allocators import Addresses, Numbers, Outside, Ports, Taken
from kit.embedded.core.ids import Ids

SERVICES = "/api/v1/namespaces/default/services"


def service(name: str, port: int = 80, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"ports": [{"port": port}], **spec},
    }


def test_a_service_gets_an_address_of_the_upper_band(world: Any) -> None:
    spec = world.call("POST", SERVICES, service("a")).body["spec"]
    assert (
        spec["clusterIPs"] == [spec["clusterIP"]]
        and spec["ipFamilies"] == ["IPv4"]
        and spec["ipFamilyPolicy"] == "SingleStack"
    )
    third, fourth = (int(part) for part in spec["clusterIP"].split(".")[2:])
    assert third * 256 + fourth > 256


def test_an_address_is_given_once_and_comes_back(world: Any) -> None:
    assert world.call("POST", SERVICES, service("a", clusterIP="10.96.0.77")).code == 201
    refused = world.call("POST", SERVICES, service("b", clusterIP="10.96.0.77")).body
    assert refused["message"] == (
        'Service "b" is invalid: spec.clusterIPs: Invalid value: ["10.96.0.77"]: '
        "failed to allocate IP 10.96.0.77: provided IP is already allocated"
    )
    world.call("DELETE", f"{SERVICES}/a")
    assert world.call("POST", SERVICES, service("b", clusterIP="10.96.0.77")).code == 201


def test_a_node_port_is_given_once_and_comes_back(world: Any) -> None:
    taken = service("a", type="NodePort")
    taken["spec"]["ports"][0]["nodePort"] = 30080
    assert world.call("POST", SERVICES, taken).code == 201
    refused = world.call("POST", SERVICES, {**taken, "metadata": {"name": "b"}}).body
    assert "spec.ports[0].nodePort: Invalid value: 30080: provided port is already allocated" in refused["message"]
    patch = {"content-type": "application/merge-patch+json"}
    assert world.call("PATCH", f"{SERVICES}/a", {"spec": {"type": "ClusterIP"}}, headers=patch).code == 200
    assert world.call("POST", SERVICES, {**taken, "metadata": {"name": "b"}}).code == 201


def test_a_refused_service_leaves_nothing_taken(world: Any) -> None:
    bad = service("a", clusterIP="10.96.0.78", type="NodePort")
    bad["spec"]["ports"][0]["nodePort"] = 20
    assert world.call("POST", SERVICES, bad).code == 422
    assert world.call("POST", SERVICES, service("a", clusterIP="10.96.0.78")).code == 201


def test_an_update_keeps_what_was_given(world: Any) -> None:
    before = world.call("POST", SERVICES, service("a", type="NodePort")).body["spec"]
    after = world.call("PUT", f"{SERVICES}/a", service("a", port=81, type="NodePort")).body["spec"]
    assert after["clusterIP"] == before["clusterIP"] and 30_000 <= after["ports"][0]["nodePort"] <= 32_767


def test_ranges() -> None:
    addresses, ports, ids = Addresses(), Ports(), Ids(1)
    addresses.take("10.96.0.1")
    with pytest.raises(Taken):
        addresses.take("10.96.0.1")
    for outside in ("10.96.0.0", "10.96.255.255", "10.97.0.1", "x"):
        with pytest.raises(Outside):
            addresses.take(outside)
    drawn = {ports.next(ids) for _ in range(2768)}
    assert len(drawn) == 2768 and None not in drawn and ports.next(ids) is None


def test_the_lower_band_comes_last() -> None:
    numbers = Numbers(0, 9, band=4)
    assert [numbers.next(lambda bound: 0) for _ in range(10)] == [4, 5, 6, 7, 8, 9, 0, 1, 2, 3]
