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
PRESERVE: Final = "x-kubernetes-preserve-unknown-fields"


@dataclass(frozen=True)
class Type:
    """One type. `of` are those of items, of keys and values; `schema` describes the fields of an object."""

    name: str
    of: tuple[Type, ...] = ()
    schema: Any = None

    def __str__(self) -> str:
        return f"{self.name}({', '.join(map(str, self.of))})" if self.of else self.name

    def __hash__(self) -> int:
        return hash((self.name, self.of))


DYN, BOOL, INT, UINT, DOUBLE, STRING, BYTES, NULL = (
    Type(name) for name in ("dyn", "bool", "int", "uint", "double", "string", "bytes", "null_type")
)
ERROR: Final = Type("error")


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


def field(of: Type, name: str) -> Type | None:
    """Return the type of an object's field, None when it has no such one."""
    for given, schema in (of.schema.get("properties") or {}).items():
        if name in identifiers(given):
            return of_schema(schema)
    return None


def assignable(wanted: Type, given: Type, bound: dict[str, Type]) -> bool:
    """Return whether a value of a type may stand where another is wanted; letters stand for any, the same one each time."""
    if len(wanted.name) == 1 and wanted.name.isupper():
        if wanted.name not in bound or bound[wanted.name] == DYN:
            bound[wanted.name] = given
            return True
        return assignable(bound[wanted.name], given, bound)
    if DYN in {wanted, given} or ERROR in {wanted, given}:
        return True
    if "object" in {wanted.name, given.name} and wanted.name == given.name:
        return True
    if wanted.name != given.name:
        return NULL in {wanted, given} and {wanted.name, given.name} & {"object", "timestamp", "duration"} != set()
    return all(assignable(one, other, bound) for one, other in zip(wanted.of, given.of, strict=False))


def bound_to(type: Type, bound: Mapping[str, Type]) -> Type:
    """Return a result's type with its letters replaced."""
    if len(type.name) == 1 and type.name.isupper():
        return bound.get(type.name, DYN)
    return Type(type.name, tuple(bound_to(one, bound) for one in type.of), type.schema) if type.of else type


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
