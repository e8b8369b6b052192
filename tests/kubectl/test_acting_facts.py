"""What the real kubectl printed when it made, changed and deleted things, it prints here, word for word (kubectl.jsonl)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from matching import check

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
ALONE = (
    "kubectl-taint",
    "kubectl-drain",
    "kubectl-drain-pdb",
    "kubectl-pv-claim",
)  # they change nodes, or see all of them


def test_what_acting_prints(facts: Callable[[str], Any], player: Any, ledger: Any) -> None:
    """Every transcript of a namespace of its own matches, or its miss is known and explained."""
    check(player, [case for case in facts("kubectl.jsonl") if not case.get("world")], ledger, ALONE)
