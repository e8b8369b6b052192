"""Label selectors and field selectors: reading, refusing and matching.

Models k8s.io/apimachinery/pkg/labels/selector.go and pkg/fields/selector.go.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from kit.errors import Status
from kit.kube import names
from kit.kube.status import Cause, bad_request, forbidden_value, invalid_value, required

Labels = Mapping[str, str]

_SYMBOLS: Final = ("!=", "==", "(", ")", ",", "!", "=", "<", ">")
_TOKEN: Final = re.compile(r"\s*(!=|==|[(),!=<>]|[^\s(),!=<>]+)")
_FIRST: Final = "!, identifier, or 'end of string'"
_OPERATORS: Final = {"=": "=", "==": "==", "!=": "!=", "in": "in", "notin": "notin", ">": "gt", "<": "lt"}
_EXPRESSIONS: Final = {"In": "in", "NotIn": "notin", "Exists": "exists", "DoesNotExist": "!"}


@dataclass(frozen=True, slots=True)
class Requirement:
    """One condition on one label; operators are = == != in notin exists ! gt lt."""

    key: str
    operator: str
    values: tuple[str, ...] = ()

    def matches(self, labels: Labels) -> bool:
        """Return whether labels meet the condition."""
        return _TESTS[self.operator](labels.get(self.key), self.values)

    def __str__(self) -> str:
        if self.operator == "!":
            return f"!{self.key}"
        if self.operator == "exists":
            return self.key
        if self.operator in {"in", "notin"}:
            return f"{self.key} {self.operator} ({','.join(sorted(self.values))})"
        sign = {"gt": ">", "lt": "<"}.get(self.operator, self.operator)
        return f"{self.key}{sign}{self.values[0]}"


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and re.fullmatch(r"[+-]?[0-9]{1,18}", text) else None


def _compare(greater: bool) -> Callable[[str | None, tuple[str, ...]], bool]:
    def test(value: str | None, values: tuple[str, ...]) -> bool:
        left, right = _number(value), _number(values[0])
        return left is not None and right is not None and (left > right if greater else left < right)

    return test


_TESTS: Final[dict[str, Callable[[str | None, tuple[str, ...]], bool]]] = {
    "=": lambda value, values: value in values,
    "==": lambda value, values: value in values,
    "in": lambda value, values: value in values,
    "!=": lambda value, values: value not in values,
    "notin": lambda value, values: value not in values,
    "exists": lambda value, _: value is not None,
    "!": lambda value, _: value is None,
    "gt": _compare(greater=True),
    "lt": _compare(greater=False),
}


@dataclass(frozen=True, slots=True)
class Selector:
    """Conditions that all must hold; none at all matches everything, `NOTHING` matches nothing."""

    requirements: tuple[Requirement, ...] = ()
    nothing: bool = False

    def matches(self, labels: Labels | None) -> bool:
        """Return whether labels meet every condition."""
        return not self.nothing and all(requirement.matches(labels or {}) for requirement in self.requirements)

    @property
    def empty(self) -> bool:
        """Return whether everything matches."""
        return not self.nothing and not self.requirements

    def __str__(self) -> str:
        return ",".join(str(requirement) for requirement in sorted(self.requirements, key=lambda r: r.key))


NOTHING: Final = Selector(nothing=True)


def parse(text: str) -> Selector:
    """Read `app=web,tier in (a,b),!old`; raise the API's BadRequest when it is none."""
    return Selector(tuple(sorted(_Parser(text).requirements(), key=lambda requirement: requirement.key)))


class _Parser:
    """The grammar of labels.Parse; texts and their quirks are Go's."""

    def __init__(self, text: str) -> None:
        # a byte of zero is where the lexer ends
        self._tokens = [match.group(1) for match in _TOKEN.finditer(text.partition("\0")[0])]
        self._at = 0

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _next(self) -> str:
        token = self._peek()
        self._at += 1
        return token

    def requirements(self) -> list[Requirement]:
        out: list[Requirement] = []
        if not self._peek():
            return out
        while True:
            if self._peek() in {*_SYMBOLS, ""} and self._peek() != "!":
                raise bad_request(f"found '{self._peek()}', expected: {_FIRST}")
            try:
                out.append(self._requirement())
            except _Bad as error:
                raise bad_request(f"unable to parse requirement: {error}") from None
            token = self._next()
            if not token:
                return out
            if token != ",":
                raise bad_request(f"found '{token}', expected: ',' or 'end of string'")
            if self._peek() != "!" and self._peek() in {*_SYMBOLS, ""}:
                raise bad_request(f"found '{self._peek()}', expected: identifier after ','")

    def _requirement(self) -> Requirement:
        negated = self._peek() == "!"
        if negated:
            self._next()
        key = self._next()
        if not key or key in _SYMBOLS:
            raise _Bad(f"found '{key}', expected: identifier")
        _check_key(key)
        if negated or self._peek() in {",", ""}:
            return Requirement(key, "!" if negated else "exists")
        operator = self._next()
        if operator not in _OPERATORS:
            allowed = "in, notin, =, ==, !=, gt, lt"
            raise _Bad(f"found '{operator}', expected: {allowed}")
        values = self._set() if operator in {"in", "notin"} else (self._exact(),)
        return _checked(Requirement(key, _OPERATORS[operator], values))

    def _exact(self) -> str:
        if self._peek() in {"", ","}:
            return ""
        token = self._next()
        if token in _SYMBOLS:
            raise _Bad(f"found '{token}', expected: identifier")
        return token

    def _set(self) -> tuple[str, ...]:
        token = self._next()
        if token != "(":
            raise _Bad(f"found '{token}', expected: '('")
        values: list[str] = []
        wanted = True  # a value is due; two commas in a row, or one at an end, stand for ""
        while True:
            token = self._next()
            if token == ")":
                return (*values, "") if wanted else tuple(values)
            if token == "," and wanted:
                values.append("")
            elif token == ",":
                wanted = True
            elif token and token not in _SYMBOLS and wanted:
                values.append(token)
                wanted = False
            else:
                raise _Bad(f"found '{token}', expected: ',' or ')'" if not wanted else _set_start(token))


def _set_start(token: str) -> str:
    return f"found '{token}', expected: ',', ')' or identifier"


class _Bad(Exception):
    """What is wrong with one requirement."""


def _check_key(key: str) -> None:
    complaints = names.qualified(key)
    if complaints:
        raise _Bad(f"<nil>: {invalid_value('', key, '; '.join(complaints)).message}")


def _checked(requirement: Requirement) -> Requirement:
    if requirement.operator in {"gt", "lt"} and _number(requirement.values[0]) is None:
        cause = invalid_value("", requirement.values[0], "for 'Gt', 'Lt' operators, the value must be an integer")
        raise _Bad(f"values[0]: {cause.message}")
    for index, value in enumerate(requirement.values):
        complaints = names.label_value(value)
        if complaints:
            cause = invalid_value(f"values[{index}][{requirement.key}]", value, "; ".join(complaints))
            raise _Bad(str(cause))
    return requirement


def of_labels(labels: Labels | None) -> Selector:
    """Return the selector of a map `label: value`, as Services and ReplicationControllers have it; none is NOTHING."""
    if not labels:
        return NOTHING
    return Selector(tuple(Requirement(key, "=", (value,)) for key, value in sorted(labels.items())))


def of_object(selector: Mapping[str, Any] | None) -> Selector:
    """Return the selector of matchLabels and matchExpressions; None matches nothing, {} everything."""
    if selector is None:
        return NOTHING
    exact = [Requirement(key, "=", (value,)) for key, value in (selector.get("matchLabels") or {}).items()]
    rules = [_of_expression(rule) for rule in selector.get("matchExpressions") or ()]
    return Selector(tuple(sorted(exact + rules, key=lambda requirement: requirement.key)))


def of_expressions(rules: Sequence[Mapping[str, Any]]) -> Selector:
    """Return the selector of node selector expressions, which also know Gt and Lt."""
    return Selector(tuple(_of_expression(rule) for rule in rules))


def _of_expression(rule: Mapping[str, Any]) -> Requirement:
    operator = {**_EXPRESSIONS, "Gt": "gt", "Lt": "lt"}.get(rule.get("operator", ""))
    if operator is None:
        raise bad_request(f'"{rule.get("operator", "")}" is not a valid label selector operator')
    return Requirement(rule.get("key", ""), operator, tuple(rule.get("values") or ()))


def struct(selector: Mapping[str, Any]) -> str:
    """Return a selector as Go prints its struct (LabelSelector.String): in an event, in the column of a binding without a name."""
    pairs = "".join(f"{key}: {value}," for key, value in sorted((selector.get("matchLabels") or {}).items()))
    rules = "".join(
        f"LabelSelectorRequirement{{Key:{rule['key']},Operator:{rule['operator']},"
        f"Values:[{' '.join(rule.get('values') or ())}],}},"
        for rule in selector.get("matchExpressions") or ()
    )
    labels = f"map[string]string{{{pairs}}}"
    return f"&LabelSelector{{MatchLabels:{labels},MatchExpressions:[]LabelSelectorRequirement{{{rules}}},}}"


def complaints(selector: Mapping[str, Any], field: str) -> list[Cause]:
    """Return what is wrong with a label selector object found at `field`."""
    out: list[Cause] = []
    for key, value in sorted((selector.get("matchLabels") or {}).items()):
        out += [invalid_value(f"{field}.matchLabels", key, text) for text in names.qualified(key)]
        out += [invalid_value(f"{field}.matchLabels", value, text) for text in names.label_value(value)]
    for index, rule in enumerate(selector.get("matchExpressions") or ()):
        out += _expression_complaints(rule, f"{field}.matchExpressions[{index}]")
    return out


def _expression_complaints(rule: Mapping[str, Any], at: str) -> list[Cause]:
    operator, values, key = rule.get("operator", ""), rule.get("values") or [], rule.get("key", "")
    out: list[Cause] = []
    if operator in {"In", "NotIn"} and not values:
        out.append(required(f"{at}.values", "must be specified when `operator` is 'In' or 'NotIn'"))
    elif operator in {"Exists", "DoesNotExist"} and values:
        why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
        out.append(forbidden_value(f"{at}.values", why))
    elif operator not in _EXPRESSIONS:
        out.append(invalid_value(f"{at}.operator", operator, "not a valid selector operator"))
    out += [invalid_value(f"{at}.key", key, text) for text in names.qualified(key)]
    for index, value in enumerate(values):
        out += [invalid_value(f"{at}.values[{index}]", value, text) for text in names.label_value(value)]
    return out


@dataclass(frozen=True, slots=True)
class FieldTerm:
    """One condition on one field."""

    field: str
    value: str
    equal: bool = True


@dataclass(frozen=True, slots=True)
class FieldSelector:
    """Conditions on fields that all must hold."""

    terms: tuple[FieldTerm, ...] = ()

    def matches(self, fields: Mapping[str, str]) -> bool:
        """Return whether an object's selectable fields meet every condition; a field that isn't there is ""."""
        return all((fields.get(term.field, "") == term.value) == term.equal for term in self.terms)

    def exact(self, field: str) -> str | None:
        """Return the one value a field must have, or None when it may have several."""
        return next((term.value for term in self.terms if term.field == field and term.equal), None)

    def check(self, known: Sequence[str]) -> None:
        """Refuse fields a kind can't be selected by."""
        for term in self.terms:
            if term.field not in known:
                raise unknown_field(term.field, known)

    def __str__(self) -> str:
        return ",".join(f"{t.field}{'=' if t.equal else '!='}{_escaped(t.value)}" for t in self.terms)


def unknown_field(field: str, known: Sequence[str]) -> Status:
    """Return the refusal of a field selector on a field that can't be selected by."""
    return bad_request(
        f'"{field}" is not a known field selector: only {", ".join(f"{chr(34)}{k}{chr(34)}" for k in known)}'
    )


def parse_fields(text: str) -> FieldSelector:
    """Read `metadata.name=a,status.phase!=Running`; raise the API's BadRequest when it is none."""
    terms: list[FieldTerm] = []
    for part in re.findall(r"(?:\\.|[^,\\]|\\$)+", text, re.DOTALL):
        match = re.match(r"((?:\\.|[^=!\\])*)(!=|==|=)(.*)$", part, re.DOTALL)
        if not match:
            raise bad_request(f"invalid selector: '{part}'; can't understand '{part}'")
        field, sign, value = match.groups()
        if not field and not value:  # it asks for nothing
            continue
        terms.append(FieldTerm(field, _unescaped(value), sign != "!="))
    return FieldSelector(tuple(terms))


def _escaped(value: str) -> str:
    return re.sub(r"([\\,=])", r"\\\1", value)


def _unescaped(value: str) -> str:
    bare = re.sub(r"\\[\\,=]", "", value)
    if "\\" in bare:
        raise bad_request(f"invalid field selector: invalid escape sequence: {bare[bare.index(chr(92)) :][:2]}")
    bad = next((char for char in bare if char in ",="), "")
    if bad:  # upstream prints the character's code in decimal
        raise bad_request(f"invalid field selector: unescaped character in value: {ord(bad)}")
    return re.sub(r"\\([\\,=])", r"\1", value)
