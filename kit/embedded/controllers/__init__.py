"""The controllers of the cluster: each brings one kind of object nearer to what it wants, and knows none of the others.

Controllers that are not there yet: see `api.server` for the warning their objects are answered with.
"""

from __future__ import annotations

from collections.abc import Sequence

from kit.embedded.controllers.apiservices import ApiServices
from kit.embedded.controllers.autoscaler import Autoscaler
from kit.embedded.controllers.certificaterequests import Approver, RequestCleaner
from kit.embedded.controllers.certificates import Certificates
from kit.embedded.controllers.clusterroleaggregation import ClusterRoleAggregation
from kit.embedded.controllers.crd import Definitions
from kit.embedded.controllers.cronjob import CronJob
from kit.embedded.controllers.daemonset import DaemonSet
from kit.embedded.controllers.deployment import Deployment
from kit.embedded.controllers.disruption import Disruption
from kit.embedded.controllers.endpoints import Endpoints
from kit.embedded.controllers.endpointslice import EndpointSlice
from kit.embedded.controllers.flowcontrol import FlowBootstrap, FlowControl
from kit.embedded.controllers.garbage import Garbage
from kit.embedded.controllers.job import Job
from kit.embedded.controllers.legacytokencleaner import LegacyTokenCleaner
from kit.embedded.controllers.mirroring import Mirroring
from kit.embedded.controllers.namespace import Namespace
from kit.embedded.controllers.nodeipam import NodeIpam
from kit.embedded.controllers.nodelifecycle import NodeLifecycle
from kit.embedded.controllers.podgc import PodCollector
from kit.embedded.controllers.policystatus import PolicyStatus
from kit.embedded.controllers.pvcprotection import ClaimProtection
from kit.embedded.controllers.pvprotection import VolumeProtection
from kit.embedded.controllers.replicaset import ReplicaSet
from kit.embedded.controllers.replication import ReplicationController
from kit.embedded.controllers.resourcequota import ResourceQuota
from kit.embedded.controllers.scheduler import Scheduler
from kit.embedded.controllers.serviceaccount import RootAuthority, ServiceAccount
from kit.embedded.controllers.statefulset import StatefulSet
from kit.embedded.controllers.tainteviction import TaintEviction
from kit.embedded.controllers.tokens import Tokens
from kit.embedded.controllers.ttlafterfinished import TtlAfterFinished
from kit.embedded.controllers.vacprotection import AttributesProtection
from kit.embedded.controllers.volumes import Binder, ClaimUse, LocalPath
from kit.embedded.core.clock import Clock
from kit.embedded.core.controller import Controller
from kit.embedded.core.ids import Ids
from kit.embedded.core.ports import Signer, Zones
from kit.embedded.core.usage import Usage
from kit.kube.kinds import Registry


def build(
    *,
    clock: Clock,
    ids: Ids,
    signer: Signer,
    registry: Registry,
    zones: Zones | None = None,
    usage: Usage | None = None,
) -> Sequence[Controller]:
    """Return all controllers, in the order they hear of an event."""
    return (
        ServiceAccount(),
        RootAuthority(signer),
        ClusterRoleAggregation(),
        FlowControl(clock),
        FlowBootstrap(),
        ResourceQuota(registry),
        Approver(clock, signer),
        Certificates(clock, signer),
        RequestCleaner(clock),
        Tokens(signer),
        LegacyTokenCleaner(clock),
        Definitions(clock, registry),
        ApiServices(clock),
        PolicyStatus(registry),
        Namespace(clock, registry),
        Garbage(registry),
        Deployment(clock),
        ReplicaSet(clock),
        StatefulSet(clock),
        DaemonSet(clock),
        Job(clock),
        TtlAfterFinished(clock),
        CronJob(clock, zones),
        ReplicationController(clock),
        Autoscaler(clock, registry, usage),
        Endpoints(clock),
        EndpointSlice(clock),
        Mirroring(),
        Binder(clock),
        LocalPath(),
        ClaimUse(clock),
        ClaimProtection(),
        VolumeProtection(),
        AttributesProtection(),
        PodCollector(clock),
        Disruption(clock, registry),
        NodeIpam(),
        Scheduler(clock, ids),  # a watch away from a node, where the others go through a work queue first
        NodeLifecycle(clock),
        TaintEviction(clock),
    )
