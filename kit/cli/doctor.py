"""`labkit doctor`."""

from __future__ import annotations

import importlib

import typer

from kit.cli import options


def doctor(name: options.Name = None, provider: options.ProviderName = None) -> None:
    """Look for what keeps a cluster from working here; ends with 1 when something does."""
    examine = importlib.import_module("kit.providers.doctor").examine
    sound = True
    for finding in examine(provider):
        sound &= finding.ok
        options.say(f"{'ok  ' if finding.ok else 'FAIL'} {finding.what}")
        if not finding.ok and finding.next:
            options.say(f"     → {finding.next}")
    if not sound:
        raise typer.Exit(1)
