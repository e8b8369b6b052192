"""A stage for controllers: store, clock, queue, API and engine in process, nodes made by the API, a kubelet imitated by status writes.

Time is virtual: `settle` runs what is due until nothing has changed for a while, `pass_time` lets it go on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from kit.embedded import controllers
from kit.embedded.api.server import Api
from kit.embedded.core.clock import Clock
from kit.embedded.core.controller import itself
from kit.embedded.core.effects import After, Delete, Patch
from kit.embedded.core.engine import Engine
from kit.embedded.core.ids import Ids
from kit.embedded.core.queue import Queue
from kit.embedded.core.settings import Settings
from kit.embedded.core.store import Store
from kit.embedded.core.trace import Trace
from kit.embedded.core.turns import Answer, Request, Ticket
from kit.kube import kinds, owners

EPOCH = 1_772_366_400_000  # 2026-03-01T12:00:00Z
TOKEN = "admin-token"
QUIET_MS = 1600
LATENCY_MS = 120  # the imitated kubelet looks this often
REQUEST_MS = 5
MERGE = {"content-type": "application/merge-patch+json"}
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


class PlainSigner:
    """A signer of nothing."""

    def token(self, claims: Mapping[str, Any]) -> str:
        return json.dumps(claims)

    def claims(self, token: str) -> dict[str, Any] | None:
        return None

    def authority(self) -> str:
        return "-----BEGIN CERTIFICATE-----\n"


class Kubelet:
    """Runs Pods by what the first image is called: ready, unready, succeed, fail-N, pending, linger (ready, never removed)."""

    name, user, manager, component = "kubelet", "system:node:facts-node-1", "kubelet", "kubelet"

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


class Stage:
    """A cluster without nodes' programs and network: the API, the controllers, the imitated kubelet."""

    def __init__(self, seed: int = 7, nodes: Sequence[Mapping[str, Any]] = NODES) -> None:
        self.store, self.clock, self.ids = Store(), Clock(EPOCH), Ids(seed)
        self.trace, self.queue, registry, signer = Trace(), Queue(), kinds.builtin(), PlainSigner()
        self.store.index("pods", "node", lambda pod: (pod["spec"].get("nodeName", ""),))
        self.store.index(
            "pods", "loose", lambda pod: () if owners.controller_of(pod) else (pod["metadata"]["namespace"],)
        )
        for resource in {one.group_resource for one in registry.all()}:
            self.store.index(resource, "owner", _owner_uids)
        self.api = Api(
            store=self.store,
            clock=self.clock,
            ids=self.ids,
            trace=self.trace,
            queue=self.queue,
            registry=registry,
            signer=signer,
            settings=Settings(admin_token=TOKEN),
        )
        self.engine = Engine(self.store, self.queue, self.clock, self.trace, self.api.apply)
        built = controllers.build(clock=self.clock, ids=self.ids, signer=signer, registry=registry)
        for controller in (*built, Kubelet(self.clock)):
            self.engine.register(controller)
        for name in ("default", "kube-system", "kube-public", "kube-node-lease"):
            self.api.create_at_start({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        for node in nodes:
            self.add_node(node)
        self.settle()

    # --- asking ---

    def call(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None, query: Sequence[tuple[str, str]] = ()
    ) -> tuple[int, Any, tuple[tuple[str, str], ...]]:  # fmt: skip
        """Send one request as the administrator; code, body and headers of the answer."""
        sent = {
            "authorization": f"Bearer {TOKEN}",
            "user-agent": "facts/v1 (linux/amd64)",
            "accept": "application/json",
        }
        if body is not None:
            sent["content-type"] = "application/json"
        sent |= {key.lower(): value for key, value in (headers or {}).items()}
        outputs: list[Any] = []
        raw = b"" if body is None else json.dumps(body).encode()
        path, _, more = path.partition("?")
        pairs = (*query, *(part.partition("=")[::2] for part in more.split("&") if part))
        self.api.handle(Request(1, method, "/" + path.lstrip("/"), tuple(pairs), sent, raw), Ticket(1, outputs.append))
        found = next(one.response for one in outputs if isinstance(one, Answer))
        return found.status, json.loads(found.body) if found.body else None, found.headers

    def ask(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Any:
        """Send a request that must succeed; its answer."""
        code, answer, _ = self.call(method, path, body, headers)
        assert code < 400, (method, path, answer)
        return answer

    def create(self, obj: Mapping[str, Any], namespace: str = "default") -> Any:
        """Post an object to its collection."""
        return self.ask("POST", self.collection(obj, namespace), obj)

    def collection(self, obj: Mapping[str, Any], namespace: str) -> str:
        """Return where objects of that kind are posted."""
        found = self.api.context.registry.by_kind(obj["apiVersion"], obj["kind"])
        assert found is not None, obj["kind"]
        return str(found.collection(obj["metadata"].get("namespace") or namespace))

    def add_node(self, node: Mapping[str, Any]) -> None:
        """Make a Node, and report it ready as its kubelet would."""
        name, room = node["name"], {"cpu": "4", "memory": "8Gi", "pods": "110", **node.get("room", {})}
        metadata = {"name": name, "labels": node.get("labels", {})}
        self.create({"apiVersion": "v1", "kind": "Node", "metadata": metadata, "spec": node.get("spec", {})})
        number = int(re.sub(r"\D", "", name) or 0)
        now = self.clock.text()
        found = [
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
            "conditions": found,
            "nodeInfo": NODE_INFO,
        }
        self.ask("PATCH", f"/api/v1/nodes/{name}/status", {"status": status}, MERGE)

    # --- time ---

    def settle(self, limit_ms: int = 25_000, quiet_ms: int = QUIET_MS) -> None:
        """Run what is due until no object has changed for `quiet_ms`, at most `limit_ms`."""
        end, changed = self.clock.now + limit_ms, self.clock.now
        while True:
            revision = self.store.revision
            found = self.queue.pop(min(end, changed + quiet_ms))
            if found is None:
                self.clock.now = max(self.clock.now, min(end, changed + quiet_ms))
                return
            self.clock.now = max(self.clock.now, found[0])
            found[1]()
            if self.store.revision != revision:
                changed = self.clock.now

    def pass_time(self, ms: int) -> None:
        """Run all that comes due in the next `ms`."""
        end = self.clock.now + ms
        while self.step(end):
            pass
        self.clock.now = end

    def step(self, end: int) -> bool:
        """Run the next thing that is due until `end`; say whether there was one."""
        found = self.queue.pop(end)
        if found is None:
            return False
        self.clock.now = max(self.clock.now, found[0])
        found[1]()
        return True


def _owner_uids(obj: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(reference["uid"] for reference in obj["metadata"].get("ownerReferences") or ())
