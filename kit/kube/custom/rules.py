"""x-kubernetes-validations: what rules say of an object.

Models apiextensions-apiserver/pkg/apiserver/schema/cel/validation.go. Rules about what an update did not change are not asked again,
but for those that compare with what was (ratcheting).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import lru_cache
from typing import Any, Final

from kit.kube import status
from kit.kube.cel import types
from kit.kube.cel.engine import Budget, BudgetError, CompileError, Program, RunError, compiled
from kit.kube.cel.numbers import Optional
from kit.kube.cel.values import of_json
from kit.kube.custom.definition import Custom
from kit.kube.custom.structural import RULES
from kit.kube.custom.values import LIST_KEYS, NOWHERE, under
from kit.kube.schema import MISSING
from kit.kube.status import Cause

Schema = Mapping[str, Any]

STEPS: Final = 60_000  # of all rules of one request: about 1.7 µs each
_OLD: Final = re.compile(r"\boldSelf\b")
_REASONS: Final = {
    "FieldValueForbidden": "Forbidden",
    "FieldValueRequired": "Required value",
    "FieldValueDuplicate": "Duplicate value",
}
_LIMIT: Final = "no further validation rules will be run due to call cost exceeds limit for rule"


def complaints(obj: Mapping[str, Any], old: Mapping[str, Any] | None, custom: Custom) -> list[Cause]:
    """Return what the rules of a definition say of an object, which is well-formed; `old` is what it was."""
    run = _Run(Budget(STEPS))
    with suppress(BudgetError):
        run.walk(obj, MISSING if old is None else old, custom.schema, "", root=True)
    return run.out


def is_transition(text: str) -> bool:
    """Return whether a rule compares with the state before an update."""
    return bool(_OLD.search(text))


class _Run:
    """One pass over one object."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.out: list[Cause] = []

    def walk(self, value: Any, old: Any, schema: Schema, path: str, *, root: bool = False) -> None:
        """Ask the rules of a place, then those below it."""
        if value is None:
            return
        if schema.get(RULES):
            self._ask(value, old, schema, path, root=root)
        if isinstance(value, list) and isinstance(schema.get("items"), Mapping):
            keys = schema.get(LIST_KEYS) or ()
            for index, item in enumerate(value):
                self.walk(item, _earlier(item, old, keys), schema["items"], f"{path}[{index}]")
        elif isinstance(value, Mapping):
            fields, values = schema.get("properties") or {}, schema.get("additionalProperties")
            for name in sorted(value):
                before = old.get(name, MISSING) if isinstance(old, Mapping) else MISSING
                if name in fields:
                    self.walk(value[name], before, fields[name], under(path, name))
                elif isinstance(values, Mapping):
                    self.walk(value[name], before, values, f"{path}[{name}]")

    def _ask(self, value: Any, old: Any, schema: Schema, path: str, *, root: bool) -> None:
        given = {"self": of_json(value, schema, root=root)}
        known = old is not MISSING and old is not None
        before = of_json(old, schema, root=root) if known else None
        type = types.of_schema(schema, root=root)
        same = old is not MISSING and old == value
        for rule in schema[RULES]:
            transition = is_transition(rule["rule"])
            optional = bool(rule.get("optionalOldSelf"))
            if (transition and not known and not optional) or (same and not transition):
                continue
            held = Optional(before, known) if optional else before
            self.out += self._failure(rule, {**given, "oldSelf": held}, type, value, path)

    def _failure(
        self, rule: Schema, given: Mapping[str, Any], type: types.Type, value: Any, path: str
    ) -> Iterator[Cause]:
        text = rule["rule"].strip()
        try:
            good = _program(rule["rule"], type, bool(rule.get("optionalOldSelf"))).run(given, self.budget)
        except BudgetError as error:
            yield status.invalid_value(path or NOWHERE, _kind(value), f"'{error}': {_LIMIT}: {text}")
            raise
        except (RunError, CompileError) as error:
            yield status.invalid_value(path or NOWHERE, _kind(value), _broken(str(error), rule, text))
            return
        if not good:
            yield self._cause(rule, given, type, value, path)

    def _cause(self, rule: Schema, given: Mapping[str, Any], type: types.Type, value: Any, path: str) -> Cause:
        message = (
            self._message(rule, given, type)
            or rule.get("message", "").strip()
            or f"failed rule: {rule['rule'].strip()}"
        )
        where = f"{path}{rule.get('fieldPath') or ''}".lstrip(".") or NOWHERE
        what = _REASONS.get(rule.get("reason") or "")
        if what == "Duplicate value":
            return Cause("FieldValueDuplicate", what, where)
        if what:
            return Cause(str(rule["reason"]), f"{what}: {message}", where)
        shown = "" if isinstance(value, Mapping | list) else f"{status.shown(value)}: "
        return Cause("FieldValueInvalid", f"Invalid value: {shown}{message}", where)

    def _message(self, rule: Schema, given: Mapping[str, Any], type: types.Type) -> str:
        """Return what the rule's expression for a message gives, "" when that is nothing fit to be shown."""
        if not rule.get("messageExpression"):
            return ""
        try:
            made = str(
                _program(rule["messageExpression"], type, bool(rule.get("optionalOldSelf"))).run(given, self.budget)
            ).strip()
        except (RunError, CompileError):
            return ""
        return "" if "\n" in made else made


def _broken(error: str, rule: Schema, text: str) -> str:
    if error.startswith("no such overload"):
        unfit = "call arguments did not match a supported operator, function or macro signature"
        return f"'{error}': {unfit} for rule: {text}"
    return f"{error} evaluating rule: {rule.get('message', '').strip() or text}"


def _kind(value: Any) -> str:
    return (
        "array"
        if isinstance(value, list)
        else "object"
        if isinstance(value, Mapping)
        else _SCALARS[type(value).__name__]
    )


_SCALARS: Final = {"str": "string", "int": "integer", "float": "number", "bool": "boolean"}


def _earlier(item: Any, old: Any, keys: Any) -> Any:
    if not keys or not isinstance(old, list) or not isinstance(item, Mapping):
        return MISSING
    return next((one for one in old if all(one.get(key) == item.get(key) for key in keys)), MISSING)


@lru_cache(maxsize=1024)
def _program(text: str, type: types.Type, optional: bool) -> Program:
    return compiled(text, {"self": type, "oldSelf": types.optional(type) if optional else type})
