"""`labkit doctor`."""

from __future__ import annotations

import dataclasses
import importlib
import json
import sys
from typing import Annotated

import typer

from kit.cli import options
from kit.errors import BadInput

MARKS = {"ok": "ok  ", "warn": "warn", "fail": "FAIL"}


def doctor(
    provider: options.ProviderName = None,
    name: options.Name = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    install: Annotated[
        str | None, typer.Option("--install", help="Download a command into the kit's own folder first: kind.")
    ] = None,
) -> None:
    """Look for what keeps a cluster from working here; ends with 1 when something does."""
    if install is not None:
        _install(install)
        provider = provider or install
    findings = importlib.import_module("kit.providers.doctor").examine(provider)
    if as_json:
        options.say(json.dumps([dataclasses.asdict(finding) for finding in findings], indent=2))
    else:
        for finding in findings:
            options.say(f"{MARKS[finding.level]} {finding.check}: {finding.what}")
            if finding.level != "ok":
                options.say(f"     → {finding.next}")
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


def _install(name: str) -> None:
    """Download what a person asks for by name."""
    if name != "kind":
        raise BadInput(f"labkit does not install {name}", "it can install: kind")
    with options.progress() as show:
        path = importlib.import_module("kit.providers.install").kind(show)
    sys.stderr.write(f"kind is in {path}; labkit finds it there\n")
