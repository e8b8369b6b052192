"""Copies of JSON-like data: deep, and with the keys of all maps sorted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def deep(value: Any) -> Any:
    """Return a copy that shares no map and no list with the value."""
    if isinstance(value, dict):
        return {key: deep(item) for key, item in value.items()}
    return [deep(item) for item in value] if isinstance(value, list) else value


def in_order(value: Any) -> Any:
    """Return the value with the keys of all its maps sorted, as Go writes what it has no type for."""
    if isinstance(value, Mapping):
        return {key: in_order(value[key]) for key in sorted(value)}
    return [in_order(item) for item in value] if isinstance(value, list) else value
