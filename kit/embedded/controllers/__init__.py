"""The controllers of the cluster: each brings one kind of object nearer to what it wants, and knows none of the others.

Controllers that are not there yet: see `api.server` for the warning their objects are answered with.
"""

from __future__ import annotations

from collections.abc import Sequence

from kit.embedded.controllers.apiservices import ApiServices
from kit.embedded.controllers.certificates import Certificates
from kit.embedded.controllers.clusterroleaggregation import ClusterRoleAggregation
from kit.embedded.controllers.crd import Definitions
from kit.embedded.controllers.deployment import Deployment
from kit.embedded.controllers.disruption import Disruption
from kit.embedded.controllers.endpoints import Endpoints
from kit.embedded.controllers.endpointslice import EndpointSlice
from kit.embedded.controllers.garbage import Garbage
from kit.embedded.controllers.mirroring import Mirroring
from kit.embedded.controllers.namespace import Namespace
from kit.embedded.controllers.nodeipam import NodeIpam
from kit.embedded.controllers.nodelifecycle import NodeLifecycle
from kit.embedded.controllers.podgc import PodCollector
from kit.embedded.controllers.pvcprotection import ClaimProtection
from kit.embedded.controllers.pvprotection import VolumeProtection
from kit.embedded.controllers.replicaset import ReplicaSet
from kit.embedded.controllers.replication import ReplicationController
from kit.embedded.controllers.resourcequota import ResourceQuota
from kit.embedded.controllers.scheduler import Scheduler
from kit.embedded.controllers.serviceaccount import RootAuthority, ServiceAccount
from kit.embedded.controllers.tainteviction import TaintEviction
from kit.embedded.controllers.tokens import Tokens
from kit.embedded.controllers.vacprotection import AttributesProtection
from kit.embedded.core.clock import Clock
from kit.embedded.core.controller import Controller
from kit.embedded.core.ids import Ids
from kit.embedded.core.ports import Signer
from kit.kube.kinds import Registry


def build(*, clock: Clock, ids: Ids, signer: Signer, registry: Registry) -> Sequence[Controller]:
    """Return all controllers, in the order they hear of an event."""
    return (
        ServiceAccount(),
        RootAuthority(signer),
        ClusterRoleAggregation(),
        ResourceQuota(registry),
        Certificates(clock, signer),
        Tokens(signer),
        Definitions(clock, registry),
        ApiServices(clock),
        Namespace(clock, registry),
        Garbage(registry),
        Deployment(clock),
        ReplicaSet(clock),
        ReplicationController(clock),
        Endpoints(clock),
        EndpointSlice(clock),
        Mirroring(),
        ClaimProtection(),
        VolumeProtection(),
        AttributesProtection(),
        PodCollector(clock),
        Disruption(clock, registry),
        NodeIpam(),
        NodeLifecycle(clock),
        TaintEviction(clock),
        Scheduler(clock, ids),
    )
