"""`labkit reset`."""

from __future__ import annotations

from typing import Annotated

import typer

from kit.cli import options
from kit.providers import choose


def reset(
    name: options.Name = None,
    provider: options.ProviderName = None,
    namespace: Annotated[
        list[str] | None, typer.Option("--namespace", "-n", help="Empty this namespace only (may be repeated).")
    ] = None,
    state_dir: options.StateDir = None,
) -> None:
    """Begin the cluster anew, or empty namespaces."""
    wanted = choose.wish(name)
    with options.progress() as show:
        show(f"resetting {wanted.name}")
        choose.provider(choose.provider_name(provider)).reset(wanted.name, namespace or [])
    what = f"emptied {', '.join(namespace)} of" if namespace else "began anew:"
    options.say(f"{what} cluster {wanted.name}")
