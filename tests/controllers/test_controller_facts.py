"""Plays the recorded controller scenarios on a stage and compares events, objects and answers with what a real cluster left.

`tests/parity/ledger.toml` lists the scenarios that are not matched, by id pattern, each with its reason.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from scenario import compare

LEDGER = Path(__file__).parents[1] / "parity" / "ledger.toml"


def test_scenarios_match_or_are_listed(facts: Callable[[str], Any]) -> None:
    """Every scenario ends as on a real cluster, or why it does not is written in the ledger."""
    listed = [re.compile(entry["id"]) for entry in tomllib.loads(LEDGER.read_text()).get("controllers", ())]
    cases = [one for one in facts("controllers.jsonl") if not any(pattern.search(one["id"]) for pattern in listed)]
    missed = {case["id"]: found for case in cases if (found := compare(case))}
    print(f"\ncontrollers.jsonl: {len(cases) - len(missed)}/{len(cases)} matched ({len(facts('controllers.jsonl'))} recorded)")
    assert not missed, "\n".join(f"{id}: {found[0]}" for id, found in missed.items())
