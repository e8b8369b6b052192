"""MutatingAdmissionPolicy: changes objects as the expressions of policies say, before they are validated.

Models k8s.io/apiserver/pkg/admission/plugin/policy/mutating/dispatcher.go. The CEL engine is imported by the first request that a bound
policy is about.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from kit.embedded.api import rules
from kit.embedded.api.attributes import Attributes
from kit.embedded.api.context import Context
from kit.embedded.api.conversion import stored
from kit.embedded.api.plugins import policyrequests
from kit.embedded.api.plugins.policyrequests import Asked, ConfigurationError
from kit.embedded.core.store import Obj
from kit.errors import Status
from kit.kube import misfits, status
from kit.kube.admission.rules import About

if TYPE_CHECKING:
    from kit.kube.admission.expressions import Evaluation

POLICIES = "mutatingadmissionpolicies.admissionregistration.k8s.io"
BINDINGS = "mutatingadmissionpolicybindings.admissionregistration.k8s.io"
HEAD = ("kind", "apiVersion", "metadata")


@dataclass(frozen=True, slots=True)
class Turn:
    """One policy with one binding and one set of parameters."""

    policy: Obj
    binding: Obj
    about: About
    params: Obj | None

    @property
    def fails(self) -> bool:
        """Return whether a request fails when this can't be done."""
        return (self.policy["spec"].get("failurePolicy") or "Fail") == "Fail"

    @property
    def again(self) -> bool:
        """Return whether it is done again when others changed the object after it."""
        return bool(self.policy["spec"].get("reinvocationPolicy") == "IfNeeded")


def mutate(context: Context, at: Attributes, obj: Obj, old: Obj | None) -> Obj:
    """Return an object as the policies about it want it."""
    if not context.store.count(BINDINGS) or not context.store.count(POLICIES) or at.subresource == "scale":
        return obj
    asked = policyrequests.asked(context, at, obj, old)
    if asked.about.exempt:
        return obj
    turns = _turns(context, asked)
    if not turns:
        return obj
    left: list[Obj | None] = []
    for turn in turns:
        asked = _done(turn, asked)
        left.append(asked.obj)
    for turn, then in zip(turns, left, strict=True):
        if turn.again and then != asked.obj:
            asked = _done(turn, asked)
    return obj if asked.obj is None else stored(at.resource, asked.obj)


def _turns(context: Context, asked: Asked) -> list[Turn]:
    """Return what is to be done, in order; refuse what can't be configured."""
    out: list[Turn] = []
    for policy, binding, about in policyrequests.bound(context, asked, POLICIES, BINDINGS):
        try:
            found = policyrequests.parameters(context, asked, policy, binding)
        except ConfigurationError as error:
            if (policy["spec"].get("failurePolicy") or "Fail") == "Fail":
                raise _refusal(asked, policy, binding, str(error), "Forbidden") from None
            continue
        out += [Turn(policy, binding, about, params) for params in found]
    return out


def _done(turn: Turn, asked: Asked) -> Asked:
    """Return a request with its object changed by one policy."""
    from kit.kube.admission.expressions import STEPS, Evaluation, Form, unmet
    from kit.kube.cel.engine import Budget, CompileError, RunError

    spec, budget = turn.policy["spec"], Budget(STEPS)
    form, seen = Form.of(spec, mutating=True), asked
    try:
        for index, one in enumerate(spec.get("mutations") or ()):
            evaluation = Evaluation(policyrequests.values(seen, turn.about, turn.params), form, budget)
            if not index and unmet(spec.get("matchConditions"), evaluation) is not None:
                return asked
            seen = replace(seen, obj=_changed(seen, one, evaluation))
    except (RunError, CompileError) as error:
        if turn.fails:
            raise _refusal(asked, turn.policy, turn.binding, str(error), "Invalid") from None
        return asked
    return seen


def _changed(asked: Asked, one: Mapping[str, Any], evaluation: Evaluation) -> Obj:
    """Return the object after one mutation, with defaults; raise RunError."""
    from kit.kube.admission.mutations import applied, patched
    from kit.kube.cel.engine import CompileError, RunError

    resource, obj = asked.at.resource, asked.obj or {}
    apply = one["patchType"] == "ApplyConfiguration"
    text = one["applyConfiguration" if apply else "jsonPatch"]["expression"]
    try:
        made = evaluation.of(text)
    except (RunError, CompileError) as error:
        raise RunError(f"expression '{text}' resulted in error: {error}") from None
    out = applied(obj, made, resource.node) if apply else patched(obj, made)
    wrong = misfits.type_error(out, resource.node) if resource.node and not resource.custom else ""
    if wrong:
        raise RunError(wrong)
    out = rules.read({**out, "kind": resource.kind, "apiVersion": resource.api_version}, resource)
    return {key: out[key] for key in HEAD} | {key: value for key, value in out.items() if key not in HEAD}


def _refusal(asked: Asked, policy: Obj, binding: Obj, why: str, reason: str) -> Status:
    names = f"'{policy['metadata']['name']}' with binding '{binding['metadata']['name']}'"
    text = f"policy {names} denied request: {why}"
    about = status.details(asked.at.resource, policyrequests.called(asked), causes=[{"message": text}])
    return Status(reason, text, code=403, details=about)
