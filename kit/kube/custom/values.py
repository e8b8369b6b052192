"""What is wrong with a custom object, told by the schema of its definition.

Models k8s.io/kube-openapi/pkg/validation/validate and apiextensions-apiserver/pkg/apiserver/validation. Fields are looked at by name
(Go's maps have no order); what an update leaves as it was is not complained about (ratcheting).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from kit.kube import status
from kit.kube.custom import formats
from kit.kube.custom.structural import EMBEDDED, INT_OR_STRING
from kit.kube.gotext import compact, number
from kit.kube.patterns import found_in
from kit.kube.schema import MISSING, PRESERVE
from kit.kube.status import Cause

Schema = Mapping[str, Any]
NOWHERE: Final = "<nil>"
INT64: Final = 2**63
LIST_KEYS: Final = "x-kubernetes-list-map-keys"


def complaints(value: Any, schema: Schema, path: str = "", old: Any = MISSING) -> list[Cause]:
    """Return what is wrong with a value; `old` is what was there before an update."""
    if old is not MISSING and _same(value, old):
        return []
    out: list[Cause] = []
    if value is None and (schema.get("nullable") or PRESERVE in schema):
        return out
    for check in _CHECKS:
        out += check(value, schema, path, old)
    return out


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and one == other


def under(path: str, name: str) -> str:
    """Return the path of a field."""
    return f"{path}.{name}" if path else name


def type_of(value: Any) -> str:
    """Return the JSON type of a value; a whole number is an integer however it is written."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case str():
            return "string"
        case int():
            return "integer"
        case float():
            return "integer" if value.is_integer() else "number"
        case list():
            return "array"
        case _:
            return "object"


def _nowhere(text: str) -> Cause:
    return status.invalid_value(NOWHERE, "", text)


# --- the type ---


def _type(value: Any, schema: Schema, path: str, _old: Any) -> Iterator[Cause]:
    wanted = ("integer", "string") if schema.get(INT_OR_STRING) else (schema.get("type"),)
    have = type_of(value)
    if wanted == (None,) or not wanted[0] or have in wanted or (have == "integer" and "number" in wanted):
        if have == "integer" and "integer" in wanted and abs(value) >= INT64:
            yield _wrong_type(path, schema.get("format") or "integer", "float64")
        return
    yield _wrong_type(path, ",".join(str(one) for one in wanted), have)


def _wrong_type(path: str, wanted: str, have: str) -> Cause:
    return status.type_invalid(path, have, f'{path} in body must be of type {wanted}: "{have}"')


# --- anyOf, allOf, oneOf, not ---


def _combined(value: Any, schema: Schema, path: str, _old: Any) -> Iterator[Cause]:
    if schema.get("anyOf"):
        tried = [complaints(value, one, path) for one in schema["anyOf"]]
        if all(tried):
            yield _nowhere(f'"{path}" must validate at least one schema (anyOf)')
            yield from tried[0]
    if schema.get("oneOf"):
        tried = [complaints(value, one, path) for one in schema["oneOf"]]
        good = sum(not found for found in tried)
        if good != 1:
            have = f"{good} valid alternatives" if good else "none valid"
            yield _nowhere(f'"{path}" must validate one and only one schema (oneOf). Found {have}')
        if not good:
            yield from tried[0]
    if schema.get("allOf"):
        tried = [complaints(value, one, path) for one in schema["allOf"]]
        for found in tried:
            yield from found
        if any(tried):
            none = ". None validated" if all(tried) else ""
            yield _nowhere(f'"{path}" must validate all the schemas (allOf){none}')
    if schema.get("not") and not complaints(value, schema["not"], path):
        yield _nowhere(f'"{path}" must not validate the schema (not)')


# --- texts and numbers ---


def _text(value: Any, schema: Schema, path: str, _old: Any) -> Iterator[Cause]:
    if not isinstance(value, str):
        return
    limit, least = schema.get("maxLength"), schema.get("minLength")
    if limit is not None and len(value) > limit:
        yield status.too_long(path, limit)
    if least is not None and len(value) < least:
        yield status.invalid_value(path, value, f"{path} in body should be at least {least} chars long")
    pattern = schema.get("pattern")
    if pattern and not found_in(pattern, value):
        yield status.invalid_value(path, value, f"{path} in body should match '{pattern}'")
    form = schema.get("format")
    if form and not formats.fits(form, value):
        yield status.type_invalid(path, value, f"{path} in body must be of type {form}: {status.shown(value)}")


def _number(value: Any, schema: Schema, path: str, _old: Any) -> Iterator[Cause]:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return
    form = schema.get("format")
    if schema.get("type") == "integer" and not _whole(value, form):
        said = f"with format {form}" if form in {"int32", "int64"} else "(default format)"
        yield _nowhere(f"Checked value must be of type integer {said} in {path}")
        return
    low, high, step = schema.get("minimum"), schema.get("maximum"), schema.get("multipleOf")
    if step and _remainder(value, step):
        yield status.invalid_value(path, value, f"{path} in body should be a multiple of {_shown(step, value)}")
    if high is not None and (value >= high if schema.get("exclusiveMaximum") else value > high):
        words = "less than" if schema.get("exclusiveMaximum") else "less than or equal to"
        yield status.invalid_value(path, value, f"{path} in body should be {words} {_shown(high, value)}")
    if low is not None and (value <= low if schema.get("exclusiveMinimum") else value < low):
        words = "greater than" if schema.get("exclusiveMinimum") else "greater than or equal to"
        yield status.invalid_value(path, value, f"{path} in body should be {words} {_shown(low, value)}")


def _whole(value: float, form: str | None) -> bool:
    limit = 2**31 if form == "int32" else INT64
    return (isinstance(value, int) or value.is_integer()) and -limit <= value < limit


def _remainder(value: float, step: float) -> bool:
    ratio = value / step
    return abs(ratio - round(ratio)) > 1e-9


def _shown(limit: float, value: float) -> str:
    """Return a limit as the message has it: a whole number where a whole number was checked."""
    return str(int(limit)) if isinstance(value, int) else number(float(limit))


# --- lists, allowed values, objects ---


def _list(value: Any, schema: Schema, path: str, old: Any) -> Iterator[Cause]:
    if not isinstance(value, list):
        return
    least, most = schema.get("minItems"), schema.get("maxItems")
    items = schema.get("items")
    if isinstance(items, Mapping):
        before = _earlier(schema, old)
        for index, item in enumerate(value):
            yield from complaints(item, items, f"{path}[{index}]", before(item))
    if least is not None and len(value) < least:
        yield status.invalid_value(path, len(value), f"{path} in body should have at least {least} items")
    if most is not None and len(value) > most:
        yield status.too_many(path, len(value), most)


def _earlier(schema: Schema, old: Any) -> Callable[[Any], Any]:
    """Return what finds an item of a list before an update: only lists of type map can tell."""
    keys: Sequence[str] = schema.get(LIST_KEYS) or ()
    if not keys or not isinstance(old, list):
        return lambda item: MISSING
    known = {tuple(str(one.get(key)) for key in keys): one for one in old if isinstance(one, Mapping)}

    def find(item: Any) -> Any:
        return known.get(tuple(str(item.get(key)) for key in keys), MISSING) if isinstance(item, Mapping) else MISSING

    return find


def _enum(value: Any, schema: Schema, path: str, _old: Any) -> Iterator[Cause]:
    allowed = schema.get("enum")
    if allowed and not any(_same(value, one) or value == one for one in allowed):
        words = (one if isinstance(one, str) else compact(one).replace('"', '\\"') for one in allowed)
        yield status.not_supported(path, value, words)


def _object(value: Any, schema: Schema, path: str, old: Any) -> Iterator[Cause]:
    if not isinstance(value, Mapping):
        return
    least, most = schema.get("minProperties"), schema.get("maxProperties")
    if least is not None and len(value) < least:
        yield status.invalid_value(path, len(value), f"{path} in body should have at least {least} properties")
    if most is not None and len(value) > most:
        yield status.too_many(path, len(value), most)
    fields: Mapping[str, Schema] = schema.get("properties") or {}
    values = schema.get("additionalProperties")
    for name in sorted(value):
        inner = fields.get(name) or (values if isinstance(values, Mapping) else None)
        if inner is not None:
            before = old.get(name, MISSING) if isinstance(old, Mapping) else MISSING
            yield from complaints(value[name], inner, under(path, name), before)
    for name in schema.get("required") or ():
        if name not in value:
            yield status.required(under(path, name))
    if schema.get(EMBEDDED):
        yield from (status.required(under(path, name)) for name in ("apiVersion", "kind") if not value.get(name))


_CHECKS: Final = (_type, _combined, _text, _number, _list, _enum, _object)
