"""Plays the recorded controller scenarios on a stage and compares events, objects and answers with what a real cluster left.

`tests/parity/ledger.toml` lists the scenarios that do not match, each with its reason.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from scenario import compare

LEDGER = Path(__file__).parents[1] / "parity" / "ledger.toml"
SCOPE = re.compile(r"ctl-(deploy|rs|rc|pdb|svc|ns|gc|sched|node|sa|pod)-")


def ledger() -> dict[str, str]:
    """Return the known misses: reason by id."""
    entries = tomllib.loads(LEDGER.read_text())["miss"]
    return {id: entry["reason"] for entry in entries for id in entry["ids"].split()}


def test_scenarios_match_or_are_listed(facts: Callable[[str], Any]) -> None:
    """Every scenario ends as on a real cluster, or why it does not is written in the ledger; what matches is not in it."""
    known, cases = ledger(), facts("controllers.jsonl")
    missed = {case["id"]: found for case in cases if (found := compare(case))}
    scope = [case["id"] for case in cases if SCOPE.match(case["id"])]
    print(f"\ncontrollers.jsonl: {len(cases) - len(missed)}/{len(cases)} matched", end="; ")
    print(f"of controllers that are there: {sum(id not in missed for id in scope)}/{len(scope)}")
    unlisted = {id: found for id, found in missed.items() if id not in known}
    assert not unlisted, "\n".join(f"{id}: {found[0]}" for id, found in unlisted.items())
    stale = [case["id"] for case in cases if case["id"] in known and case["id"] not in missed]
    assert not stale, f"these match now, take them out of {LEDGER.name}: {' '.join(stale)}"
