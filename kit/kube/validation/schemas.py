"""Validation of the schema of a custom resource: what OpenAPI keywords it may use, and whether it is structural.

Models apiextensions-apiserver/pkg/apis/apiextensions/validation (ValidateCustomResourceDefinitionOpenAPISchema) and
pkg/apiserver/schema/validation.go.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from kit.kube import patterns, status
from kit.kube.custom import defaults
from kit.kube.custom.structural import EMBEDDED, INT_OR_STRING, RULES
from kit.kube.schema import PRESERVE
from kit.kube.status import Cause
from kit.kube.validation import rules
from kit.kube.validation.checks import Causes, Obj

Schema = Mapping[str, Any]

TYPES: Final = ("array", "boolean", "integer", "number", "object", "string")
UNSUPPORTED: Final = ("id", "additionalItems", "patternProperties", "definitions", "dependencies", "$ref")
UNIQUE: Final = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
LIST_TYPE, MAP_TYPE, MAP_KEYS = "x-kubernetes-list-type", "x-kubernetes-map-type", "x-kubernetes-list-map-keys"
EMPTY_EMBEDDED: Final = f"must not be empty if {EMBEDDED} is true without {PRESERVE}"
# What schemas inside allOf, anyOf, oneOf and not may not say, and how it is said that they do.
BARE: Final = {
    "title": "must be empty", "description": "must be empty", "type": "must be empty", "default": "must be undefined",
    "nullable": "must be false", "additionalProperties": "must be undefined", PRESERVE: "must be false",
    EMBEDDED: "must be false", INT_OR_STRING: "must be false", LIST_TYPE: "must be undefined", MAP_KEYS: "must be empty",
    MAP_TYPE: "must be undefined", RULES: "must be empty",
}  # fmt: skip
JUNCTORS: Final = ("allOf", "anyOf", "oneOf")


def check(version: Obj, at: str, out: Causes) -> None:
    """Check the schema of one version of a definition."""
    schema = version["schema"]["openAPIV3Schema"]
    before = len(out)
    if schema.get("nullable"):
        out.append(status.forbidden_value(f"{at}.nullable", "nullable cannot be true at the root"))
    out += _keywords(schema, at)
    if len(out) > before:
        return
    out += _structural(schema, at)
    if len(out) == before:
        out += rules.complaints(schema, at)
    if len(out) == before:
        out += defaults.complaints(schema, at)


def places(schema: Schema, at: str, *, junctors: bool) -> Iterator[tuple[Schema, str]]:
    """Yield the schemas directly below one, with their paths."""
    for name in sorted(schema.get("properties") or {}):
        yield schema["properties"][name], f"{at}.properties[{name}]"
    for key in ("additionalProperties", "items"):
        if isinstance(schema.get(key), Mapping):
            yield schema[key], f"{at}.{key}"
    if junctors:
        yield from bare(schema, at)


def bare(schema: Schema, at: str) -> Iterator[tuple[Schema, str]]:
    """Yield the schemas of allOf, anyOf, oneOf and not."""
    for key in JUNCTORS:
        yield from ((one, f"{at}.{key}[{index}]") for index, one in enumerate(schema.get(key) or ()))
    if schema.get("not"):
        yield schema["not"], f"{at}.not"


# --- keywords ---


def _keywords(schema: Schema, at: str) -> Iterator[Cause]:
    """Yield what is wrong with the keywords of a schema and of all below it."""
    kind = schema.get("type") or ""
    if schema.get("uniqueItems"):
        yield status.forbidden_value(f"{at}.uniqueItems", UNIQUE)
    if schema.get("additionalProperties") and schema.get("properties"):
        why = "additionalProperties and properties are mutual exclusive"
        yield status.forbidden_value(f"{at}.additionalProperties", why)
    yield from _extensions(schema, kind, at)
    if kind and kind not in TYPES:
        yield status.not_supported(f"{at}.type", kind, TYPES)
    for key in UNSUPPORTED:
        if schema.get(key) not in (None, "", {}):
            yield status.forbidden_value(f"{at}.{key}", f"{key} is not supported")
    if kind == "null":
        yield status.forbidden_value(f"{at}.type", "type cannot be set to null, use nullable as an alternative")
    if isinstance(schema.get("items"), list):
        yield status.forbidden_value(f"{at}.items", "items must be a schema object and not an array")
    if schema.get("pattern"):
        yield from _pattern(schema["pattern"], f"{at}.pattern")
    for inner, path in places(schema, at, junctors=True):
        yield from _keywords(inner, path)


def _extensions(schema: Schema, kind: str, at: str) -> Iterator[Cause]:
    if schema.get(PRESERVE) is False:
        yield status.invalid_value(f"{at}.{PRESERVE}", False, "must be true or undefined")
    map_type = schema.get(MAP_TYPE)
    if map_type is not None and kind != "object":
        yield status.invalid_value(f"{at}.type", kind, f"must be object if {MAP_TYPE} is specified")
    if map_type not in {None, "atomic", "granular"}:
        yield status.not_supported(f"{at}.{MAP_TYPE}", map_type, ("atomic", "granular"))
    yield from _list_extensions(schema, kind, at)


def _list_extensions(schema: Schema, kind: str, at: str) -> Iterator[Cause]:
    list_type, keys, items = schema.get(LIST_TYPE), schema.get(MAP_KEYS) or [], schema.get("items")
    if list_type is not None and kind != "array":
        yield status.invalid_value(f"{at}.type", kind, f"must be array if {LIST_TYPE} is specified")
    if list_type not in {None, "atomic", "set", "map"}:
        yield status.not_supported(f"{at}.{LIST_TYPE}", list_type, ("atomic", "set", "map"))
    if keys and list_type != "map":
        why = f"must be map if {MAP_KEYS} is non-empty"
        yield (
            status.required(f"{at}.{LIST_TYPE}", why)
            if list_type is None
            else status.invalid_value(f"{at}.{LIST_TYPE}", list_type, why)
        )
    if list_type == "map":
        yield from _keys(keys, items if isinstance(items, Mapping) else {}, at)
    if list_type == "set" and isinstance(items, Mapping):
        yield from _set_items(items, f"{at}.items")


def _keys(keys: list[str], items: Schema, at: str) -> Iterator[Cause]:
    where = f"{at}.{MAP_KEYS}"
    if not keys:
        yield status.required(where, f"must not be empty if {LIST_TYPE} is map")
        return
    fields = items.get("properties") or {}
    if any(key not in fields for key in keys):
        yield status.invalid_value(where, keys, "entries must all be names of item properties")
    if len(set(keys)) != len(keys):
        yield status.invalid_value(where, keys, "must not contain duplicate entries")
    needed = items.get("required") or ()
    for key in dict.fromkeys(keys):
        if key in fields and key not in needed and "default" not in fields[key]:
            why = f"this property is in {MAP_KEYS}, so it must have a default or be a required property"
            yield status.required(f"{at}.items.properties[{key}].default", why)


def _set_items(items: Schema, at: str) -> Iterator[Cause]:
    why = f"must be atomic as item of a list with {LIST_TYPE}=set"
    if items.get("nullable"):
        yield status.forbidden_value(f"{at}.nullable", f"cannot be nullable when {LIST_TYPE} is set")
    if items.get("type") == "object" and items.get(MAP_TYPE) != "atomic":
        yield status.invalid_value(f"{at}.{MAP_TYPE}", items.get(MAP_TYPE), why)
    if items.get("type") == "array" and items.get(LIST_TYPE) not in {None, "atomic"}:
        yield status.invalid_value(f"{at}.{LIST_TYPE}", items.get(LIST_TYPE), why)


def _pattern(pattern: str, at: str) -> Iterator[Cause]:
    try:
        patterns.pattern(pattern)
    except patterns.PatternError as error:
        said = error.args[0].decode() if isinstance(error.args[0], bytes) else str(error.args[0])
        why = f"must be a valid regular expression, but isn't: error parsing regexp: {_go_words(said)}"
        yield status.invalid_value(at, pattern, why)


def _go_words(text: str) -> str:
    """Return a complaint of RE2 (C++) as Go's regexp words it."""
    what, _, where = text.partition(": ")
    what = re.sub(r"^missing ([\])])$", r"missing closing \1", what)
    return f"{what}: `{where}`" if where else what


# --- structural schemas ---


def _structural(schema: Schema, at: str) -> Iterator[Cause]:
    """Models ValidateStructural: every place has a type, and the root is an object whose metadata is the API server's."""
    yield from _place(schema, at, root=True)
    for name, kind in (("apiVersion", "string"), ("kind", "string"), ("metadata", "object")):
        given = (schema.get("properties") or {}).get(name)
        if given and given.get("type") not in {None, "", kind}:
            yield status.invalid_value(f"{at}.properties[{name}].type", given["type"], f"must be {kind}")
    metadata = (schema.get("properties") or {}).get("metadata") or {}
    extra = set(metadata.get("properties") or {}) - {"name", "generateName"}
    if extra or metadata.get("additionalProperties"):
        why = "must not specify anything other than name and generateName, but metadata is implicitly specified"
        yield status.forbidden_value(f"{at}.properties[metadata]", why)


def _place(schema: Schema, at: str, *, root: bool = False, level: str = "object fields") -> Iterator[Cause]:
    kind = schema.get("type") or ""
    if schema.get(EMBEDDED):
        if not schema.get(PRESERVE) and not schema.get("properties"):
            yield status.required(f"{at}.properties", EMPTY_EMBEDDED)
        if kind and kind != "object":
            yield status.invalid_value(f"{at}.type", kind, f"must be object if {EMBEDDED} is true")
    if not kind and not schema.get(INT_OR_STRING) and not schema.get(PRESERVE):
        why = "must not be empty at the root" if root else f"must not be empty for specified {level}"
        yield status.required(f"{at}.type", why)
    if root and kind and kind != "object":
        yield status.invalid_value(f"{at}.type", kind, "must be object at the root")
    if kind == "array" and not isinstance(schema.get("items"), Mapping):
        yield status.required(f"{at}.items", "must be specified")
    for inner, path in places(schema, at, junctors=False):
        listed = path.endswith(".items")
        yield from _place(inner, path, level="array items" if listed else "object fields")
    yield from _junctors(schema, at)


def _junctors(schema: Schema, at: str) -> Iterator[Cause]:
    if schema.get(INT_OR_STRING):  # the one form of anyOf that says types
        return
    for inner, path in bare(schema, at):
        yield from _bare(inner, path)


def _bare(schema: Schema, at: str) -> Iterator[Cause]:
    for key, why in BARE.items():
        if schema.get(key) not in (None, "", False, [], {}) or (key == "default" and key in schema):
            yield status.forbidden_value(f"{at}.{key}", f"{why} to be structural")
    for inner, path in places(schema, at, junctors=True):
        yield from _bare(inner, path)
