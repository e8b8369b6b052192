"""What a provider is: it makes, finds and removes clusters, and hands out a `Handle`. One file each; `choose` knows them all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Handle:
    """A running cluster: how to reach it, and the URL of its control surface where it has one."""

    name: str
    provider: str
    kubeconfig: Path
    control: str | None = None
    state: str = "running"
    namespace: str | None = None  # the learner's own, on a shared cluster
    ports: tuple[dict[str, Any], ...] = ()  # of this machine, that stand for ports of the cluster


@dataclass(frozen=True)
class Wanted:
    """What is asked for; None leaves it to what is there, or to the provider's default."""

    name: str
    nodes: int | None = None
    clock: str | None = None
    seed: int | None = None
    state_dir: Path | None = None
    port: int | None = None
    expose: bool | None = None
    options: dict[str, Any] = field(default_factory=dict)  # a provider's own


@dataclass(frozen=True)
class Capabilities:
    """What experiments may do on a provider's clusters (`needs` of an exercise)."""

    cluster: bool  # cluster-scoped objects
    nodes: bool  # taint, drain, cut off
    clock: bool  # move time
    trace: bool
    faults: bool

    def offers(self, need: str) -> bool:
        """Tell whether a need is met."""
        return bool(getattr(self, need, False))


@dataclass(frozen=True)
class Found:
    """One cluster as `labkit status` shows it."""

    name: str
    provider: str
    state: str  # running | stopped | broken
    pid: int | None = None
    url: str = ""
    kubeconfig: str = ""
    clock: str = ""
    seed: int | None = None
    version: str = ""
    ports: tuple[dict[str, Any], ...] = ()
    notes: tuple[str, ...] = ()  # what a person should know: images that are not there


class Provider(Protocol):
    """One way to have a cluster. Errors are KitErrors that say what to do next."""

    name: str
    capabilities: Capabilities

    def up(self, wanted: Wanted, progress: Progress) -> Handle:
        """Make a cluster, or adopt the one of that name; return when its API answers."""
        ...

    def down(self, name: str, *, delete: bool = False) -> bool:
        """Stop (and with `delete` remove) a cluster; say whether there was one."""
        ...

    def status(self) -> list[Found]:
        """Return the clusters of this provider."""
        ...

    def reset(self, name: str, namespaces: list[str]) -> None:
        """Empty namespaces; with none named, begin the whole cluster anew where the provider can."""
        ...

    def handle(self, name: str) -> Handle | None:
        """Return a running cluster, or None."""
        ...


def quiet(message: str) -> None:
    """Show no progress."""
