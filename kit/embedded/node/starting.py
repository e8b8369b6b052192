"""Starting one container: back-off, image, configuration, creation, start, hook. Models kuberuntime_container.go startContainer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kit.embedded.core import capabilities
from kit.embedded.core.effects import Emit
from kit.embedded.core.filesystem import Tree
from kit.embedded.core.inodes import File, Mount
from kit.embedded.core.program import Errno
from kit.embedded.images.image import Image
from kit.embedded.node import environment, images, resources, volumes
from kit.embedded.node.actions import Action, Outcome, runc_error
from kit.embedded.node.descriptors import Description, Pipe, Sink
from kit.embedded.node.environment import ConfigError
from kit.embedded.node.logs import Log
from kit.embedded.node.runtime import Container, Setup
from kit.embedded.node.site import Script, Wait
from kit.embedded.node.status import user_of
from kit.embedded.node.terminals import Terminal
from kit.embedded.node.units import Ending, Unit
from kit.kube.gotext import go_quoted
from kit.kube.times import go_duration

if TYPE_CHECKING:
    from kit.embedded.node.worker import Worker

CREATE_MS = 15
START_MS = 60
LAYER_LIMIT = 256 << 20
LOG_BYTES_PER_MS = 256
LOG_BURST = 32 << 10  # in lines of one letter this is some 5 ms of work, a turn's share (design §2)
CREATE_ERROR = (
    "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: "
    "unable to start container process: "
)


def start(worker: Worker, unit: Unit) -> Script:
    """Try to start a unit; afterwards it runs, or its `problem` says why not and the worker knows when to try again."""
    if not (yield from _rested(worker, unit)):
        return
    image = yield from _image(worker, unit)
    if image is None:
        return
    unit.image, unit.image_name = image, unit.spec["image"]
    try:
        argv = _configure(worker, unit, image)
    except ConfigError as error:
        unit.problem = ("CreateContainerConfigError", str(error))
        worker.failed = True
        yield _event(worker, unit, "Warning", "Failed", f"Error: {error}")
        return
    if (past := worker.past(unit)) is not None:
        unit.backoff.next(past.finished)
    yield Wait(until=worker.now + CREATE_MS)
    yield _event(worker, unit, "Normal", "Created", "Container created")
    yield Wait(until=worker.now + START_MS)
    yield from _run(worker, unit, image, argv)


def _event(worker: Worker, unit: Unit, type: str, reason: str, message: str) -> Emit:
    return Emit(worker.pod, type, reason, message, unit.path)


def _rested(worker: Worker, unit: Unit) -> Script:
    """Say whether the crash back-off is over."""
    past = worker.past(unit)
    if past is None:
        return True
    until = unit.backoff.until(past.finished)
    if worker.now >= until:
        return True
    metadata = worker.pod["metadata"]
    name = f"{metadata['name']}_{metadata['namespace']}({metadata['uid']})"
    unit.problem = (
        "CrashLoopBackOff",
        f"back-off {go_duration(unit.backoff.duration * 1_000_000)} restarting failed container={unit.name} pod={name}",
    )
    worker.again(until, patient=unit.backoff.duration > 10_000)
    yield _event(worker, unit, "Warning", "BackOff", f"Back-off restarting failed container {unit.name} in pod {name}")
    return False


# --- image ---


def _image(worker: Worker, unit: Unit) -> Script:
    """Return the image, pulled when the policy asks for it, or None with the problem noted. Models image_manager.go."""
    reference = unit.spec["image"]
    policy = unit.spec.get("imagePullPolicy") or "IfNotPresent"
    complaint = images.complaint(reference)
    if complaint:
        yield from _fail(worker, unit, "InvalidImageName", complaint, "InspectFailed", complaint)
        return None
    present = worker.site.images.present(reference)
    if policy == "Never" and present is None:
        text = f'Container image "{reference}" is not present with pull policy of Never'
        yield from _fail(worker, unit, "ErrImageNeverPull", text, "ErrImageNeverPull", text)
        return None
    if present is not None and policy != "Always":
        text = f'Container image "{reference}" already present on machine and can be accessed by the pod'
        yield _event(worker, unit, "Normal", "Pulled", text)
        return present
    return (yield from _pull(worker, unit, reference))


def _pull(worker: Worker, unit: Unit, reference: str) -> Script:
    until = unit.image_backoff.until(unit.image_failed)
    if unit.image_error[0] == reference and worker.now < until:
        yield _event(worker, unit, "Normal", "BackOff", f'Back-off pulling image "{reference}"')
        unit.problem = (
            "ImagePullBackOff",
            f'Back-off pulling image "{reference}": ErrImagePull: {unit.image_error[1]}',
        )
        worker.failed = True
        yield _event(worker, unit, "Warning", "Failed", "Error: ImagePullBackOff")
        return None
    yield _event(worker, unit, "Normal", "Pulling", f'Pulling image "{reference}"')
    image, error, took = worker.site.images.pull(reference)
    yield Wait(until=worker.now + took, ready=lambda: worker.deleting)
    if image is None:
        unit.image_failed, unit.image_error = worker.now, (reference, error)
        unit.image_backoff.next(worker.now)
        yield from _fail(worker, unit, "ErrImagePull", error, "Failed", f'Failed to pull image "{reference}": {error}')
        return None
    spent = go_duration(took * 1_000_000)
    yield _event(
        worker,
        unit,
        "Normal",
        "Pulled",
        f'Successfully pulled image "{reference}" in {spent} ({spent} including waiting). Image size: {image.size} bytes.',
    )
    return image


def _fail(worker: Worker, unit: Unit, problem: str, message: str, reason: str, text: str) -> Script:
    yield _event(worker, unit, "Warning", reason, text)
    unit.problem = (problem, message)
    worker.failed = True
    yield _event(worker, unit, "Warning", "Failed", f"Error: {problem}")


# --- configuration ---


def _configure(worker: Worker, unit: Unit, image: Image) -> list[str]:
    """Work out environment, argv and folder. ConfigError."""
    pod, spec, sandbox = worker.pod, unit.spec, worker.sandbox
    unit.node, unit.address = worker.site.name, sandbox.address
    context = {**(pod["spec"].get("securityContext") or {}), **(spec.get("securityContext") or {})}
    metadata = pod["metadata"]
    if context.get("runAsNonRoot") and user_of(unit, pod)[0] == 0:
        shown = f'(pod: "{metadata["name"]}_{metadata["namespace"]}({metadata["uid"]})", container: {unit.name})'
        if "runAsUser" in context:
            raise ConfigError(f"container's runAsUser breaks non-root policy {shown}")
        raise ConfigError(f"container has runAsNonRoot and image will run as root {shown}")
    addresses = {"podIP": sandbox.address, "hostIP": worker.site.host.address, "hostname": sandbox.hostname}
    unit.env = environment.build(pod, spec, worker.site.view, addresses, image.env)
    unit.workdir = spec.get("workingDir") or image.workdir or "/"
    command = [environment.expand(word, unit.env) for word in spec.get("command") or ()]
    args = [environment.expand(word, unit.env) for word in spec.get("args") or ()]
    if command:
        return [*command, *args]
    return [*image.entrypoint, *(args or image.command)]


def _tree(worker: Worker, unit: Unit, image: Image) -> tuple[Tree, File]:
    """Build the container's files: image, volumes, and what the kubelet adds."""
    now = worker.site.world.clock.wall()
    context = unit.spec.get("securityContext") or {}
    tree = Tree(image.root, limit=LAYER_LIMIT)
    message = File(mode=0o666, mtime=now, owner=worker)
    path = unit.spec.get("terminationMessagePath") or "/dev/termination-log"
    tree.mount(Mount("/dev", volumes.dev(message, path), kind="tmpfs"))
    worker.volumes.mount(tree, unit.spec, unit.env, environment.expand, now)
    for name, file in worker.sandbox.files.items():
        tree.mount(Mount(name, file))
    if not path.startswith("/dev/"):
        tree.mount(Mount(path, message))
    if not tree.exists(unit.workdir):
        tree.mkdir(unit.workdir, parents=True, now=now)
    tree.readonly = bool(context.get("readOnlyRootFilesystem"))
    return tree, message


# --- running ---


def _run(worker: Worker, unit: Unit, image: Image, argv: list[str]) -> Script:
    """Start the program, or note what runc says."""
    id, now = worker.site.world.ids.hexes(64), worker.now
    log = unit.begin(id, now)
    unit.problem = None
    try:
        if not argv:
            raise Errno("ENOENT")
        tree, message = _tree(worker, unit, image)
        _launch(worker, unit, tree, message, log, argv)
    except (Errno, volumes.MountError) as error:
        text = CREATE_ERROR + runc_error(error, argv[0] if argv else "") if isinstance(error, Errno) else str(error)
        worker.note_end(unit)
        unit.finish(Ending(id, 128, "StartError", text, None, now))
        log.close(now)
        unit.problem = ("RunContainerError", text)
        worker.broken = True
        yield _event(worker, unit, "Warning", "Failed", f"Error: {text}")
        return
    yield _event(worker, unit, "Normal", "Started", "Container started")
    hook = (unit.spec.get("lifecycle") or {}).get("postStart")
    if hook and not (yield from _post_start(worker, unit, hook)):
        return
    worker.running(unit)


def _launch(worker: Worker, unit: Unit, tree: Tree, message: File, log: Log, argv: list[str]) -> None:
    world = worker.site.world
    uid, gid = user_of(unit, worker.pod)
    setup = Setup(f"{worker.key.namespace}/{worker.key.name}/{unit.name}", tree, worker.sandbox.host, worker.sandbox.hostname,
                  resources.limits(unit.spec), uid, gid, transient=unit.kind == "init",
                  capabilities=capabilities.bounding(unit.spec.get("securityContext") or {}))  # fmt: skip
    id = unit.id
    container = Container(world, setup, lambda code: worker.exited(unit, id, code, container, message))
    unit.container = container
    unit.allocated = dict(unit.spec.get("resources") or {})
    try:
        fds, tty = _streams(unit, container, log)
        main = container.start(argv, unit.env, unit.workdir, fds)
        main.tty = tty
    except Errno:
        unit.container = None
        raise


def _streams(unit: Unit, container: Container, log: Log) -> tuple[dict[int, Description], Description | None]:
    """Return descriptors 0, 1, 2 of the main process and its terminal."""
    clock, meter = container.clock, Meter(container)
    if unit.spec.get("tty"):
        terminal = Terminal(
            lambda data: log.write(clock.now, "stdout", data), lambda number: _foreground(container, number)
        )
        return {0: terminal, 1: terminal, 2: terminal}, terminal
    out = Sink(lambda data: log.write(clock.now, "stdout", data), meter.allow)
    err = Sink(lambda data: log.write(clock.now, "stderr", data), meter.allow)
    stdin: Description
    if unit.spec.get("stdin"):
        unit.stdin = Pipe()
        stdin = unit.stdin.reader
    else:
        stdin = Sink(lambda data: None, lambda sink, size: size)
    return {0: stdin, 1: out, 2: err}, None


def _foreground(container: Container, number: int) -> None:
    for process in list(container.processes.values()):
        process.signal(number)


class Meter:
    """Bounds how fast a container writes its log: a burst, then so many bytes a ms; a writer waits."""

    def __init__(self, container: Container) -> None:
        self._container = container
        self._tokens = LOG_BURST
        self._at = container.clock.now
        self._waiting = False

    def allow(self, sink: Sink, size: int) -> int:
        """Return how many of `size` bytes may be written now."""
        now = self._container.clock.now
        self._tokens = min(LOG_BURST, self._tokens + (now - self._at) * LOG_BYTES_PER_MS)
        self._at = now
        taken = min(size, self._tokens)
        self._tokens -= taken
        if not taken and not self._waiting:
            self._waiting = True
            self._container.queue.put(now + 20, lambda: self._go(sink), housekeeping=self._container.housekeeping)
        return taken

    def _go(self, sink: Sink) -> None:
        self._waiting = False
        sink.notify()


def _post_start(worker: Worker, unit: Unit, hook: dict[str, object]) -> Script:
    """Run the postStart hook; when it fails the container is killed."""
    outcomes: list[Outcome] = []
    handler = {"httpGet": hook["httpGet"]} if "httpGet" in hook else hook

    def done(outcome: Outcome) -> None:
        outcomes.append(outcome)
        worker.poke()

    action = Action(worker.site.world, unit, handler, 30_000 * 60, done, housekeeping=False)
    yield Wait(ready=lambda: bool(outcomes) or not unit.running or worker.deleting)
    if not outcomes:
        action.cancel()
        return unit.running
    if outcomes[0].result in ("success", "warning"):
        return True
    yield _event(worker, unit, "Warning", "FailedPostStartHook", "PostStartHook failed")
    problem = ("PostStartHookError", _hook_error(worker, unit, hook, outcomes[0]))
    yield from worker.kill([unit], "FailedPostStartHook")
    unit.problem = problem
    worker.broken = True
    return False


def _hook_error(worker: Worker, unit: Unit, hook: dict[str, object], outcome: Outcome) -> str:
    metadata = worker.pod["metadata"]
    where = f'for Container "{unit.name}" in Pod "{metadata["name"]}_{metadata["namespace"]}({metadata["uid"]})" failed - error: '
    http = hook.get("httpGet")
    if isinstance(http, dict):
        return f"HTTP lifecycle hook ({http.get('path') or ''}) {where}{outcome.message}"
    given = hook.get("exec")
    argv = " ".join(given.get("command") or ()) if isinstance(given, dict) else ""
    said = f"command '{argv}' exited with {outcome.code}: {outcome.message}, message: {go_quoted(outcome.message)}"
    return f"Exec lifecycle hook ([{argv}]) {where}{said}"
