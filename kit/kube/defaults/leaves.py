"""Leaves: quantities and times take the form in which Go writes them; what is none comes back as it is."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from kit.kube import times
from kit.kube.literals import Literal
from kit.kube.quantities import Quantity, QuantityError, canonical
from kit.kube.schema import MICRO_TIME, QUANTITY, TIME

_TYPES: Final = frozenset({str, int, float, Literal})


def quantity(value: Any) -> Any:
    """Return a quantity in its canonical form, rounded up to thousandths: `1000m` is `1`, `1.5G` is `1500M`."""
    if type(value) in _TYPES:
        out = _canonical(value)
        return value if out == value else out
    return value


@lru_cache(maxsize=4096, typed=True)
def _canonical(value: Any) -> Any:
    try:
        found = Quantity.parse(value)
    except QuantityError:
        return value
    # Models SetDefaults_ResourceList: amounts are rounded up to thousandths.
    return canonical(value) if found.nano % 1_000_000 == 0 else str(Quantity.of_milli(found.milli, found.family))


def instant(value: Any) -> Any:
    """Return a time in whole seconds of UTC, as metav1.Time is written."""
    if type(value) is not str or (len(value) == 20 and value[19] == "Z"):
        return value
    try:
        return times.rfc3339(times.parse(value))
    except times.TimeError:
        return value


def micro_instant(value: Any) -> Any:
    """Return a time with six decimals in UTC, as metav1.MicroTime is written."""
    if type(value) is not str or (len(value) == 27 and value[26] == "Z"):
        return value
    try:
        text = times.rfc3339_micro(times.parse(value))
    except times.TimeError:
        return value
    fraction = value.partition(".")[2].rstrip("Zz").partition("+")[0].partition("-")[0]
    return f"{text[:19]}.{fraction[:6]:0<6}Z"


LEAVES: Final[dict[str, Callable[[Any], Any]]] = {QUANTITY: quantity, TIME: instant, MICRO_TIME: micro_instant}
