"""The ground that one run of a notebook or a check stands on: a new settled cluster, or a real one with the lab's namespace made new."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from kit.course.catalog import Lesson
from kit.course.progress import Progress
from kit.course.session import Session
from kit.providers.base import Handle, Wanted, quiet
from kit.providers.embedded import Embedded

SEED = 1


@dataclass(frozen=True)
class Settled:
    """The cluster, and the variables under which `kit.lab()` and kubectl find it."""

    handle: Handle
    variables: Mapping[str, str]


Ground = Callable[[str], AbstractContextManager[Settled]]  # what a run is called -> where it runs


@contextmanager
def settled_cluster(name: str) -> Iterator[Settled]:
    """Start an embedded cluster in settled mode for the length of a block."""
    folder = Path(tempfile.mkdtemp(prefix="labkit-"))
    variables = {
        "LABKIT_NAME": name,
        "LABKIT_PROVIDER": "embedded",
        "LABKIT_CLOCK": "settled",
        "LABKIT_SEED": str(SEED),
        "LABKIT_STATE_DIR": str(folder),
        "LABKIT_FOLDER": str(folder / "work"),
    }
    provider = Embedded()
    try:
        handle = provider.up(Wanted(name, clock="settled", seed=SEED, state_dir=folder), quiet)
        yield Settled(handle, variables)
    finally:
        provider.down(name, delete=True)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def own_register() -> Iterator[None]:
    """Let this process and its children know no cluster but those of this block: what they print must not tell of others."""
    with tempfile.TemporaryDirectory(prefix="labkit-") as folder, environment({"LABKIT_HOME": folder}):
        yield


def standing(handle: Handle, lesson: Lesson) -> Ground:
    """Return a cluster that is there, for run after run; each begins without progress, in a namespace made new."""

    @contextmanager
    def ground(name: str) -> Iterator[Settled]:
        folder = tempfile.mkdtemp(prefix=f"labkit-{name}-")
        variables = {
            "LABKIT_NAME": handle.name,
            "LABKIT_PROVIDER": handle.provider,
            "LABKIT_CLOCK": "",
            "LABKIT_SEED": "",
            "LABKIT_FOLDER": folder,
        }
        try:
            with environment(variables):
                Session(lesson, handle, "en", Progress(None)).reset()
            yield Settled(handle, variables)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    return ground


@contextmanager
def environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set variables of this process for the length of a block."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
