"""Plans: a definition of the schema compiled into what defaulting does with one of its objects.

A plan does what decoding into a Go type, `SetDefaults_*` and encoding again do together: empty fields that Go omits
go away, quantities and times take their canonical form, structs and constants that are missing appear.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from functools import cache
from typing import Any

from kit.kube import schema
from kit.kube.defaults.fields import FIELDS
from kit.kube.defaults.leaves import LEAVES, instant
from kit.kube.defaults.rules import RULES
from kit.kube.defaults.wire import wire_of
from kit.kube.schema import MISSING, Node

Convert = Callable[[Any], Any]
Rule = Callable[[dict[str, Any]], "dict[str, Any] | None"]

POD_SPEC = "io.k8s.api.core.v1.PodSpec"
KEPT = 2048
# Lists whose defaulting tells an empty one from none: what is given empty is left to be refused.
GIVEN_EMPTY = {"io.k8s.api.autoscaling.v2.HPAScalingRules": frozenset({"policies"})}
SCALARS = frozenset({"string", "integer", "number", "boolean"})


class Plan:
    """What happens to one object of a definition: drop, convert, fill, then the rules."""

    __slots__ = ("children", "droppable", "filled", "name", "node", "nulls", "rules")

    def __init__(self, name: str) -> None:
        self.name = name
        self.node: Node | None = None
        self.children: dict[str, Convert] = {}
        self.droppable: frozenset[str] = frozenset()
        self.nulls: frozenset[str] = frozenset()
        self.filled: tuple[tuple[str, Any], ...] | None = None
        self.rules: tuple[Rule, ...] = RULES.get(name, ())

    def apply(self, obj: Any) -> Any:
        """Return `obj` defaulted; the same object when nothing changes."""
        if type(obj) is not dict:
            return obj
        out = obj
        children = self.children
        for key, value in obj.items():
            if not value and (key in self.droppable if value is not None else key not in self.nulls):
                out = out if out is not obj else dict(obj)
                del out[key]
                continue
            convert = children.get(key)
            if convert is not None:
                new = convert(value)
                if new is not value:
                    out = out if out is not obj else dict(obj)
                    out[key] = new
        out = self._fill(obj, out)
        for rule in self.rules:
            changes = rule(out)
            if changes:
                out = changed(out, changes, owned=out is not obj)
        return out

    def _fill(self, obj: dict[str, Any], out: dict[str, Any]) -> dict[str, Any]:
        filled = self.filled
        if filled is None:
            filled = self.filled = _constants(self)
        for key, value in filled:
            if key not in out:
                if out is obj:
                    out = dict(obj)
                out[key] = _fresh(value) if type(value) is dict else value
        return out


def changed(obj: dict[str, Any], changes: dict[str, Any], *, owned: bool) -> dict[str, Any]:
    """Return `obj` with `changes`; a value MISSING removes the field."""
    out = obj if owned else dict(obj)
    for key, value in changes.items():
        if value is MISSING:
            out.pop(key, None)
        else:
            out[key] = value
    return out


@cache
def plan_of(api_version: str, kind: str) -> Plan | None:
    """Return the plan of a kind, None for kinds without a schema (custom resources)."""
    node = schema.of(api_version, kind)
    return None if node is None else _plan(node)


@cache
def _plan_named(name: str) -> Plan:
    return Plan(name)


def _plan(node: Node) -> Plan:
    plan = _plan_named(node.name)
    if plan.node is None:
        plan.node = node
        converters = ((key, _kept(field, _converter(field))) for key, field in node.fields.items())
        plan.children = {key: convert for key, convert in converters if convert is not None}
        wire = wire_of(node.name)
        if wire is not None:  # of a type that isn't in the table only optional lists are left out
            empty = wire.omitted - wire.pointers - wire.nulls
            plan.droppable = frozenset(
                key for key, field in node.fields.items() if key in empty and _can_be_empty(field)
            ) - GIVEN_EMPTY.get(node.name, frozenset())
            plan.nulls = wire.nulls
        else:
            lists = (key for key, field in node.fields.items() if field.type == "array")
            plan.droppable = frozenset(key for key in lists if key not in node.required)
    return plan


def _can_be_empty(field: Node) -> bool:
    """Return whether Go's `omitempty` leaves the field out at all: structs and raw JSON it does not."""
    if field.int_or_string or field.open:
        return False
    return field.type in SCALARS or field.type == "array" or (not field.fields and field.values is not None)


def _converter(node: Node) -> Convert | None:
    if node.name in LEAVES:
        return LEAVES[node.name]
    if node.fields:
        return _plan(node).apply
    if node.items is not None:
        return _each(_converter(node.items))
    if node.values is not None:
        return _each_value(_converter(node.values))
    return instant if node.format == "date-time" else None


class _Kept:
    """A conversion that knows the last objects it left as they are: with each status of a Pod comes the same spec again."""

    __slots__ = ("_convert", "_known")

    def __init__(self, convert: Convert) -> None:
        self._convert = convert
        self._known: OrderedDict[int, Any] = OrderedDict()  # by identity: what is kept here cannot lose it

    def __call__(self, value: Any) -> Any:
        known = self._known
        if known.get(id(value)) is value:
            return value
        new = self._convert(value)
        if new is value:
            known[id(value)] = value
            if len(known) > KEPT:
                known.popitem(last=False)
        return new


def _kept(node: Node, convert: Convert | None) -> Convert | None:
    return convert if convert is None or node.name != POD_SPEC else _Kept(convert)


def _each(convert: Convert | None) -> Convert | None:
    if convert is None:
        return None

    def run(values: Any) -> Any:
        if type(values) is not list:
            return values
        new = [convert(value) for value in values]
        for before, after in zip(values, new, strict=True):
            if before is not after:
                return new
        return values

    return run


def _each_value(convert: Convert | None) -> Convert | None:
    if convert is None:
        return None

    def run(values: Any) -> Any:
        if type(values) is not dict:
            return values
        new = {key: convert(value) for key, value in values.items()}
        return new if any(new[key] is not value for key, value in values.items()) else values

    return run


def _constants(plan: Plan) -> tuple[tuple[str, Any], ...]:
    """Return the fields that appear when they are missing: the table first, then Go's empty structs and nulls."""
    out: dict[str, Any] = {}
    fields = plan.node.fields if plan.node else {}
    for key, value in FIELDS.get(plan.name, {}).items():
        convert = plan.children.get(key)
        out[key] = convert(value) if convert else value
    for key, field in fields.items():
        if field.default is MISSING or (key in plan.droppable and not field.default):
            continue
        if key not in out:
            convert = plan.children.get(key)
            out[key] = convert(field.default) if convert else field.default
    for key in sorted(plan.nulls):
        out.setdefault(key, None)
    return tuple(out.items())


def _fresh(value: dict[str, Any]) -> dict[str, Any]:
    return {key: _fresh(inner) if type(inner) is dict else inner for key, inner in value.items()}
