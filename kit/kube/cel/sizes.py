"""How large a value may be by its schema, when a request has at most 3 MB.

Models k8s.io/apiserver/pkg/cel/common/schemas.go and pkg/cel/limits.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from kit.kube.cel.names import identifiers
from kit.kube.cel.types import WHOLE

REQUEST: Final = 3 * 1024 * 1024
UNBOUNDED: Final = 2**64 - 1
_LONGEST: Final = {"duration": 32, "date": 12, "date-time": 30}
_SHORTEST: Final = {"duration": 5, "date": 12, "date-time": 21}
_LEAST: Final = {"boolean": 4, "integer": 1, "number": 1, "string": 2, "array": 2, "object": 2}
_EITHER: Final = "x-kubernetes-int-or-string"


@dataclass(frozen=True, slots=True)
class Declared:
    """A place of a schema."""

    schema: Mapping[str, Any]
    root: bool = False

    @property
    def most(self) -> int:
        """Return how many items, properties or bytes there are at most: what has no size has none."""
        schema, kind = self.schema, self.schema.get("type")
        if schema.get(_EITHER):
            return REQUEST - 2
        if kind == "array":
            items = schema.get("items") or {}
            return int(schema.get("maxItems", (REQUEST - 2) // (least(items) + 1)))
        if kind == "object" and isinstance(schema.get("additionalProperties"), Mapping):
            return int(schema.get("maxProperties", (REQUEST - 2) // (least(schema["additionalProperties"]) + 6)))
        return self._text() if kind == "string" else 0

    def _text(self) -> int:
        schema, form = self.schema, str(self.schema.get("format", ""))
        if form in _LONGEST:
            return _LONGEST[form]
        if schema.get("enum") and form != "byte":
            return max(len(str(one)) for one in schema["enum"])
        if "maxLength" not in schema:
            return REQUEST - 2
        return int(schema["maxLength"]) * (1 if form == "byte" else 4)

    def part(self, name: str) -> Declared | None:
        """Return a field, the items (`@items`) or the values (`@values`); None for what the schema does not say."""
        if name in {"@items", "@values"}:
            inner = self.schema.get("items" if name == "@items" else "additionalProperties")
            return Declared(inner) if isinstance(inner, Mapping) else None
        if name == "@keys":
            return Declared({}) if isinstance(self.schema.get("additionalProperties"), Mapping) else None
        fields = {**(self.schema.get("properties") or {}), **(WHOLE if self.root or _embedded(self.schema) else {})}
        return next((Declared(one) for given, one in fields.items() if name in identifiers(given)), None)


def _embedded(schema: Mapping[str, Any]) -> bool:
    return bool(schema.get("x-kubernetes-embedded-resource"))


def least(schema: Mapping[str, Any]) -> int:
    """Return the bytes the shortest value takes."""
    kind = str(schema.get("type") or "")
    if schema.get(_EITHER):
        return 1
    if kind == "string":
        return _SHORTEST.get(str(schema.get("format", "")), 2)
    if kind != "object" or isinstance(schema.get("additionalProperties"), Mapping):
        return _LEAST.get(kind, 1)
    fields = schema.get("properties") or {}
    needed = [name for name in schema.get("required") or () if name in fields and "default" not in fields[name]]
    return 2 + sum(len(name) + least(fields[name]) + 4 for name in needed)
