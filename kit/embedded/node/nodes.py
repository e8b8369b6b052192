"""Node objects and their heartbeats: a Lease every 10 s, the status every 5 min.

Models pkg/kubelet/kubelet_node_status.go and component-helpers/apimachinery/lease.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kit.embedded.core.clock import Clock
from kit.embedded.core.controller import Effects, Mapper, View
from kit.embedded.core.effects import After, Create, Emit, Update
from kit.embedded.core.settings import Settings
from kit.embedded.core.store import Event, Key, Obj
from kit.embedded.node.environment import NODE_RESOURCES
from kit.embedded.node.procfs import KERNEL
from kit.errors import Status

LEASE_MS = 10_000
STATUS_MS = 300_000
RETRY_MS = 1_000
LEASE_NAMESPACE = "kube-node-lease"
SSD_NODE = "worker2"
CAPACITY = {**NODE_RESOURCES, "hugepages-1Gi": "0", "hugepages-2Mi": "0", "pods": "110"}
CONTROL_PLANE = {
    "node-role.kubernetes.io/control-plane": "",
    "node.kubernetes.io/exclude-from-external-load-balancers": "",
}
CONDITIONS = (
    ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
)

# what a kubelet tells at its start, before it is ready
BOOTING = (
    ("Starting", "Starting kubelet."),
    ("NodeAllocatableEnforced", "Updated Node Allocatable limit across pods"),
    *((reason.replace("Kubelet", "Node"), f"Node {{node}} status is now: {reason.replace('Kubelet', 'Node')}")
      for _, _, reason, _ in CONDITIONS[:3]),
)  # fmt: skip


def address(index: int) -> str:
    """Return the address of the index-th node."""
    return f"172.18.0.{index + 2}"


def node_object(name: str, index: int, settings: Settings, now: str, machine: str) -> Obj:
    """Return a node as its kubelet registers it. `now` is an RFC 3339 time, `machine` 32 hexadecimal digits."""
    control = index == 0
    labels = {
        "beta.kubernetes.io/arch": "amd64", "beta.kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": name, "kubernetes.io/os": "linux",
    }  # fmt: skip
    if name.endswith(SSD_NODE):
        labels["disk"] = "ssd"
    network = f"10.244.{index}.0/24"
    spec: dict[str, Any] = {
        "podCIDR": network,
        "podCIDRs": [network],
        "providerID": f"kind://docker/{settings.name}/{name}",
    }
    if control:
        spec["taints"] = [{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}]
    annotations = {
        "node.alpha.kubernetes.io/ttl": "0",
        "volumes.kubernetes.io/controller-managed-attach-detach": "true",
    }
    metadata = {"name": name, "labels": labels, "annotations": annotations}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": metadata,
        "spec": spec,
        "status": node_status(name, index, settings, now, machine),
    }


def node_status(name: str, index: int, settings: Settings, now: str, machine: str) -> dict[str, Any]:
    """Return the status of a healthy node."""
    return {
        "capacity": dict(CAPACITY),
        "allocatable": dict(CAPACITY),
        "conditions": [
            {"type": type, "status": status, "lastHeartbeatTime": now, "lastTransitionTime": now, "reason": reason, "message": message}
            for type, status, reason, message in CONDITIONS
        ],
        "addresses": [{"type": "InternalIP", "address": address(index)}, {"type": "Hostname", "address": name}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
        "nodeInfo": {
            "machineID": machine, "systemUUID": machine, "bootID": _dashed(machine),
            "kernelVersion": KERNEL, "osImage": "Debian GNU/Linux 12 (bookworm)", "containerRuntimeVersion": "containerd://2.1.9+unknown",
            "kubeletVersion": settings.version, "kubeProxyVersion": "", "operatingSystem": "linux", "architecture": "amd64",
            "runningInUserNamespace": False,
        },
    }  # fmt: skip


def _dashed(machine: str) -> str:
    return f"{machine[:8]}-{machine[8:12]}-{machine[12:16]}-{machine[16:20]}-{machine[20:]}"


class ControlPlaneMark:
    """Labels the control plane's node as kubeadm does, its administrator: a kubelet may not say so of itself."""

    name = "kubeadm"
    manager = "kubeadm"
    component = "kubeadm"
    user = "kubernetes-admin"

    def __init__(self, node: str) -> None:
        self._node = node
        self.watches: Mapping[str, Mapper] = {"nodes": self._new}

    def _new(self, event: Event, view: View) -> Iterable[Key]:
        return (event.key,) if event.key.name == self._node and event.type == "ADDED" else ()

    def reconcile(self, key: Key, view: View, now: int) -> Effects:
        """Put the labels on."""
        node = view.at(key)
        if node is not None:
            metadata = {**node["metadata"], "labels": {**node["metadata"].get("labels", {}), **CONTROL_PLANE}}
            answer = yield Update({**node, "metadata": metadata})
            if isinstance(answer, Status):
                yield After(RETRY_MS)


class Heartbeat:
    """Registers one node and keeps its Lease and status fresh. `alive` False: the node is off, nothing is posted."""

    manager = "kubelet"
    component = "kubelet"

    def __init__(self, name: str, index: int, settings: Settings, clock: Clock, machine: str) -> None:
        self.node = name
        self.host = name
        self.name = f"heartbeat/{name}"
        self.user = f"system:node:{name}"
        self.alive = True
        self.watches: Mapping[str, Mapper] = {"nodes": self._mine}
        self._index = index
        self._settings = settings
        self._clock = clock
        self._machine = machine
        self._renewed: int | None = None
        self._posted: int | None = None
        self._cordoned: bool | None = None
        self._booting = False
        self._up = 0  # when the kubelet has started

    def boot(self, up: int) -> None:
        """The node comes up again: at `up` (ms) its kubelet registers and posts anew."""
        self.alive = self._booting = True
        self._up = up
        self._posted = self._renewed = None

    @property
    def key(self) -> Key:
        """The node's key."""
        return Key("nodes", "", self.node)

    def _mine(self, event: Event, view: View) -> Iterable[Key]:
        return (event.key,) if event.key.name == self.node and event.type != "DELETED" else ()

    def reconcile(self, key: Key, view: View, now: int) -> Effects:
        """Register, renew, post."""
        if not self.alive:
            return
        if now < self._up:
            yield After(self._up - now)
            return
        node = view.at(key)
        new = node is None
        if node is None:
            if self._posted is not None:
                return  # deleted by hand: it comes back when its kubelet is started again
            node = yield Create(node_object(self.node, self._index, self._settings, self._clock.text(), self._machine))
            if isinstance(node, Status):
                yield After(RETRY_MS)
                return
            self._posted = None
        if self._booting:
            self._booting = False
            for reason, message in BOOTING:
                yield Emit(node, "Normal", reason, message.format(node=self.node))
        yield from self._post(node, now, new=new)
        yield from self._renew(view, now)
        yield from self._note_cordon(node)
        yield After(max(1, (self._renewed or now) + LEASE_MS - now), housekeeping=True)

    def _post(self, node: Obj, now: int, *, new: bool) -> Effects:
        """Write the status when it is due, or when somebody else has declared the node dead; say when it becomes ready."""
        conditions = {one["type"]: one for one in (node.get("status") or {}).get("conditions") or ()}
        healthy = all((conditions.get(type) or {}).get("status") == status for type, status, _, _ in CONDITIONS)
        if healthy and self._posted is not None and now - self._posted < STATUS_MS:
            return
        self._posted = now
        fresh = node_status(self.node, self._index, self._settings, self._clock.text(), self._machine)
        for one in fresh["conditions"]:
            old = conditions.get(one["type"])
            if old and old["status"] == one["status"]:
                one["lastTransitionTime"] = old["lastTransitionTime"]
        yield Update({**node, "status": {**(node.get("status") or {}), **fresh}}, "status")
        if new or (conditions.get("Ready") or {}).get("status") != "True":
            yield Emit(node, "Normal", "NodeReady", f"Node {self.node} status is now: NodeReady")

    def _renew(self, view: View, now: int) -> Effects:
        if self._renewed is not None and now - self._renewed < LEASE_MS:
            return
        lease = view.get("leases.coordination.k8s.io", LEASE_NAMESPACE, self.node)
        spec = {"holderIdentity": self.node, "leaseDurationSeconds": 40, "renewTime": self._clock.micro()}
        if lease is not None:
            answer = yield Update({**lease, "spec": {**lease["spec"], **spec}})
        else:
            metadata = {"name": self.node, "namespace": LEASE_NAMESPACE}
            answer = yield Create(
                {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec}
            )
        if not isinstance(answer, Status):
            self._renewed = now

    def _note_cordon(self, node: Obj) -> Effects:
        cordoned = bool(node["spec"].get("unschedulable"))
        if self._cordoned is not None and cordoned != self._cordoned:
            word = "NodeNotSchedulable" if cordoned else "NodeSchedulable"
            yield Emit(node, "Normal", word, f"Node {self.node} status is now: {word}")
        self._cordoned = cordoned
