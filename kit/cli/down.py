"""`labkit down`."""

from __future__ import annotations

from typing import Annotated

import typer

from kit.cli import options
from kit.errors import BadInput
from kit.providers import choose


def down(
    name: options.Name = None,
    provider: options.ProviderName = None,
    all_: Annotated[bool, typer.Option("--all", help="All clusters of the provider.")] = False,
    delete: Annotated[bool, typer.Option("--delete", help="Throw the state away too.")] = False,
    state_dir: options.StateDir = None,
) -> None:
    """Stop a cluster; its state is kept."""
    if all_ and name:
        raise BadInput("--all and --name contradict each other", "give one of them")
    chosen = choose.provider(choose.provider_name(provider))
    names = (
        [found.name for found in chosen.status() if found.state != "stopped" or delete]
        if all_
        else [choose.wish(name).name]
    )
    for one in names:
        there = chosen.down(one, delete=delete)
        options.say(f"cluster {one} is {'removed' if delete else 'stopped'}" if there else f"there is no cluster {one}")
