"""Lists that are sets or maps hold nothing twice. Models apiextensions-apiserver/pkg/apiserver/schema/listtype/validation.go."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kit.kube import status
from kit.kube.custom.values import LIST_KEYS, under
from kit.kube.gotext import compact
from kit.kube.status import Cause

LIST_TYPE = "x-kubernetes-list-type"


def repeats(value: Any, schema: Mapping[str, Any], path: str = "") -> Iterator[Cause]:
    """Yield a complaint for everything a list of type set or map holds twice."""
    if isinstance(value, list):
        items = schema.get("items")
        if not isinstance(items, Mapping):
            return
        yield from _twice(value, schema, path)
        for index, item in enumerate(value):
            yield from repeats(item, items, f"{path}[{index}]")
    elif isinstance(value, Mapping):
        fields, values = schema.get("properties") or {}, schema.get("additionalProperties")
        for name in sorted(value):
            inner = fields.get(name) or (values if isinstance(values, Mapping) else None)
            if inner is not None:
                yield from repeats(value[name], inner, under(path, name))


def _twice(value: list[Any], schema: Mapping[str, Any], path: str) -> Iterator[Cause]:
    kind = schema.get(LIST_TYPE)
    if kind not in {"set", "map"}:
        return
    seen: dict[str, int] = {}
    for index, item in enumerate(value):
        named = _named(item, schema) if kind == "map" and isinstance(item, Mapping) else item
        text = compact(named)
        seen[text] = seen.get(text, 0) + 1
        if seen[text] == 2:
            yield status.duplicate(f"{path}[{index}]", named)


def _named(item: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    fields = (schema.get("items") or {}).get("properties") or {}
    found = {key: item.get(key, fields.get(key, {}).get("default")) for key in schema.get(LIST_KEYS) or ()}
    return {key: value for key, value in found.items() if value is not None}
