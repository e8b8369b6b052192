"""Keeps as many Pods as a ReplicationController wants, the older form of a ReplicaSet.

Models pkg/controller/replication/replication_controller.go, which wraps the ReplicaSet controller; how: `replicas`.
"""

from __future__ import annotations

from kit.embedded.core.clock import Clock
from kit.embedded.parts.replicas import Flavour, Replicas
from kit.kube import selectors

FLAVOUR = Flavour(
    "ReplicationController",
    "replicationcontrollers",
    lambda obj: selectors.of_labels(obj["spec"]["selector"]),
    counts_terminating=False,
)


class ReplicationController(Replicas):
    """The replication controller."""

    name = "replicationcontroller-controller"
    user = "system:serviceaccount:kube-system:replication-controller"
    manager = "kube-controller-manager"
    component = "replication-controller"

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock, FLAVOUR)
