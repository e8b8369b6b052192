"""Plays the recorded controller scenarios on a stage and compares events, objects and answers with what a real cluster left.

`tests/parity/ledger.toml` lists the scenarios that do not match, each with its reason.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from scenario import compare

SCOPE = re.compile(r"ctl-(deploy|rs|rc|sts|ds|job|cron|pdb|svc|ns|gc|sched|node|sa|pod)-")


def test_scenarios_match_or_are_listed(facts: Callable[[str], Any], ledger: Any) -> None:
    """Every scenario ends as on a real cluster, or why it does not is written in the ledger; what matches is not in it."""
    cases = facts("controllers.jsonl")
    missed = {case["id"]: found[0] for case in cases if (found := compare(case))}
    scope = [case["id"] for case in cases if SCOPE.match(case["id"])]
    print(f"\nof controllers that are there: {sum(id not in missed for id in scope)}/{len(scope)}", end="")
    ledger.hold("controllers.jsonl", [case["id"] for case in cases], missed)
