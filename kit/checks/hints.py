"""Hints in three tiers (a question, where to look, the field's name), chosen by the condition that failed; never the command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from kit.checks.report import Report
from kit.checks.text import Text

TIERS = 3


@dataclass(frozen=True)
class Hints:
    """The hints of one exercise: the usual three, and three of its own for a condition that deserves them."""

    usual: Sequence[Text]
    special: Mapping[str, Sequence[Text]] = field(default_factory=dict)

    def of(self, report: Report, tier: int) -> Text:
        """Return the hint of a tier (from 1) for the first failing condition of `report`."""
        failing = report.failing
        reason = report.trap or (failing.name if failing else "")
        tiers = self.special.get(reason, self.usual)
        return tiers[min(max(tier, 1), len(tiers)) - 1]
