"""Plays the recorded kubelet cases on a whole embedded cluster and compares states, events, outputs and what is left.

`kubelet_cases.toml` says which are in scope, `tests/parity/ledger.toml` lists those that do not match, each with its reason.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from recordings import compare

HERE = Path(__file__).parent
LEDGER = HERE.parent / "parity" / "ledger.toml"


def ledger() -> dict[str, str]:
    """Return the known misses: reason by id."""
    entries = tomllib.loads(LEDGER.read_text(encoding="utf-8"))["miss"]
    return {id: entry["reason"] for entry in entries for id in entry["ids"].split()}


def test_cases_match_or_are_listed(facts: Callable[[str], Any]) -> None:
    """Every case in scope goes as on a real cluster, or why it does not is written in the ledger; what matches is not in it."""
    scope = tomllib.loads((HERE / "kubelet_cases.toml").read_text(encoding="utf-8"))["in_scope"]
    cases = [case for case in facts("kubelet.jsonl") if case["id"] in scope]
    missed = {case["id"]: found for case in cases if (found := compare(case))}
    print(f"\nkubelet.jsonl: {len(cases) - len(missed)}/{len(cases)} matched")
    known = ledger()
    unlisted = {id: found for id, found in missed.items() if id not in known}
    assert not unlisted, "\n".join(f"{id}: {found[0]}" for id, found in unlisted.items())
    stale = [case["id"] for case in cases if case["id"] in known and case["id"] not in missed]
    assert not stale, f"these match now, take them out of {LEDGER.name}: {' '.join(stale)}"


def test_another_recording_would_not_match(facts: Callable[[str], Any]) -> None:
    """A wrong exit code, event, output or status is seen."""
    cases = {case["id"]: case for case in facts("kubelet.jsonl")}
    for id, part, right, wrong in (
        ("klet-exit-1-onfailure", "pods", '"RESTARTS": "1"', '"RESTARTS": "7"'),
        ("klet-exit-1-onfailure", "pods", '"exitCode": 1', '"exitCode": 2'),
        ("klet-exit-1-onfailure", "events", "Container started", "Container begun"),
        ("klet-exit-1-onfailure", "steps", "run\\n", "ran\\n"),
        ("klet-exit-0-never", "objects", "BestEffort", "Guaranteed"),
        ("klet-probe-ready-toggle", "slices", '"serving": true', '"serving": false'),
    ):
        case = cases[id]
        told = json.dumps(case["expect"][part])
        assert right in told
        assert compare({**case, "expect": {**case["expect"], part: json.loads(told.replace(right, wrong))}}), (
            right,
            wrong,
        )
