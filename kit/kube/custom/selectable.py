"""The paths a custom resource's fields are selected by. Models apiextensions/validation (ValidateSelectableFields)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

NO_FIELD: Final = "is an invalid path: does not refer to a valid field"
NO_SCALAR: Final = (
    "must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed."
)


def complaint(path: str, schema: Mapping[str, Any]) -> str:
    """Return what is wrong with a path, "" when it leads to a field of a schema that can be selected by."""
    if not path.startswith("."):
        return f"is an invalid path: expected [ or . but got: {path.split('.', maxsplit=1)[0]}"
    parts = path[1:].split(".")
    if parts[0] == "metadata":
        return NO_FIELD
    found: Any = schema
    for part in parts:
        found = (found.get("properties") or {}).get(part) if isinstance(found, Mapping) else None
        if found is None:
            return NO_FIELD
    return "" if found.get("type") in {"string", "boolean", "integer"} else NO_SCALAR
