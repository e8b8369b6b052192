"""A real cluster of several nodes, made by the `kind` command in Docker or Podman. The reference for all behaviour.

                no nodes ── create ──┐
up ── nodes there, all run ── adopt ──┼── ready? ── images ── Handle
                some stopped ─ resume ┘     └─ not in time, or half-created: Damaged, `labkit reset --provider kind`
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

from kit.client.connect import connect
from kit.errors import BadInput, Damaged, KitError, Refused, Unavailable
from kit.providers import engine as engines
from kit.providers import kept as folders
from kit.providers import kindcli, readiness, topology
from kit.providers.base import Capabilities, Found, Handle, Progress, Wanted
from kit.providers.emptying import empty
from kit.providers.engine import Box, Engine
from kit.providers.kept import Kept
from kit.providers.kindcli import KindCli
from kit.providers.preload import preload
from kit.providers.readiness import Ready

CREATE_S, RESUME_S, ADOPT_S = 300.0, 180.0, 45.0


class Kind:
    """Makes kind clusters, adopts those that are there, starts those that were stopped."""

    name = "kind"
    capabilities = Capabilities(cluster=True, nodes=True, clock=False, trace=False, faults=False)

    def up(self, wanted: Wanted, progress: Progress) -> Handle:
        """Make a cluster, or adopt the one of that name; an Interrupt before it is ready removes it again."""
        if wanted.clock not in {None, "realtime"}:
            raise BadInput(f"a kind cluster has no {wanted.clock} clock", "leave --clock and LABKIT_CLOCK away")
        nodes = None if wanted.nodes is None else topology.count(wanted.nodes)
        tools = _tools()
        kept = folders.open_folder(wanted.name, wanted.state_dir)
        with kept.locked(progress), _interrupted_by_signals():
            boxes = tools.engine.boxes(wanted.name)
            if not boxes:
                _create(tools, kept, topology.count(nodes), progress)
            else:
                _agree(wanted.name, nodes, boxes)
                _adopt(tools, kept, boxes, progress)
            done = preload(tools.kind, tools.engine, kept.name, kept.loaded, kept.folder, progress)
            kept.loaded, kept.missing = dict(done.loaded), dict(done.missing)
            kept.save()
        return _handle(kept)

    def down(self, name: str, *, delete: bool = False) -> bool:
        """Stop the nodes, their data stays; with `delete` remove the cluster."""
        kept = folders.find(name)
        if kept is None:
            return False
        tools = _tools()
        with kept.locked(lambda message: None):
            boxes = tools.engine.boxes(name)
            if delete:
                tools.kind.delete(name, kept.kubeconfig)
                kept.remove()
            else:
                tools.engine.stop(reversed(boxes))
        return bool(boxes) or delete

    def status(self) -> list[Found]:
        """Return the clusters that the kit made or adopted; other kind clusters of this machine are nobody's business."""
        known = folders.everyone()
        if not known:
            return []
        try:
            engine, _ = engines.find()
        except Unavailable as error:
            return [_found(kept, "stopped", (error.what,)) for kept in known]
        boxes = engine.boxes()
        found = [(kept, [box for box in boxes if box.cluster == kept.name]) for kept in known]
        return [_found(kept, _state(kept, own)) for kept, own in found if own]

    def reset(self, name: str, namespaces: list[str]) -> None:
        """Empty namespaces; with none named, remove the cluster, whole or broken, and make it anew."""
        kept = folders.find(name)
        if namespaces:
            if self.handle(name) is None or kept is None:
                raise Unavailable(f"no kind cluster named {name} runs", f"labkit up --provider kind --name {name}")
            empty(connect(kept.kubeconfig), namespaces)
            return
        tools = _tools()
        boxes = tools.engine.boxes(name)
        if kept is None and not boxes:
            raise Unavailable(f"there is no kind cluster named {name}", f"labkit up --provider kind --name {name}")
        kept = kept or folders.open_folder(name, None)
        nodes, state_dir = kept.nodes or len(boxes), kept.folder
        with kept.locked(lambda message: None):
            tools.kind.delete(name, kept.kubeconfig)
            kept.kubeconfig.unlink(missing_ok=True)
            Kept(name, state_dir).save()
        self.up(Wanted(name, nodes=nodes), lambda message: None)

    def handle(self, name: str) -> Handle | None:
        """Return the cluster if its API answers."""
        kept = folders.find(name)
        return _handle(kept) if kept and readiness.server_version(kept.kubeconfig) else None


@dataclass(frozen=True)
class _Tools:
    kind: KindCli
    engine: Engine


def _tools() -> _Tools:
    command = kindcli.where()
    engine, _ = engines.find()
    return _Tools(KindCli(command, engine.command, os.environ), engine)


def _create(tools: _Tools, kept: Kept, nodes: int, progress: Progress) -> None:
    mappings = topology.ports(topology.free_port)
    kept.nodes, kept.ports, kept.loaded = nodes, list(mappings), {}
    kept.kubeconfig.unlink(missing_ok=True)
    kept.save()
    image = os.environ.get("LABKIT_KIND_IMAGE") or None
    if image and not tools.engine.images([image]):
        progress(f"downloading {image}")
        tools.engine.pull(image, progress)
    try:
        tools.kind.create(
            kept.name,
            topology.configuration(nodes, mappings),
            kept.kubeconfig,
            image,
            lambda step: progress(str(step)),
        )
    except Damaged:
        raise  # the nodes that are in the way are not ours to remove unasked
    except BaseException:
        _clean_up(tools, kept, progress)
        raise
    kept.kubeconfig.chmod(0o600)
    try:
        readiness.await_ready(kept.kubeconfig, Ready(nodes), progress, CREATE_S)
    except KeyboardInterrupt:
        _clean_up(tools, kept, progress)
        raise


def _clean_up(tools: _Tools, kept: Kept, progress: Progress) -> None:
    """Remove what a start that failed or was interrupted left; its own failure must not hide the reason."""
    progress("removing what was begun")
    with contextlib.suppress(KitError):
        tools.kind.delete(kept.name, kept.kubeconfig)
        kept.remove()


def _agree(name: str, nodes: int | None, boxes: list[Box]) -> None:
    if nodes is not None and nodes != len(boxes):
        raise Refused(
            f"the kind cluster {name} is there already, with {len(boxes)} nodes, not {nodes}",
            f"labkit down --provider kind --name {name} --delete, or choose another --name",
        )


def _adopt(tools: _Tools, kept: Kept, boxes: list[Box], progress: Progress) -> None:
    """Take the cluster that is there, started if it was stopped; Damaged when it does not become ready."""
    kept.nodes, kept.ports = len(boxes), list(topology.ports_of(boxes[0].published))
    asleep = [box for box in boxes if box.state != "running"]
    began = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()) if asleep else ""
    if asleep:
        progress(f"starting {len(asleep)} nodes of {kept.name} again")
        tools.engine.start(boxes)
    else:
        progress(f"adopting {kept.name}")
    try:
        if not kept.kubeconfig.is_file():
            tools.kind.export(kept.name, kept.kubeconfig)
            kept.kubeconfig.chmod(0o600)
        readiness.await_ready(kept.kubeconfig, Ready(len(boxes), began), progress, RESUME_S if asleep else ADOPT_S)
    except Unavailable as error:
        raise Damaged(
            f"the kind cluster {kept.name} is there but broken ({error.what})",
            f"make it anew: labkit reset --provider kind --name {kept.name}",
        ) from error


def _state(kept: Kept, boxes: list[Box]) -> str:
    running = sum(box.state == "running" for box in boxes)
    if running == 0:
        return "stopped"
    return "running" if running == len(boxes) and readiness.server_version(kept.kubeconfig) else "broken"


def _found(kept: Kept, state: str, notes: tuple[str, ...] = ()) -> Found:
    version, url = "", ""
    if state == "running":
        version = readiness.server_version(kept.kubeconfig)
        url = connect(kept.kubeconfig).server
    return Found(
        name=kept.name,
        provider="kind",
        state=state,
        url=url,
        kubeconfig=str(kept.kubeconfig),
        clock="realtime",
        version=version,
        ports=tuple(kept.ports),
        notes=notes + kept.notes,
    )


def _handle(kept: Kept) -> Handle:
    return Handle(kept.name, "kind", kept.kubeconfig, ports=tuple(kept.ports))


@contextlib.contextmanager
def _interrupted_by_signals() -> Iterator[None]:
    """Let a closed terminal or a TERM clean up as Ctrl-C does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, action in before.items():
            signal.signal(number, action)
