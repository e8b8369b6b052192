"""The `kind` command: how it is called, and what its lines mean. Data comes on stdout, words for people on stderr, failures end with 1."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kit.errors import Unavailable
from kit.providers import commands, failures, install
from kit.providers.commands import Ran

CREATE_S, DELETE_S, LOAD_S = 900.0, 120.0, 900.0
_STEP = re.compile(r"^\s*([•✓✗])\s+(.*?)\s*$")
_DECORATION = re.compile(r"[^\x20-\x7e]+|\s*\.{3}\s*$")
_VERSION = re.compile(r"kind v(\d+)\.(\d+)\.(\d+)")


@dataclass(frozen=True)
class Step:
    """A step of `kind create`: running, done or failed."""

    state: str
    text: str

    def __str__(self) -> str:
        return f"{_MARKS[self.state]} {self.text}"


_STATES = {"•": "running", "✓": "done", "✗": "failed"}
_MARKS = {state: mark for mark, state in _STATES.items()}


def step_of(line: str) -> Step | None:
    """Return the step that a line of kind's output tells of, else None."""
    found = _STEP.match(line)
    return Step(_STATES[found[1]], _DECORATION.sub("", found[2]).strip()) if found else None


@dataclass
class KindCli:
    """One kind command and the engine it works on; every call that touches a kubeconfig names ours."""

    command: str
    engine: str
    env: Mapping[str, str] = field(repr=False)

    def __post_init__(self) -> None:
        self.env = {**commands.clean(self.env), "KIND_EXPERIMENTAL_PROVIDER": self.engine}

    def version(self) -> tuple[int, ...]:
        """Return its version."""
        ran = self._run("version")
        if not (found := _VERSION.search(ran.stdout)):
            raise failures.explain(ran.stderr or ran.stdout, f"{self.command} version")
        return tuple(int(part) for part in found.groups())

    def create(
        self, name: str, configuration: str, kubeconfig: Path, image: str | None, heard: Callable[[Step], None]
    ) -> None:
        """Create a cluster; returns before it is ready. An Interrupt or a failure leaves nodes behind: the caller deletes them."""

        def hear(line: str) -> None:
            if step := step_of(line):
                heard(step)

        words = ["create", "cluster", "--name", name, "--kubeconfig", str(kubeconfig), "--config", "-"]
        words += ["--image", image] if image else []
        ran = commands.stream([self.command, *words], hear, env=self.env, stdin=configuration, timeout_s=CREATE_S)
        failures.checked(ran, "kind create cluster")

    def delete(self, name: str, kubeconfig: Path) -> None:
        """Delete a cluster; that there is none is no error."""
        failures.checked(
            self._run("delete", "cluster", "--name", name, "--kubeconfig", str(kubeconfig), timeout_s=DELETE_S),
            "kind delete cluster",
        )

    def clusters(self) -> list[str]:
        """Return the names of all clusters of the engine."""
        return failures.checked(self._run("get", "clusters"), "kind get clusters").stdout.split()

    def export(self, name: str, kubeconfig: Path) -> None:
        """Write the kubeconfig of a cluster (that was created by hand, or whose state folder is gone)."""
        failures.checked(
            self._run("export", "kubeconfig", "--name", name, "--kubeconfig", str(kubeconfig)), "kind export kubeconfig"
        )

    def load(self, name: str, archive: Path) -> None:
        """Load an archive of images into all nodes."""
        ran = self._run("load", "image-archive", str(archive), "--name", name, timeout_s=LOAD_S)
        failures.checked(ran, "kind load image-archive")

    def _run(self, *words: str, timeout_s: float = 60) -> Ran:
        return commands.run([self.command, *words], env=self.env, timeout_s=timeout_s)


def where(env: Mapping[str, str] | None = None) -> str:
    """Return the kind command: LABKIT_KIND when it is set, else the one on PATH, else the kit's own; Unavailable when there is none."""
    env = os.environ if env is None else env
    if asked := env.get("LABKIT_KIND"):
        return asked
    if found := shutil.which("kind", path=env.get("PATH", os.defpath)):
        return found
    ours = install.kind_file()
    if os.access(ours, os.X_OK):
        return str(ours)
    raise missing()


def missing() -> Unavailable:
    """Return what to say when there is no kind command."""
    error = failures.explain('exec: "kind": executable file not found in $PATH', "kind")
    return Unavailable(error.what, error.next)
