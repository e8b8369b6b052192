"""The status the kubelet writes. Models pkg/kubelet/kubelet_pods.go (generateAPIPodStatus) and pkg/kubelet/status."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kit.embedded.core.clock import Clock
from kit.embedded.core.store import Obj
from kit.embedded.node import resources
from kit.embedded.node.images import full_name
from kit.embedded.node.lifecycle import incomplete, initialized
from kit.embedded.node.units import Ending, Unit
from kit.kube import times
from kit.kube.qos import qos_class

LISTS = (
    ("initContainerStatuses", ("init", "sidecar")),
    ("containerStatuses", ("main",)),
    ("ephemeralContainerStatuses", ("ephemeral",)),
)
OWN = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")
RESIZING = "PodResizeInProgress"
UNKNOWN = "The container could not be located when the pod was terminated"


class Writer:
    """Makes the status of one Pod from what its worker knows."""

    def __init__(self, clock: Clock, node_address: str) -> None:
        self._clock = clock
        self._node_address = node_address

    def time(self, ms: int) -> str:
        """Return a moment of cluster time as clients see it."""
        return times.rfc3339(self._clock.epoch + ms)

    def status(self, pod: Obj, units: Sequence[Unit], phase: str, sandbox: str, address: str, began: int, failure: tuple[str, str],
               policy: str, *, over: bool, resizing: bool = False) -> dict[str, Any]:  # fmt: skip
        """Return the whole status. `sandbox` is "", "ready" or "gone"; `failure` reason and message of the Pod itself."""
        generation = pod["metadata"].get("generation", 1)
        out: dict[str, Any] = {"observedGeneration": generation, "phase": phase}
        out["conditions"] = self._conditions(pod, units, phase, sandbox, generation)
        if resizing:
            out["conditions"].insert(0, self._condition(None, RESIZING, ("True", "", ""), generation))
        if failure[0]:
            out["message"], out["reason"] = failure[1], failure[0]
        out["hostIP"], out["hostIPs"] = self._node_address, [{"ip": self._node_address}]
        if address:
            out["podIP"], out["podIPs"] = address, [{"ip": address}]
        out["startTime"] = self.time(began)
        lost = over and initialized(units)  # once a Pod has initialized, a container without a trace counts as failed
        for name, kinds in LISTS:
            found = [
                self._container(unit, pod, policy, over=over, lost=lost and unit.kind == "main")
                for unit in units
                if unit.kind in kinds
            ]
            if found:
                out[name] = sorted(found, key=_by_name) if kinds == ("main",) else found
        out["qosClass"] = (pod.get("status") or {}).get("qosClass") or qos_class(pod)
        out["resources"] = resources.whole(pod)
        if allocated := resources.allocated(pod):
            out["allocatedResources"] = allocated
        return out

    # --- conditions ---

    def _conditions(
        self, pod: Obj, units: Sequence[Unit], phase: str, sandbox: str, generation: int
    ) -> list[dict[str, Any]]:
        old = {found["type"]: found for found in (pod.get("status") or {}).get("conditions") or ()}
        others = [found for name, found in old.items() if name not in (*OWN, RESIZING)]
        return [
            *others,
            *(
                self._condition(old.get(name), name, values, generation)
                for name, values in _values(pod, units, phase, sandbox, old)
            ),
        ]

    def _condition(
        self, old: Mapping[str, Any] | None, name: str, values: tuple[str, str, str], generation: int
    ) -> dict[str, Any]:
        status, reason, message = values
        moved = old is None or old["status"] != status
        out: dict[str, Any] = {"type": name, "observedGeneration": generation, "status": status, "lastProbeTime": None}
        out["lastTransitionTime"] = self._clock.text() if moved or old is None else old["lastTransitionTime"]
        if reason:
            out["reason"] = reason
        if message:
            out["message"] = message
        return out

    # --- containers ---

    def _container(self, unit: Unit, pod: Obj, policy: str, *, over: bool, lost: bool) -> dict[str, Any]:
        state, last = self._states(unit, pod, policy, over=over, lost=lost)
        done = unit.kind == "init" and unit.ending is not None and unit.ending.code == 0
        ready = done or (unit.running and (unit.ready if unit.kind != "init" else False))
        out: dict[str, Any] = {
            "name": unit.name,
            "state": state,
            "lastState": last,
            "ready": ready,
            "restartCount": unit.restarts,
        }
        out["image"] = full_name(unit.image_name) if unit.image and unit.instances else unit.spec["image"]
        out["imageID"] = unit.image.digest if unit.image and unit.instances else ""
        if unit.id:
            out["containerID"] = f"containerd://{unit.id}"
        out["started"] = unit.running and (unit.started or unit.kind == "init")
        given = unit.spec.get("resources") or {}
        if given.get("requests"):
            out["allocatedResources"] = given["requests"]
        if unit.id:
            out["resources"] = {key: given[key] for key in ("limits", "requests") if given.get(key)}
        mounts = [_mount(one) for one in unit.spec.get("volumeMounts") or ()]
        if mounts:
            out["volumeMounts"] = mounts
        if unit.id:
            out["user"] = {"linux": _user(unit, pod)}
        return out

    def _states(
        self, unit: Unit, pod: Obj, policy: str, *, over: bool, lost: bool
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        last = self._terminated(unit.last) if unit.last else {}
        if unit.running:
            return {"running": {"startedAt": self.time(unit.started_ms or 0)}}, last
        if unit.ending is not None:
            ended = self._terminated(unit.ending)
            if unit.problem is None or over or not unit.wants(policy):
                return ended, last
            return {"waiting": _waiting(*unit.problem)}, ended
        if lost:
            return {
                "terminated": {
                    "exitCode": 137,
                    "reason": "ContainerStatusUnknown",
                    "message": UNKNOWN,
                    "startedAt": None,
                    "finishedAt": None,
                }
            }, last
        if unit.problem is not None:
            return {"waiting": _waiting(*unit.problem)}, last
        return {
            "waiting": {"reason": "PodInitializing" if pod["spec"].get("initContainers") else "ContainerCreating"}
        }, last

    def _terminated(self, ending: Ending) -> dict[str, Any]:
        out: dict[str, Any] = {"exitCode": ending.code, "reason": ending.reason}
        if ending.message:
            out["message"] = ending.message
        started = self.time(ending.started) if ending.started is not None else "1970-01-01T00:00:00Z"
        out |= {
            "startedAt": started,
            "finishedAt": self.time(ending.finished),
            "containerID": f"containerd://{ending.id}",
        }
        return {"terminated": out}


def _values(
    pod: Obj, units: Sequence[Unit], phase: str, sandbox: str, old: Mapping[str, Any]
) -> list[tuple[str, tuple[str, str, str]]]:
    """Return each own condition's status, reason and message."""
    sandboxes = {
        "": ("False", "PodSandboxNotReady", "no pod sandbox exists"),
        "gone": ("False", "PodSandboxNotReady", "pod sandbox is not ready"),
    }
    unready = [unit.name for unit in units if unit.kind in ("main", "sidecar") and not (unit.running and unit.ready)]
    ending = {"Succeeded": "PodCompleted", "Failed": "PodFailed"}.get(phase)
    waiting = incomplete(units)
    if ending:
        done = ("False", ending, "")
        first = (
            ("True", "PodCompleted" if phase == "Succeeded" else "", "")
            if not waiting or phase == "Succeeded"
            else None
        )
        ready = containers = done
    else:
        first = None
        containers = (
            ("False", "ContainersNotReady", f"containers with unready status: [{' '.join(unready)}]")
            if unready
            else ("True", "", "")
        )
        ready = _gates(pod, old) if containers[0] == "True" else containers
    initial = first or (
        ("False", "ContainersNotInitialized", f"containers with incomplete status: [{' '.join(waiting)}]")
        if waiting
        else ("True", "", "")
    )
    return [
        ("PodReadyToStartContainers", sandboxes.get(sandbox, ("True", "", ""))), ("Initialized", initial), ("Ready", ready),
        ("ContainersReady", containers), ("PodScheduled", ("True", "", "")),
    ]  # fmt: skip


def _gates(pod: Obj, old: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return Ready as the readiness gates allow it."""
    for gate in pod["spec"].get("readinessGates") or ():
        name = gate["conditionType"]
        if name not in old:
            return (
                "False",
                "ReadinessGatesNotReady",
                f'corresponding condition of pod readiness gate "{name}" does not exist.',
            )
        if old[name]["status"] != "True":
            return (
                "False",
                "ReadinessGatesNotReady",
                f'the status of pod readiness gate "{name}" is not "True", but {old[name]["status"]}',
            )
    return "True", "", ""


def _by_name(status: Mapping[str, Any]) -> str:
    return str(status["name"])


def _waiting(reason: str, message: str) -> dict[str, str]:
    return {"reason": reason, "message": message} if message else {"reason": reason}


def _mount(given: Obj) -> dict[str, Any]:
    out = {"name": given["name"], "mountPath": given["mountPath"]}
    return {**out, "readOnly": True, "recursiveReadOnly": "Disabled"} if given.get("readOnly") else out


def _user(unit: Unit, pod: Obj) -> dict[str, Any]:
    uid, gid = user_of(unit, pod)
    groups = (pod["spec"].get("securityContext") or {}).get("supplementalGroups") or []
    group = (pod["spec"].get("securityContext") or {}).get("fsGroup")
    return {
        "uid": uid,
        "gid": gid,
        "supplementalGroups": sorted({gid, *([group] if group is not None else []), *groups}),
    }


def user_of(unit: Unit, pod: Obj) -> tuple[int, int]:
    """Return uid and gid a container runs as."""
    context = {**(pod["spec"].get("securityContext") or {}), **(unit.spec.get("securityContext") or {})}
    named = unit.image.user.partition(":") if unit.image else ("", "", "")
    uid = context.get("runAsUser", int(named[0]) if named[0].isdigit() else 0)
    gid = context.get("runAsGroup", int(named[2]) if named[2].isdigit() else 0)
    return int(uid), int(gid)
