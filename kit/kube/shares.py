"""A number, or a percentage of a whole: maxSurge, maxUnavailable, minAvailable. Models GetScaledValueFromIntOrPercent of util/intstr."""

from __future__ import annotations


def of(value: int | str, whole: int, *, up: bool) -> int:
    """Return the number that a value stands for; a percentage is rounded up or down."""
    if isinstance(value, int):
        return value
    percent = int(value.rstrip("%"))
    return (whole * percent + 99) // 100 if up else whole * percent // 100
