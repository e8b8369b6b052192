"""The kind cluster that the course assumes, and what kind says while it makes it."""

from __future__ import annotations

import socket

import pytest
import yaml

from kit.errors import BadInput
from kit.providers import topology
from kit.providers.engine import Box, box_of
from kit.providers.kindcli import Step, step_of


def test_three_nodes_with_the_disk_on_the_second_worker():
    ports = topology.ports(lambda preferred: preferred + 1)
    found = yaml.safe_load(topology.configuration(3, ports))
    assert [node["role"] for node in found["nodes"]] == ["control-plane", "worker", "worker"]
    assert [node.get("labels") for node in found["nodes"]] == [None, None, {"disk": "ssd"}]
    assert {mapping["listenAddress"] for mapping in found["nodes"][0]["extraPortMappings"]} == {"127.0.0.1"}
    assert [mapping["hostPort"] for mapping in found["nodes"][0]["extraPortMappings"]] == [30081, 8081, 8444]
    assert found["networking"] == {
        "apiServerAddress": "127.0.0.1",
        "podSubnet": "10.244.0.0/16",
        "serviceSubnet": "10.96.0.0/16",
    }
    assert topology.node_names("lab", 3) == ["lab-control-plane", "lab-worker", "lab-worker2"]


def test_one_node_is_a_control_plane_alone():
    assert len(yaml.safe_load(topology.configuration(1, ()))["nodes"]) == 1


@pytest.mark.parametrize("nodes", [0, -1, 10])
def test_a_number_of_nodes_that_makes_no_cluster(nodes):
    with pytest.raises(BadInput, match="not made"):
        topology.count(nodes)


def test_a_taken_port_is_replaced_by_a_free_one():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert topology.free_port(port) not in {port, 0}
    assert topology.free_port(port) == port


@pytest.mark.parametrize(
    "line, step",
    [
        (
            " • Ensuring node image (kindest/node:v1.37.2) 🖼  ...",
            Step("running", "Ensuring node image (kindest/node:v1.37.2)"),
        ),
        (" ✓ Preparing nodes 📦 📦 📦 ", Step("done", "Preparing nodes")),
        (" ✗ Starting control-plane 🕹️", Step("failed", "Starting control-plane")),
        ('Creating cluster "lab" ...', None),
        ("ERROR: failed to create cluster", None),
        ("", None),
    ],
)
def test_steps_are_read_from_what_kind_says(line, step):
    assert step_of(line) == step


def test_nodes_are_ordered_as_kind_numbers_them():
    boxes = [
        Box(f"lab-{end}", "lab", end.rstrip("0123456789"), "running")
        for end in ("worker10", "worker2", "worker", "control-plane")
    ]
    assert [box.name for box in sorted(boxes, key=lambda box: box.order)] == [
        "lab-control-plane",
        "lab-worker",
        "lab-worker2",
        "lab-worker10",
    ]


def test_ports_of_a_cluster_that_is_there():
    assert topology.ports_of([(30088, 41000), (6443, 36443)]) == (
        {"name": "Ingress HTTP", "address": "127.0.0.1", "port": 30088, "host_port": 41000},
    )
    assert topology.ports_of(()) == ()


def test_published_ports_are_read_from_a_node_that_may_be_stopped():
    container = {
        "Name": "/lab-control-plane",
        "Config": {"Labels": {"io.x-k8s.kind.cluster": "lab", "io.x-k8s.kind.role": "control-plane"}},
        "State": {"Status": "exited"},
        "HostConfig": {
            "PortBindings": {
                "30080/tcp": [{"HostIp": "127.0.0.1", "HostPort": "30081"}],
                "53/udp": [{"HostIp": "127.0.0.1", "HostPort": "53"}],
                "30443/tcp": [{"HostIp": "127.0.0.1", "HostPort": "0"}],
                "30088/tcp": None,
            }
        },
    }
    assert box_of(container).published == ((30080, 30081),)
