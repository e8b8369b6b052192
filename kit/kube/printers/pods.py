"""Pods: what READY, STATUS and RESTARTS say. Models printPod in pkg/printers/internalversion/printers.go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from kit.kube import times
from kit.kube.printers.cells import NONE, Object, Row, age, condition, containers, labels, name, spec, status


class PodStatus(NamedTuple):
    """The three columns that tell how a Pod is."""

    status: str
    ready: str
    restarts: str


class _Count(NamedTuple):
    """How often containers restarted, and when last (ms)."""

    restarts: int = 0
    last: int = 0

    def plus(self, container: Mapping[str, Any]) -> _Count:
        ended = ((container.get("lastState") or {}).get("terminated") or {}).get("finishedAt")
        last = max(self.last, times.parse(ended)) if ended else self.last
        return _Count(self.restarts + container.get("restartCount", 0), last)


class _Init(NamedTuple):
    """What the init containers say: a reason while they are at work, ready sidecars, restarts."""

    reason: str | None
    ready: int
    all: _Count
    sidecars: _Count


def pod_status(pod: Object, now_ms: int) -> PodStatus:
    """Return STATUS, READY (`1/2`) and RESTARTS (`3 (12s ago)`) as kubectl prints them."""
    sidecars = {c["name"] for c in spec(pod).get("initContainers") or () if c.get("restartPolicy") == "Always"}
    total = len(spec(pod).get("containers") or ()) + len(sidecars)
    init = _init(pod, sidecars)
    reason, ready, count = init.reason or _phase(pod), init.ready, init.all
    if init.reason is None or condition(pod, "Initialized"):
        count = init.sidecars
        for container in status(pod).get("containerStatuses") or ():
            count = count.plus(container)
        reason, running = _main(pod, reason)
        ready += running
    ago = f" ({times.human_duration(now_ms - count.last)} ago)" if count.restarts and count.last else ""
    return PodStatus(_deleted(pod) or reason, f"{ready}/{total}", f"{count.restarts}{ago}")


def _phase(pod: Object) -> str:
    for found in status(pod).get("conditions") or ():
        if found["type"] == "PodScheduled" and found.get("reason") == "SchedulingGated":
            return "SchedulingGated"
    return str(status(pod).get("reason") or status(pod).get("phase") or "")


def _init(pod: Object, sidecars: set[str]) -> _Init:
    everyone, of_sidecars, ready = _Count(), _Count(), 0
    for index, container in enumerate(status(pod).get("initContainerStatuses") or ()):
        everyone = everyone.plus(container)
        is_sidecar = container["name"] in sidecars
        if is_sidecar:
            of_sidecars = of_sidecars.plus(container)
        if _ended_well(container):
            continue
        if is_sidecar and container.get("started"):
            ready += bool(container.get("ready"))
            continue
        return _Init(_init_reason(container, index, pod), ready, everyone, of_sidecars)
    return _Init(None, ready, everyone, of_sidecars)


def _ended_well(container: Mapping[str, Any]) -> bool:
    ended = _state(container, "terminated")
    return ended is not None and not ended.get("exitCode")


def _init_reason(container: Mapping[str, Any], index: int, pod: Object) -> str:
    ended, waiting = _state(container, "terminated"), _state(container, "waiting")
    if ended is not None:
        return f"Init:{_ending(ended)}"
    if waiting and waiting.get("reason") and waiting["reason"] != "PodInitializing":
        return f"Init:{waiting['reason']}"
    return f"Init:{index}/{len(spec(pod).get('initContainers') or ())}"


def _main(pod: Object, reason: str) -> tuple[str, int]:
    """Return the reason the containers give (the first one's wins) and how many are ready."""
    ready = 0
    for container in reversed(status(pod).get("containerStatuses") or ()):
        waiting, ended = _state(container, "waiting"), _state(container, "terminated")
        if waiting and waiting.get("reason"):
            reason = waiting["reason"]
        elif ended is not None:
            reason = _ending(ended)
        elif container.get("ready") and _state(container, "running") is not None:
            ready += 1
    if reason == "Completed" and ready:
        reason = "Running" if condition(pod, "Ready") else "NotReady"
    return reason, ready


def _ending(ended: Mapping[str, Any]) -> str:
    if ended.get("reason"):
        return str(ended["reason"])
    return f"Signal:{ended['signal']}" if ended.get("signal") else f"ExitCode:{ended.get('exitCode', 0)}"


def _state(container: Mapping[str, Any], which: str) -> Mapping[str, Any] | None:
    found: Mapping[str, Any] | None = (container.get("state") or {}).get(which)
    return found


def _deleted(pod: Object) -> str | None:
    if not pod["metadata"].get("deletionTimestamp"):
        return None
    if status(pod).get("reason") == "NodeLost":
        return "Unknown"
    return None if status(pod).get("phase") in {"Succeeded", "Failed"} else "Terminating"


_ENDED: Final = {
    "Succeeded": "The pod has completed successfully.",
    "Failed": "The pod failed.",
}


def row_conditions(pod: Object) -> list[dict[str, str]]:
    """Return the conditions of a Pod's row: that it has ended."""
    phase = status(pod).get("phase", "")
    if phase not in _ENDED:
        return []
    return [{"type": "Completed", "status": "True", "reason": phase, "message": _ENDED[phase]}]


def _gates(pod: Object) -> str:
    gates = spec(pod).get("readinessGates") or ()
    return f"{sum(condition(pod, gate['conditionType']) for gate in gates)}/{len(gates)}" if gates else NONE


def _address(pod: Object) -> str:
    addresses = status(pod).get("podIPs") or ()
    return str((addresses[0].get("ip") if addresses else status(pod).get("podIP")) or NONE)


def _pod(pod: Object, now: int) -> list[Any]:
    found = pod_status(pod, now)
    wide = [_address(pod), spec(pod).get("nodeName") or NONE, status(pod).get("nominatedNodeName") or NONE, _gates(pod)]
    return [name(pod), found.ready, found.status, found.restarts, age(pod, now), *wide]


def _template(obj: Object, _now: int) -> list[Any]:
    template = obj.get("template") or {}
    shown = labels((template.get("metadata") or {}).get("labels"))
    return [name(obj), *containers(template.get("spec") or {}), shown]


ROWS: Final[dict[str, Row]] = {"pods": _pod, "podtemplates": _template}
