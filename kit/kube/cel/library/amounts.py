"""Quantities, and how they and versions compare.

Models k8s.io/apiserver/pkg/cel/library/quantity.go.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from kit.kube import quantities
from kit.kube.cel.library.versions import Semver
from kit.kube.cel.numbers import RunError


@dataclass(frozen=True, slots=True)
class Quantity:
    """A quantity as a value of an expression."""

    amount: quantities.Quantity
    type_name = "kubernetes.Quantity"

    @property
    def order(self) -> int:
        """Return what quantities are ordered by."""
        return self.amount.nano


def to_quantity(text: str) -> Quantity:
    """Return a quantity; raise RunError."""
    if text != text.strip():
        raise RunError(quantities.WRONG_FORMAT)
    try:
        return Quantity(quantities.Quantity.parse(text))
    except quantities.QuantityError as error:
        raise RunError(str(error)) from None


def _is_quantity(text: str) -> bool:
    try:
        quantities.Quantity.parse(text)
    except quantities.QuantityError:
        return False
    return True


def _whole(one: Quantity) -> bool:
    return one.amount.nano % quantities.NANO == 0 and abs(one.amount.nano) < (2**63 - 1) * quantities.NANO


def _integer(one: Quantity) -> int:
    if not _whole(one):
        raise RunError("cannot convert value to integer")
    return one.amount.nano // quantities.NANO


def _amount(other: Quantity | int) -> quantities.Quantity:
    return quantities.Quantity.of(int(other)) if isinstance(other, int) else other.amount


def _compared(one: Quantity | Semver, other: Quantity | Semver) -> int:
    return (one.order > other.order) - (one.order < other.order)  # type: ignore[operator]


FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    "quantity": to_quantity,
    "isQuantity": _is_quantity,
    "sign": lambda one: (one.amount.nano > 0) - (one.amount.nano < 0),
    "asInteger": _integer,
    "isInteger": _whole,
    "asApproximateFloat": lambda one: one.amount.nano / quantities.NANO,
    "add": lambda one, other: Quantity(one.amount + _amount(other)),
    "sub": lambda one, other: Quantity(one.amount - _amount(other)),
    "isGreaterThan": lambda one, other: _compared(one, other) > 0,
    "isLessThan": lambda one, other: _compared(one, other) < 0,
    "compareTo": _compared,
}
