"""What is counted while requests are answered. Labels of a request stand in the order of `api.counting.LABELS`."""

from __future__ import annotations

from collections import Counter

from kit.embedded.core.exposition import Labels


class Counts:
    """The numbers since the process began, or since they were reset."""

    def __init__(self) -> None:
        self.requests: Counter[tuple[Labels, int]] = Counter()
        self.open: Counter[Labels] = Counter()
        self.events: Counter[Labels] = Counter()
        self.deprecated: dict[Labels, int] = {}
        self.authorizations: Counter[str] = Counter()
        self.checks: Counter[str] = Counter()

    def answered(self, labels: Labels, code: int) -> None:
        """Count a request that has been answered."""
        self.requests[labels, code] += 1

    def began(self, labels: Labels) -> None:
        """Count a request that stays open."""
        self.open[labels[:7]] += 1

    def ended(self, labels: Labels, code: int) -> None:
        """Count the end of one that stayed open."""
        self.open[labels[:7]] -= 1
        self.requests[labels, code] += 1

    def asked_deprecated(self, labels: Labels) -> None:
        """Note that a deprecated API has been asked for: group, version, resource, subresource, and the release without it."""
        self.deprecated[labels] = 1

    def reset(self) -> None:
        """Begin anew with what can be: what is open stays so."""
        for counter in (self.requests, self.events, self.deprecated):
            counter.clear()
