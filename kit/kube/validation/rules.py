"""Validation of x-kubernetes-validations in the schema of a custom resource.

Models apiextensions-apiserver/pkg/apis/apiextensions/validation (validateXValidations) and pkg/apiserver/schema/cel/compilation.go.
What a rule costs is estimated from its schema, and bounded again when it runs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from kit.kube import status
from kit.kube.custom.structural import RULES
from kit.kube.status import Cause

Schema = Mapping[str, Any]

UNUSED: Final = "may not be set if oldSelf is not used in rule"
_OLD: Final = re.compile(r"\boldSelf\b")
REASONS: Final = ("FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired")


LIMIT: Final = 10_000_000  # of one rule, as often as it may be asked
WHOLE_LIMIT: Final = 100_000_000  # of all rules of a schema
NAMED: Final = 4  # rules that are named when all together cost too much
WHOLE: Final = "x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema"
SHARED: Final = "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema"


class Costs:
    """What the rules of one schema cost together."""

    def __init__(self) -> None:
        self.total = 0
        self._dear: list[tuple[int, str]] = []

    def add(self, cost: int, at: str) -> None:
        """Count one expression."""
        self.total = min(self.total + cost, 2**64 - 1)
        if cost >= WHOLE_LIMIT // 100:
            self._dear = sorted([*self._dear, (cost, at)], key=lambda one: -one[0])[:NAMED]

    def complaints(self, at: str) -> Iterator[Cause]:
        """Yield what is wrong with the sum."""
        if self.total > WHOLE_LIMIT:
            for _, where in self._dear:
                yield status.forbidden_value(where, SHARED)
            yield status.forbidden_value(at, exceeding(WHOLE, self.total, WHOLE_LIMIT))


def exceeding(what: str, cost: int, limit: int) -> str:
    """Return the words for a cost that is too high."""
    times = cost / limit
    factor = "more than 100x" if times > 100 else f"{times:.6f}x" if times < 1.5 else f"{times:.1f}x"
    return (
        f"{what} exceeds budget by factor of {factor} (try simplifying the rule, or adding maxItems, maxProperties, and maxLength "
        "where arrays, maps, and strings are declared)"
    )


def complaints(schema: Schema, at: str) -> Iterator[Cause]:
    """Yield what is wrong with the rules of a whole schema."""
    costs = Costs()
    yield from _below(schema, at, costs, 1, root=True)
    yield from costs.complaints(at)


def _below(schema: Schema, at: str, costs: Costs, often: int | None, *, root: bool = False) -> Iterator[Cause]:
    """Yield what is wrong with the rules of a place and of all below it; `often` is how many such places there may be."""
    for index, rule in enumerate(schema.get(RULES) or ()):
        yield from _rule(rule, schema, f"{at}.{RULES}[{index}]", costs, often, root=root)
    for name in sorted(schema.get("properties") or {}):
        yield from _below(schema["properties"][name], f"{at}.properties[{name}]", costs, often)
    for key, limit in (("additionalProperties", "maxProperties"), ("items", "maxItems")):
        if isinstance(schema.get(key), Mapping):
            inside = None if often is None or limit not in schema else often * int(schema[limit])
            yield from _below(schema[key], f"{at}.{key}", costs, inside)


def _rule(rule: Schema, schema: Schema, at: str, costs: Costs, often: int | None, *, root: bool) -> Iterator[Cause]:
    before = list(_form(rule, schema, at))
    yield from before
    if not before:
        yield from _expressions(rule, schema, at, costs, often, root=root)


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


def _expressions(
    rule: Schema, schema: Schema, at: str, costs: Costs, often: int | None, *, root: bool
) -> Iterator[Cause]:
    from kit.kube.cel import types
    from kit.kube.cel.engine import CompileError, PlanError, compiled  # only definitions with rules pay for the engine
    from kit.kube.cel.sizes import REQUEST, least

    of = types.of_schema(schema, root=root)
    variables = {"self": of, "oldSelf": types.optional(of) if rule.get("optionalOldSelf") else of}
    known = bool(_OLD.search(rule["rule"]))
    times = REQUEST // (least(schema) + 1) if often is None else often
    for key, wanted, said, kind, most in (
        ("rule", types.BOOL, "cel expression", "bool", times),
        ("messageExpression", types.STRING, "messageExpression", "string", 1),
    ):
        if not rule.get(key):
            continue
        prefix = "" if key == "rule" else "messageExpression "
        try:
            program = compiled(rule[key], variables)
        except CompileError as error:
            known &= key != "rule"
            why = str(error) if isinstance(error, PlanError) else f"{prefix}compilation failed: {error}"
            yield status.invalid_value(f"{at}.{key}", _internal(rule), why)
            continue
        if program.type not in {wanted, types.DYN}:
            yield status.invalid_value(f"{at}.{key}", _internal(rule), f"{said} must evaluate to a {kind}")
            continue
        cost = _cost(program.tree, schema, root) * most
        if cost > LIMIT:
            yield status.forbidden_value(f"{at}.{key}", exceeding(f"estimated {key} cost", cost, LIMIT))
        costs.add(cost, f"{at}.{key}")
    if rule.get("optionalOldSelf") is not None and not known:
        yield status.invalid_value(f"{at}.optionalOldSelf", rule["optionalOldSelf"], UNUSED)


def _cost(tree: Any, schema: Schema, root: bool) -> int:
    from kit.kube.cel.estimating import Estimator
    from kit.kube.cel.sizes import Declared

    declared = Declared(schema, root)
    return Estimator({"self": declared, "oldSelf": declared}).cost(tree).high


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
