"""`labkit up`."""

from __future__ import annotations

from pathlib import Path
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
    kubeconfig: Annotated[
        Path | None, typer.Option("--kubeconfig", help="The file that names a shared cluster (provider kubeconfig).")
    ] = None,
    context: Annotated[str | None, typer.Option("--context", help="Its context (default: the current one).")] = None,
    namespace: Annotated[str | None, typer.Option("--namespace", help="Your namespace there.")] = None,
    allow_webhook_urls: Annotated[
        bool,
        typer.Option(
            "--allow-webhook-urls", help="Let the cluster call admission webhooks at https URLs (embedded only)."
        ),
    ] = False,
    trust_exec: Annotated[bool, typer.Option("--trust-exec", help="Let it run its log-in program.")] = False,
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
            kubeconfig=kubeconfig,
            context=context,
            namespace=namespace,
            trust_exec=trust_exec,
            webhook_urls=allow_webhook_urls or None,
        )
    options.say(f"cluster {handle.name} ({handle.provider}) answers")
    if handle.namespace:
        options.say(f"  in your namespace {handle.namespace}")
    options.say(f"  export KUBECONFIG={handle.kubeconfig}")
