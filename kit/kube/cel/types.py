"""The types of CEL expressions, written as text: int, string, list(int), map(string, int), object; `dyn` is any of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from kit.kube.cel.names import identifiers

SCHEMA_TYPES: Final[Mapping[str, str]] = {"integer": "int", "number": "double", "boolean": "bool", "string": "string"}
FORMATS: Final[Mapping[str, str]] = {
    "date-time": "timestamp",
    "date": "timestamp",
    "duration": "duration",
    "byte": "bytes",
}
WHOLE: Final[Mapping[str, Any]] = {
    "apiVersion": {"type": "string"},
    "kind": {"type": "string"},
    "metadata": {"type": "object", "properties": {"name": {"type": "string"}, "generateName": {"type": "string"}}},
}
FIELDS: Final = "fields"  # in place of a schema's properties: types by name
PRESERVE: Final = "x-kubernetes-preserve-unknown-fields"


@dataclass(frozen=True)
class Type:
    """One type. `of` are those of items, of keys and values; `schema` describes the fields of an object."""

    name: str
    of: tuple[Type, ...] = ()
    schema: Any = None

    def __str__(self) -> str:
        shown = _SHOWN.get(self.name, self.name)
        return f"{shown}({', '.join(map(str, self.of))})" if self.of else shown

    @property
    def free(self) -> bool:
        """Return whether this stands for a type that is not known yet."""
        return self.name[:1] == "_"

    def __hash__(self) -> int:
        return hash((self.name, self.of))


_SHOWN: Final = {"error": "!error!", "null_type": "null"}
DYN, BOOL, INT, UINT, DOUBLE, STRING, BYTES, NULL = (
    Type(name) for name in ("dyn", "bool", "int", "uint", "double", "string", "bytes", "null_type")
)
ERROR: Final = Type("error")
OPTIONAL: Final = "optional_type"


def of_schema(schema: Any, *, root: bool = False) -> Type:
    """Return the type of what a schema describes; at the root the object's own head is known too."""
    if not isinstance(schema, Mapping) or schema.get("x-kubernetes-int-or-string"):
        return DYN
    if root or schema.get("x-kubernetes-embedded-resource"):
        return Type("object", (), {**schema, "properties": {**schema.get("properties", {}), **WHOLE}})
    kind = str(schema.get("type") or "")
    if kind == "array":
        return Type("list", (of_schema(schema.get("items")),))
    if kind == "object":
        values = schema.get("additionalProperties")
        if isinstance(values, Mapping):
            return Type("map", (STRING, of_schema(values)))
        if schema.get("properties"):
            return Type("object", (), schema)
        return DYN if schema.get(PRESERVE) else Type("object", (), schema)
    if kind == "string":
        return Type(FORMATS.get(schema.get("format", ""), "string"))
    return Type(SCHEMA_TYPES[kind]) if kind in SCHEMA_TYPES else DYN


def optional(of: Type) -> Type:
    """Return the type of a value that may be absent."""
    return Type(OPTIONAL, (of,))


def of_fields(fields: Mapping[str, Type]) -> Type:
    """Return the type of an object with these fields."""
    return Type("object", (), {FIELDS: dict(fields)})


def field(of: Type, name: str) -> Type | None:
    """Return the type of an object's field, None when it has no such one."""
    if FIELDS in of.schema:
        found: Type | None = of.schema[FIELDS].get(name)
        return found
    for given, schema in (of.schema.get("properties") or {}).items():
        if name in identifiers(given):
            return of_schema(schema)
    return None


def parsed(text: str) -> Type:
    """Return the type a signature writes: `list(A)`, `map(string, int)`."""
    name, _, rest = text.strip().partition("(")
    if not rest:
        return Type(name)
    parts, depth, start = [], 0, 0
    inner = rest[:-1]
    for place, char in enumerate(inner):
        depth += (char == "(") - (char == ")")
        if char == "," and not depth:
            parts.append(inner[start:place])
            start = place + 1
    return Type(name, tuple(parsed(part) for part in [*parts, inner[start:]]))
