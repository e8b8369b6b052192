"""Keeps as many Pods as a ReplicaSet wants. Models pkg/controller/replicaset/replica_set.go; how: `replicas`."""

from __future__ import annotations

from kit.embedded.core.clock import Clock
from kit.embedded.parts.replicas import Flavour, Replicas
from kit.kube import selectors

FLAVOUR = Flavour("ReplicaSet", "replicasets.apps", lambda obj: selectors.of_object(obj["spec"]["selector"]))


class ReplicaSet(Replicas):
    """The replicaset controller."""

    name = "replicaset-controller"
    user = "system:serviceaccount:kube-system:replicaset-controller"
    manager = "kube-controller-manager"
    component = "replicaset-controller"

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock, FLAVOUR)
