"""JSON as CEL sees it: by its schema a text is a time, a number a double, a property an identifier."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any, Final

from kit.kube.cel.library.conversions import to_duration, to_timestamp
from kit.kube.cel.names import identifiers
from kit.kube.cel.numbers import RunError
from kit.kube.cel.types import FORMATS, WHOLE


def of_json(value: Any, schema: Any = None, *, root: bool = False) -> Any:
    """Return a value as CEL has it; without a schema numbers are integers or doubles as written."""
    schema = schema if isinstance(schema, Mapping) else {}
    match value:
        case bool():
            return value
        case int() | float():
            whole = isinstance(value, int) or (value.is_integer() and schema.get("type") == "integer")
            return int(value) if whole and schema.get("type") != "number" else float(value)
        case str():
            return _text(value, schema)
        case list():
            items = schema.get("items")
            return [of_json(item, items) for item in value]
        case Mapping():
            return _map(value, schema, root=root or bool(schema.get("x-kubernetes-embedded-resource")))
    return None


def _map(value: Mapping[str, Any], schema: Mapping[str, Any], *, root: bool) -> Any:
    fields, values = schema.get("properties"), schema.get("additionalProperties")
    if root:
        fields = {**(fields or {}), **WHOLE}
    out = {}
    for name, item in value.items():
        inner = (fields or {}).get(name)
        if item is not None:
            made = of_json(item, values if inner is None else inner)
            for known in (name,) if inner is None else identifiers(name):
                out[known] = made
    return out


def _text(value: str, schema: Mapping[str, Any]) -> Any:
    make = _MAKERS.get(FORMATS.get(str(schema.get("format", "")), ""))
    try:
        return make(value) if make else value
    except (RunError, ValueError, binascii.Error):
        return value


_MAKERS: Final[Mapping[str, Callable[[str], Any]]] = {
    "timestamp": lambda text: to_timestamp(text if "T" in text else f"{text}T00:00:00Z"),
    "duration": to_duration,
    "bytes": base64.b64decode,
}
