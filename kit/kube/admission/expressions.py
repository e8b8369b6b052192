"""The expressions of policies: what they may name, compiled once, run with one budget a request. Imports the CEL engine.

Models k8s.io/apiserver/pkg/admission/plugin/cel/{compile,composition,filter}.go and plugin/webhook/matchconditions/matcher.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple

from kit.kube.admission.mutations import mutation
from kit.kube.cel import types
from kit.kube.cel.engine import Budget, BudgetError, CompileError, Program, RunError, compiled
from kit.kube.cel.types import Type

STEPS: Final = 60_000  # of one policy about one request: about 1.7 µs each
_TEXT: Final = {"type": "string"}
_TEXTS: Final = {"type": "array", "items": _TEXT}


def _object(**fields: Any) -> dict[str, Any]:
    return {"type": "object", "properties": fields}


_KIND: Final = _object(group=_TEXT, version=_TEXT, kind=_TEXT)
_RESOURCE: Final = _object(group=_TEXT, version=_TEXT, resource=_TEXT)
_PAIRS: Final = {"type": "object", "additionalProperties": _TEXT}
_TIME: Final = {"type": "string", "format": "date-time"}
_USER: Final = _object(
    username=_TEXT, uid=_TEXT, groups=_TEXTS, extra={"type": "object", "additionalProperties": _TEXTS}
)
REQUEST: Final = _object(
    kind=_KIND, resource=_RESOURCE, subResource=_TEXT, requestKind=_KIND, requestResource=_RESOURCE, requestSubResource=_TEXT,
    name=_TEXT, namespace=_TEXT, operation=_TEXT, userInfo=_USER, dryRun={"type": "boolean"}, options={},
)  # fmt: skip
_CONDITION: Final = _object(status=_TEXT, type=_TEXT, lastTransitionTime=_TIME, message=_TEXT, reason=_TEXT)
NAMESPACE: Final = _object(
    metadata=_object(
        name=_TEXT, generateName=_TEXT, namespace=_TEXT, labels=_PAIRS, annotations=_PAIRS, UID=_TEXT, creationTimestamp=_TIME,
        deletionGracePeriodSeconds={"type": "integer"}, deletionTimestamp=_TIME, generation={"type": "integer"},
        resourceVersion=_TEXT, finalizers=_TEXTS,
    ),
    spec=_object(finalizers=_TEXTS),
    status=_object(conditions={"type": "array", "items": _CONDITION}, phase=_TEXT),
)  # fmt: skip

AUTHORIZER: Final[Mapping[str, Type]] = {
    "authorizer": Type("kubernetes.authorization.Authorizer"),
    "authorizer.requestResource": Type("kubernetes.authorization.ResourceCheck"),
}

Variables = tuple[tuple[str, str], ...]
"""Names and expressions, in their order: each may name those before it."""


def environment(
    *,
    params: bool,
    variables: Variables = (),
    inside: bool = False,
    mutating: bool = False,
    message: bool = False,
    kinds: Mapping[str, Type] | None = None,
) -> dict[str, Type]:
    """Return what an expression may name, with its types; a variable that does not compile may be anything.

    `inside` says that it is a variable itself, which may name `variables` though there are none before it; a `message` may not
    ask the authorizer. `kinds` are the types of objects and parameters, where they are known.
    """
    out = {
        "object": types.DYN,
        "oldObject": types.DYN,
        "request": types.of_schema(REQUEST),
        "namespaceObject": types.of_schema(NAMESPACE),
    }
    if params:
        out["params"] = types.DYN
    out |= kinds or {}
    asking = {**out, **AUTHORIZER}
    fields: dict[str, Type] = {}
    for name, text in variables:
        asking["variables"] = types.of_fields(fields)
        try:
            fields[name] = (mutation if mutating else compiled)(text.strip(), asking).type
        except CompileError:
            fields[name] = types.DYN
    if variables or inside:
        out["variables"] = types.of_fields(fields)
    return out if message else {**out, **AUTHORIZER}


@lru_cache(maxsize=128)
def _environment(params: bool, variables: Variables, mutating: bool, message: bool) -> Mapping[str, Type]:
    return environment(params=params, variables=variables, inside=True, mutating=mutating, message=message)


@lru_cache(maxsize=512)
def program(
    text: str, params: bool, variables: Variables = (), mutating: bool = False, message: bool = False
) -> Program:
    """Return an expression of a policy, which with `mutating` may make changes; raise CompileError."""
    return (mutation if mutating else compiled)(text, _environment(params, variables, mutating, message))


class Form(NamedTuple):
    """What all expressions of one policy have in common."""

    variables: Variables = ()
    params: bool = False
    mutating: bool = False

    @classmethod
    def of(cls, spec: Mapping[str, Any], *, mutating: bool = False) -> Form:
        """Return that of a policy's spec."""
        variables = tuple((one["name"], one["expression"]) for one in spec.get("variables") or ())
        return cls(variables, bool(spec.get("paramKind")), mutating)

    def program(self, text: str, place: int | None = None, *, message: bool = False) -> Program:
        """Return an expression; as a variable it may name those before its place."""
        return program(text, self.params, self.variables[:place], self.mutating, message)


class Lazy(Mapping[str, Any]):
    """The variables of a policy, each evaluated when it is first asked for."""

    def __init__(self, form: Form, values: Mapping[str, Any], budget: Budget) -> None:
        self._form, self._budget = form, budget
        self._values = {**values, "variables": self}
        self._known: dict[str, Any] = {}
        self._places = {name: index for index, (name, _) in enumerate(form.variables)}

    def __getitem__(self, name: str) -> Any:
        if name not in self._known:
            self._known[name] = self._made(self._places[name])
        return self._known[name]

    def _made(self, place: int) -> Any:
        name, text = self._form.variables[place]
        try:
            return self._form.program(text, place).run(self._values, self._budget)
        except BudgetError:
            raise
        except RunError as error:
            raise RunError(f'composited variable "{name}" fails to evaluate: {error}') from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


class Evaluation:
    """One policy's expressions about one request and one set of parameters."""

    def __init__(self, values: Mapping[str, Any], form: Form, budget: Budget) -> None:
        self._values = {**values, "variables": Lazy(form, values, budget)}
        self._form, self._budget = form, budget

    def of(self, text: str) -> Any:
        """Return what an expression gives; raise CompileError or RunError."""
        return self._form.program(text).run(self._values, self._budget)

    def message(self, text: str) -> Any:
        """Return what the expression of a message gives, which may not ask the authorizer; raise CompileError or RunError."""
        values = {name: value for name, value in self._values.items() if name not in AUTHORIZER}
        values["variables"] = Lazy(self._form, values, self._budget)
        return self._form.program(text, message=True).run(values, self._budget)


def unmet(conditions: Any, evaluation: Evaluation) -> str | None:
    """Return the name of the first condition that is false, None when all are met; raise RunError with every fault."""
    faults = []
    for one in conditions or ():
        text = one["expression"]
        try:
            good = evaluation.of(text)
        except (RunError, CompileError) as error:
            faults.append(f"expression '{text}' resulted in error: {error}")
            continue
        if not good:
            return str(one["name"])
    if faults:
        raise RunError(faults[0] if len(faults) == 1 else f"[{', '.join(faults)}]")
    return None
