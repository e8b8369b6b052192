"""The completion indexes of an Indexed Job: as a status writes them, as a Pod carries them.

Models pkg/controller/job/indexed_job_utils.go.
"""

from __future__ import annotations

from collections.abc import Collection

from kit.embedded.core.store import Obj

INDEX = "batch.kubernetes.io/job-completion-index"  # label and annotation of a Pod
FAILURES = "batch.kubernetes.io/job-index-failure-count"
IGNORED = "batch.kubernetes.io/job-index-ignored-failure-count"


def is_indexed(job: Obj) -> bool:
    """Say whether each Pod of a Job stands for an index."""
    return bool(job["spec"].get("completionMode") == "Indexed")


def per_index(job: Obj) -> bool:
    """Say whether each index has a back-off limit of its own."""
    return job["spec"].get("backoffLimitPerIndex") is not None


def parse(text: str | None) -> frozenset[int]:
    """Read a list such as 1,3-5,7."""
    found: set[int] = set()
    for part in (text or "").split(",") if text else ():
        first, _, last = part.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return frozenset(found)


def text(indexes: Collection[int]) -> str:
    """Write indexes as a list: runs of three and more with a dash."""
    runs: list[list[int]] = []
    for index in sorted(indexes):
        if runs and runs[-1][1] == index - 1:
            runs[-1][1] = index
        else:
            runs.append([index, index])
    return ",".join(str(a) if a == b else f"{a}{',' if b == a + 1 else '-'}{b}" for a, b in runs)


def of(pod: Obj, job: Obj) -> int | None:
    """Return the index a Pod stands for, None when it has none or one beyond the completions."""
    found = (pod["metadata"].get("annotations") or {}).get(INDEX, "")
    if not found.isdigit() or int(found) >= (job["spec"].get("completions") or 0):
        return None
    return int(found)


def failures(pod: Obj) -> tuple[int, int]:
    """Return how many failures of its index came before a Pod: those that count, and those that were ignored."""
    notes = pod["metadata"].get("annotations") or {}
    counted, ignored = (notes.get(name, "0") for name in (FAILURES, IGNORED))
    return (int(counted) if counted.isdigit() else 0), (int(ignored) if ignored.isdigit() else 0)
