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
        for entry in _distinct(parent["metadata"].get("managedFields") or ()).values()
        if _owns(entry.get("fieldsV1"), where)
    ]


def of_parent(parent: Obj, scale: Sequence[Obj], where: Sequence[str]) -> list[Obj]:
    """Return the managedFields of an object whose Scale has come to those owners.

    Who has updated (not applied) is somebody else in the Scale's terms, whose version is part of the name: he loses the replicas and
    has them again in an entry of his own, without a time.
    """
    owners = _distinct(scale)
    kept: list[Obj] = []
    for who, entry in _distinct(parent["metadata"].get("managedFields") or ()).items():
        # one that owns no more than `spec` of the Scale keeps the replicas he had
        if not _owns(entry.get("fieldsV1"), where) or owners.pop(who, None) is not None:
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
            **{key: entry[key] for key in ("manager", "operation")},
            "apiVersion": parent["apiVersion"],
            "fieldsType": "FieldsV1",
            "fieldsV1": fields,
            **({"subresource": entry["subresource"]} if entry.get("subresource") else {}),
        }
        for entry in owners.values()
        if _owns(entry.get("fieldsV1"), ("spec", "replicas"))
    ]
    return sorted([*kept, *new], key=_order)


def _order(entry: Obj) -> tuple[bool, str, str]:
    """Applied entries first, then by time and manager, as managedFields always stand."""
    return entry["operation"] != "Apply", entry.get("time", ""), entry["manager"]


def _distinct(entries: Sequence[Obj]) -> dict[tuple[str, ...], Obj]:
    """Return the entries by whose they are, the last of several of one. Models managedfields.BuildManagerIdentifier."""
    return {_who(entry): entry for entry in entries}


def _who(entry: Obj) -> tuple[str, ...]:
    version = "" if entry["operation"] == "Apply" else str(entry.get("apiVersion", ""))
    return (*(str(entry.get(key, "")) for key in _SAME), version)


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
