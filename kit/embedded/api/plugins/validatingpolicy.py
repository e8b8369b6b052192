"""ValidatingAdmissionPolicy: refuses, or warns of, what the expressions of policies do not let through.

Models k8s.io/apiserver/pkg/admission/plugin/policy/validating/{dispatcher,validator}.go. The CEL engine is imported by the first request
that a bound policy is about.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from kit.embedded.api.attributes import Attributes
from kit.embedded.api.context import Context
from kit.embedded.api.plugins import policyrequests
from kit.embedded.api.plugins.policyrequests import Asked, ConfigurationError
from kit.embedded.core.store import Obj
from kit.errors import Status
from kit.kube import status
from kit.kube.admission.rules import About

if TYPE_CHECKING:
    from kit.kube.admission.expressions import Evaluation
    from kit.kube.cel.engine import Budget

KIND = "ValidatingAdmissionPolicy"
POLICIES = "validatingadmissionpolicies.admissionregistration.k8s.io"
BINDINGS = "validatingadmissionpolicybindings.admissionregistration.k8s.io"
LONGEST = 5 * 1024  # bytes of what a messageExpression gives
CODES: Mapping[str, int] = {"Invalid": 422, "Forbidden": 403, "RequestEntityTooLarge": 413}


class Denial(NamedTuple):
    """What a policy has against a request, with the binding's name ("" when no binding was reached)."""

    policy: str
    binding: str
    message: str
    reason: str = "Invalid"


def check(context: Context, at: Attributes, obj: Obj | None, old: Obj | None) -> None:
    """Refuse what a policy denies; add its warnings to the request's."""
    if not context.store.count(BINDINGS) or not context.store.count(POLICIES):
        return
    asked = policyrequests.asked(context, at, obj, old)
    if asked.about.exempt:
        return
    denials: list[Denial] = []
    for policy, binding, about in policyrequests.bound(context, asked, POLICIES, BINDINGS):
        actions = binding["spec"].get("validationActions") or ()
        for one, configured in _denials(context, asked, about, policy, binding):
            if "Deny" in actions or not configured:
                denials.append(one)
            if "Warn" in actions and configured:
                where = f"{KIND} '{one.policy}' with binding '{one.binding}'"
                at.warnings.append(f"Validation failed for {where}: {one.message}")
    if denials:
        raise _refusal(asked, denials[0])


def _denials(context: Context, asked: Asked, about: About, policy: Obj, binding: Obj) -> Iterator[tuple[Denial, bool]]:
    """Return what a policy has against a request, and whether it could be asked at all."""
    names = (policy["metadata"]["name"], binding["metadata"]["name"])
    fails = (policy["spec"].get("failurePolicy") or "Fail") == "Fail"
    try:
        found = policyrequests.parameters(context, asked, policy, binding)
    except ConfigurationError as error:
        if fails:
            yield Denial(names[0], "" if error.policy else names[1], str(error)), False
        return
    from kit.kube.admission.expressions import STEPS
    from kit.kube.cel.engine import Budget

    budget = Budget(STEPS)
    for params in found:
        for message, reason, broken in _judged(asked, about, policy["spec"], params, budget):
            if fails or not broken:
                yield Denial(*names, message, reason), True


def _judged(
    asked: Asked, about: About, spec: Mapping[str, Any], params: Obj | None, budget: Budget
) -> Iterator[tuple[str, str, bool]]:
    """Return message and reason of every validation that fails, and whether it failed by an error."""
    from kit.kube.admission.expressions import Evaluation, Form, unmet
    from kit.kube.cel.engine import BudgetError, CompileError, RunError

    evaluation = Evaluation(policyrequests.values(asked, about, params), Form.of(spec), budget)
    try:
        if unmet(spec.get("matchConditions"), evaluation) is not None:
            return
    except RunError as error:
        yield str(error), "Invalid", True
        return
    for one in spec.get("validations") or ():
        text = one["expression"]
        try:
            good = evaluation.of(text)
        except BudgetError as error:
            yield f"expression '{text}' resulted in error: {error}", "Invalid", True
            if budget.spent:
                yield OVER, "Invalid", True
                return
            continue
        except (RunError, CompileError) as error:
            yield f"expression '{text}' resulted in error: {error}", "Invalid", True
            continue
        if not good:
            yield _message(one, evaluation), one.get("reason") or "Invalid", False


OVER = "validation failed due to running out of cost budget, no further validation rules will be run"


def _message(validation: Mapping[str, Any], evaluation: Evaluation) -> str:
    from kit.kube.cel.engine import CompileError, RunError

    made = ""
    if validation.get("messageExpression"):
        try:
            given = evaluation.message(validation["messageExpression"])
            made = str(given).strip() if isinstance(given, str) else ""
        except (RunError, CompileError):
            made = ""
    if "\n" in made or len(made.encode()) > LONGEST:
        made = ""
    return made or (validation.get("message") or "").strip() or f"failed expression: {validation['expression'].strip()}"


def _refusal(asked: Asked, denial: Denial) -> Status:
    """Return an admission plug-in's refusal, with the policy's own reason."""
    bound = f" with binding '{denial.binding}'" if denial.binding else ""
    why = f"{KIND} '{denial.policy}'{bound} denied request: {denial.message}"
    plain = status.forbidden(asked.at.resource, policyrequests.called(asked), why)
    about = {**(plain.details or {}), "causes": [{"message": why}]}
    return Status(denial.reason, plain.message, code=CODES.get(denial.reason, 422), details=about)
