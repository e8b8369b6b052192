"""What the real kubectl printed when it only looked at a prepared world, it prints here, word for word (kubectl.jsonl)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from matching import check

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def test_what_looking_prints(facts: Callable[[str], Any], player: Any, ledger: Any) -> None:
    """Every transcript of a world matches, or its miss is known and explained."""
    check(player, [case for case in facts("kubectl.jsonl") if case.get("world")], ledger)
