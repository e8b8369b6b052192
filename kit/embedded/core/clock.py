"""The cluster's clock: virtual milliseconds, and the epoch that turns them into times a client sees."""

from __future__ import annotations

from kit.kube import times


class Clock:
    """`now` is ms since the cluster began, set by the turn alone; `epoch` is ms since 1970 of that beginning.

    A jump moves `epoch` back by as much as `now` goes forward (design §5): what exists grows older, nothing lies in the future.
    """

    def __init__(self, epoch: int, now: int = 0) -> None:
        self.epoch = epoch
        self.now = now

    def wall(self) -> int:
        """Return the time as clients see it, in ms since 1970."""
        return self.epoch + self.now

    def text(self) -> str:
        """Return now as an RFC 3339 time of whole seconds (metav1.Time)."""
        return times.rfc3339(self.wall())

    def micro(self) -> str:
        """Return now as an RFC 3339 time with six decimals (metav1.MicroTime)."""
        return times.rfc3339_micro(self.wall())
