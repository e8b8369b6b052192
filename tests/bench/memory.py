"""Resident memory of the cluster's process with three nodes and nothing to do."""

from __future__ import annotations

import time
from pathlib import Path

from stage import Row, lab


def measure():
    """Wait until it has started in full, then read what the kernel says."""
    with lab("--nodes", "3") as one:
        time.sleep(6)
        status = Path(f"/proc/{one.status()['pid']}/status").read_text(encoding="utf-8")
        resident = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
    yield Row("idle memory, 3 nodes", resident / 1024, "MB", 120)
