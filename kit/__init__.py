"""Kubernetes Lab Kit: `lab = kit.lab("01")` in a notebook, `labkit` in a terminal.

The names below are imported when they are first used, so that `import kit` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kit.checks.report import Report, State
    from kit.errors import KitError, Status
    from kit.notebook.cluster import Cluster, cluster
    from kit.notebook.lab import Lab, lab
    from kit.notebook.magics import load_ipython_extension

__version__ = "0.1.0"

_HOMES = {
    "Cluster": "kit.notebook.cluster",
    "KitError": "kit.errors",
    "Lab": "kit.notebook.lab",
    "Report": "kit.checks.report",
    "State": "kit.checks.report",
    "Status": "kit.errors",
    "cluster": "kit.notebook.cluster",
    "lab": "kit.notebook.lab",
    "load_ipython_extension": "kit.notebook.magics",
}

__all__ = ["Cluster", "KitError", "Lab", "Report", "State", "Status", "cluster", "lab", "load_ipython_extension"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'kit' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
