"""The generated tables of `kit/data`: the one place where pure code reads them.

The tables are constants of the package, as fixed as a literal in a module: they are read through the import system
(`pkgutil.get_data`), not from the caller's world, so reading them is no input to the machine.
"""

from __future__ import annotations

import json
import pkgutil
from functools import cache
from typing import Any


@cache
def load(name: str) -> Any:
    """Return the table `kit/data/NAME.json`, parsed once; callers must not change it."""
    raw = pkgutil.get_data("kit", f"data/{name}.json")
    if raw is None:  # an import system without data files: nothing of the kit can work
        raise FileNotFoundError(f"kit/data/{name}.json")
    return json.loads(raw)
