"""Fixtures every test may use."""

from __future__ import annotations

import json
import lzma
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

FACTS = Path(__file__).parent / "facts"


@cache
def _read(name: str) -> Any:
    text = lzma.decompress((FACTS / f"{name}.xz").read_bytes()).decode()
    return [json.loads(line) for line in text.splitlines()] if name.endswith(".jsonl") else json.loads(text)


@pytest.fixture(scope="session")
def facts() -> Callable[[str], Any]:
    """Return a reader of recorded truth: `facts("patches.jsonl")` is a list of cases, `facts("schema.json")` a document."""
    return _read


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--provider`: on which cluster the behaviour tests run."""
    parser.addoption("--provider", choices=("embedded", "kind"), default="embedded", help="where behaviour tests run")
