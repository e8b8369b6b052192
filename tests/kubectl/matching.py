"""Plays many transcripts at once and holds what misses against the ledger of known misses."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

AT_ONCE = 4
ONLY = os.environ.get("KUBECTL_FACTS", "")  # a part of the ids of the cases to play


def check(player: Any, cases: Sequence[dict[str, Any]], ledger: Any, alone: Sequence[str] = ()) -> None:
    """Fail unless every case matches or is in the ledger, and nothing is there that matches. `alone` are played one by one."""
    cases = [case for case in cases if ONLY in case["id"]]

    def differences(case: dict[str, Any]) -> str:
        return str(player.differences(case, brief=case["id"] in ledger.known))

    together = [case for case in cases if case["id"] not in alone]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = dict(zip((case["id"] for case in together), pool.map(differences, together), strict=True))
    found |= {case["id"]: differences(case) for case in cases if case["id"] in alone}
    ledger.hold("kubectl.jsonl", found, {id: f"\n{text}\n" for id, text in found.items() if text})
