"""Validation of x-kubernetes-validations in the schema of a custom resource.

Models apiextensions-apiserver/pkg/apis/apiextensions/validation (validateXValidations) and pkg/apiserver/schema/cel/compilation.go.
The cost of a rule is not estimated from its schema: it is bounded when it runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from kit.kube import status
from kit.kube.custom.structural import RULES
from kit.kube.status import Cause

Schema = Mapping[str, Any]

REASONS: Final = ("FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired")


def complaints(schema: Schema, at: str, *, root: bool = True) -> Iterator[Cause]:
    """Yield what is wrong with the rules of a schema and of all below it."""
    for index, rule in enumerate(schema.get(RULES) or ()):
        yield from _rule(rule, schema, f"{at}.{RULES}[{index}]", root=root)
    for name in sorted(schema.get("properties") or {}):
        yield from complaints(schema["properties"][name], f"{at}.properties[{name}]", root=False)
    for key in ("additionalProperties", "items"):
        if isinstance(schema.get(key), Mapping):
            yield from complaints(schema[key], f"{at}.{key}", root=False)


def _rule(rule: Schema, schema: Schema, at: str, *, root: bool) -> Iterator[Cause]:
    before = list(_form(rule, schema, at))
    yield from before
    if not before:
        yield from _expressions(rule, schema, at, root=root)


def _form(rule: Schema, schema: Schema, at: str) -> Iterator[Cause]:
    text, message = (rule.get("rule") or "").strip(), rule.get("message") or ""
    if not text:
        yield status.required(f"{at}.rule", "rule is not specified")
    elif message and not message.strip():
        yield status.invalid_value(f"{at}.message", message, "message must be non-empty if specified")
    elif "\n" in message.strip():
        yield status.invalid_value(f"{at}.message", message, "must not contain line breaks")
    elif "\n" in text and not message.strip():
        yield status.required(f"{at}.message", "message must be specified if rule contains line breaks")
    reason, path = rule.get("reason"), rule.get("fieldPath") or ""
    if reason is not None and reason not in REASONS:
        yield status.not_supported(f"{at}.reason", reason, REASONS)
    if path and not _leads(path, schema):
        yield status.invalid_value(f"{at}.fieldPath", path, "must be a valid path")


def _leads(path: str, schema: Schema) -> bool:
    """Return whether a path of field names leads to a place of a schema."""
    if not path.startswith("."):
        return False
    found: Any = schema
    for name in path[1:].split("."):
        found = (found.get("properties") or {}).get(name) or found.get("additionalProperties")
        if not isinstance(found, Mapping):
            return False
    return True


def _expressions(rule: Schema, schema: Schema, at: str, *, root: bool) -> Iterator[Cause]:
    from kit.kube.cel import types
    from kit.kube.cel.engine import CompileError, compiled  # only definitions with rules pay for the engine

    of = types.of_schema(schema, root=root)
    variables = {"self": of, "oldSelf": of}
    for key, wanted, said, kind in (
        ("rule", types.BOOL, "cel expression", "bool"),
        ("messageExpression", types.STRING, "messageExpression", "string"),
    ):
        if not rule.get(key):
            continue
        prefix = "" if key == "rule" else "messageExpression "
        try:
            program = compiled(rule[key], variables)
        except CompileError as error:
            yield status.invalid_value(f"{at}.{key}", _internal(rule), f"{prefix}compilation failed: {error}")
            continue
        if program.type not in {wanted, types.DYN}:
            yield status.invalid_value(f"{at}.{key}", _internal(rule), f"{said} must evaluate to a {kind}")


class _Escaped(dict[str, Any]):
    """A Go struct in a message: its JSON escapes <, > and &."""


def _internal(rule: Schema) -> dict[str, Any]:
    return _Escaped(
        Rule=rule["rule"],
        Message=rule.get("message") or "",
        MessageExpression=rule.get("messageExpression") or "",
        Reason=rule.get("reason"),
        FieldPath=rule.get("fieldPath") or "",
        OptionalOldSelf=rule.get("optionalOldSelf"),
    )
