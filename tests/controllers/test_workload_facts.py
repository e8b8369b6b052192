"""More scenarios of Jobs, CronJobs, StatefulSets and DaemonSets, recorded on the same servers and in the same form as controllers.jsonl.

Policies of failure and success, back-offs, replacement, suspension; zones, concurrency and missed starts; broken, partitioned and parallel
rollouts; adoption and release; surges, histories; quotas; claims that stay or go; nodes that change.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scenario import compare


def test_scenarios_match(facts: Callable[[str], Any]) -> None:
    """Every scenario ends as on a real cluster: events, objects, conditions."""
    cases = facts("workloads.jsonl")
    assert len(cases) > 80
    missed = {case["id"]: found for case in cases if (found := compare(case))}
    assert not missed, "\n".join(f"{id}: {found[:3]}" for id, found in missed.items())
