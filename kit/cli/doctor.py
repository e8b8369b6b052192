"""`labkit doctor`."""

from __future__ import annotations

import dataclasses
import importlib
import json
from typing import Annotated

import typer

from kit.cli import options

MARKS = {"ok": "ok  ", "warn": "warn", "fail": "FAIL"}


def doctor(
    provider: options.ProviderName = None,
    name: options.Name = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Look for what keeps a cluster from working here; ends with 1 when something does."""
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
