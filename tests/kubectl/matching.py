"""Plays many transcripts at once and holds what misses against the ledger of known misses."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

LEDGER = Path(__file__).parents[1] / "parity" / "ledger.toml"
AT_ONCE = 4
ONLY = os.environ.get("KUBECTL_FACTS", "")  # a part of the ids of the cases to play


def ledger() -> dict[str, str]:
    """Return the known misses: reason by id."""
    entries = tomllib.loads(LEDGER.read_text())["miss"]
    return {id: entry["reason"] for entry in entries for id in entry["ids"].split()}


def check(player: Any, cases: Sequence[dict[str, Any]], alone: Sequence[str] = ()) -> None:
    """Fail unless every case matches or is in the ledger, and nothing is there that matches. `alone` are played one by one."""
    known = ledger()
    cases = [case for case in cases if ONLY in case["id"]]

    def differences(case: dict[str, Any]) -> str:
        return str(player.differences(case, brief=case["id"] in known))

    together = [case for case in cases if case["id"] not in alone]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = dict(zip((case["id"] for case in together), pool.map(differences, together), strict=True))
    found |= {case["id"]: differences(case) for case in cases if case["id"] in alone}
    missed = {id: text for id, text in found.items() if text}
    print(f"\nkubectl.jsonl: {len(cases) - len(missed)}/{len(cases)} matched")
    unlisted = [f"{id}:\n{text}" for id, text in missed.items() if id not in known]
    assert not unlisted, "\n\n".join(unlisted)
    stale = [id for id in found if id in known and id not in missed]
    assert not stale, f"these match now, take them out of {LEDGER.name}: {' '.join(stale)}"
