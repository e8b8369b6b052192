"""Questions that are posted and answered, and kept nowhere: who am I, may I, whose token is this.

Models pkg/registry/authentication and pkg/registry/authorization.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kit.embedded.api import auth, bodies, legacytokens, negotiation, rbac, rules
from kit.embedded.api.answers import respond
from kit.embedded.api.attributes import Attributes, User
from kit.embedded.api.context import Context
from kit.embedded.core.store import Obj
from kit.embedded.core.turns import Request, Response
from kit.kube import status
from kit.kube.gojson import encode
from kit.kube.rbac import Question, words

Review = Callable[[Context, Attributes, Request], Response]


def token_review(context: Context, at: Attributes, request: Request) -> Response:
    """Say whose a token is."""
    obj = _posted(context, at, request)
    token = (obj.get("spec") or {}).get("token") or ""
    if not token:
        raise status.bad_request("token is required for TokenReview in authentication")
    audiences = tuple((obj.get("spec") or {}).get("audiences") or ())
    return _answer(at, request, obj, _token_verdict(context, token, audiences))


def _token_verdict(context: Context, token: str, audiences: tuple[str, ...]) -> dict[str, Any]:
    """Return whose a token is and which of the audiences (the API server, when none is named) it is for."""
    wrong: dict[str, Any] = {"user": {}, "error": "invalid bearer token"}
    if context.settings.admin_token and token == context.settings.admin_token:
        return wrong if audiences else {"authenticated": True, "user": user_info(auth.ADMIN)}
    claims = auth.claims_of(context, token)
    user = auth.account_of(context, claims) if claims else None
    if claims is None or user is None:
        return wrong
    asked = audiences or (auth.ISSUER,)
    meant = auth.accepted(claims, asked)
    if not meant:
        said, wanted = words(auth.audiences_of(claims)), words(asked)
        why = f"token audiences {said} is invalid for the target audiences {wanted}"
        return {"user": {}, "error": f"[invalid bearer token, {why}]"}
    fault, _ = legacytokens.used(context, claims)
    if fault:
        return {"user": {}, "error": f"[invalid bearer token, {fault}]"}
    return {"authenticated": True, "user": user_info(user), "audiences": meant}


def self_subject_review(context: Context, at: Attributes, request: Request) -> Response:
    """Say who is asking."""
    obj = _posted(context, at, request)
    meta = {**obj["metadata"], "creationTimestamp": context.clock.text()}
    return _answer(at, request, {**obj, "metadata": meta}, {"userInfo": user_info(at.user)})


def subject_access_review(context: Context, at: Attributes, request: Request) -> Response:
    """Say whether somebody may do something."""
    obj = _posted(context, at, request)
    spec = obj.get("spec") or {}
    own = at.resource.kind == "SelfSubjectAccessReview"
    causes = _faults(spec, named=own)
    if at.resource.kind == "LocalSubjectAccessReview":
        causes += _local_faults(spec, at.namespace)
    if not causes and obj["metadata"].get("name"):
        meta = {key: value for key, value in obj["metadata"].items() if key != "namespace"}
        causes = [status.invalid_value("metadata", meta, "must be empty")]
    if causes:
        raise status.invalid(at.resource.group, "", "", causes)
    extra = {key: tuple(values) for key, values in (spec.get("extra") or {}).items()}
    named = User(spec.get("user") or "", tuple(spec.get("groups") or ()), spec.get("uid") or "", extra)
    found = rbac.verdict(context.store, at.user if own else named, _question(spec))
    return _answer(at, request, obj, {"allowed": found.allowed, **({"reason": found.reason} if found.reason else {})})


def _faults(spec: Mapping[str, Any], *, named: bool) -> list[status.Cause]:
    causes = []
    resource, other = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    if (resource is None) == (other is None):
        shown = {key.capitalize(): value for key, value in other.items()} if other else None
        why = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
        causes.append(status.invalid_value("spec", shown, why))
    if not named and not spec.get("user") and not spec.get("groups"):
        causes.append(status.invalid_value("spec.user", "", "at least one of user or group must be specified"))
    return causes


def _local_faults(spec: Mapping[str, Any], namespace: str) -> list[status.Cause]:
    other = spec.get("nonResourceAttributes")
    if other is not None:
        shown = {key.capitalize(): value for key, value in other.items()}
        return [status.invalid_value("spec.nonResourceAttributes", shown, "disallowed on this kind of request")]
    said = (spec.get("resourceAttributes") or {}).get("namespace", "")
    if said == namespace:
        return []
    return [status.invalid_value("spec.resourceAttributes.namespace", said, "must match metadata.namespace")]


def _question(spec: Mapping[str, Any]) -> Question:
    other = spec.get("nonResourceAttributes")
    if other is not None:
        return Question(other.get("verb", ""), path=other.get("path", ""))
    given = spec["resourceAttributes"]
    return Question(
        given.get("verb", ""),
        given.get("group", ""),
        given.get("resource", ""),
        given.get("subresource", ""),
        given.get("namespace", ""),
        given.get("name", ""),
    )


def rules_review(context: Context, at: Attributes, request: Request) -> Response:
    """List what the one who asks may do in a namespace."""
    obj = _posted(context, at, request)
    namespace = (obj.get("spec") or {}).get("namespace") or ""
    if not namespace:
        raise status.bad_request("no namespace on request")
    obj = {"kind": obj["kind"], "apiVersion": obj["apiVersion"], "metadata": {}, "spec": {}}
    return _answer(at, request, obj, _rules_of(context, at.user, namespace))


def _rules_of(context: Context, user: User, namespace: str) -> dict[str, Any]:
    resources: list[Obj] = []
    others: list[Obj] = []
    held = rbac.rules(context.store, user, namespace)
    for rule, _ in held.rules:
        if rule.get("nonResourceURLs"):
            others.append({"verbs": rule["verbs"], "nonResourceURLs": rule["nonResourceURLs"]})
        else:
            kept = ("verbs", "apiGroups", "resources", "resourceNames")
            resources.append({key: rule[key] for key in kept if rule.get(key)})
    out: dict[str, Any] = {"resourceRules": resources, "nonResourceRules": others, "incomplete": False}
    return out | ({"evaluationError": rbac.aggregate(held.complaints())} if held.errors else {})


def user_info(user: User) -> dict[str, Any]:
    """Return a user as authentication.k8s.io/v1 UserInfo."""
    out: dict[str, Any] = {"username": user.name}
    if user.uid:
        out["uid"] = user.uid
    if user.groups:
        out["groups"] = list(user.groups)
    if user.extra:
        out["extra"] = {key: list(values) for key, values in user.extra.items()}
    return out


def _posted(context: Context, at: Attributes, request: Request) -> Obj:
    bodies.check_options(at, "CreateOptions")
    obj = bodies.check_place(at, bodies.decoded(at, request))
    meta = dict(obj["metadata"])
    if at.namespace:
        meta["namespace"] = at.namespace
    return rules.owned(context, at, None, {**obj, "metadata": meta})


def _answer(at: Attributes, request: Request, obj: Obj, verdict: dict[str, Any]) -> Response:
    body = {key: value for key, value in obj.items() if key != "status"} | {"status": verdict}
    form = negotiation.accepted(request.headers.get("accept", ""))
    return respond(encode(body).encode(), 201, media=form.media, warnings=at.warnings)


REVIEWS: Mapping[str, Review] = {
    "tokenreviews.authentication.k8s.io": token_review,
    "selfsubjectreviews.authentication.k8s.io": self_subject_review,
    "subjectaccessreviews.authorization.k8s.io": subject_access_review,
    "selfsubjectaccessreviews.authorization.k8s.io": subject_access_review,
    "localsubjectaccessreviews.authorization.k8s.io": subject_access_review,
    "selfsubjectrulesreviews.authorization.k8s.io": rules_review,
}
