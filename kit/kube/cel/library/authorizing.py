"""May somebody do something: the `authorizer` of policies and match conditions.

Models k8s.io/apiserver/pkg/cel/library/authz.go. Who decides is passed in with the variable.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

from kit.kube import names
from kit.kube.cel.numbers import RunError
from kit.kube.rbac import Question


class Answer(NamedTuple):
    """What is said to it."""

    allowed: bool
    reason: str = ""
    error: str = ""


Account = tuple[str, str] | None


@dataclass(frozen=True, slots=True)
class Authorizer:
    """Who decides about questions: of the one who asks, or of a service account by namespace and name."""

    decide: Callable[[Account, Question], Answer]
    account: Account = None
    type_name = "kubernetes.authorization.Authorizer"


@dataclass(frozen=True, slots=True)
class Check:
    """A question without its verb; `kind` says how far it is built."""

    by: Authorizer
    about: Question
    kind: str

    @property
    def type_name(self) -> str:
        """Return the name of its type."""
        return f"kubernetes.authorization.{self.kind}"


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided."""

    answer: Answer
    type_name = "kubernetes.authorization.Decision"


def _path(by: Authorizer, path: str) -> Check:
    if not path:
        raise RunError("path must not be empty")
    return Check(by, Question("", path=path), "PathCheck")


def _account(by: Authorizer, namespace: str, name: str) -> Authorizer:
    if names.label(namespace):
        raise RunError("Invalid service account namespace")
    if names.subdomain(name):
        raise RunError("Invalid service account name")
    return replace(by, account=(namespace, name))


def resource_check(by: Authorizer, **about: str) -> Check:
    """Return a question about a resource, as `authorizer.requestResource` is one."""
    return Check(by, Question("", **about), "ResourceCheck")


def _part(name: str) -> Callable[[Check, str], Check]:
    return lambda check, value: replace(check, about=replace(check.about, **{name: value}))


def _check(check: Check, verb: str) -> Decision:
    return Decision(check.by.decide(check.by.account, replace(check.about, verb=verb)))


FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    "path": _path,
    "serviceAccount": _account,
    "group": lambda by, group: Check(by, Question("", group=group), "GroupCheck"),
    "resource": lambda check, name: replace(check, about=replace(check.about, resource=name), kind="ResourceCheck"),
    **{name: _part(name) for name in ("subresource", "namespace", "name")},
    "fieldSelector": _part("selector"),
    "labelSelector": lambda check, _: check,  # nothing that decides here looks at labels
    "check": _check,
    "allowed": lambda decision: decision.answer.allowed,
    "reason": lambda decision: decision.answer.reason,
    "error": lambda decision: decision.answer.error,
    "errored": lambda decision: bool(decision.answer.error),
}
