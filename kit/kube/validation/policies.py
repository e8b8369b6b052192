"""Validation of admission policies and their bindings, and of match conditions.

Models pkg/apis/admissionregistration/validation/validation.go.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from kit.kube import names, status
from kit.kube.status import Cause
from kit.kube.validation import checks
from kit.kube.validation.checks import Causes, Obj

if TYPE_CHECKING:
    from kit.kube.admission.expressions import Variables

NOTHING: Final = "validations or auditAnnotations must contain at least one item"
OPERATIONS: Final = ("*", "CONNECT", "CREATE", "DELETE", "UPDATE")
REASONS: Final = ("Forbidden", "Invalid", "RequestEntityTooLarge")
TWICE: Final = (
    "must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers "
    "serves no purpose)"
)
MIXED: Final = "may have mixed case, but should otherwise match: "
CROWDED: Final = "if '*' is present, must not specify other resources without subresources"
_IDENTIFIER: Final = re.compile(r"[_a-zA-Z][_a-zA-Z0-9]*")
BOOL: Final = ("bool",)


def policy(obj: Obj, out: Causes) -> None:
    """Check a ValidatingAdmissionPolicy."""
    spec = obj.get("spec") or {}
    variables = _head(spec, out)
    params = bool(spec.get("paramKind"))
    validations, notes = spec.get("validations") or (), spec.get("auditAnnotations") or ()
    if not validations and not notes:
        out.append(status.required("spec.validations", NOTHING))
        out.append(status.required("spec.auditAnnotations", NOTHING))
    for index, one in enumerate(validations):
        _validation(one, f"spec.validations[{index}]", params, variables, out)
    for index, one in enumerate(notes):
        at, key = f"spec.auditAnnotations[{index}]", f"{obj['metadata'].get('name', '')}/{one.get('key') or ''}"
        out.extend(status.invalid_value(f"{at}.key", key, text) for text in names.qualified(key))
        text = one.get("valueExpression") or ""
        if not text.strip():
            out.append(status.required(f"{at}.valueExpression", "valueExpression is not specified"))
        else:
            _compiles(text, f"{at}.valueExpression", ("string", "null_type"), params, variables, out)


def mutating_policy(obj: Obj, out: Causes) -> None:
    """Check a MutatingAdmissionPolicy."""
    spec = obj.get("spec") or {}
    variables = _head(spec, out)
    mutations = spec.get("mutations") or ()
    if not mutations:
        out.append(status.required("spec.mutations", "mutations must contain at least one item"))
    for index, one in enumerate(mutations):
        _mutation(one, f"spec.mutations[{index}]", bool(spec.get("paramKind")), variables, out)
    again = spec.get("reinvocationPolicy")
    if not again:
        out.append(status.required("spec.reinvocationPolicy"))
    else:
        checks.one_of("IfNeeded", "Never")(again, "spec.reinvocationPolicy", out)


def _head(spec: Mapping[str, Any], out: Causes) -> Variables:
    """Check what policies of both kinds have; their variables that can be named."""
    checks.one_of("Fail", "Ignore")(spec.get("failurePolicy"), "spec.failurePolicy", out)
    kind = spec.get("paramKind")
    if kind is not None:
        _param_kind(kind, out)
    match = spec.get("matchConstraints")
    if match is None:
        out.append(status.required("spec.matchConstraints"))
    else:
        matches(match, "spec.matchConstraints", out)
        if not match.get("resourceRules"):
            out.append(status.required("spec.matchConstraints.resourceRules"))
    variables = _variables(spec, bool(kind), out)
    conditions(spec.get("matchConditions") or (), "spec.matchConditions", bool(kind), variables, out)
    return variables


def _param_kind(kind: Mapping[str, Any], out: Causes) -> None:
    version, name = kind.get("apiVersion") or "", kind.get("kind") or ""
    if not version:
        out.append(status.required("spec.paramKind.apiVersion"))
    elif version.count("/") > 1:
        why = f"unexpected GroupVersion string: {version}"
        out.append(status.invalid_value("spec.paramKind.apiVersion", version, why))
    if not name:
        out.append(status.required("spec.paramKind.kind"))
    else:
        out.extend(
            status.invalid_value("spec.paramKind.kind", name, MIXED + text) for text in names.label_1035(name.lower())
        )


def matches(match: Mapping[str, Any], at: str, out: Causes) -> None:
    """Check a MatchResources."""
    checks.one_of("Equivalent", "Exact")(match.get("matchPolicy"), f"{at}.matchPolicy", out)
    for name in ("namespaceSelector", "objectSelector"):
        checks.selector(match.get(name), f"{at}.{name}", out)
    for name in ("resourceRules", "excludeResourceRules"):
        for index, one in enumerate(match.get(name) or ()):
            rule(one, f"{at}.{name}[{index}]", out)


def rule(given: Mapping[str, Any], at: str, out: Causes) -> None:
    """Check which requests a rule of a policy or webhook is about."""
    operations = given.get("operations") or ()
    _list(operations, f"{at}.operations", "operations", out)
    for index, one in enumerate(operations):
        checks.one_of(*OPERATIONS)(one, f"{at}.operations[{index}]", out)
    for name, what in (("apiGroups", "API groups"), ("apiVersions", "API versions")):
        _list(given.get(name) or (), f"{at}.{name}", what, out)
    resources = given.get("resources") or ()
    if not resources:
        out.append(status.required(f"{at}.resources"))
    elif "*" in resources and any(one != "*" and "/" not in one for one in resources):
        out.append(status.invalid_value(f"{at}.resources", list(resources), CROWDED))


def _list(values: Sequence[str], at: str, what: str, out: Causes) -> None:
    if not values:
        out.append(status.required(at))
    elif "*" in values and len(values) > 1:
        out.append(status.invalid_value(at, list(values), f"if '*' is present, must not specify other {what}"))


def _variables(spec: Mapping[str, Any], params: bool, out: Causes) -> Variables:
    found: list[tuple[str, str]] = []
    for index, one in enumerate(spec.get("variables") or ()):
        at, name, text = f"spec.variables[{index}]", one.get("name") or "", one.get("expression") or ""
        before = len(out)
        if not name:
            out.append(status.required(f"{at}.name", "name is not specified"))
        elif not _IDENTIFIER.fullmatch(name):
            out.append(status.invalid_value(f"{at}.name", name, "must be a valid CEL identifier"))
        if not text.strip():
            out.append(status.required(f"{at}.expression", "expression is not specified"))
        elif len(out) == before:
            _compiles(text, f"{at}.expression", (), params, tuple(found), out, inside=True)
        if name and text.strip():
            found.append((name, text))
    return tuple(found)


def conditions(given: Sequence[Mapping[str, Any]], at: str, params: bool, variables: Variables, out: Causes) -> None:
    """Check match conditions: their names, and that they compile."""
    seen: set[str] = set()
    for index, one in enumerate(given):
        where, name, text = f"{at}[{index}]", one.get("name") or "", one.get("expression") or ""
        if not text.strip():
            out.append(status.required(f"{where}.expression"))
        else:
            _compiles(text, f"{where}.expression", BOOL, params, variables, out)
        if not name:
            out.append(status.required(f"{where}.name"))
            continue
        out.extend(status.invalid_value(f"{where}.name", name, text) for text in names.qualified(name))
        if name in seen:
            out.append(status.duplicate(f"{where}.name", name))
        seen.add(name)


def _validation(one: Mapping[str, Any], at: str, params: bool, variables: Variables, out: Causes) -> None:
    text, made, said = (one.get(key) or "" for key in ("expression", "messageExpression", "message"))
    if not text.strip():
        out.append(status.required(f"{at}.expression", "expression is not specified"))
    else:
        _compiles(text, f"{at}.expression", BOOL, params, variables, out)
    if "messageExpression" in one and not made.strip():
        out.append(status.invalid_value(f"{at}.messageExpression", made, "must be non-empty if specified"))
    elif made:
        _compiles(made, f"{at}.messageExpression", ("string",), params, variables, out, message=True)
    if "message" in one and not said.strip():
        out.append(status.invalid_value(f"{at}.message", said, "message must be non-empty if specified"))
    elif "\n" in said.strip():
        out.append(status.invalid_value(f"{at}.message", said, "must not contain line breaks"))
    checks.one_of(*REASONS)(one.get("reason"), f"{at}.reason", out)


def _compiles(
    text: str,
    at: str,
    wanted: Sequence[str],
    params: bool,
    variables: Variables,
    out: Causes,
    *,
    inside: bool = False,
    message: bool = False,
) -> None:
    """Want an expression that compiles and gives one of these types, any when there are none."""
    from kit.kube.admission.expressions import environment
    from kit.kube.cel.engine import CompileError, PlanError, compiled  # imported by the first expression

    try:
        found = compiled(
            text.strip(), environment(params=params, variables=variables, inside=inside, message=message)
        ).type
    except PlanError as error:
        out.append(status.internal_cause(at, str(error)))
        return
    except CompileError as error:
        out.append(status.invalid_value(at, text, f"compilation failed: {error}"))
        return
    if wanted and found.name not in wanted:
        several = wanted[0] if len(wanted) == 1 else f"one of [{' '.join(wanted)}]"
        out.append(status.invalid_value(at, text, f"must evaluate to {several} but got {found}"))


PARTS: Final = {"ApplyConfiguration": ("applyConfiguration", "Object"), "JSONPatch": ("jsonPatch", "list(JSONPatch)")}


def _mutation(one: Mapping[str, Any], at: str, params: bool, variables: Variables, out: Causes) -> None:
    """Check one mutation."""
    kind = one.get("patchType") or ""
    if not kind:
        out.append(status.required(f"{at}.patchType"))
        return
    if kind not in PARTS:
        out.append(status.not_supported(f"{at}.patchType", kind, PARTS))
        return
    part, wanted = PARTS[kind]
    text = (one.get(part) or {}).get("expression") or ""
    if one.get(part) is None:
        out.append(status.required(f"{at}.{part}", f"must be specified when patchType is {kind}"))
    elif not text.strip():
        out.append(status.required(f"{at}.{part}.expression"))
    else:
        _makes(text, f"{at}.{part}.expression", wanted, params, variables, out)
    for other, _ in PARTS.values():
        if other != part and one.get(other) is not None:
            why = f"must not be specified when patchType is {kind}"
            out.append(status.invalid_value(f"{at}.{other}", f"{{{other}}}", why))


def _makes(text: str, at: str, wanted: str, params: bool, variables: Variables, out: Causes) -> None:
    """Want an expression that makes a change of this type."""
    from kit.kube.admission.expressions import environment
    from kit.kube.admission.mutations import mutation
    from kit.kube.cel.engine import CompileError

    try:
        found = mutation(text.strip(), environment(params=params, variables=variables, mutating=True)).type
    except CompileError as error:
        out.append(status.invalid_value(at, text, f"compilation failed: {error}"))
        return
    if str(found) != wanted:
        out.append(status.invalid_value(at, text, f"must evaluate to {wanted} but got {found}"))


def policy_binding(obj: Obj, out: Causes) -> None:
    """Check a ValidatingAdmissionPolicyBinding."""
    spec = obj.get("spec") or {}
    _binding(spec, out)
    actions = spec.get("validationActions") or ()
    if not actions:
        out.append(status.required("spec.validationActions"))
    for index, one in enumerate(actions):
        at = f"spec.validationActions[{index}]"
        checks.one_of("Audit", "Deny", "Warn")(one, at, out)
        if one in actions[:index]:
            out.append(status.duplicate(at, one))
    if "Deny" in actions and "Warn" in actions:
        out.append(status.invalid_value("spec.validationActions", list(actions), TWICE))


def mutating_binding(obj: Obj, out: Causes) -> None:
    """Check a MutatingAdmissionPolicyBinding."""
    _binding(obj.get("spec") or {}, out)


def _binding(spec: Mapping[str, Any], out: Causes) -> None:
    checks.needed(names.subdomain)(spec.get("policyName"), "spec.policyName", out)
    ref = spec.get("paramRef")
    if ref is not None:
        out.extend(_param_ref(ref))
    if spec.get("matchResources") is not None:
        matches(spec["matchResources"], "spec.matchResources", out)


def _param_ref(ref: Mapping[str, Any]) -> list[Cause]:
    at, out = "spec.paramRef", list[Cause]()
    name, selector, action = ref.get("name"), ref.get("selector"), ref.get("parameterNotFoundAction")
    if name:
        out += [status.invalid_value(f"{at}.name", name, text) for text in names.path_segment(name)]
    if name and selector is not None:
        both = "name and selector are mutually exclusive"
        out += [status.forbidden_value(f"{at}.{field}", both) for field in ("name", "selector")]
    if not name and selector is None:
        out.append(status.required(at, "one of name or selector must be specified"))
    if selector is not None:
        checks.selector(selector, f"{at}.selector", out)
    if not action:
        out.append(status.required(f"{at}.parameterNotFoundAction"))
    else:
        checks.one_of("Deny", "Allow")(action, f"{at}.parameterNotFoundAction", out)
    return out
