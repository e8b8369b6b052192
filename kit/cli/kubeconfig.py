"""`labkit kubeconfig`, and how commands find the cluster that is meant."""

from __future__ import annotations

from kit.cli import options
from kit.errors import Unavailable
from kit.providers import choose
from kit.providers.base import Handle


def kubeconfig(
    name: options.Name = None, provider: options.ProviderName = None, state_dir: options.StateDir = None
) -> None:
    """Print the path of the kubeconfig."""
    options.say(str(running(name, provider).kubeconfig))


def running(name: str | None, provider: str | None) -> Handle:
    """Return the cluster that is meant, if it runs; Unavailable else."""
    wanted = choose.wish(name)
    chosen = choose.provider_name(provider)
    handle = choose.provider(chosen).handle(wanted.name)
    if handle is None:
        hint = "" if wanted.name == choose.DEFAULT_NAME else f" --name {wanted.name}"
        raise Unavailable(f"no {chosen} cluster named {wanted.name} runs", f"start it with: labkit up{hint}")
    return handle
