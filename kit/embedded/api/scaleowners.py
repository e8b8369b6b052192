"""Who owns the replicas of an object, told in the terms of its Scale and back.

Models k8s.io/apimachinery/pkg/util/managedfields/scalehandler.go.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kit.embedded.core.store import Obj

SCALE_VERSION = "autoscaling/v1"
_REPLICAS: Obj = {"f:spec": {"f:replicas": {}}}
_SAME = ("manager", "operation", "subresource")


def of_scale(parent: Obj, where: Sequence[str]) -> list[Obj]:
    """Return the managedFields of an object's Scale: those who own the path of the replicas."""
    return [
        {**entry, "apiVersion": SCALE_VERSION, "fieldsV1": _REPLICAS}
        for entry in parent["metadata"].get("managedFields") or ()
        if _owns(entry.get("fieldsV1"), where)
    ]


def of_parent(parent: Obj, scale: Sequence[Obj], where: Sequence[str]) -> list[Obj]:
    """Return the managedFields of an object whose Scale has come to those owners."""
    owners = {_who(entry): entry for entry in scale if _owns(entry.get("fieldsV1"), ("spec", "replicas"))}
    kept: list[Obj] = []
    for entry in parent["metadata"].get("managedFields") or ():
        if owners.pop(_who(entry), None) is not None and _owns(entry.get("fieldsV1"), where):
            kept.append(entry)
            continue
        rest = _without(entry.get("fieldsV1") or {}, where)
        if rest:
            kept.append({**entry, "fieldsV1": rest})
    fields: Any = {}
    for name in reversed(where):
        fields = {f"f:{name}": fields}
    new = [
        {
            "manager": entry["manager"],
            "operation": entry["operation"],
            "apiVersion": parent["apiVersion"],
            "fieldsType": "FieldsV1",
            "fieldsV1": fields,
            "subresource": "scale",
        }
        for entry in owners.values()
    ]
    return sorted([*kept, *new], key=_order)


def _order(entry: Obj) -> tuple[bool, str, str]:
    """Applied entries first, then by time and manager, as managedFields always stand."""
    return entry["operation"] != "Apply", entry.get("time", ""), entry["manager"]


def _who(entry: Obj) -> tuple[str, ...]:
    return tuple(entry.get(key, "") for key in _SAME)


def _owns(fields: Any, where: Sequence[str]) -> bool:
    for name in where:
        if not isinstance(fields, dict) or f"f:{name}" not in fields:
            return False
        fields = fields[f"f:{name}"]
    return True


def _without(fields: Obj, where: Sequence[str]) -> Obj:
    """Return a field set without a path; a set left empty is gone."""
    name, rest = f"f:{where[0]}", where[1:]
    if name not in fields:
        return fields
    inner = _without(fields[name], rest) if rest else {}
    kept = {key: value for key, value in fields.items() if key != name}
    return {**kept, name: inner} if inner else kept
