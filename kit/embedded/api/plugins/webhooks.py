"""Validating and mutating webhooks: which are asked about a request, and what becomes of it when they can't be.

Models k8s.io/apiserver/pkg/admission/plugin/webhook/{generic/webhook.go,validating/dispatcher.go} and util/webhook/client.go. Webhooks
that Pods serve are called through the cluster's network, those outside when the cluster was started so (`--allow-webhook-urls`): the
request waits, and is done again with the answers. What can't be reached is told in the API server's words, and failurePolicy decides.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from kit.embedded.api import rules
from kit.embedded.api.asking import OUTSIDE, await_answers, heard, key_of, question, steady
from kit.embedded.api.attributes import Attributes
from kit.embedded.api.context import Context
from kit.embedded.api.conversion import stored
from kit.embedded.api.plugins import policyrequests
from kit.embedded.api.plugins.policyrequests import Asked
from kit.embedded.core.store import Obj
from kit.embedded.core.waiting import Question
from kit.errors import Status
from kit.kube import decoding, misfits, status
from kit.kube.admission import reviewing
from kit.kube.admission.reviewing import UnusableError, Verdict
from kit.kube.admission.rules import About
from kit.kube.pointers import json_patch

VALIDATING = "validatingwebhookconfigurations.admissionregistration.k8s.io"
MUTATING = "mutatingwebhookconfigurations.admissionregistration.k8s.io"

Hook = Mapping[str, Any]


def mutate(context: Context, at: Attributes, obj: Obj, old: Obj | None) -> Obj:
    """Return an object as the mutating webhooks want it; raise what they, or their failurePolicy, refuse."""
    asked = _begun(context, at, obj, old, MUTATING)
    if asked is None:
        return obj
    left: list[tuple[Hook, About, Obj | None]] = []
    for hook, about in _wanted_of(context, asked, MUTATING):
        asked = _changed(context, asked, hook, about)
        left.append((hook, about, asked.obj))
    for hook, about, then in left:
        if hook.get("reinvocationPolicy") == "IfNeeded" and then != asked.obj:
            asked = _changed(context, asked, hook, about)
    return stored(at.resource, asked.obj) if left and asked.obj else obj


def check(context: Context, at: Attributes, obj: Obj | None, old: Obj | None) -> None:
    """Ask the validating webhooks, all at once; raise what they, or their failurePolicy, refuse."""
    asked = _begun(context, at, obj, old, VALIDATING)
    if asked is None:
        return
    hooks = list(_wanted_of(context, asked, VALIDATING))
    await_answers(context, list(_questions(context, asked, hooks)))
    refused: list[Status] = []
    for hook, about in hooks:
        try:
            _said(context, asked, hook, about, mutating=False)
        except Status as error:
            refused.append(error)
    if refused:
        raise refused[0]


def _begun(context: Context, at: Attributes, obj: Obj | None, old: Obj | None, kind: str) -> Asked | None:
    """Return the request when webhooks may be asked about it."""
    if not context.store.count(kind):
        return None
    asked = policyrequests.asked(context, at, obj, old)
    return None if asked.about.exempt else asked


def _wanted_of(context: Context, asked: Asked, kind: str) -> Iterator[tuple[Hook, About]]:
    for hook, about in _concerned(context, asked, kind):
        if _wanted(asked.at, hook, asked, about, fails=_fails(hook)):
            yield hook, about


def _fails(hook: Hook) -> bool:
    return (hook.get("failurePolicy") or "Fail") == "Fail"


def _questions(context: Context, asked: Asked, hooks: Sequence[tuple[Hook, About]]) -> Iterator[Question]:
    """Yield what those are asked that can be reached."""
    for hook, about in hooks:
        with suppress(UnusableError):
            yield _question(context, asked, hook, about)


def _question(context: Context, asked: Asked, hook: Hook, about: About) -> Question:
    """Return what a webhook is asked."""
    client, seconds = hook["clientConfig"], hook.get("timeoutSeconds", 10)
    objects = [policyrequests.converted(one, about) for one in (asked.obj or None, asked.old)]
    told = policyrequests.request(asked, about)
    key, uid = key_of(hook, told, [steady(one) for one in objects])
    body = json.dumps(reviewing.review(told, uid, *objects), separators=(",", ":")).encode()
    return question(context, client, key, body, uid, seconds)


def _said(context: Context, asked: Asked, hook: Hook, about: About, *, mutating: bool) -> Verdict | None:
    """Return what a webhook says to a request, None when it may be passed over; raise its refusal."""
    at = asked.at
    try:
        found = _heard(context, asked, hook, about, mutating=mutating)
    except UnusableError as error:
        why = f'failed calling webhook "{hook["name"]}": {error}'
        if _fails(hook):
            raise status.internal(why) from None
        if str(error).endswith(OUTSIDE):  # no cluster of the world says so: it can't be passed over in silence
            at.warnings.append(f"{why}; failurePolicy is Ignore: the request goes on without it")
        return None
    at.warnings += found.warnings
    if not found.allowed:
        said = reviewing.denial(hook["name"], found.status)
        raise Status(said["reason"], said["message"], code=said["code"], details=said["details"])
    return found


def _heard(context: Context, asked: Asked, hook: Hook, about: About, *, mutating: bool) -> Verdict:
    try:
        uid, reply = heard(context, _question(context, asked, hook, about))
    except UnusableError as error:
        raise UnusableError(f"failed to call webhook: {error}") from None
    return reviewing.verdict(reply.status, reply.body, uid, mutating=mutating)


def _changed(context: Context, asked: Asked, hook: Hook, about: About) -> Asked:
    """Return a request with its object as one webhook wants it."""
    found = _said(context, asked, hook, about, mutating=True)
    if found is None or not found.patch:
        return asked
    resource = asked.at.resource
    if not asked.obj:
        name = hook["name"]
        why = "attempted to modify the object, which is not supported for this operation"
        raise status.internal(f'admission webhook "{name}" {why}')
    out = _patched(asked.obj, found.patch)
    wrong = misfits.type_error(out, resource.node) if resource.node and not resource.custom else ""
    if wrong:
        raise status.internal(wrong)
    out = {**out, "kind": resource.kind, "apiVersion": resource.api_version}
    if resource.node and not resource.custom:
        out = decoding.prune(out, resource.node)
    return replace(asked, obj=rules.read(out, resource))


def _patched(obj: Obj, operations: Sequence[Any]) -> Obj:
    """Return an object after the operations of a webhook."""
    for one in operations:
        try:
            obj = json_patch(obj, [one])
        except Status:
            from kit.kube.admission.mutations import obstacle  # the words of the same library

            raise status.internal(obstacle(obj, one)) from None
    return obj


def _concerned(context: Context, asked: Asked, kind: str) -> Iterator[tuple[Hook, About]]:
    """Return the webhooks whose rules and selectors are about a request, in the API server's order."""
    for configuration in sorted(context.store.list(kind), key=lambda one: str(one["metadata"]["name"])):
        for hook in configuration.get("webhooks") or ():
            match = {**hook, "resourceRules": hook.get("rules") or ()}
            about = policyrequests.meant(asked, match) if match["resourceRules"] else None
            if about is not None:
                yield hook, about


def _wanted(at: Attributes, hook: Hook, asked: Asked, about: About, *, fails: bool) -> bool:
    """Return whether the match conditions of a webhook hold; refuse the request when that can't be told and it must be asked."""
    if not hook.get("matchConditions"):
        return True
    from kit.kube.admission.expressions import STEPS, Evaluation, Form, unmet
    from kit.kube.cel.engine import Budget, RunError

    evaluation = Evaluation(policyrequests.values(asked, about), Form(), Budget(STEPS))
    try:
        return unmet(hook["matchConditions"], evaluation) is None
    except RunError as error:
        if fails:
            raise status.forbidden(at.resource, policyrequests.called(asked), str(error)) from None
        return False
