"""`kubectl logs`: which instance is meant, which lines, how they look, and following.

Models pkg/kubelet/kubelet_pods.go and cri-client/pkg/logs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kit.embedded.core.clock import Clock
from kit.embedded.core.store import Obj
from kit.embedded.core.turns import Ticket
from kit.embedded.node.logs import Line, Log
from kit.embedded.node.units import Unit
from kit.errors import Status
from kit.kube import times

WAITING = {"ErrImagePull": "image can't be pulled", "ImagePullBackOff": "trying and failing to pull image"}


def instance(pod: Obj, container: str, *, previous: bool) -> str:
    """Return the id of the instance whose log is asked for. BadRequest in the kubelet's words when there is none."""
    status = _status(pod, container)
    name = pod["metadata"]["name"]
    if status is None:
        raise Status("BadRequest", f'container "{container}" in pod "{name}" is not available')
    state, last = status.get("state") or {}, (status.get("lastState") or {}).get("terminated")
    if previous:
        if not last or not last.get("containerID"):
            raise Status("BadRequest", f'previous terminated container "{container}" in pod "{name}" not found')
        return _bare(last["containerID"])
    if "running" in state:
        return _bare(status["containerID"])
    ended = state.get("terminated") or last
    if ended:
        found = ended.get("containerID") or (last or {}).get("containerID")
        if not found:
            raise Status("BadRequest", f'container "{container}" in pod "{name}" is terminated')
        return _bare(found)
    reason = (state.get("waiting") or {}).get("reason", "")
    raise Status(
        "BadRequest", f'container "{container}" in pod "{name}" is waiting to start: {WAITING.get(reason, reason)}'
    )


def _bare(id: str) -> str:
    return id.removeprefix("containerd://")


def _status(pod: Obj, container: str) -> Obj | None:
    status = pod.get("status") or {}
    for name in ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"):
        for found in status.get(name) or ():
            if found["name"] == container:
                return dict(found)
    return None


class Reader:
    """One request for a log, sent on a ticket; with `follow` it stays open until the container ends."""

    def __init__(self, clock: Clock, log: Log, options: Mapping[str, Any], ticket: Ticket) -> None:
        self._clock = clock
        self._log = log
        self._ticket = ticket
        self._timestamps = bool(options.get("timestamps"))
        limit = options.get("limitBytes")
        self._left: int | None = int(limit) if limit is not None else None
        self._stream = str(options.get("stream") or "All").lower()
        ticket.begin(200, (("Content-Type", "text/plain"),))
        tail = options.get("tailLines")
        for line in log.select(self._since(options), None if tail is None else int(tail)):
            self._send(line)
        if not options.get("follow") or log.closed or self._left == 0:
            ticket.finish()
            return
        log.followers[self] = self._heard
        ticket.on_close = self._stop

    def _since(self, options: Mapping[str, Any]) -> int | None:
        if options.get("sinceSeconds") is not None:
            return self._clock.now - int(options["sinceSeconds"]) * 1000
        if options.get("sinceTime"):
            return times.parse(str(options["sinceTime"])) - self._clock.epoch
        return None

    def _send(self, line: Line) -> None:
        if self._stream not in ("all", line.stream):
            return
        data = line.data
        if self._timestamps:
            stamp = times.rfc3339_micro(self._clock.epoch + line.ms).removesuffix("Z") + "000Z"
            data = f"{stamp} ".encode() + data
        if self._left is not None:
            data = data[: self._left]
            self._left -= len(data)
        if data:
            self._ticket.send(data)

    def _heard(self, line: Line | None) -> None:
        if line is not None:
            self._send(line)
        if line is None or self._left == 0 or not self._ticket.open:
            self._stop()
            self._ticket.finish()

    def _stop(self) -> None:
        self._log.followers.pop(self, None)


def lost(id: str, ticket: Ticket) -> None:
    """Answer for an instance whose log is collected already."""
    ticket.begin(200, (("Content-Type", "text/plain"),))
    ticket.send(f"unable to retrieve container logs for containerd://{id}".encode())
    ticket.finish()


def unit_log(unit: Unit | None, id: str) -> Log | None:
    """Return the log of an instance while it is kept."""
    return unit.logs.get(id) if unit is not None else None
