"""How long a Job waits before the next Pod after failures: 10 s, doubling, at most 10 min. Models pkg/controller/job/backoff_utils.go."""

from __future__ import annotations

from collections.abc import Hashable

from kit.embedded.controllers.job.census import Census, finish_time

FIRST_MS = 10_000
MOST_MS = 600_000


class Backoff:
    """The failures since the last success, of each Job."""

    def __init__(self) -> None:
        self._failures: dict[Hashable, tuple[int, int]] = {}  # Job -> how many, when the last was (ms since 1970)

    def note(self, job: Hashable, census: Census, wall: int) -> None:
        """Note the Pods that have newly ended."""
        failed = sorted(finish_time(pod, wall) for pod in census.new_failed)
        if census.new_succeeded:
            last = max(finish_time(pod, wall) for pod in census.new_succeeded)
            failed = [at for at in failed if at > last]
            self.forget(job)
        if failed:
            self._failures[job] = self._failures.get(job, (0, 0))[0] + len(failed), failed[-1]

    def left(self, job: Hashable, wall: int) -> int:
        """Return for how many ms more no Pod is made."""
        return left(*self._failures.get(job, (0, 0)), wall)

    def forget(self, job: Hashable) -> None:
        """Drop what was noted of a Job."""
        self._failures.pop(job, None)


def left(failures: int, since: int, wall: int) -> int:
    """Return how much is left of the wait after so many failures, the last one at `since`."""
    if not failures:
        return 0
    return max(0, since + min(FIRST_MS << min(failures - 1, 20), MOST_MS) - wall)
