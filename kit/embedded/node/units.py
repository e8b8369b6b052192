"""One container of a Pod over all its instances: what the kubelet remembers of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from kit.embedded.core.inodes import File
from kit.embedded.core.store import Obj
from kit.embedded.images.image import Image
from kit.embedded.node.backoff import Backoff
from kit.embedded.node.descriptors import Pipe
from kit.embedded.node.logs import Log
from kit.embedded.node.runtime import Container

MESSAGE_LIMIT = 4096
TAIL_BYTES, TAIL_LINES = 2048, 80


@dataclass(slots=True)
class Ending:
    """How an instance ended."""

    id: str
    code: int
    reason: str
    message: str
    started: int | None
    finished: int


@dataclass(slots=True)
class Unit:
    """A container. `kind` is init, sidecar, main or ephemeral; `problem` (reason, message) is why it does not run (the reason cache)."""

    spec: Obj
    kind: str
    node: str
    container: Container | None = None
    id: str = ""
    started_ms: int | None = None
    ending: Ending | None = None  # of the latest instance, when it is not running
    last: Ending | None = None  # of the one before
    problem: tuple[str, str] | None = None
    restarts: int = 0
    instances: int = 0
    image: Image | None = None
    image_name: str = ""
    env: dict[str, str] = field(default_factory=dict)
    workdir: str = "/"
    address: str = ""
    ready: bool = False
    started: bool = False
    failed_probe: tuple[str, int | None] | None = None  # the Killing message, and a grace period of its own
    logs: dict[str, Log] = field(default_factory=dict)
    backoff: Backoff = field(default_factory=Backoff)
    image_backoff: Backoff = field(default_factory=Backoff)
    image_failed: int = 0
    image_error: tuple[str, str] = ("", "")
    stdin: Pipe | None = None
    stop: object | None = None
    allocated: Obj = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The container's name."""
        return str(self.spec["name"])

    @property
    def path(self) -> str:
        """The fieldPath of its events."""
        part = {"main": "containers", "ephemeral": "ephemeralContainers"}.get(self.kind, "initContainers")
        return f"spec.{part}{{{self.name}}}"

    @property
    def running(self) -> bool:
        """Say whether an instance runs."""
        return self.container is not None

    @property
    def log(self) -> Log | None:
        """The log of the latest instance."""
        return self.logs.get(self.id)

    def restarts_always(self, policy: str) -> bool:
        """Say whether it is started again however it ended."""
        return self.kind == "sidecar" or (policy == "Always" and self.kind == "main")

    def wants(self, policy: str) -> bool:
        """Say whether it is to be started (again), given how it ended and the Pod's restartPolicy. Models ShouldContainerBeRestarted."""
        if self.running:
            return False
        if self.ending is None or self.restarts_always(policy):
            return True
        return self.ending.code != 0 and policy != "Never" and self.kind != "ephemeral"

    def begin(self, id: str, now: int) -> Log:
        """Count a new instance; its predecessor becomes the last one, older logs go."""
        if self.ending is not None:
            self.last = self.ending
        kept = self.last.id if self.last else ""
        self.logs = {key: log for key, log in self.logs.items() if key == kept}
        self.id = id
        self.restarts = self.instances
        self.instances += 1
        self.ending = None
        self.started_ms = now
        self.ready = self.started = False
        log = self.logs[id] = Log()
        return log

    def finish(self, ending: Ending) -> None:
        """Note how the instance ended; the log of the instance before is collected (only the latest dead one is kept)."""
        self.container = None
        self.ending = ending
        self.ready = self.started = False
        self.failed_probe = None
        self.stdin = None
        self.logs = {key: log for key, log in self.logs.items() if key == self.id}


def adopt(units: list[Unit], spec: Obj, node: str) -> None:
    """Bring the units up to what a Pod's spec says now; a running one keeps its own until it is started again."""
    known = {unit.name: unit for unit in units}
    for kind, containers in (
        ("init", spec.get("initContainers")), ("main", spec["containers"]), ("ephemeral", spec.get("ephemeralContainers")),
    ):  # fmt: skip
        for container in containers or ():
            unit = known.get(container["name"])
            if unit is None:
                real = "sidecar" if kind == "init" and container.get("restartPolicy") == "Always" else kind
                units.append(Unit(container, real, node))
            elif not unit.running or container["image"] == unit.spec["image"]:
                unit.spec = container


def termination_message(unit: Unit, file: File, code: int) -> str:
    """Return the termination message: the file's, or where the policy says so the end of the log."""
    data = bytes(file.data[:MESSAGE_LIMIT])
    fallback = unit.spec.get("terminationMessagePolicy") == "FallbackToLogsOnError"
    if not data and code and fallback and unit.log is not None:
        data = unit.log.tail(TAIL_BYTES, TAIL_LINES)
    return data.decode("utf-8", "replace")
