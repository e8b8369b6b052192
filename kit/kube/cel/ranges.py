"""Sizes and costs that are known from the least to the most, never above 64 bits.

Models SizeEstimate and CostEstimate of cel-go/checker/cost.go.
"""

from __future__ import annotations

from typing import NamedTuple

from kit.kube.cel.sizes import UNBOUNDED


class Range(NamedTuple):
    """A size or a cost: from the least to the most."""

    low: int
    high: int

    def plus(self, other: Range) -> Range:
        """Return the sum."""
        return Range(capped(self.low + other.low), capped(self.high + other.high))

    def times(self, other: Range) -> Range:
        """Return the product."""
        return Range(capped(self.low * other.low), capped(self.high * other.high))

    def scaled(self, factor: float) -> Range:
        """Return this many times a factor, rounded up."""
        return Range(_scaled(self.low, factor), _scaled(self.high, factor))

    def united(self, other: Range) -> Range:
        """Return what holds both."""
        return Range(min(self.low, other.low), max(self.high, other.high))


def capped(value: int) -> int:
    """Return a number of 64 bits at most."""
    return min(value, UNBOUNDED)


def _scaled(value: int, factor: float) -> int:
    return capped(-int(-(float(value) * factor) // 1))


NOTHING, ONE, UNKNOWN = Range(0, 0), Range(1, 1), Range(0, UNBOUNDED)
