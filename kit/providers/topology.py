"""The kind cluster that the course assumes, as kind's configuration: `lab-control-plane`, `lab-worker`, `lab-worker2` with `disk=ssd`."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from typing import Any

import yaml

from kit.errors import BadInput

LOOPBACK = "127.0.0.1"
NODES, MOST = 3, 9
# what it is for, the port of the control-plane node, the port of this machine that is tried first
PORTS = (("NodePort", 30080, 30080), ("Ingress HTTP", 30088, 8080), ("Ingress HTTPS", 30443, 8443))
SSD = {"disk": "ssd"}


def node_names(name: str, nodes: int) -> list[str]:
    """Return the nodes' names as kind gives them: the second worker is `-worker2`."""
    return [f"{name}-control-plane", *(f"{name}-worker{number if number > 1 else ''}" for number in range(1, nodes))]


def count(nodes: int | None) -> int:
    """Return how many nodes to make, the control plane included; BadInput when that can't be."""
    nodes = NODES if nodes is None else nodes
    if not 1 <= nodes <= MOST:
        raise BadInput(
            f"a kind cluster of {nodes} nodes is not made", f"--nodes 1 to {MOST}, the control plane included"
        )
    return nodes


def ports(free: Callable[[int], int]) -> tuple[dict[str, Any], ...]:
    """Return the port mappings; `free(preferred)` gives a port of this machine."""
    return tuple(
        {"name": name, "address": LOOPBACK, "port": port, "host_port": free(preferred)}
        for name, port, preferred in PORTS
    )


def ports_of(published: Iterable[tuple[int, int]]) -> tuple[dict[str, Any], ...]:
    """Return the port mappings of a cluster that is there, from what its control-plane node publishes."""
    there = dict(published)
    return tuple(
        {"name": name, "address": LOOPBACK, "port": port, "host_port": there[port]}
        for name, port, _ in PORTS
        if port in there
    )


def free_port(preferred: int) -> int:
    """Return `preferred` if nothing listens there on the loopback, else a free port."""
    for port in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
            found: int = probe.getsockname()[1]
            return found
    raise BadInput("this machine has no free port", "end some programs that listen")


def configuration(nodes: int, mappings: tuple[dict[str, Any], ...]) -> str:
    """Return the configuration for `kind create cluster --config -`. kind's own default would listen on every interface."""
    control: dict[str, Any] = {
        "role": "control-plane",
        "extraPortMappings": [
            {
                "containerPort": mapping["port"],
                "hostPort": mapping["host_port"],
                "listenAddress": LOOPBACK,
                "protocol": "TCP",
            }
            for mapping in mappings
        ],
    }
    workers: list[dict[str, Any]] = [
        {"role": "worker", "labels": SSD} if one == 2 else {"role": "worker"} for one in range(1, nodes)
    ]
    return yaml.safe_dump(
        {
            "kind": "Cluster",
            "apiVersion": "kind.x-k8s.io/v1alpha4",
            "networking": {
                "apiServerAddress": LOOPBACK,
                "podSubnet": "10.244.0.0/16",
                "serviceSubnet": "10.96.0.0/16",
            },
            "nodes": [control, *workers],
        },
        sort_keys=False,
    )
