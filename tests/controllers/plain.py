"""A whole cluster whose nodes are plain objects: an imitated kubelet stands for what containers do, as in the recordings."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from kit.embedded.api import bootstrap
from kit.embedded.cluster import Cluster
from kit.embedded.core.clock import Clock
from kit.embedded.core.controller import Controller, itself
from kit.embedded.core.effects import After, Delete, Patch
from kit.embedded.core.ports import Signer

LATENCY_MS = 120  # the imitated kubelet looks this often
REQUEST_MS = 5
CONTROL_PLANE = "172.18.0.2"
ADDED = {"IngressClass/traefik", "StorageClass/standard", "Service/kube-dns"}  # by kind, to what every cluster has
NODES = [
    {
        "name": f"facts-node-{number}",
        "labels": {"kubernetes.io/hostname": f"facts-node-{number}", "kubernetes.io/os": "linux", "zone": zone},
    }
    for number, zone in enumerate("abc", 1)
]
HEALTH = (
    ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
)
NODE_INFO = {
    "kubeletVersion": "v1.37.2", "osImage": "Debian GNU/Linux 12 (bookworm)", "kernelVersion": "6.1.0", "operatingSystem": "linux",
    "containerRuntimeVersion": "containerd://2.1.9", "machineID": "", "systemUUID": "", "bootID": "", "kubeProxyVersion": "",
    "architecture": "amd64",
}  # fmt: skip


class Kubelet:
    """Runs Pods by what the first image is called: ready, unready, succeed, fail-N, pending, linger (ready, never removed)."""

    # One for all nodes, as the recordings had it: so no node's user, which may write of its own Pods only.
    name, user, manager, component = "kubelet", "kubernetes-admin", "kubelet", "kubelet"

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._due: dict[tuple[str, bool], int] = {}
        self._free = 0
        self._addresses: dict[str, str] = {}
        self.watches = {"pods": itself}

    def reconcile(self, key, view, now):
        pod = view.at(key)
        if pod is None or not pod["spec"].get("nodeName"):
            return
        word = pod["spec"]["containers"][0]["image"].split("/")[-1].split(":")[0]
        dying, uid = "deletionTimestamp" in pod["metadata"], pod["metadata"]["uid"]
        if (word == "linger" and dying) or (word == "pending" and not dying) or (not dying and _same(pod, word)):
            return
        if (uid, dying) not in self._due:  # one Pod after the other, as one kubelet writes them
            self._free = max(self._free + REQUEST_MS, now + LATENCY_MS)
            self._due[uid, dying] = self._free
        due = self._due[uid, dying]
        if now < due:
            yield After(due - now)
        elif dying:
            yield Delete(key, {"gracePeriodSeconds": 0, "preconditions": {"uid": uid}})
        else:
            yield Patch(key, {"status": self._status(pod, word)}, "merge", "status")

    def _status(self, pod, word):
        number = len(self._addresses) + 11
        address = self._addresses.setdefault(pod["metadata"]["uid"], f"10.244.{number // 250}.{number % 250}")
        phase, ready, state = outcome(word, self._clock.text())
        told = dict.fromkeys(("PodScheduled", "Initialized"), "True")
        told |= dict.fromkeys(("ContainersReady", "Ready"), "True" if ready else "False")
        return {
            "phase": phase,
            "podIP": address,
            "podIPs": [{"ip": address}],
            "hostIP": "172.18.0.11",
            "startTime": self._clock.text(),
            "conditions": [
                {"type": kind, "status": value, "lastTransitionTime": self._clock.text()} for kind, value in told.items()
            ],
            "containerStatuses": [
                {
                    "name": one["name"], "image": one["image"], "imageID": "", "ready": ready, "restartCount": 0,
                    "started": phase == "Running", "state": state, "lastState": {},
                }
                for one in pod["spec"]["containers"]
            ],
        }  # fmt: skip


def outcome(word: str, now: str) -> tuple[str, bool, dict[str, Any]]:
    """Return phase, readiness and container state that an image's name stands for."""
    ended = {"startedAt": now, "finishedAt": now}
    if word == "succeed":
        return "Succeeded", False, {"terminated": {"exitCode": 0, "reason": "Completed", **ended}}
    if word.startswith("fail-"):
        return "Failed", False, {"terminated": {"exitCode": int(word[5:]), "reason": "Error", **ended}}
    return "Running", word in ("ready", "linger"), {"running": {"startedAt": now}}


def _same(pod: dict[str, Any], word: str) -> bool:
    """Say whether the Pod's status is what its image stands for already, or final."""
    phase, ready, _ = outcome(word, "")
    state = pod.get("status") or {}
    flags = [one.get("ready") for one in state.get("containerStatuses") or ()]
    wanted = [ready for _ in pod["spec"]["containers"]]
    return state.get("phase") in ("Succeeded", "Failed") or (state.get("phase") == phase and flags == wanted)


class PlainCluster(Cluster):
    """The machine with all its controllers, without agents on nodes and without what kind adds."""

    def _run_nodes(self, signer: Signer) -> Sequence[Controller]:
        return [Kubelet(self.clock)]

    def _begin(self) -> None:
        self.api.begin()
        for obj in bootstrap.objects(CONTROL_PLANE):
            if self._has(obj):
                self.api.create_at_start(obj)

    def _has(self, obj: Mapping[str, Any]) -> bool:
        """Say whether it is there from the beginning."""
        return f"{obj['kind']}/{obj['metadata']['name']}" not in ADDED


def node_of(node: Mapping[str, Any], now: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the Node that stands for `name`, `labels`, `spec` and `room`, and the status its kubelet would report."""
    name, room = node["name"], {"cpu": "4", "memory": "8Gi", "pods": "110", **node.get("room", {})}
    metadata = {"name": name, "labels": node.get("labels", {})}
    number = int(re.sub(r"\D", "", name) or 0)
    health = [
        {"type": t, "status": s, "reason": r, "message": m, "lastHeartbeatTime": now, "lastTransitionTime": now}
        for t, s, r, m in HEALTH
    ]
    addresses = [
        {"type": "InternalIP", "address": f"172.18.0.{10 + number}"},
        {"type": "Hostname", "address": name},
    ]
    status = {
        "capacity": room,
        "allocatable": room,
        "addresses": addresses,
        "conditions": health,
        "nodeInfo": NODE_INFO,
    }
    return {"apiVersion": "v1", "kind": "Node", "metadata": metadata, "spec": node.get("spec", {})}, {"status": status}
