"""What a lab proves: conditions looked at in a cluster, reported in words a learner can act on.

    checks.py of a lab ── yields ──► Condition ── look(World) ──► Outcome ── gathered in ──► Report

A check is a generator that yields conditions in order; the first that does not hold decides the state of the Report:
a gate (`.begun()`) gives TODO, a trap gives WRONG with the trap's own sentence, any other gives WRONG. A cluster that
can't be asked gives ERROR. Nothing here raises to a learner, and nothing here knows which cluster it looks at.
"""

from __future__ import annotations

from kit.checks.conditions import Condition, Seen, answered, condition, event, exists, field, pod, trap
from kit.checks.registry import Checks
from kit.checks.report import Report, State
from kit.checks.text import Text
from kit.checks.world import World

__all__ = [
    "Checks",
    "Condition",
    "Report",
    "Seen",
    "State",
    "Text",
    "World",
    "answered",
    "condition",
    "event",
    "exists",
    "field",
    "pod",
    "trap",
]
