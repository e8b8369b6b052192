"""What the real kubectl printed at a real Kubernetes it prints here, word for word (kubectl.jsonl)."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

LEDGER = Path(__file__).parents[1] / "parity" / "ledger.toml"
ALONE = (
    "kubectl-taint",
    "kubectl-drain",
    "kubectl-drain-pdb",
    "kubectl-pv-claim",
)  # they change nodes, or see all of them
AT_ONCE = 4


def ledger() -> dict[str, str]:
    """Return the known misses: reason by id."""
    entries = tomllib.loads(LEDGER.read_text())["miss"]
    return {id: entry["reason"] for entry in entries for id in entry["ids"].split()}


@pytest.mark.long  # 276 transcripts of a real kubectl take minutes
@pytest.mark.timeout(1200)
def test_transcripts_match_or_are_listed(facts: Callable[[str], Any], player: Any) -> None:
    """Every transcript matches, or its miss is known and explained."""
    only = os.environ.get("KUBECTL_FACTS", "")
    cases = [case for case in facts("kubectl.jsonl") if only in case["id"]]
    looking = [case for case in cases if case.get("world")]
    acting = [case for case in cases if not case.get("world") and case["id"] not in ALONE]
    missed: dict[str, str] = {}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for group in (looking, acting):
            missed |= {
                case["id"]: found
                for case, found in zip(group, pool.map(player.differences, group), strict=True)
                if found
            }
    missed |= {case["id"]: found for case in cases if case["id"] in ALONE and (found := player.differences(case))}
    print(f"\nkubectl.jsonl: {len(cases) - len(missed)}/{len(cases)} matched")
    known = ledger()
    unlisted = {id: found for id, found in missed.items() if id not in known}
    assert not unlisted, "\n\n".join(f"{id}:\n{found}" for id, found in unlisted.items())
    stale = [case["id"] for case in cases if case["id"] in known and case["id"] not in missed]
    assert not stale, f"these match now, take them out of {LEDGER.name}: {' '.join(stale)}"
