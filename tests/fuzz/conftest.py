"""Lets the modules of this folder share what they make, and says how long they look: `LABKIT_FUZZ` multiplies the number of tries.

atheris has no build for every machine (`fuzz` in pyproject.toml says for which): where it is missing, the report's head says so.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

_NEEDS = {"test_coverage_guided.py": "atheris", "test_openapi.py": "schemathesis"}
collect_ignore = [module for module, package in _NEEDS.items() if find_spec(package) is None]


def pytest_report_header():
    return [f"not run, since {_NEEDS[module]} is not installed: {module}" for module in collect_ignore]
