"""Moving every time of an object: what a jump of the clock does to all that exists.

A plan of where the times of a kind are is made from its schema once.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from kit.embedded.core.store import Obj
from kit.kube import schema, times
from kit.kube.kinds import Registry
from kit.kube.schema import MICRO_TIME, TIME, Node

Move = Callable[[Any, int], Any]
META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"


def shifter(registry: Registry, delta_ms: int) -> Callable[[str, Obj], Obj]:
    """Return `shift(resource, obj)`: the object with all its times `delta_ms` earlier, shared where it has none."""
    delta = delta_ms // 1000 * 1000

    def shift(resource: str, obj: Obj) -> Obj:
        node = schema.of(obj["apiVersion"], obj["kind"])
        if node is None:  # a custom resource: the times of its metadata
            move = _plan(schema.definition(META))
            return {**obj, "metadata": move(obj["metadata"], delta)} if move else obj
        plan = _plan(node)
        return plan(obj, delta) if plan else obj

    return shift


@cache
def _plan(node: Node, depth: int = 0) -> Move | None:
    """Return what moves the times below a place, None when there are none."""
    if node.name == TIME:
        return _time
    if node.name == MICRO_TIME:
        return _micro_time
    if depth > 40:  # schemas that hold themselves (JSONSchemaProps) have no times
        return None
    if node.items is not None:
        return _each(_plan(node.items, depth + 1))
    if node.values is not None and not node.fields:
        return _values(_plan(node.values, depth + 1))
    if node.name.endswith("JSONSchemaProps"):
        return None
    moves = {key: move for key, field in node.fields.items() if (move := _plan(field, depth + 1)) is not None}
    return _fields(moves) if moves else None


def _time(value: Any, delta: int) -> Any:
    return times.rfc3339(times.parse(value) - delta) if isinstance(value, str) else value


def _micro_time(value: Any, delta: int) -> Any:
    if not isinstance(value, str):
        return value
    tail = value[19:]  # the fraction is kept to the digit: only whole seconds move
    return times.rfc3339(times.parse(value[:19] + "Z") - delta)[:19] + tail


def _each(move: Move | None) -> Move | None:
    if move is None:
        return None
    return lambda value, delta: [move(item, delta) for item in value] if isinstance(value, list) else value


def _values(move: Move | None) -> Move | None:
    if move is None:
        return None
    return lambda value, delta: (
        {k: move(item, delta) for k, item in value.items()} if isinstance(value, dict) else value
    )


def _fields(moves: dict[str, Move]) -> Move:
    def run(value: Any, delta: int) -> Any:
        if not isinstance(value, dict):
            return value
        out = value
        for key, move in moves.items():
            if key in value:
                new = move(value[key], delta)
                if new is not value[key]:
                    out = dict(value) if out is value else out
                    out[key] = new
        return out

    return run
