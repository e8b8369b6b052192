"""`labkit up`."""

from __future__ import annotations

from typing import Annotated

import typer

from kit.cli import options
from kit.providers import choose


def up(
    name: options.Name = None,
    provider: options.ProviderName = None,
    nodes: options.Nodes = None,
    clock: options.ClockMode = None,
    seed: options.Seed = None,
    state_dir: options.StateDir = None,
    port: Annotated[
        int | None, typer.Option("--port", help="The API's port (default: a free one; embedded only).")
    ] = None,
    expose: Annotated[bool | None, typer.Option("--expose/--no-expose", help="Open host ports for NodePorts.")] = None,
) -> None:
    """Start a cluster, or adopt the one that runs."""
    with options.progress() as show:
        handle = choose.connect(
            name,
            provider,
            progress=show,
            nodes=nodes,
            clock=clock,
            seed=seed,
            state_dir=state_dir,
            port=port,
            expose=expose,
        )
    options.say(f"cluster {handle.name} ({handle.provider}) answers")
    options.say(f"  export KUBECONFIG={handle.kubeconfig}")
