"""The flags that several commands share, and the progress that long work shows."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import typer

Name = Annotated[str | None, typer.Option("--name", help="The cluster's name (LABKIT_NAME; default: lab).")]
ProviderName = Annotated[str | None, typer.Option("--provider", help="embedded, kind or kubeconfig (LABKIT_PROVIDER).")]
Nodes = Annotated[int | None, typer.Option("--nodes", help="How many nodes, the control plane included (default: 3).")]
ClockMode = Annotated[str | None, typer.Option("--clock", help="realtime or settled (LABKIT_CLOCK; embedded only).")]
Seed = Annotated[int | None, typer.Option("--seed", help="The seed of all chance (LABKIT_SEED; embedded only).")]
StateDir = Annotated[
    Path | None, typer.Option("--state-dir", help="The folder that holds the clusters' state (LABKIT_STATE_DIR).")
]


@contextlib.contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """Show what is being done: a spinner on a terminal once it takes long enough to matter, lines of text elsewhere."""
    if not sys.stderr.isatty():
        yield _line
        return
    from rich.console import Console

    with Console(stderr=True).status("…") as status:
        yield status.update


def _line(message: str) -> None:
    print(message, file=sys.stderr, flush=True)  # noqa: T201


def say(text: str) -> None:
    """Print a line of a command's result."""
    print(text)  # noqa: T201
