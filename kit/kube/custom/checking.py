"""All that a custom object must pass, in the order of the API server.

Models apiextensions-apiserver/pkg/registry/customresource/{strategy,validator}.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from kit.kube import names, status
from kit.kube.custom import embedded, listtypes, values
from kit.kube.custom.definition import Custom, Scale
from kit.kube.custom.values import NOWHERE
from kit.kube.schema import MISSING
from kit.kube.status import Cause
from kit.kube.validation import metadata

Obj = dict[str, Any]

SKIPPED: Final = (
    "some validation rules were not checked because the object was invalid; "
    "correct the existing errors to complete validation"
)
BLOCKING: Final = frozenset(
    {"FieldValueNotSupported", "FieldValueRequired", "FieldValueTooLong", "FieldValueTooMany", "FieldValueTypeInvalid"}
)
INT32: Final = 2**31


def created(obj: Obj, custom: Custom) -> list[Cause]:
    """Return what is wrong with a new object."""
    out: list[Cause] = []
    metadata.validate(obj["metadata"], names.subdomain, out, core=False)
    return out + _content(obj, None, custom)


def updated(new: Obj, old: Obj, custom: Custom) -> list[Cause]:
    """Return what is wrong with a changed object."""
    out: list[Cause] = []
    metadata.validate_update(new["metadata"], old["metadata"], out, core=False)
    return out + _content(new, old, custom)


def _content(obj: Obj, old: Obj | None, custom: Custom) -> list[Cause]:
    schema = custom.schema
    out = values.complaints(_untyped(obj), schema, "", MISSING if old is None else _untyped(old))
    if custom.scale:
        out += _scale(obj, custom.scale)
    out += embedded.complaints(obj, schema)
    before = {(one.reason, one.field) for one in listtypes.repeats(old, schema)} if old else set()
    out += [one for one in listtypes.repeats(obj, schema) if (one.reason, one.field) not in before]
    if not custom.ruled:
        return out
    if any(one.reason in BLOCKING for one in out):
        return [*out, status.invalid_value(NOWHERE, None, SKIPPED)]
    from kit.kube.custom import rules  # only definitions with rules pay for the engine

    return out + rules.complaints(obj, old, custom)


def _untyped(obj: Obj) -> Obj:
    """Return an object without what its schema does not describe."""
    name = obj["metadata"].get("name")
    return {**obj, "metadata": {key: value for key, value in {"name": name}.items() if value}}


def _scale(obj: Mapping[str, Any], scale: Scale) -> list[Cause]:
    """Models ValidateScaleSpec and ValidateScaleStatus."""
    out: list[Cause] = []
    for path in (scale.replicas, scale.observed):
        shown = "." + ".".join(path)
        found, why = _integer(obj, path)
        if why:
            out.append(status.invalid_value(shown, 0, why))
        elif found is not None and found < 0:
            out.append(status.invalid_value(shown, found, "should be a non-negative integer"))
        elif found is not None and found >= INT32:
            out.append(status.invalid_value(shown, found, f"should be less than or equal to {INT32 - 1}"))
    return out


def _integer(obj: Any, path: tuple[str, ...]) -> tuple[int | None, str]:
    """Return the number at a path, or why there can't be one."""
    shown = "." + ".".join(path)
    for name in path:
        if not isinstance(obj, Mapping):
            said, kind = _go(obj)
            return None, f"{shown} accessor error: {said} is of the type {kind}, expected map[string]interface{{}}"
        if name not in obj:
            return None, ""
        obj = obj[name]
    if isinstance(obj, int) and not isinstance(obj, bool):
        return obj, ""
    said, kind = _go(obj)
    return None, f"{shown} accessor error: {said} is of the type {kind}, expected int64"


def _go(value: Any) -> tuple[str, str]:
    from kit.kube.gotext import plain, type_name

    return plain(value), "<nil>" if value is None else type_name(value)
