"""The container engine: Docker, Podman or nerdctl, driven by its command. It holds a kind cluster's nodes and the images."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kit.errors import Unavailable
from kit.providers import commands, failures
from kit.providers.commands import Ran

# in the order in which they are looked for; what KIND_EXPERIMENTAL_PROVIDER says to kind about them
ENGINES = ("docker", "podman", "nerdctl")
CLUSTER, ROLE = "io.x-k8s.kind.cluster", "io.x-k8s.kind.role"
HUB = ("docker.io/library/", "docker.io/", "localhost/")


@dataclass(frozen=True)
class Box:
    """A container that is a node of a kind cluster; `state` is the engine's word: running, exited, created, paused."""

    name: str
    cluster: str
    role: str
    state: str
    published: tuple[tuple[int, int], ...] = ()  # its TCP ports and the ports of this machine that stand for them

    @property
    def order(self) -> tuple[bool, int, str]:
        """Return what sorts nodes as kind names them: the control plane, worker, worker2, worker10."""
        digits = self.name[len(self.name.rstrip("0123456789")) :]
        return (self.role != "control-plane", int(digits or 0), self.name)


@dataclass(frozen=True)
class About:
    """What an engine says about itself."""

    command: str
    version: str
    cgroup: str  # "1", "2" or ""
    cpus: int
    memory: int  # bytes
    rootless: bool
    system: str  # linux, windows
    machine: str

    @property
    def platform(self) -> str:
        """Return the platform of its images, as `--platform` takes it."""
        return f"linux/{_MACHINES.get(self.machine, self.machine)}"


_MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True)
class Engine:
    """One engine on this machine, and the environment its command gets."""

    command: str
    env: Mapping[str, str]

    def about(self) -> About:
        """Return what it says about itself; Unavailable when it does not run or may not be used."""
        ran = self._run("info", "--format", "{{json .}}", timeout_s=20)
        try:
            info = json.loads(ran.stdout)
        except ValueError:
            info = {}
        version = info.get("ServerVersion") or (info.get("version") or {}).get("Version")
        if not ran.ok or not version:  # a dead Docker prints its JSON with zeros and ends with 1
            said = [*(info.get("ServerErrors") or []), ran.stderr or ran.stdout]
            raise failures.explain("\n".join(said), f"{self.command} info")
        host = info.get("host") or {}  # Podman's shape
        return About(
            command=self.command,
            version=str(version),
            cgroup=str(info.get("CgroupVersion") or str(host.get("cgroupVersion", "")).lstrip("v")),
            cpus=int(info.get("NCPU") or host.get("cpus") or 0),
            memory=int(info.get("MemTotal") or host.get("memTotal") or 0),
            rootless="rootless" in str(info.get("SecurityOptions"))
            or bool((host.get("security") or {}).get("rootless")),
            system=str(info.get("OSType") or host.get("os") or "linux"),
            machine=str(info.get("Architecture") or host.get("arch") or ""),
        )

    def boxes(self, cluster: str | None = None) -> list[Box]:
        """Return the nodes of a kind cluster (of all, without a name), the control plane first."""
        label = CLUSTER if cluster is None else f"{CLUSTER}={cluster}"
        ids = self._good("ps", "-a", "-q", "--filter", f"label={label}").stdout.split()
        found = json.loads(self._good("inspect", *ids).stdout) if ids else []
        return sorted((box_of(one) for one in found), key=lambda box: (box.cluster, box.order))

    def start(self, boxes: Iterable[Box]) -> None:
        """Start the nodes that don't run, one after the other."""
        for box in boxes:
            if box.state != "running":
                self._good("unpause" if box.state == "paused" else "start", box.name)

    def stop(self, boxes: Iterable[Box]) -> None:
        """Stop the nodes that run."""
        if names := [box.name for box in boxes if box.state == "running"]:
            self._good("stop", *names, timeout_s=120)

    def images(self, references: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Return those of `references` that are here, with what the engine knows of them."""
        wanted = list(references)
        ran = self._run("image", "inspect", *wanted)
        try:
            found = json.loads(ran.stdout or "[]")
        except ValueError:
            found = []
        tags = {short(tag): image for image in found for tag in image.get("RepoTags") or []}
        return {name: tags[short(name)] for name in wanted if short(name) in tags}

    def save(self, references: Sequence[str], archive: Path, platform: str) -> None:
        """Write images into one archive; one platform only, because kind can't load a part of several (kind#3795)."""
        ran = self._run("save", "--platform", platform, "-o", str(archive), *references, timeout_s=900)
        if not ran.ok and _LACKS_PLATFORM & set(ran.stderr.split()):  # before Docker 28; those keep one platform anyway
            ran = self._run("save", "-o", str(archive), *references, timeout_s=900)
        failures.checked(ran, "saving the images")

    def build(self, folder: Path, tag: str, arguments: Mapping[str, str], labels: Mapping[str, str]) -> None:
        """Build an image; nothing is pulled that is here."""
        words = [f"--build-arg={key}={value}" for key, value in arguments.items()]
        words += [f"--label={key}={value}" for key, value in labels.items()]
        failures.checked(self._run("build", "--tag", tag, *words, str(folder), timeout_s=300), f"building {tag}")

    def pull(self, reference: str, heard: Callable[[str], None]) -> None:
        """Download an image (only what a person asked for)."""
        ran = commands.stream([self.command, "pull", "--quiet", reference], heard, env=self.env, timeout_s=1800)
        if not ran.ok:
            raise failures.explain(f"failed to pull image\n{ran.stderr}", f"downloading {reference}")

    def _run(self, *words: str, timeout_s: float = 60) -> Ran:
        return commands.run([self.command, *words], env=self.env, timeout_s=timeout_s)

    def _good(self, *words: str, timeout_s: float = 60) -> Ran:
        return failures.checked(self._run(*words, timeout_s=timeout_s), f"{self.command} {words[0]}")


_LACKS_PLATFORM = {"--platform", "flag:", "1.48"}


def installed(env: Mapping[str, str] | None = None) -> list[Engine]:
    """Return the engines whose command is on PATH."""
    env = os.environ if env is None else env
    return [
        Engine(name, commands.clean(env)) for name in ENGINES if shutil.which(name, path=env.get("PATH", os.defpath))
    ]


def find(env: Mapping[str, str] | None = None) -> tuple[Engine, About]:
    """Return the first engine that answers; Unavailable with the first one's reason when none does."""
    first: Unavailable | None = None
    for engine in installed(env):
        try:
            return engine, engine.about()
        except Unavailable as error:
            first = first or error
    raise first or failures.explain('exec: "docker": executable file not found in $PATH', "looking for an engine")


def short(reference: str) -> str:
    """Return an image's name as people write it (Podman writes the registry too)."""
    for prefix in HUB:
        if reference.startswith(prefix):
            return reference.removeprefix(prefix)
    return reference


def box_of(container: Mapping[str, Any]) -> Box:
    """Return a node, from what the engine says when it is inspected."""
    labels = container["Config"].get("Labels") or {}
    name = container["Name"].lstrip("/")
    published = tuple(_published((container.get("HostConfig") or {}).get("PortBindings") or {}))
    return Box(name, labels.get(CLUSTER, ""), labels.get(ROLE, ""), container["State"]["Status"], published)


def _published(bindings: Mapping[str, Any]) -> Iterator[tuple[int, int]]:
    """Yield port and host port of what was published when the container was made (it may be stopped now)."""
    for port, places in bindings.items():
        number, _, protocol = port.partition("/")
        for place in places or []:
            if protocol == "tcp" and str(place.get("HostPort") or "0") != "0":
                yield int(number), int(place["HostPort"])
