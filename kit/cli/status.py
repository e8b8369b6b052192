"""`labkit status`."""

from __future__ import annotations

import dataclasses
import json
from typing import Annotated, Any

import typer

from kit.cli import options
from kit.errors import KitError
from kit.providers import choose

COLUMNS = ("name", "provider", "state", "pid", "url", "clock", "kubeconfig")


def status(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    name: options.Name = None,
    provider: options.ProviderName = None,
    state_dir: options.StateDir = None,
) -> None:
    """Show the clusters and how to reach them."""
    found = [cluster for cluster in clusters(provider) if name is None or cluster["name"] == name]
    if as_json:
        options.say(json.dumps(found, indent=2))
    elif not found:
        options.say("no cluster; start one with: labkit up")
    else:
        _table(found)


def clusters(provider: str | None) -> list[dict[str, Any]]:
    """Return the clusters of one provider, or of the embedded one and of the one chosen here."""
    names = [provider] if provider else list(dict.fromkeys(("embedded", choose.provider_name())))
    found: list[dict[str, Any]] = []
    for one in names:
        try:
            found += [dataclasses.asdict(cluster) for cluster in choose.provider(one).status()]
        except KitError:
            if provider:
                raise
    return found


def _table(found: list[dict[str, Any]]) -> None:
    rows = [[title.upper() for title in COLUMNS]] + [
        [str(cluster[column] or "-") for column in COLUMNS] for cluster in found
    ]
    widths = [max(len(row[index]) for row in rows) for index in range(len(COLUMNS))]
    for row in rows:
        options.say("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())
    for cluster in found:
        for port in cluster["ports"]:
            options.say(
                f"{cluster['name']}: http://127.0.0.1:{port['host_port']} is {port['name']} (port {port['port']})"
            )
        for note in cluster["notes"]:
            options.say(f"{cluster['name']}: {note}")
